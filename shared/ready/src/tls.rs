//! The TLS client: sessions, and the judgement of certificates after the handshake.
//!
//! The handshake accepts every certificate for which the server has the key; the chain, the time and the name are judged
//! afterwards. This is safe because no credentials are sent before, and a client certificate proves its key without showing
//! it. Judging after the handshake has three advantages: an invalid
//! certificate causes no failed handshake in the server's log, the remaining days can still be counted, and MySQL does not
//! count the client as one that failed to connect.

mod anchors;
mod chain;
mod chain_error;
mod client_certificate;
mod error;
mod observer;
mod violation;
mod words;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use portpulse_core::target::Host;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, ClientConnection};

use anchors::Anchors;
pub(crate) use chain::FirstExpiry;
use chain::Rules;
pub(crate) use client_certificate::{ClientCertificate, InvalidClientCertificate};
pub(crate) use error::describe_error;
use observer::Observer;

/// The groups of key exchange, the preferred one first. The ClientHello contains a key share of the first group only. With a
/// share of the post-quantum group it would not fit in a packet, which [some servers and middleboxes do not
/// accept](https://tldr.fail), and each check would take a tenth more processor time. A server that requires this group asks
/// for its share (RFC 8446, section 4.1.4). The default of `rustls` depends on whether the AWS SDK is linked, which prefers
/// the post-quantum group.
const KEY_EXCHANGES: [&dyn SupportedKxGroup; 4] = [
    kx_group::X25519,
    kx_group::SECP256R1,
    kx_group::SECP384R1,
    kx_group::X25519MLKEM768,
];

/// Creates TLS sessions. Clones share the trusted certificates, which are read once, at first use.
#[derive(Debug, Clone)]
pub struct TlsClient {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    roots: Option<Vec<CertificateDer<'static>>>,
    setup: OnceLock<Setup>,
}

#[derive(Debug)]
struct Setup {
    provider: Arc<CryptoProvider>,
    config: Result<ClientConfig, rustls::Error>,
    anchors: Result<Anchors, NoRoots>,
}

/// This machine has no trusted certificate authorities, so that no server certificate can be verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no trusted certificate authorities ({found}); install ca-certificates, or set SSL_CERT_FILE to a file"
)]
pub struct NoRoots {
    found: String,
}

/// A TLS session before its handshake, with what the handshake reveals.
pub(crate) struct Session {
    pub(crate) connection: ClientConnection,
    pub(crate) observed: Observed,
}

/// What a handshake revealed, even one that failed.
#[derive(Debug, Clone)]
pub(crate) struct Observed {
    observer: Arc<Observer>,
}

impl Observed {
    /// Whether the server asked for a client certificate.
    pub(crate) fn asked_for_certificate(&self) -> bool {
        self.observer.asked_for_certificate()
    }

    /// Whether the server presented certificates.
    pub(crate) fn has_certificates(&self) -> bool {
        !self.observer.chain().is_empty()
    }

    /// Describes an error of the handshake, or of the session after it.
    pub(crate) fn describe(&self, error: &rustls::Error) -> String {
        if let rustls::Error::InvalidCertificate(CertificateError::BadSignature) = error
            && let Some(leaf) = self.observer.chain().first()
            && let Some(bits) = chain::short_key(leaf)
        {
            return format!("the key of the certificate {}", chain::too_short(bits));
        }
        describe_error(error)
    }
}

