//! The TLS client: which certificates are believed, and in plain words why one is not.
//!
//! The handshake itself accepts any certificate whose key the server holds; [`TlsClient::verify`] verifies chain, time
//! and name afterwards. No credentials are ever sent, so nothing is lost, and three things are won: a bad certificate
//! leaves no failed handshake in the server's log, its days can still be counted, and MySQL does not take the client
//! that turns away for one that cannot connect.

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

/// The most certificates between the server's own and an authority that are tried; those that are needed come first (RFC
/// 5246, section 7.4.2). The verifier takes at most six in a row, in any order of those that share a name, and reads all
/// of them at each of up to 200,000 steps.
const MAX_INTERMEDIATES: usize = 6;

/// Makes TLS connections; cheap to clone, and the certificates it believes are read once, when they are first needed.
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

/// This machine has no certificate authorities to believe, so that no server can be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no certificate authorities found: install ca-certificates, or name a file in SSL_CERT_FILE ({found})"
)]
pub struct NoRoots {
    found: String,
}

impl TlsClient {
    /// Believes the system's certificate authorities: those that an operator added for internal services count too.
    ///
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` name others. The AWS SDK reads the same store, so that nothing is linked twice.
    pub fn system() -> Self {
        Self {
            inner: Arc::new(Inner {
                roots: None,
                setup: OnceLock::new(),
            }),
        }
    }

    /// Believes these certificate authorities alone; those that cannot be read are left out.
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

    /// Reads the certificate authorities, unless that was done.
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

    /// A connection that has not begun.
    pub(crate) fn connection(&self, host: &Host) -> Result<Result<ClientConnection, rustls::Error>, NoRoots> {
        let setup = self.setup()?;
        Ok(server_name(host).and_then(|name| ClientConnection::new(Arc::clone(&setup.config), name)))
    }

    /// Whether the certificate of a finished handshake is good for that host at that time; if not, why.
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
        let mut found = String::from("none given");
        let roots = roots.unwrap_or_else(|| {
            let mut store = RootCertStore::empty();
            let read = rustls_native_certs::load_native_certs();
            let (good, bad) = store.add_parsable_certificates(read.certs);
            found = match read.errors.first() {
                Some(error) => error.to_string(),
                None => format!("{good} good, {bad} unreadable"),
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
        // A resumed session brings no certificate to look at.
        config.resumption = Resumption::disabled();
        Ok(Self {
            config: Arc::new(config),
            verifier,
        })
    }
}

/// Lets the handshake finish with any certificate, but not without the proof that the server holds its key.
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

/// A failure of TLS in plain words.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "rustls may add errors; they bring their own words"
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
    reason = "rustls may add errors; they bring their own words"
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
                "the certificate is not yet valid: {} to go",
                describe_duration(not_before.as_secs().saturating_sub(time.as_secs()))
            )
        }
        C::NotValidYet => "the certificate is not yet valid".to_owned(),
        C::NotValidForNameContext { expected, presented } => {
            let presented = presented.iter().map(|name| plain_name(name)).collect::<Vec<_>>();
            let presented = if presented.is_empty() {
                "no name at all".to_owned()
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
        other => format!("the certificate is bad: {other}"),
    }
}

/// `DnsName("a.example")`, as webpki writes it, without the wrapping.
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
