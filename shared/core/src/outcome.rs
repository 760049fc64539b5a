//! What one check of one monitor found, with the time each phase took and how far the times can be trusted.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

use crate::text::{is_plain, quoted};

/// What one check found.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The port accepted the connection and, where a readiness exchange was asked for, the service answered well.
    Open(Opened),
    /// The target did not do what was asked of it.
    Failed(Failure),
    /// We could not tell: the fault was the checker's own. Never counted as a failure.
    NoData(NoData),
}

/// A check that succeeded.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// The address that answered, of all that the name has.
    pub address: SocketAddr,
    /// How long each phase took.
    pub phases: Phases,
    /// How far `phases.connect` can be trusted.
    pub trust: Trust,
    /// What works but wants attention.
    pub warning: Option<Warning>,
    /// What the service said of itself, such as `220 mail.example.com ESMTP`.
    pub banner: Option<Detail>,
}

/// What works but wants attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// The server's certificate is about to expire.
    CertificateExpiring {
        /// When.
        at: Timestamp,
        /// Whole days until then, rounded down.
        days: i64,
    },
    /// What the service itself gave cause to remark.
    Remark(Detail),
}

impl Warning {
    /// The same in words.
    pub fn detail(&self) -> Option<Detail> {
        Detail::new(&self.to_string())
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CertificateExpiring { at, days } => {
                let unit = if *days == 1 { "day" } else { "days" };
                write!(
                    f,
                    "the certificate expires in {days} {unit}, on {}",
                    at.strftime("%Y-%m-%d")
                )
            }
            Self::Remark(detail) => write!(f, "{detail}"),
        }
    }
}

/// A check that failed, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What kind of failure it was.
    pub class: FailureClass,
    /// The phase in which it came.
    pub phase: Phase,
    /// How long the phases up to there took.
    pub phases: Phases,
    /// The address that was tried last, if it came so far.
    pub address: Option<SocketAddr>,
    /// More in the service's or the system's own words.
    pub detail: Option<Detail>,
}

/// The steps of a check, timed apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Name resolution.
    Dns,
    /// SYN to SYN-ACK.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The readiness exchange.
    Ready,
}

impl Phase {
    /// The phase's name in output and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Ready => "ready",
        }
    }
}

/// How long each phase took; a phase that did not happen is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Phases {
    /// Name resolution; absent for an address.
    pub dns: Option<Duration>,
    /// SYN to SYN-ACK, of the address that answered.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// The readiness exchange.
    pub ready: Option<Duration>,
}

/// How far a connect time can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// The kernel's own measure of the round trip: true even if this process was starved.
    Kernel,
    /// This process's clock, while it was being served promptly.
    Clock,
    /// A SYN was lost and sent again: the time includes the kernel's wait of a second or more.
    Retransmitted,
    /// This process's clock, while it was starved of processor time: an upper bound.
    Starved,
}

impl Trust {
    /// The word for it in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Clock => "clock",
            Self::Retransmitted => "retransmitted",
            Self::Starved => "starved",
        }
    }
}

/// Why a target was found failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureClass {
    /// The connection was refused (RST to our SYN).
    Refused,
    /// Nothing came back in time.
    Timeout,
    /// A router said that the host or network cannot be reached.
    Unreachable,
    /// The connection was reset after it was made.
    Reset,
    /// The name could not be resolved.
    Dns(DnsFailure),
    /// The TLS handshake or the certificate failed.
    Tls,
    /// The service closed the connection before it answered.
    Closed,
    /// The service accepted, then said nothing.
    Silent,
    /// The service is at a limit.
    Busy,
    /// The service is starting, recovering or shutting down.
    Starting,
    /// The service has banned this client.
    Blocked,
    /// Something else answers there.
    WrongService,
    /// The service answers, but not as it must: another status, text or record.
    WrongAnswer,
}

/// Why a name could not be resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DnsFailure {
    /// The name, or an address of the asked family, does not exist.
    NotFound,
    /// The name servers failed.
    ServerFailure,
    /// The name servers did not answer in time.
    Timeout,
}

/// A fault of our own, for which no target can be blamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoData {
    /// The checker ran out of time before it could finish.
    OutOfTime,
    /// The checker ran out of file descriptors, ports or memory.
    OutOfResources,
    /// The checker itself has no route to that address family or network.
    NoRoute,
    /// The resolver answers for no name at all.
    ResolverDown,
    /// The name has only addresses of the checker's own machine, and the checker may not go there.
    OwnAddress,
    /// Something unforeseen on the checker's side.
    Internal,
}

