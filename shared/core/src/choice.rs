//! The enumerated values of the definitions file. Each enum knows the spelling of its values.

use crate::text::quoted;

/// Declares an enum whose variants are values of the definitions file.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// All variants, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The spelling in files, items and messages.
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

/// A value that is not one of the supported ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not one of {}", allowed.join(", "))]
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

    /// The supported values.
    pub fn allowed(&self) -> &'static [&'static str] {
        self.allowed
    }
}

choice! {
    /// The importance of a monitor. Sets the interval, the threshold and the severity.
    Tier {
        /// Checked every minute, notified after one failed check.
        Critical = "critical",
        /// Checked every five minutes, notified after two failed checks.
        Supporting = "supporting",
        /// Checked every fifteen minutes, notified after three failed checks.
        Background = "background",
    }
}

choice! {
    /// The expected state of a monitor.
    Expect {
        /// The port accepts connections.
        Open = "open",
        /// The port accepts no connections: an open port is a security finding.
        Closed = "closed",
        /// The host answers, even by refusing the connection. Replaces a ping, which Lambda functions cannot send.
        Reachable = "reachable",
    }
}

choice! {
    /// The kind of a check.
    CheckKind {
        /// A timed TCP connect.
        Connect = "connect",
        /// A connect, then a short exchange in the protocol of the service, without credentials.
        Ready = "ready",
        /// An ICMP echo to the host, from agents only: a Lambda function cannot send ICMP.
        Ping = "ping",
    }
}

choice! {
    /// The severity of a monitor's notifications. Subscribers filter by severity.
    Severity {
        /// Requires immediate action.
        Critical = "critical",
        /// Requires attention during working hours.
        Warning = "warning",
        /// Requires no action.
        Info = "info",
    }
}

choice! {
    /// The address families that a check may use.
    IpFamily {
        /// Both, in the order of RFC 8305.
        Any = "any",
        /// IPv4 only.
        V4 = "v4",
        /// IPv6 only.
        V6 = "v6",
    }
}

choice! {
    /// How a connect check closes the connection.
    CloseMode {
        /// A FIN: the service sees a client that connects and disconnects.
        Fin = "fin",
        /// SYN, SYN-ACK, RST: the service never sees the connection.
        Quiet = "quiet",
    }
}
