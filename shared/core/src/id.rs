//! Ids of monitors and names of locations.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::quoted;

/// An invalid name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a {kind}: {rule}")]
pub struct InvalidName {
    pub(crate) shown: String,
    pub(crate) kind: &'static str,
    pub(crate) rule: &'static str,
}

macro_rules! name {
    ($(#[$meta:meta])* $name:ident, $kind:literal, $max:literal, $allowed:expr, $rule:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                let allowed: fn(char) -> bool = $allowed;
                let has_valid_start = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
                if has_valid_start && text.len() <= $max && text.chars().all(allowed) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidName { shown: quoted(text), kind: $kind, rule: $rule })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The id of a monitor, such as `orders-db`: a sort key in DynamoDB, and part of every message.
    MonitorId,
    "monitor id",
    64,
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.'),
    "use 1 to 64 of a-z, 0-9, `-`, `_` and `.`, starting with a letter or digit"
);

name!(
    /// The location of a checker: an AWS region such as `eu-west-1`, or any such name on a local machine.
    Location,
    "location name",
    32,
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-',
    "use 1 to 32 of a-z, 0-9 and `-`, starting with a letter or digit"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_unsafe_in_keys_or_messages_are_rejected() {
        for good in ["orders-db", "a", "7", "a.b_c-d", &"x".repeat(64)] {
            assert!(good.parse::<MonitorId>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a b", "a#b", "a\n", "ü", &"x".repeat(65)] {
            assert!(bad.parse::<MonitorId>().is_err(), "{bad:?}");
        }
        assert!("eu-west-1".parse::<Location>().is_ok());
        assert!("eu#west".parse::<Location>().is_err());
    }
}
