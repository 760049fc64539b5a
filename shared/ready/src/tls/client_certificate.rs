//! The certificate of the client with its key, from the text of a secret.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

/// A certificate with its chain and its key. Debug output does not show them.
#[derive(Clone)]
pub(crate) struct ClientCertificate(Arc<CertifiedKey>);

/// Why a text is no client certificate. The text is a secret, so that no message contains a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidClientCertificate {
    /// There is no certificate in PEM.
    #[error("the secret has no certificate in PEM (BEGIN CERTIFICATE)")]
    NoCertificate,
    /// There is no key in PEM.
    #[error("the secret has no private key in PEM without a passphrase (BEGIN PRIVATE KEY)")]
    NoKey,
    /// The key cannot sign in TLS.
    #[error("the type of the private key is not supported")]
    UnsupportedKey,
    /// The key is of another certificate.
    #[error("the private key does not belong to the first certificate")]
    OtherKey,
}

impl ClientCertificate {
    /// Reads the certificates, the client's first, and the key, in any order.
    ///
    /// # Errors
    /// What is missing or invalid.
    pub(super) fn read(pem: &str, provider: &CryptoProvider) -> Result<Self, InvalidClientCertificate> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let certificates = certificates.unwrap_or_default();
        if certificates.is_empty() {
            return Err(InvalidClientCertificate::NoCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes());
        let key = key.map_err(|_| InvalidClientCertificate::NoKey)?;
        let key = provider.key_provider.load_private_key(key);
        let key = key.map_err(|_| InvalidClientCertificate::UnsupportedKey)?;
        let certified = CertifiedKey::new(certificates, key);
        match certified.keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(Self(Arc::new(certified))),
            Err(_) => Err(InvalidClientCertificate::OtherKey),
        }
    }

    pub(super) fn into_key(self) -> Arc<CertifiedKey> {
        self.0
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate(…)")
    }
}