impl TlsClient {
    /// Trusts the system's certificate authorities, including those that an operator added for internal services.
    ///
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` select others. The AWS SDK reads the same store, so that no second copy of
    /// the authorities is linked.
    pub fn system() -> Self {
        Self::new(None)
    }

    /// Trusts only these certificates; malformed ones are ignored.
    pub fn with_roots(roots: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self::new(Some(roots.into_iter().map(CertificateDer::from).collect()))
    }

    fn new(roots: Option<Vec<CertificateDer<'static>>>) -> Self {
        Self {
            inner: Arc::new(Inner {
                roots,
                setup: OnceLock::new(),
            }),
        }
    }

    /// Reads the certificate authorities now rather than at first use.
    ///
    /// # Errors
    /// [`NoRoots`] if there are none.
    pub fn load(&self) -> Result<(), NoRoots> {
        self.setup().anchors.as_ref().map(|_| ()).map_err(NoRoots::clone)
    }

    fn setup(&self) -> &Setup {
        self.inner
            .setup
            .get_or_init(|| Setup::new(self.inner.roots.as_deref()))
    }

    /// Reads a client certificate and its key.
    ///
    /// # Errors
    /// What is missing or invalid.
    pub(crate) fn client_certificate(
        &self,
        pem: &str,
    ) -> Result<ClientCertificate, InvalidClientCertificate> {
        ClientCertificate::read(pem, &self.setup().provider)
    }

    /// Creates a TLS session before its handshake, which offers these application protocols (RFC 7301) and the certificate,
    /// if the server asks for one.
    ///
    /// # Errors
    /// An invalid server name.
    pub(crate) fn session(
        &self,
        name: &Host,
        protocols: &[&[u8]],
        certificate: Option<ClientCertificate>,
    ) -> Result<Session, rustls::Error> {
        let setup = self.setup();
        let mut config = setup.config.clone()?;
        let certificate = certificate.map(ClientCertificate::into_key);
        let observer = Arc::new(Observer::new(Arc::clone(&setup.provider), certificate));
        config
            .dangerous()
            .set_certificate_verifier(Arc::clone(&observer) as _);
        config.client_auth_cert_resolver = Arc::clone(&observer) as _;
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let connection = ClientConnection::new(Arc::new(config), server_name(name)?)?;
        Ok(Session {
            connection,
            observed: Observed { observer },
        })
    }

    /// Judges the certificates of a handshake for a host at a time (since the Unix epoch).
    ///
    /// # Errors
    /// Why they are invalid.
    pub(crate) fn judge(
        &self,
        observed: &Observed,
        host: &Host,
        now: Duration,
    ) -> Result<FirstExpiry, String> {
        let setup = self.setup();
        let anchors = setup.anchors.as_ref().map_err(ToString::to_string)?;
        let name = server_name(host).map_err(|error| describe_error(&error))?;
        let rules = Rules {
            anchors,
            algorithms: setup.provider.signature_verification_algorithms.all,
            name: &name,
            now,
        };
        chain::judge(observed.observer.chain(), &rules)
    }
}

impl Setup {
    fn new(roots: Option<&[CertificateDer<'static>]>) -> Self {
        let provider = Arc::new(CryptoProvider {
            kx_groups: KEY_EXCHANGES.to_vec(),
            ..aws_lc_rs::default_provider()
        });
        let (anchors, found) = match roots {
            Some(roots) => (Anchors::read(roots.to_vec()).0, String::from("none configured")),
            None => {
                let read = rustls_native_certs::load_native_certs();
                let (anchors, malformed) = Anchors::read(read.certs);
                let found = match read.errors.first() {
                    Some(error) => error.to_string(),
                    None => format!("{} valid, {malformed} invalid", anchors.len()),
                };
                (anchors, found)
            }
        };
        let anchors = match anchors.len() {
            0 => Err(NoRoots { found }),
            _ => Ok(anchors),
        };
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map(|builder| {
                let observer = Arc::new(Observer::new(Arc::clone(&provider), None));
                let mut config = builder
                    .dangerous()
                    .with_custom_certificate_verifier(observer)
                    .with_no_client_auth();
                // A resumed session has no certificate to verify.
                config.resumption = Resumption::disabled();
                config
            });
        Self {
            provider,
            config,
            anchors,
        }
    }
}

fn server_name(host: &Host) -> Result<ServerName<'static>, rustls::Error> {
    match &host.without_final_dot() {
        Host::Name(name) => {
            ServerName::try_from(name.clone()).map_err(|_| rustls::Error::UnsupportedNameType)
        }
        Host::Address(address) => Ok(ServerName::from(*address)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_hello_fits_in_a_packet() {
        let host = "db.example".parse().unwrap();
        let client = TlsClient::with_roots([]);
        let mut session = client.session(&host, &[b"http/1.1"], None).unwrap();
        let mut hello = Vec::new();
        session.connection.write_tls(&mut hello).unwrap();
        // TCP over IPv6 with its minimum MTU of 1,280 bytes (RFC 8200, section 5).
        assert!(hello.len() <= 1_220, "{}", hello.len());
    }
}
