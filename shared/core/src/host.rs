//! Hosts: DNS names and addresses.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use crate::text::quoted;

/// A host: a DNS name or an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// A DNS name, in ASCII and lower case. A final dot, which ends the search list of the resolver, is kept.
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

impl Host {
    /// The host without a final dot, as TLS (RFC 6066, section 3) and HTTP expect it.
    #[must_use]
    pub fn without_final_dot(&self) -> Self {
        match self {
            Self::Name(name) => Self::Name(name.strip_suffix('.').unwrap_or(name).to_owned()),
            Self::Address(address) => Self::Address(*address),
        }
    }

    /// Whether the name is one of SRV records, such as `_mongodb._tcp.example.com`, which name hosts and ports (RFC 2782).
    pub fn is_srv(&self) -> bool {
        let Self::Name(name) = self else { return false };
        let mut labels = name.split('.');
        let (service, protocol, domain) = (labels.next(), labels.next(), labels.next());
        service.is_some_and(|service| service.len() > 1 && service.starts_with('_'))
            && matches!(protocol, Some("_tcp" | "_udp"))
            && domain.is_some_and(|domain| !domain.is_empty())
    }
}

impl FromStr for Host {
    type Err = InvalidHost;

    /// Parses an address, with or without brackets, or a name of RFC 1123. Underscores are accepted, as resolvers
    /// accept them. An internationalized name becomes its ASCII form (UTS 46).
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
        if let Some((address, _)) = bare.split_once('%')
            && address.parse::<Ipv6Addr>().is_ok()
        {
            return Err(invalid(
                "a zone id such as `%eth0` names an interface of one machine, and checkers have others: use a global address",
            ));
        }
        if text.contains(':') {
            return Err(invalid("write only the host, and the port in the field `port`"));
        }
        let name = if text.is_ascii() {
            text.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii(text).map_err(|_| {
                invalid("an internationalized name consists of letters, digits and `-` (UTS 46)")
            })?
        };
        let bare = name.strip_suffix('.').unwrap_or(&name);
        let label_is_good = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if bare.len() > 253 || !bare.split('.').all(label_is_good) {
            return Err(invalid(
                "a name consists of labels of letters, digits and `-`, separated by dots, at most 253 characters",
            ));
        }
        if bare
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
        assert_eq!(read("DB.Example.com"), Ok("db.example.com".to_owned()));
        assert_eq!(read("DB.Example.com."), Ok("db.example.com.".to_owned()));
        let dotted: Host = "db.example.com.".parse().unwrap();
        assert_eq!(dotted.without_final_dot().to_string(), "db.example.com");
        assert_eq!(read("[::1]"), Ok("::1".to_owned()));
        assert_eq!(read("203.0.113.7"), Ok("203.0.113.7".to_owned()));
        assert_eq!(read("_sip.example.com"), Ok("_sip.example.com".to_owned()));
        assert_eq!(read("Bücher.example."), Ok("xn--bcher-kva.example.".to_owned()));
        for bad in [
            "",
            ".",
            "a..b",
            "-a",
            "a-",
            "http://a",
            "a/b",
            "a:1",
            "fe80::1%eth0",
            "a\u{200d}b.example",
            "ü b.example",
            "1.2.3",
            "256.1.1.1",
            "a b",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn name_of_srv_records_begins_with_service_and_protocol() {
        for (name, is_srv) in [
            ("_mongodb._tcp.example.com", true),
            ("_sip._UDP.example.com.", true),
            ("_sip.example.com", false),
            ("_tcp.example.com", false),
            ("_mongodb._tcp", false),
            ("_mongodb._tcp.", false),
            ("a._tcp.example.com", false),
            ("192.0.2.1", false),
        ] {
            assert_eq!(
                name.parse::<Host>().map(|host| host.is_srv()),
                Ok(is_srv),
                "{name}"
            );
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
