//! The outcome of one check of one monitor, with the time of each phase and its reliability.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

use crate::choice::choice;
use crate::text::{excerpt, quoted};
use crate::time::format_duration;

/// The outcome of one check.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The port accepted the connection, and the service answered the readiness exchange, if any; or the host answered a ping.
    Open(Opened),
    /// The target failed the check.
    Failed(Failure),
    /// The checker could not tell, because of its own problem. Never counted as a failure.
    NoData(NoData),
}

impl Outcome {
    /// The outcome of a target with `fail_slower_than`: a check that succeeded too slowly fails.
    ///
    /// A starved process measures an upper bound, which does not prove that a check was slow.
    #[must_use]
    pub fn limited(self, limit: Option<Duration>) -> Self {
        let (Self::Open(opened), Some(limit)) = (&self, limit) else {
            return self;
        };
        let total = opened.phases.total().unwrap_or_default();
        if total <= limit || opened.trust == Trust::Starved {
            return self;
        }
        let took = Duration::from_millis(u64::try_from(total.as_millis()).unwrap_or(u64::MAX));
        let (took, limit) = (format_duration(took), format_duration(limit));
        let banner = opened.banner.as_ref().map(|banner| format!(": {banner}"));
        let message = format!(
            "answered after {took}, the limit is {limit}{}",
            banner.unwrap_or_default()
        );
        Self::Failed(Failure {
            class: FailureClass::TooSlow,
            phase: opened.phases.longest(),
            phases: opened.phases,
            address: Some(opened.address),
            detail: Detail::new(&message),
        })
    }
}

/// A check that succeeded.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// The address that answered; its port is 0 for a ping.
    pub address: SocketAddr,
    /// The time of each phase.
    pub phases: Phases,
    /// The reliability of `phases.connect`.
    pub trust: Trust,
    /// A warning about the service.
    pub warning: Option<Warning>,
    /// The banner of the service, such as `220 mail.example.com ESMTP`.
    pub banner: Option<Detail>,
}

/// A warning about a working service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A certificate of the server's chain is about to expire.
    CertificateExpiring {
        /// The name of the issuer whose certificate expires; `None` for the certificate of the server.
        issuer: Option<Detail>,
        /// The time of expiry.
        at: Timestamp,
        /// Whole days until expiry, rounded down.
        days: i64,
    },
    /// A warning from the service.
    FromService(Detail),
}

impl Warning {
    /// The warning as text.
    pub fn detail(&self) -> Option<Detail> {
        Detail::new(&self.to_string())
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CertificateExpiring { issuer, at, days } => {
                let unit = if *days == 1 { "day" } else { "days" };
                let on = at.strftime("%Y-%m-%d");
                match issuer {
                    None => write!(f, "the certificate expires in {days} {unit}, on {on}"),
                    Some(issuer) => write!(
                        f,
                        "the certificate of the issuer `{issuer}` expires in {days} {unit}, on {on}"
                    ),
                }
            }
            Self::FromService(detail) => write!(f, "{detail}"),
        }
    }
}

/// A failed check.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The class of the failure.
    pub class: FailureClass,
    /// The phase that failed.
    pub phase: Phase,
    /// The time of each phase up to the failure.
    pub phases: Phases,
    /// The last address that was tried, if any.
    pub address: Option<SocketAddr>,
    /// The message of the service or the system.
    pub detail: Option<Detail>,
}

choice! {
    /// The phases of a check, timed separately.
    Phase {
        /// Name resolution.
        Dns = "dns",
        /// The TCP connect, from SYN to SYN-ACK; or the ping, from echo to reply.
        Connect = "connect",
        /// The TLS handshake.
        Tls = "tls",
        /// The readiness exchange.
        Ready = "ready",
    }
}

/// The time of each phase; a phase that did not happen is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Phases {
    /// Name resolution; `None` for an address.
    pub dns: Option<Duration>,
    /// SYN to SYN-ACK, or echo to reply, of the address that answered.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// The readiness exchange.
    pub ready: Option<Duration>,
}

impl Phases {
    /// The time of all phases together; `None` if there were none.
    pub fn total(&self) -> Option<Duration> {
        let phases = [self.dns, self.connect, self.tls, self.ready]
            .into_iter()
            .flatten();
        phases.reduce(Duration::saturating_add)
    }

    /// The phase that took the longest.
    fn longest(&self) -> Phase {
        let phases = [
            (self.dns, Phase::Dns),
            (self.connect, Phase::Connect),
            (self.tls, Phase::Tls),
            (self.ready, Phase::Ready),
        ];
        let longest = phases.into_iter().max_by_key(|(time, _)| *time);
        longest.map_or(Phase::Ready, |(_, phase)| phase)
    }
}

