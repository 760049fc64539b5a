//! The readiness exchange of a `ready` check: the protocol with its options, and TLS.

mod dns;
mod http;
mod script;

pub use dns::{DnsCheck, DnsCheckError, RecordType, Transport};
pub use http::{HttpCheck, HttpCheckError, Method};
pub use script::{Script, ScriptError, ScriptStep};

use std::fmt;

use crate::preset;
use crate::service::Service;

/// A readiness exchange with its options. Created only by validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    protocol: Protocol,
    tls: Tls,
    warn_days: u16,
}

/// The protocol of an exchange, with its options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    /// PostgreSQL 3.0.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
    /// Redis and Valkey.
    Redis,
    /// memcached's text protocol.
    Memcached,
    /// MongoDB's `OP_MSG`.
    Mongodb,
    /// AMQP 0-9-1.
    Amqp,
    /// Kafka.
    Kafka,
    /// ZooKeeper's four-letter words.
    Zookeeper,
    /// SSH 2.0.
    Ssh,
    /// DNS, with the question to ask.
    Dns(DnsCheck),
    /// SMTP.
    Smtp,
    /// IMAP.
    Imap,
    /// POP3.
    Pop3,
    /// HTTP/1.1, with the request to make.
    Http(HttpCheck),
    /// A script of texts to send and to expect.
    Script(Script),
    /// Only the TLS handshake.
    TlsAlone,
}

/// Whether and when TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Never.
    Off,
    /// From the start, before the protocol.
    Implicit,
    /// Within the protocol: STARTTLS, STLS, `SSLRequest`.
    Upgrade,
}

/// An invalid combination of options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadinessError {
    /// The protocol does not support STARTTLS or an equivalent.
    #[error("STARTTLS is supported only for PostgreSQL, MySQL, MariaDB, SMTP, IMAP and POP3")]
    NoUpgrade,
    /// UDP does not support TLS.
    #[error("DNS over UDP has no TLS")]
    TlsOverUdp,
    /// A TLS handshake requires TLS.
    #[error("a check of the TLS handshake requires TLS")]
    NothingToAsk,
    /// `warn_days` is greater than [`Readiness::MAX_WARN_DAYS`].
    #[error("a certificate warning is supported at most 365 days before the expiry")]
    WarnDays,
}

impl Readiness {
    /// The default of `warn_days`.
    pub const WARN_DAYS: u16 = 14;
    /// The maximum of `warn_days`.
    pub const MAX_WARN_DAYS: u16 = 365;

    /// Creates an exchange. From `warn_days` before the expiry of a certificate, the monitor is degraded.
    ///
    /// # Errors
    /// All invalid combinations together.
    pub fn new(protocol: Protocol, tls: Tls, warn_days: u16) -> Result<Self, Vec<ReadinessError>> {
        let mut errors = Vec::new();
        if tls == Tls::Upgrade && !protocol.can_upgrade() {
            errors.push(ReadinessError::NoUpgrade);
        }
        if tls != Tls::Off && protocol.is_over_udp() {
            errors.push(ReadinessError::TlsOverUdp);
        }
        if tls == Tls::Off && protocol == Protocol::TlsAlone {
            errors.push(ReadinessError::NothingToAsk);
        }
        if warn_days > Self::MAX_WARN_DAYS {
            errors.push(ReadinessError::WarnDays);
        }
        if errors.is_empty() {
            Ok(Self {
                protocol,
                tls,
                warn_days,
            })
        } else {
            Err(errors)
        }
    }

    /// The default exchange of a service, with the TLS that the service and the port imply.
    pub fn of(service: Service, port: u16) -> Self {
        Self {
            protocol: Protocol::of(service),
            tls: Tls::implied(Some(service), port),
            warn_days: Self::WARN_DAYS,
        }
    }

    /// The protocol.
    pub fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    /// When TLS begins.
    pub fn tls(&self) -> Tls {
        self.tls
    }

    /// The number of days before the expiry of a certificate from which the monitor is degraded; 0 disables the
    /// warning.
    pub fn warn_days(&self) -> u16 {
        self.warn_days
    }
}

impl fmt::Display for Readiness {
    /// A short description without secrets, such as `SMTP with STARTTLS`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &self.protocol {
            Protocol::Postgres => "PostgreSQL",
            Protocol::Mysql => "MySQL",
            Protocol::Redis => "Redis",
            Protocol::Memcached => "memcached",
            Protocol::Mongodb => "MongoDB",
            Protocol::Amqp => "AMQP",
            Protocol::Kafka => "Kafka",
            Protocol::Zookeeper => "ZooKeeper",
            Protocol::Ssh => "SSH",
            Protocol::Dns(check) if check.transport() == Transport::Udp => "DNS over UDP",
            Protocol::Dns(_) => "DNS over TCP",
            Protocol::Smtp => "SMTP",
            Protocol::Imap => "IMAP",
            Protocol::Pop3 => "POP3",
            Protocol::Http(_) => "HTTP",
            Protocol::Script(_) => "a script",
            Protocol::TlsAlone => return f.write_str("a TLS handshake"),
        };
        f.write_str(name)?;
        match self.tls {
            Tls::Off => Ok(()),
            Tls::Implicit => f.write_str(" over TLS"),
            Tls::Upgrade => f.write_str(" with STARTTLS"),
        }
    }
}

