//! Targets: the part of a monitor that the prober needs.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use crate::choice::{CloseMode, IpFamily};
use crate::readiness::Readiness;
use crate::text::quoted;

/// One host and port, with the options of its checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The host.
    pub host: Host,
    /// The TCP port, or the UDP port of a DNS server checked over UDP; never 0.
    pub port: u16,
    /// The allowed address families.
    pub ip: IpFamily,
    /// The timeout for all phases together.
    pub timeout: Duration,
    /// The kind of check.
    pub check: Check,
}

impl fmt::Display for Target {
    /// `host:port`, with brackets around an IPv6 address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            Host::Name(_) | Host::Address(IpAddr::V4(_)) => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// The kind of a check, with its options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// A timed TCP connect, closed by the given mode.
    Connect(CloseMode),
    /// A connect, then an exchange in the protocol of the service.
    Ready(Readiness),
}

/// A host: a DNS name or an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// A DNS name, in ASCII, lower case, without a final dot.
    Name(String),
    /// A literal IPv4 or IPv6 address.
    Address(IpAddr),
}

/// A text that is neither a DNS name nor an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a host: {rule}")]
pub struct InvalidHost {
    pub(crate) shown: String,
    pub(crate) rule: &'static str,
}

impl FromStr for Host {
    type Err = InvalidHost;

    /// Parses an address, with or without brackets, or a name of RFC 1123. Underscores are accepted, as resolvers
    /// accept them.
    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let invalid = |rule| InvalidHost {
            shown: quoted(text),
            rule,
        };
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self::Address(address));
        }
        if text.contains("://") || text.contains('/') {
            return Err(invalid("write only the host, without a scheme or a path"));
        }
        if text.contains(':') {
            return Err(invalid("write only the host, and the port in the field `port`"));
        }
        if !text.is_ascii() {
            return Err(invalid(
                "write an internationalized name in its ASCII form (xn--…)",
            ));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let label_is_good = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if name.len() > 253 || !name.split('.').all(label_is_good) {
            return Err(invalid(
                "a name consists of labels of letters, digits and `-`, separated by dots, at most 253 characters",
            ));
        }
        if name
            .split('.')
            .all(|label| label.bytes().all(|b| b.is_ascii_digit()))
        {
            return Err(invalid(
                "an IPv4 address consists of four numbers from 0 to 255, separated by dots",
            ));
        }
        Ok(Self::Name(name))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn host_is_a_name_or_an_address() {
        let read = |text: &str| text.parse::<Host>().map(|host| host.to_string());
        assert_eq!(read("DB.Example.com."), Ok("db.example.com".to_owned()));
        assert_eq!(read("[::1]"), Ok("::1".to_owned()));
        assert_eq!(read("203.0.113.7"), Ok("203.0.113.7".to_owned()));
        assert_eq!(read("_sip.example.com"), Ok("_sip.example.com".to_owned()));
        for bad in [
            "",
            ".",
            "a..b",
            "-a",
            "a-",
            "http://a",
            "a/b",
            "a:1",
            "bücher.de",
            "1.2.3",
            "256.1.1.1",
            "a b",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn host_round_trips_through_text(text in "[a-zA-Z0-9._:\\[\\]-]{0,40}") {
            if let Ok(host) = text.parse::<Host>() {
                prop_assert_eq!(host.to_string().parse::<Host>(), Ok(host));
            }
        }
    }
}
