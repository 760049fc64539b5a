//! The help of a diagnostic: how to fix a mistake.

use std::fmt;

/// How to fix a mistake. The variants beside [`Help::Text`] let a command line name its options instead of the fields of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Help {
    /// A text that suits files and command lines alike.
    Text(String),
    /// Write the missing port, or a service that has one.
    AddPort,
    /// Remove the named field, which has no effect on a ping.
    RemoveFromPing(&'static str),
    /// Name MySQL as the service, so that it is not only connected to.
    AddMysql {
        /// Whether the check is only a connect, which the service alone would not change.
        only_connects: bool,
    },
    /// Add a service, since the options of TLS need one.
    AddTlsService,
    /// Add TLS, or remove the named field, which requires TLS.
    AddTls(&'static str),
    /// Use TLS from the start instead of STARTTLS.
    UseTls,
    /// Remove one of `warn_days` and `insecure`.
    RemoveWarnDaysOrInsecure,
}

impl fmt::Display for Help {
    /// The help in the words of a file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::AddPort => f.write_str("write a port, or a `service` that has one"),
            Self::RemoveFromPing(field) => write!(f, "remove `{field}`, or use another `check`"),
            Self::AddMysql { only_connects: false } => f.write_str("write `service: mysql`"),
            Self::AddMysql { only_connects: true } => {
                f.write_str("write `service: mysql` with `check: ready`, or `close: quiet`")
            }
            Self::AddTlsService => {
                f.write_str("add `service: tls` to check only the handshake, or the service on this port")
            }
            Self::AddTls(field) => write!(f, "add `tls: true`, or remove `{field}`"),
            Self::UseTls => f.write_str("write `tls: true`, or remove `tls`"),
            Self::RemoveWarnDaysOrInsecure => f.write_str("remove `warn_days`, or `insecure`"),
        }
    }
}

impl From<String> for Help {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Help {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
