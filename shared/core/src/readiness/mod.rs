//! The readiness exchange of a `ready` check: the protocol with its options, and TLS.

mod dns;
mod http;
mod script;

pub use dns::{DnsCheck, DnsCheckError, RecordType, Transport};
pub use http::{
    BodyConditions, Credentials, Header, HttpCheck, HttpCheckError, InvalidCondition, InvalidHeader,
    InvalidJsonPath, InvalidPattern, JsonCondition, JsonPath, Measure, Method, Operator, Pattern,
    RequestContent,
};
pub use script::{Script, ScriptError, ScriptStep};

use std::fmt;

use crate::host::Host;
use crate::secret::SecretName;
use crate::service::{Exchange, Service, SimpleProtocol};

/// A readiness exchange with its options. Created only by validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    protocol: Protocol,
    tls: Tls,
    tls_name: Option<Host>,
    client_certificate: Option<SecretName>,
    trust: CertificateTrust,
    warn_days: u16,
    client_name: Option<Host>,
}

/// The protocol of an exchange, with its options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    /// A protocol without options.
    Simple(SimpleProtocol),
    /// DNS, with the question to ask.
    Dns(DnsCheck),
    /// HTTP/1.1, with the request to make.
    Http(HttpCheck),
    /// The upgrade from HTTP to WebSocket, at this path.
    WebSocket(String),
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

/// Whether a certificate has to be valid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CertificateTrust {
    /// Chain, time and name are verified.
    #[default]
    Verified,
    /// Nothing is verified (`insecure: true`): the handshake is enough.
    Ignored,
}

/// An invalid combination of options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadinessError {
    /// The protocol does not support STARTTLS or an equivalent.
    #[error("the protocol does not support STARTTLS")]
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
                tls_name: None,
                client_certificate: None,
                trust: CertificateTrust::Verified,
                warn_days,
                client_name: None,
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
            tls_name: None,
            client_certificate: None,
            trust: CertificateTrust::Verified,
            warn_days: Self::WARN_DAYS,
            client_name: None,
        }
    }

    /// The same exchange with another TLS server name (SNI), which the certificate has to be for, than the host.
    #[must_use]
    pub fn with_tls_name(self, tls_name: Option<Host>) -> Self {
        Self { tls_name, ..self }
    }

    /// The same exchange in which the client presents the certificate of this secret, if the server asks for one.
    #[must_use]
    pub fn with_client_certificate(self, client_certificate: Option<SecretName>) -> Self {
        Self {
            client_certificate,
            ..self
        }
    }

    /// The same exchange with or without verification of the certificate.
    #[must_use]
    pub fn with_trust(self, trust: CertificateTrust) -> Self {
        Self { trust, ..self }
    }

    /// The same exchange with this name of the client (`ehlo`), if the protocol presents the client by name.
    #[must_use]
    pub fn with_client_name(self, client_name: Option<Host>) -> Self {
        let client_name = client_name.filter(|_| self.protocol.presents_client());
        Self { client_name, ..self }
    }

    /// The same exchange with another HTTP request.
    #[must_use]
    pub fn with_http(&self, check: HttpCheck) -> Self {
        Self {
            protocol: Protocol::Http(check),
            ..self.clone()
        }
    }

    /// The names of the secrets that the exchange needs.
    pub fn secrets(&self) -> Vec<&SecretName> {
        let mut secrets = self.request_secrets();
        secrets.extend(self.client_certificate());
        secrets
    }

    /// The names of the secrets that the request contains.
    pub fn request_secrets(&self) -> Vec<&SecretName> {
        match &self.protocol {
            Protocol::Http(check) => check.content().secrets().collect(),
            Protocol::Simple(_)
            | Protocol::Dns(_)
            | Protocol::WebSocket(_)
            | Protocol::Script(_)
            | Protocol::TlsAlone => Vec::new(),
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

    /// The TLS server name, if it is not the host.
    pub fn tls_name(&self) -> Option<&Host> {
        self.tls_name.as_ref()
    }

    /// The name of the client for the server, if it is not the client's address.
    pub fn client_name(&self) -> Option<&Host> {
        self.client_name.as_ref()
    }

    /// The secret with the certificate of the client and its key; `None` without TLS.
    pub fn client_certificate(&self) -> Option<&SecretName> {
        self.client_certificate.as_ref().filter(|_| self.tls != Tls::Off)
    }

    /// Whether the certificate has to be valid.
    pub fn trust(&self) -> CertificateTrust {
        self.trust
    }

    /// Whether TLS is used and the certificate is not verified.
    pub fn is_insecure(&self) -> bool {
        self.tls != Tls::Off && self.trust == CertificateTrust::Ignored
    }

    /// The number of days before the expiry of a certificate of the chain from which the monitor is degraded; 0 disables the
    /// warning.
    pub fn warn_days(&self) -> u16 {
        self.warn_days
    }
}

impl fmt::Display for Readiness {
    /// A short description without secrets, such as `SMTP with STARTTLS`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &self.protocol {
            Protocol::Simple(protocol) => protocol.title(),
            Protocol::Dns(check) if check.transport() == Transport::Udp => "DNS over UDP",
            Protocol::Dns(_) => "DNS over TCP",
            Protocol::Http(_) => "HTTP",
            Protocol::WebSocket(_) => "WebSocket",
            Protocol::Script(_) => "a script",
            Protocol::TlsAlone => "a TLS handshake",
        };
        f.write_str(name)?;
        match (self.tls, &self.protocol) {
            (Tls::Off, _) | (_, Protocol::TlsAlone) => {}
            (Tls::Implicit, _) => f.write_str(" over TLS")?,
            (Tls::Upgrade, _) => f.write_str(" with STARTTLS")?,
        }
        if self.is_insecure() {
            f.write_str(", certificate not verified")?;
        }
        Ok(())
    }
}

