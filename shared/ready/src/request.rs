//! What to ask of a target: the protocol with its options, and the TLS under it.

use portpulse_core::target::{Host, Service};

use crate::service::dns::DnsCheck;
use crate::service::http::HttpCheck;
use crate::service::script::Script;
use crate::tls::TlsClient;

/// One exchange to be held, as often as wanted.
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) protocol: Protocol,
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) tls: Tls,
    pub(crate) warn_days: u16,
    pub(crate) client: TlsClient,
}

/// The conversation to hold, with what it needs to know.
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
    /// Texts to send and to wait for.
    Script(Script),
    /// Nothing but the TLS handshake.
    TlsAlone,
}

/// Whether and when TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Never.
    Off,
    /// At once, before the protocol.
    Implicit,
    /// Within the protocol: STARTTLS, STLS, `SSLRequest`.
    Upgrade,
}

/// The protocol has no way to begin TLS by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("only PostgreSQL, MySQL, SMTP, IMAP and POP3 can begin TLS within the protocol")]
pub struct TlsNotOffered;

impl Request {
    /// Days before expiry from which a certificate is warned of, unless told otherwise.
    pub const WARN_DAYS: u16 = 14;

    /// The exchange for a service, with its default options and the TLS that the service and the port imply.
    pub fn for_service(service: Service, host: Host, port: u16, client: &TlsClient) -> Self {
        Self::new(
            Protocol::of(service),
            implied_tls(service, port),
            host,
            port,
            client,
        )
    }

    /// The exchange for a protocol with options of its own, and the TLS that the port implies.
    pub fn for_protocol(protocol: Protocol, host: Host, port: u16, client: &TlsClient) -> Self {
        Self::new(protocol, tls_by_port(port), host, port, client)
    }

    fn new(protocol: Protocol, tls: Tls, host: Host, port: u16, client: &TlsClient) -> Self {
        Self {
            protocol,
            host,
            port,
            tls,
            warn_days: Self::WARN_DAYS,
            client: client.clone(),
        }
    }

    /// Sets when TLS begins.
    ///
    /// # Errors
    /// [`TlsNotOffered`] for [`Tls::Upgrade`] with a protocol that has none.
    pub fn with_tls(mut self, tls: Tls) -> Result<Self, TlsNotOffered> {
        if tls == Tls::Upgrade && !self.protocol.can_upgrade() {
            return Err(TlsNotOffered);
        }
        self.tls = tls;
        Ok(self)
    }

    /// Sets how many days before its expiry a certificate is warned of.
    #[must_use]
    pub fn with_warn_days(mut self, days: u16) -> Self {
        self.warn_days = days;
        self
    }

    /// When TLS begins.
    pub fn tls(&self) -> Tls {
        self.tls
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
        }
    }

    /// Whether TLS can begin within the protocol.
    pub fn can_upgrade(&self) -> bool {
        match self {
            Self::Postgres | Self::Mysql | Self::Smtp | Self::Imap | Self::Pop3 => true,
            Self::Redis
            | Self::Memcached
            | Self::Mongodb
            | Self::Amqp
            | Self::Kafka
            | Self::Zookeeper
            | Self::Ssh
            | Self::Dns(_)
            | Self::Http(_)
            | Self::Script(_)
            | Self::TlsAlone => false,
        }
    }
}

fn implied_tls(service: Service, port: u16) -> Tls {
    match service {
        Service::Smtps | Service::Imaps | Service::Pop3s | Service::Https => Tls::Implicit,
        Service::Postgres
        | Service::Mysql
        | Service::Mariadb
        | Service::Redis
        | Service::Valkey
        | Service::Memcached
        | Service::Mongodb
        | Service::Rabbitmq
        | Service::Kafka
        | Service::Zookeeper
        | Service::Ssh
        | Service::Dns
        | Service::Smtp
        | Service::Submission
        | Service::Imap
        | Service::Pop3
        | Service::Http => tls_by_port(port),
    }
}

/// IANA's ports for TLS-wrapped services, and the customary second HTTPS port.
fn tls_by_port(port: u16) -> Tls {
    match port {
        443 | 465 | 993 | 995 | 8443 => Tls::Implicit,
        _ => Tls::Off,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_implied_by_service_and_port() {
        let client = TlsClient::with_roots([]);
        let rows = [
            (Service::Http, 80, Tls::Off),
            (Service::Http, 443, Tls::Implicit),
            (Service::Http, 8443, Tls::Implicit),
            (Service::Https, 8080, Tls::Implicit),
            (Service::Smtp, 465, Tls::Implicit),
            (Service::Smtps, 2465, Tls::Implicit),
            (Service::Imap, 993, Tls::Implicit),
            (Service::Pop3, 995, Tls::Implicit),
            (Service::Submission, 587, Tls::Off),
            (Service::Postgres, 5432, Tls::Off),
        ];
        for (service, port, expected) in rows {
            let request = Request::for_service(service, Host::Name("a.example".to_owned()), port, &client);
            assert_eq!(request.tls(), expected, "{service} {port}");
        }
    }

    #[test]
    fn only_some_protocols_begin_tls_themselves() {
        let offering = Service::ALL.iter().filter(|&&service| {
            let client = TlsClient::with_roots([]);
            let request = Request::for_service(service, Host::Name("a.example".to_owned()), 1, &client);
            request.with_tls(Tls::Upgrade).is_ok()
        });
        let names = offering
            .map(|service| service.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        assert_eq!(
            names,
            "postgres mysql mariadb smtp submission smtps imap imaps pop3 pop3s"
        );
    }
}
