//! Certificates of the client: the one to present, a server's demand for one, and its judgement of the one presented.

use std::time::Duration;

use portpulse_core::outcome::{FailureClass, NoData};
use rustls::{AlertDescription, ProtocolVersion};

use super::{Conclusion, Exchange, describe_io_error};
use crate::connection::ConnectionError;
use crate::dialogue::DialogueResult;
use crate::request::Request;
use crate::tls::{ClientCertificate, Observed};

/// How long a server has to reject a client certificate after the handshake: a round trip, and its own work.
const CERTIFICATE_VERDICT_TIMEOUT: Duration = Duration::from_secs(1);

impl Exchange<'_> {
    /// The conclusion of a check of nothing but the handshake.
    ///
    /// Over TLS 1.3, the handshake is complete for the client before the server has seen the client's certificate. The server
    /// then sends tickets, or an alert (RFC 8446, sections 4.6.1 and 6.2), or neither.
    pub(super) async fn handshake_alone(&mut self) -> Conclusion {
        let mut banner = self.tls_version().to_owned();
        let is_judged_later = self.request.readiness.client_certificate().is_some() && banner == "TLS 1.3";
        if is_judged_later {
            match self.connection.receive_record(CERTIFICATE_VERDICT_TIMEOUT).await {
                Ok(true) => {}
                Ok(false) => banner.push_str(", no word on the client certificate"),
                Err(error) => return self.certificate_rejected(&error),
            }
        }
        if self.asked_for_certificate() {
            banner.push_str(", asks for a client certificate");
        }
        Conclusion::Dialogue(DialogueResult::Healthy {
            banner,
            warning: None,
        })
    }

    /// The conclusion if the server ended the session after it received the client's certificate.
    fn certificate_rejected(&self, error: &ConnectionError) -> Conclusion {
        const SENT: &str = "sent the client certificate";
        let (class, message) = match error {
            ConnectionError::Closed | ConnectionError::Deadline => {
                (FailureClass::Closed, format!("{SENT}, then closed"))
            }
            ConnectionError::Io(error) => match describe_io_error(error, self.peer) {
                Ok((class, end)) => (class, format!("{SENT}{end}")),
                Err(no_data) => return Conclusion::NoData(no_data),
            },
            ConnectionError::Tls(error) => (FailureClass::Tls, self.describe(error)),
            ConnectionError::LimitExceeded(limit) => {
                (FailureClass::Tls, format!("{SENT}, the answer exceeds {limit}"))
            }
        };
        Conclusion::Tls(class, message)
    }

    fn tls_version(&self) -> &'static str {
        match self.connection.tls().and_then(|tls| tls.protocol_version()) {
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
            Some(_) | None => "TLS",
        }
    }

    /// Whether the server asked for a certificate of the client, which has none.
    pub(super) fn asked_for_certificate(&self) -> bool {
        let observed = self.observed.as_ref();
        let has_none = self.request.readiness.client_certificate().is_none();
        has_none && observed.is_some_and(Observed::asked_for_certificate)
    }

    /// The certificate to present, if the check has one.
    pub(super) fn client_certificate(&self) -> Result<Option<ClientCertificate>, NoData> {
        let Request {
            readiness,
            client,
            secrets,
            ..
        } = self.request;
        let Some(name) = readiness.client_certificate() else {
            return Ok(None);
        };
        let pem = secrets.certificate(name).ok_or(NoData::SecretUnreadable)?;
        client.client_certificate(pem).map(Some).map_err(|invalid| {
            tracing::warn!(
                "{} is not checked: the secret `{name}` is unusable: {invalid}",
                self.request.host
            );
            NoData::SecretUnreadable
        })
    }

    /// A server that ends the session because it demands a client certificate works: the check has no certificate, as it
    /// has no password. Over TLS 1.2 the demand ends the handshake, over 1.3 the session before any answer. A server that
    /// answered and then fails does not demand one, although it asked for one.
    pub(super) fn demands_certificate(&self, error: &ConnectionError) -> Option<Conclusion> {
        let observed = self.observed.as_ref()?;
        let ConnectionError::Tls(rustls::Error::AlertReceived(alert)) = error else {
            return None;
        };
        // RFC 8446, section 6.2; before TLS 1.3, servers send the general alerts.
        let refuses = matches!(
            alert,
            AlertDescription::CertificateRequired
                | AlertDescription::HandshakeFailure
                | AlertDescription::NoCertificate
                | AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::AccessDenied
                // GnuTLS cannot read a message without certificates if it requires one.
                | AlertDescription::DecodeError
        );
        let has_answered = self.input.total_bytes() > self.bytes_before_tls;
        let demands = refuses && self.asked_for_certificate() && observed.has_certificates();
        (demands && !has_answered).then(|| {
            Conclusion::Dialogue(DialogueResult::Healthy {
                banner: "the server demands a client certificate".to_owned(),
                warning: None,
            })
        })
    }
}