/// A code that names no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a known outcome code")]
pub struct UnknownCode {
    found: String,
}

impl UnknownCode {
    pub(crate) fn new(found: &str) -> Self {
        Self { found: quoted(found) }
    }
}

macro_rules! codes {
    ($name:ident { $($variant:pat => $value:expr, $code:literal);+ $(;)? }) => {
        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$($value),+];

            /// The code that stands for it in items, output and messages.
            pub const fn code(self) -> &'static str {
                match self { $($variant => $code),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownCode;

            fn from_str(text: &str) -> Result<Self, UnknownCode> {
                match text {
                    $($code => Ok($value),)+
                    _ => Err(UnknownCode::new(text)),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}

codes!(FailureClass {
    Self::Refused => Self::Refused, "refused";
    Self::Timeout => Self::Timeout, "timeout";
    Self::Unreachable => Self::Unreachable, "unreachable";
    Self::Reset => Self::Reset, "reset";
    Self::Dns(DnsFailure::NotFound) => Self::Dns(DnsFailure::NotFound), "dns_not_found";
    Self::Dns(DnsFailure::ServerFailure) => Self::Dns(DnsFailure::ServerFailure), "dns_server_failure";
    Self::Dns(DnsFailure::Timeout) => Self::Dns(DnsFailure::Timeout), "dns_timeout";
    Self::Tls => Self::Tls, "tls";
    Self::Closed => Self::Closed, "closed";
    Self::Silent => Self::Silent, "silent";
    Self::Busy => Self::Busy, "busy";
    Self::Starting => Self::Starting, "starting";
    Self::Blocked => Self::Blocked, "blocked";
    Self::WrongService => Self::WrongService, "wrong_service";
    Self::WrongAnswer => Self::WrongAnswer, "wrong_answer";
});

codes!(NoData {
    Self::OutOfTime => Self::OutOfTime, "no_data_out_of_time";
    Self::OutOfResources => Self::OutOfResources, "no_data_out_of_resources";
    Self::NoRoute => Self::NoRoute, "no_data_no_route";
    Self::ResolverDown => Self::ResolverDown, "no_data_resolver_down";
    Self::OwnAddress => Self::OwnAddress, "no_data_own_address";
    Self::Internal => Self::Internal, "no_data_internal";
});

/// Words that came from outside, made safe to show: printable, on one line, at most 200 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail(String);

impl Detail {
    /// The most bytes a detail may have.
    pub const MAX_BYTES: usize = 200;

    /// Takes any text, replaces what does not print and cuts the rest; `None` if nothing is left.
    pub fn new(text: &str) -> Option<Self> {
        let mut kept = String::new();
        for c in text.trim().chars() {
            // What could not be read as text says nothing.
            let c = if is_plain(c) && c != char::REPLACEMENT_CHARACTER {
                c
            } else {
                ' '
            };
            if kept.len() + c.len_utf8() > Self::MAX_BYTES - '…'.len_utf8() {
                kept.push('…');
                break;
            }
            if c != ' ' || !kept.ends_with(' ') {
                kept.push(c);
            }
        }
        let kept = kept.trim();
        (!kept.is_empty()).then(|| Self(kept.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn detail_keeps_one_printable_line() {
        let shown = |text: &str| Detail::new(text).map(|d| d.as_str().to_owned());
        assert_eq!(
            shown("  220 mail\r\nESMTP\t\u{1b}[31m "),
            Some("220 mail ESMTP [31m".to_owned())
        );
        assert_eq!(shown("a\u{202e}b"), Some("a b".to_owned()));
        assert_eq!(shown("\r\n"), None);
    }

    proptest! {
        #[test]
        fn detail_is_bounded_and_stable(text in "\\PC{0,400}|.{0,400}") {
            if let Some(detail) = Detail::new(&text) {
                prop_assert!(detail.as_str().len() <= Detail::MAX_BYTES);
                prop_assert!(detail.as_str().chars().all(is_plain));
                prop_assert_eq!(Detail::new(detail.as_str()), Some(detail));
            }
        }

        #[test]
        fn unknown_codes_are_named_not_guessed(text in "[a-z_]{0,30}") {
            if let Ok(class) = text.parse::<FailureClass>() {
                prop_assert_eq!(class.code(), &text);
            }
            if let Ok(no_data) = text.parse::<NoData>() {
                prop_assert_eq!(no_data.code(), &text);
            }
        }
    }
}