/// The reliability of a connect time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// Measured by the kernel: exact even if the process was starved.
    Kernel,
    /// Measured by the process, which was scheduled promptly.
    Clock,
    /// A SYN or an echo was lost and sent again: the time includes that delay of a second or more.
    Retransmitted,
    /// Measured by the process while it was starved of processor time: an upper bound.
    Starved,
}

impl Trust {
    /// The name in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Clock => "clock",
            Self::Retransmitted => "retransmitted",
            Self::Starved => "starved",
        }
    }
}

/// The class of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureClass {
    /// The connection was refused (RST to our SYN).
    Refused,
    /// No response arrived in time.
    Timeout,
    /// A router reported that the host or network is unreachable.
    Unreachable,
    /// The connection was reset after it was established.
    Reset,
    /// The name could not be resolved.
    Dns(DnsFailure),
    /// The TLS handshake or the certificate failed.
    Tls,
    /// The service closed the connection before it answered.
    Closed,
    /// The service accepted the connection and sent nothing.
    Silent,
    /// The service has reached a limit.
    Busy,
    /// The service is starting, recovering or shutting down.
    Starting,
    /// The service blocks this client.
    Blocked,
    /// The service answers, and reports an error of its own.
    ServiceError,
    /// A proxy or pooler answers, and reports that it cannot reach the service behind it.
    NoBackend,
    /// Another service answers on this port.
    WrongService,
    /// The service answers with an unexpected status, text or record.
    WrongAnswer,
    /// The service answers as expected, but later than `fail_slower_than` allows.
    TooSlow,
}

/// The reason for a failed name resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DnsFailure {
    /// The name, or an address of the requested family, does not exist.
    NotFound,
    /// The name servers failed.
    ServerFailure,
    /// The name servers did not answer in time.
    Timeout,
}

/// A problem of the checker, which says nothing about the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoData {
    /// The checker ran out of time before it could finish.
    OutOfTime,
    /// The checker ran out of file descriptors, ports or memory.
    OutOfResources,
    /// The checker has no route to that address family or network.
    NoRoute,
    /// The resolver answers no query.
    ResolverDown,
    /// The name resolves only to addresses of the checker's own machine, which are not allowed.
    OwnAddress,
    /// A secret that the check needs is missing or cannot be read.
    SecretUnreadable,
    /// The system does not permit the check: the process may not open sockets for ICMP.
    NotPermitted,
    /// An unexpected error of the checker.
    Internal,
}

/// An unknown code.
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
            /// All values, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$($value),+];

            /// The code in items, output and messages.
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
    Self::ServiceError => Self::ServiceError, "service_error";
    Self::NoBackend => Self::NoBackend, "no_backend";
    Self::WrongService => Self::WrongService, "wrong_service";
    Self::WrongAnswer => Self::WrongAnswer, "wrong_answer";
    Self::TooSlow => Self::TooSlow, "too_slow";
});

codes!(NoData {
    Self::OutOfTime => Self::OutOfTime, "no_data_out_of_time";
    Self::OutOfResources => Self::OutOfResources, "no_data_out_of_resources";
    Self::NoRoute => Self::NoRoute, "no_data_no_route";
    Self::ResolverDown => Self::ResolverDown, "no_data_resolver_down";
    Self::OwnAddress => Self::OwnAddress, "no_data_own_address";
    Self::SecretUnreadable => Self::SecretUnreadable, "no_data_secret_unreadable";
    Self::NotPermitted => Self::NotPermitted, "no_data_not_permitted";
    Self::Internal => Self::Internal, "no_data_internal";
});

/// Text from an external source, made safe to show: printable, on one line, at most 200 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail(String);

impl Detail {
    /// The maximum number of bytes.
    pub const MAX_BYTES: usize = 200;

    /// Creates a detail from any text: replaces unprintable characters and truncates. `None` if nothing is left.
    pub fn new(text: &str) -> Option<Self> {
        // A replacement character carries no information.
        let shown = excerpt(&text.replace(char::REPLACEMENT_CHARACTER, " "), Self::MAX_BYTES);
        (!shown.is_empty()).then_some(Self(shown))
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
    use crate::text::is_plain;
    use proptest::prelude::*;

    #[test]
    fn detail_is_one_printable_line() {
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
        fn parsed_code_equals_its_text(text in "[a-z_]{0,30}") {
            if let Ok(class) = text.parse::<FailureClass>() {
                prop_assert_eq!(class.code(), &text);
            }
            if let Ok(no_data) = text.parse::<NoData>() {
                prop_assert_eq!(no_data.code(), &text);
            }
        }
    }
}
