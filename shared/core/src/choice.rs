//! The closed sets of words that a definition may use, each an enum that knows its own spellings.

use crate::text::quoted;

/// Declares an enum whose variants are words of the configuration file.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// Every variant, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it stands in files, items and messages.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::choice::InvalidChoice;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::choice::InvalidChoice::new(text, &[$($word),+])),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use choice;

/// A word that is none of those allowed in its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is none of {}", allowed.join(", "))]
pub struct InvalidChoice {
    pub(crate) found: String,
    allowed: &'static [&'static str],
}

impl InvalidChoice {
    pub(crate) fn new(found: &str, allowed: &'static [&'static str]) -> Self {
        Self {
            found: quoted(found),
            allowed,
        }
    }

    /// The words that may stand here.
    pub fn allowed(&self) -> &'static [&'static str] {
        self.allowed
    }
}

choice! {
    /// How much a monitor matters; sets interval, threshold and severity.
    Tier {
        /// Every minute, told after the first failed tick.
        Critical = "critical",
        /// Every five minutes, told after two failed ticks.
        Supporting = "supporting",
        /// Every fifteen minutes, told after three failed ticks.
        Background = "background",
    }
}

choice! {
    /// What a healthy monitor looks like from outside.
    Expect {
        /// The port accepts connections.
        Open = "open",
        /// Nothing accepts connections there: an open port is a security finding.
        Closed = "closed",
        /// The host answers, be it with a refusal: what ping would tell.
        Reachable = "reachable",
    }
}

choice! {
    /// How far a check goes.
    CheckKind {
        /// A timed TCP connect.
        Connect = "connect",
        /// A connect, then one short exchange in the service's own protocol, without credentials.
        Ready = "ready",
    }
}

choice! {
    /// How loudly a monitor's incidents are told; subscribers filter by it.
    Severity {
        /// Wakes somebody.
        Critical = "critical",
        /// Wants a look during the day.
        Warning = "warning",
        /// Good to know.
        Info = "info",
    }
}

choice! {
    /// Which address families a check may use.
    IpFamily {
        /// Both, in the order of RFC 8305.
        Any = "any",
        /// IPv4 alone.
        V4 = "v4",
        /// IPv6 alone.
        V6 = "v6",
    }
}

choice! {
    /// How a connection that was only opened is ended.
    CloseMode {
        /// An orderly FIN: the service sees a client that came and went.
        Fin = "fin",
        /// SYN, SYN-ACK, RST: the service never sees the connection.
        Quiet = "quiet",
    }
}