impl Protocol {
    /// The protocol of a service, with default options.
    pub fn of(service: Service) -> Self {
        match service.exchange() {
            Exchange::Simple(protocol) => Self::Simple(protocol),
            Exchange::Dns => Self::Dns(DnsCheck::default()),
            Exchange::Http => Self::Http(HttpCheck::default()),
            Exchange::WebSocket => Self::WebSocket(HttpCheck::default().path().to_owned()),
            Exchange::TlsHandshake => Self::TlsAlone,
        }
    }

    /// Whether the protocol supports STARTTLS or an equivalent.
    pub fn can_upgrade(&self) -> bool {
        matches!(self, Self::Simple(protocol) if protocol.can_upgrade())
    }

    /// Whether the service counts connections without a login as errors of the client and blocks the client.
    pub fn counts_hang_ups(&self) -> bool {
        matches!(self, Self::Simple(SimpleProtocol::Mysql))
    }

    /// Whether the client presents itself by its name or address, as in EHLO of SMTP.
    pub fn presents_client(&self) -> bool {
        matches!(self, Self::Simple(SimpleProtocol::Smtp))
    }

    /// Whether the protocol uses UDP.
    pub fn is_over_udp(&self) -> bool {
        matches!(self, Self::Dns(check) if check.transport() == Transport::Udp)
    }
}

impl Tls {
    /// The ports on which TLS is the default: IANA's for HTTPS, SMTP, LDAP, FTP, IMAP, POP3 and MQTT over TLS, and the
    /// common alternative for HTTPS.
    pub const PORTS: [u16; 8] = [443, 465, 636, 990, 993, 995, 8443, 8883];

    /// The default: TLS on [`Self::PORTS`], and for services whose preset requires it.
    pub fn implied(service: Option<Service>, port: u16) -> Self {
        match port {
            _ if Self::PORTS.contains(&port) => Self::Implicit,
            _ if service.is_some_and(Service::begins_with_tls) => Self::Implicit,
            _ => Self::Off,
        }
    }
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
            (Service::Tls, 6514, Tls::Implicit),
            (Service::Ldap, 636, Tls::Implicit),
            (Service::Ldaps, 1636, Tls::Implicit),
            (Service::Ftp, 990, Tls::Implicit),
            (Service::Mqtt, 8883, Tls::Implicit),
            (Service::Ldap, 389, Tls::Off),
            (Service::Submission, 587, Tls::Off),
            (Service::Postgres, 5432, Tls::Off),
        ];
        for (service, port, expected) in rows {
            assert_eq!(Readiness::of(service, port).tls(), expected, "{service} {port}");
        }
    }

    #[test]
    fn readiness_displays_as_short_description() {
        let text = |service, port| Readiness::of(service, port).to_string();
        assert_eq!(text(Service::Mariadb, 3306), "MySQL");
        assert_eq!(text(Service::Https, 443), "HTTP over TLS");
        assert_eq!(text(Service::Dns, 53), "DNS over TCP");
        assert_eq!(text(Service::Tls, 636), "a TLS handshake");
        let upgrading = Readiness::new(Protocol::of(Service::Smtp), Tls::Upgrade, 14).unwrap();
        assert_eq!(upgrading.to_string(), "SMTP with STARTTLS");
        let unverified = |service| {
            Readiness::of(service, 1)
                .with_trust(CertificateTrust::Ignored)
                .to_string()
        };
        assert_eq!(
            unverified(Service::Https),
            "HTTP over TLS, certificate not verified"
        );
        assert_eq!(
            unverified(Service::Tls),
            "a TLS handshake, certificate not verified"
        );
        assert_eq!(unverified(Service::Redis), "Redis");
    }

    #[test]
    fn all_invalid_combinations_are_reported() {
        use ReadinessError as E;
        let over_udp = DnsCheck::new("", RecordType::Ns, &[], &[], Transport::Udp).unwrap();
        let rows = [
            (
                Protocol::of(Service::Redis),
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
