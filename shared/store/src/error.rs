//! Errors of reads and writes.

use portpulse_core::text::escaped;

use crate::keys::Key;
use crate::table::TableError;

/// A failed read or write.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A request to the table failed.
    #[error(transparent)]
    Table(#[from] TableError),
    /// An item is malformed. It stays unchanged.
    #[error("cannot read the item `{key}`")]
    Unreadable {
        /// The key of the item.
        key: Key,
        /// What is invalid.
        source: Malformed,
    },
    /// An item is too large and was not sent.
    #[error(
        "the item `{key}` has {bytes} bytes, more than the maximum of {limit} (move monitors of the group to other \
         groups)"
    )]
    TooLarge {
        /// The key of the item.
        key: Key,
        /// The size by DynamoDB's rules.
        bytes: usize,
        /// The maximum size.
        limit: usize,
    },
}

/// A malformed item: the attribute, what is invalid, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// The layout version is unsupported.
    #[error(
        "unsupported layout version {found}, expected {} (update Portpulse, or delete the item to reset its state)",
        crate::VERSION
    )]
    Version {
        /// The layout version of the item.
        found: String,
    },
    /// An attribute is missing.
    #[error("`{at}` is missing (delete the item to reset its state)")]
    Missing {
        /// Which, from the top of the item.
        at: String,
    },
    /// An attribute has the wrong type.
    #[error("`{at}` is {found}, expected {wanted} (delete the item to reset its state)")]
    Type {
        /// Which, from the top of the item.
        at: String,
        /// The type found.
        found: &'static str,
        /// The type expected.
        wanted: &'static str,
    },
    /// An attribute has an invalid value.
    #[error("`{at}` is invalid (delete the item to reset its state)")]
    Value {
        /// Which, from the top of the item.
        at: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The sort key belongs to no known kind of item.
    #[error("unknown kind of item (update Portpulse, or delete the item)")]
    Unknown,
}

/// An error and its sources on one line. Control characters are escaped, because errors quote untrusted text.
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
    fn chain_contains_sources_and_escapes_control_characters() {
        let source = Malformed::Version {
            found: "2".to_owned(),
        };
        let error = Error::Unreadable {
            key: fleet_state(),
            source,
        };
        let text = "cannot read the item `fleet/decision`: unsupported layout version 2, expected 1 (update Portpulse, or \
                    delete the item to reset its state)";
        assert_eq!(chain(&error), text);
        let hostile = Error::Unreadable {
            key: fleet_state(),
            source: Malformed::Version {
                found: "\u{1b}[2J\u{202e}".to_owned(),
            },
        };
        assert!(chain(&hostile).contains("unsupported layout version \\u001b[2J\\u202e, "));
    }
}
