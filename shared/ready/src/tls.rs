//! The TLS client: the trusted certificate authorities, and readable descriptions of TLS errors.
//!
//! The handshake accepts every certificate for which the server has the key; [`TlsClient::verify`] checks chain, time
//! and name afterwards. This is safe because no credentials are sent. Verification after the handshake has three
//! advantages: an invalid certificate causes no failed handshake in the server's log, the remaining days can still be
//! counted, and MySQL does not count the client as one that failed to connect.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use portpulse_core::target::Host;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

/// The maximum number of intermediate certificates used. The needed ones come first (RFC 5246, section 7.4.2). The
/// verifier builds chains of at most six, tries certificates of the same name in every order, and reads all of them in
/// each of up to 200,000 steps.
const MAX_INTERMEDIATES: usize = 6;

/// Creates TLS sessions. Clones share the trusted certificates, which are read once, at first use.
#[derive(Debug, Clone)]
pub struct TlsClient {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    roots: Option<RootCertStore>,
    setup: OnceLock<Result<Setup, NoRoots>>,
}

#[derive(Debug)]
struct Setup {
    config: Arc<ClientConfig>,
    verifier: Arc<WebPkiServerVerifier>,
}

/// This machine has no trusted certificate authorities, so that no server certificate can be verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no trusted certificate authorities ({found}); install ca-certificates, or set SSL_CERT_FILE to a file"
)]
pub struct NoRoots {
    found: String,
}

impl TlsClient {
    /// Trusts the system's certificate authorities, including those that an operator added for internal services.
    ///
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` select others. The AWS SDK reads the same store, so that no second copy of
    /// the authorities is linked.
    pub fn system() -> Self {
        Self {
            inner: Arc::new(Inner {
                roots: None,
                setup: OnceLock::new(),
            }),
        }
    }

    /// Trusts only these certificate authorities; malformed ones are ignored.
    pub fn with_roots(roots: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(roots.into_iter().map(CertificateDer::from));
        Self {
            inner: Arc::new(Inner {
                roots: Some(store),
                setup: OnceLock::new(),
            }),
        }
    }

    /// Reads the certificate authorities now rather than at first use.
    ///
    /// # Errors
    /// [`NoRoots`] if there are none.
    pub fn load(&self) -> Result<(), NoRoots> {
        self.setup().map(|_| ())
    }

    fn setup(&self) -> Result<&Setup, NoRoots> {
        self.inner
            .setup
            .get_or_init(|| Setup::new(self.inner.roots.clone()))
            .as_ref()
            .map_err(NoRoots::clone)
    }

    /// Creates a TLS session before its handshake. The outer error is local, the inner one an invalid server name.
    pub(crate) fn connection(&self, host: &Host) -> Result<Result<ClientConnection, rustls::Error>, NoRoots> {
        let setup = self.setup()?;
        Ok(server_name(host).and_then(|name| ClientConnection::new(Arc::clone(&setup.config), name)))
    }

    /// Verifies the certificate of a completed handshake for a host at a time.
    ///
    /// # Errors
    /// Why the certificate is invalid.
    pub(crate) fn verify(&self, tls: &ClientConnection, host: &Host, now: Duration) -> Result<(), String> {
        let setup = self.setup().map_err(|error| error.to_string())?;
        let Some((leaf, sent_along)) = tls.peer_certificates().and_then(<[_]>::split_first) else {
            return Err("the server presented no certificate".to_owned());
        };
        let intermediates = sent_along.get(..MAX_INTERMEDIATES).unwrap_or(sent_along);
        server_name(host)
            .and_then(|name| {
                setup.verifier.verify_server_cert(
                    leaf,
                    intermediates,
                    &name,
                    &[],
                    UnixTime::since_unix_epoch(now),
                )
            })
            .map(|_| ())
            .map_err(|error| describe_error(&error))
    }
}

impl Setup {
    fn new(roots: Option<RootCertStore>) -> Result<Self, NoRoots> {
        let mut found = String::from("none configured");
        let roots = roots.unwrap_or_else(|| {
            let mut store = RootCertStore::empty();
            let read = rustls_native_certs::load_native_certs();
            let (good, bad) = store.add_parsable_certificates(read.certs);
            found = match read.errors.first() {
                Some(error) => error.to_string(),
                None => format!("{good} valid, {bad} invalid"),
            };
            store
        });
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|_| NoRoots { found })?;
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| NoRoots {
                found: error.to_string(),
            })?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(DeferredVerifier { provider }))
            .with_no_client_auth();
        // A resumed session has no certificate to verify.
        config.resumption = Resumption::disabled();
        Ok(Self {
            config: Arc::new(config),
            verifier,
        })
    }
}

/// Accepts every certificate during the handshake, but still requires proof that the server has its key.
#[derive(Debug)]
struct DeferredVerifier {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for DeferredVerifier {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn server_name(host: &Host) -> Result<ServerName<'static>, rustls::Error> {
    match host {
        Host::Name(name) => {
            ServerName::try_from(name.clone()).map_err(|_| rustls::Error::UnsupportedNameType)
        }
        Host::Address(address) => Ok(ServerName::from(*address)),
    }
}

/// Describes a TLS error for an operator.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "rustls may add errors, which have their own messages"
)]
pub(crate) fn describe_error(error: &rustls::Error) -> String {
    use rustls::Error as E;
    match error {
        E::InvalidCertificate(error) => describe_certificate_error(error),
        E::AlertReceived(alert) => format!("the server ended the TLS handshake: {alert:?}"),
        E::NoCertificatesPresented => "the server presented no certificate".to_owned(),
        E::PeerIncompatible(reason) => format!("no TLS version or cipher in common: {reason:?}"),
        other => format!("the TLS handshake failed: {other}"),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "rustls may add errors, which have their own messages"
)]
fn describe_certificate_error(error: &CertificateError) -> String {
    use CertificateError as C;
    match error {
        C::ExpiredContext { time, not_after } => {
            format!(
                "the certificate expired {} ago",
                describe_duration(time.as_secs().saturating_sub(not_after.as_secs()))
            )
        }
        C::Expired => "the certificate expired".to_owned(),
        C::NotValidYetContext { time, not_before } => {
            format!(
                "the certificate is not yet valid: valid in {}",
                describe_duration(not_before.as_secs().saturating_sub(time.as_secs()))
            )
        }
        C::NotValidYet => "the certificate is not yet valid".to_owned(),
        C::NotValidForNameContext { expected, presented } => {
            let presented = presented.iter().map(|name| plain_name(name)).collect::<Vec<_>>();
            let presented = if presented.is_empty() {
                "no name".to_owned()
            } else {
                presented.join(", ")
            };
            format!(
                "the certificate is for another name: for {presented}, not for {}",
                expected.to_str()
            )
        }
        C::NotValidForName => "the certificate is for another name".to_owned(),
        C::UnknownIssuer => "the certificate's issuer is unknown".to_owned(),
        C::BadSignature => "the certificate was not signed by the issuer that it names".to_owned(),
        C::Revoked => "the certificate is revoked".to_owned(),
        other => format!("the certificate is invalid: {other}"),
    }
}

/// Extracts `a.example` from webpki's form `DnsName("a.example")`.
fn plain_name(presented: &str) -> &str {
    presented.split('"').nth(1).unwrap_or(presented)
}

fn describe_duration(seconds: u64) -> String {
    match seconds {
        0..3_600 => "less than an hour".to_owned(),
        3_600..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
