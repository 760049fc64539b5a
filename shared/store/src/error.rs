//! What can go wrong with what is stored.

use portpulse_core::text::escaped;

use crate::keys::Key;
use crate::table::TableError;

/// What can go wrong with what is stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The table did not answer, or not well.
    #[error(transparent)]
    Table(#[from] TableError),
    /// An item is there and cannot be read. It is left as it is.
    #[error("the item `{key}` cannot be read")]
    Unreadable {
        /// Where it stands.
        key: Key,
        /// What is wrong with it.
        source: Malformed,
    },
    /// An item would be too large, and was not sent.
    #[error(
        "the item `{key}` would have {bytes} bytes, more than the {limit} that Portpulse puts into one \
         (spread its monitors over more groups)"
    )]
    TooLarge {
        /// Where it would stand.
        key: Key,
        /// Its size by DynamoDB's rules.
        bytes: usize,
        /// The most that is sent.
        limit: usize,
    },
}

/// What is wrong with an item: where in it, what, and the mend.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// It has a layout that this version does not know.
    #[error(
        "it has layout version {found}, this version reads {} (update this one, or delete the item to start afresh)",
        crate::VERSION
    )]
    Version {
        /// The layout that it says it has.
        found: String,
    },
    /// An attribute is missing.
    #[error("`{at}` is missing (delete the item to start afresh)")]
    Missing {
        /// Which, from the top of the item.
        at: String,
    },
    /// An attribute has another type.
    #[error("`{at}` is {found} where {wanted} belongs (delete the item to start afresh)")]
    Type {
        /// Which, from the top of the item.
        at: String,
        /// What it is.
        found: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// An attribute has a value that makes no sense.
    #[error("`{at}` makes no sense (delete the item to start afresh)")]
    Value {
        /// Which, from the top of the item.
        at: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It stands where no item is known.
    #[error("no such row is known here (update this version, or delete the item)")]
    Unknown,
}

/// An error with everything that caused it, on one line: what it quotes may come from anybody.
pub fn chain(error: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    let chain = chain.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    escaped(&chain, |c| c == '\n').into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::fleet_state;

    #[test]
    fn an_error_is_told_with_what_caused_it() {
        let source = Malformed::Version {
            found: "2".to_owned(),
        };
        let error = Error::Unreadable {
            key: fleet_state(),
            source,
        };
        let notified = "the item `fleet/decision` cannot be read: it has layout version 2, this version reads 1 (update this \
                    one, or delete the item to start afresh)";
        assert_eq!(chain(&error), notified);
        let hostile = Error::Unreadable {
            key: fleet_state(),
            source: Malformed::Version {
                found: "\u{1b}[2J\u{202e}".to_owned(),
            },
        };
        assert!(chain(&hostile).contains("it has layout version \\u001b[2J\\u202e, "));
    }
}