impl Protocol {
    /// The protocol of a service, with default options.
    pub fn of(service: Service) -> Self {
        match service {
            Service::Postgres => Self::Postgres,
            Service::Mysql | Service::Mariadb => Self::Mysql,
            Service::Redis | Service::Valkey => Self::Redis,
            Service::Memcached => Self::Memcached,
            Service::Mongodb => Self::Mongodb,
            Service::Rabbitmq => Self::Amqp,
            Service::Kafka => Self::Kafka,
            Service::Zookeeper => Self::Zookeeper,
            Service::Ssh => Self::Ssh,
            Service::Dns => Self::Dns(DnsCheck::default()),
            Service::Smtp | Service::Submission | Service::Smtps => Self::Smtp,
            Service::Imap | Service::Imaps => Self::Imap,
            Service::Pop3 | Service::Pop3s => Self::Pop3,
            Service::Http | Service::Https => Self::Http(HttpCheck::default()),
            Service::Tls => Self::TlsAlone,
        }
    }

    /// Whether the protocol supports STARTTLS or an equivalent.
    pub fn can_upgrade(&self) -> bool {
        matches!(
            self,
            Self::Postgres | Self::Mysql | Self::Smtp | Self::Imap | Self::Pop3
        )
    }

    /// Whether the service counts connections without a login as errors of the client and blocks the client.
    pub fn counts_hang_ups(&self) -> bool {
        matches!(self, Self::Mysql)
    }

    /// Whether the protocol uses UDP.
    pub fn is_over_udp(&self) -> bool {
        matches!(self, Self::Dns(check) if check.transport() == Transport::Udp)
    }
}

impl Tls {
    /// The default: TLS on IANA's ports for TLS-wrapped services, on the common alternative HTTPS port, and for
    /// services whose preset requires it.
    pub fn implied(service: Option<Service>, port: u16) -> Self {
        match port {
            443 | 465 | 993 | 995 | 8443 => Self::Implicit,
            _ if service.is_some_and(begins_with_tls) => Self::Implicit,
            _ => Self::Off,
        }
    }
}

/// Whether a service starts with TLS according to its preset.
pub(crate) fn begins_with_tls(service: Service) -> bool {
    preset::service(service)
        .get("tls")
        .and_then(serde_json::Value::as_bool)
        == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_implied_by_service_and_port() {
        let rows = [
            (Service::Http, 80, Tls::Off),
            (Service::Http, 443, Tls::Implicit),
            (Service::Http, 8443, Tls::Implicit),
            (Service::Https, 8080, Tls::Implicit),
            (Service::Smtp, 465, Tls::Implicit),
            (Service::Smtps, 2465, Tls::Implicit),
            (Service::Imap, 993, Tls::Implicit),
            (Service::Imaps, 1993, Tls::Implicit),
            (Service::Pop3, 995, Tls::Implicit),
            (Service::Pop3s, 1995, Tls::Implicit),
            (Service::Tls, 636, Tls::Implicit),
            (Service::Submission, 587, Tls::Off),
            (Service::Postgres, 5432, Tls::Off),
        ];
        for (service, port, expected) in rows {
            assert_eq!(Readiness::of(service, port).tls(), expected, "{service} {port}");
        }
    }

    #[test]
    fn starttls_is_limited_to_protocols_that_support_it() {
        let upgrade = |service| Readiness::new(Protocol::of(service), Tls::Upgrade, 14);
        let offering = Service::ALL.iter().filter(|&&service| upgrade(service).is_ok());
        let names = offering.map(|service| service.as_str()).collect::<Vec<_>>();
        assert_eq!(
            names.join(" "),
            "postgres mysql mariadb smtp submission smtps imap imaps pop3 pop3s"
        );
    }

    #[test]
    fn readiness_displays_as_short_description() {
        let text = |service, port| Readiness::of(service, port).to_string();
        assert_eq!(text(Service::Mariadb, 3306), "MySQL");
        assert_eq!(text(Service::Https, 443), "HTTP over TLS");
        assert_eq!(text(Service::Dns, 53), "DNS over TCP");
        assert_eq!(text(Service::Tls, 636), "a TLS handshake");
        let upgrading = Readiness::new(Protocol::Smtp, Tls::Upgrade, 14).unwrap();
        assert_eq!(upgrading.to_string(), "SMTP with STARTTLS");
    }

    #[test]
    fn all_invalid_combinations_are_reported() {
        use ReadinessError as E;
        let over_udp = DnsCheck::new("", RecordType::Ns, &[], &[], Transport::Udp).unwrap();
        let rows = [
            (
                Protocol::Redis,
                Tls::Upgrade,
                366,
                vec![E::NoUpgrade, E::WarnDays],
            ),
            (
                Protocol::Dns(over_udp.clone()),
                Tls::Upgrade,
                0,
                vec![E::NoUpgrade, E::TlsOverUdp],
            ),
            (Protocol::Dns(over_udp), Tls::Implicit, 0, vec![E::TlsOverUdp]),
            (Protocol::TlsAlone, Tls::Off, 365, vec![E::NothingToAsk]),
        ];
        for (protocol, tls, warn_days, expected) in rows {
            assert_eq!(Readiness::new(protocol, tls, warn_days), Err(expected));
        }
    }
}
