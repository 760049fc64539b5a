//! Trust anchors: the trusted certificates, and which of them hold at a time.

use rustls::pki_types::{CertificateDer, TrustAnchor};

use crate::certificate::{Certificate, short_name};

/// The trusted certificates.
///
/// As with OpenSSL (and `X509_V_FLAG_PARTIAL_CHAIN`, which curl and Python set), each trusted certificate is an anchor: a
/// root of version 1 or 3, an intermediate certificate, or the certificate of a server. One that expired is not trusted,
/// so that another one with the same name and key is used instead.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    /// The latest expiry first, so that those that have not expired are at the start.
    by_expiry: Vec<Anchor>,
    /// The same anchors for the verifier.
    for_verifier: Vec<TrustAnchor<'static>>,
}

/// A trusted certificate.
#[derive(Debug)]
struct Anchor {
    not_before: i64,
    not_after: i64,
}

/// A trusted certificate as an issuer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trusted<'a> {
    /// The content of its subject.
    pub(super) subject: &'a [u8],
    /// The content of its public key.
    pub(super) key: &'a [u8],
    /// Seconds since the Unix epoch.
    pub(super) not_before: i64,
    /// Seconds since the Unix epoch.
    pub(super) not_after: i64,
    /// Whether it limits the names for which the issued certificates are valid.
    pub(super) constrains_names: bool,
}

impl Trusted<'_> {
    /// Whether this is the certificate, or another one with its name and key.
    pub(super) fn is(&self, certificate: &Certificate<'_>) -> bool {
        self.subject == certificate.subject && self.key == certificate.key
    }

    pub(super) fn name(&self) -> String {
        short_name(self.subject)
    }
}

impl Anchors {
    /// Reads certificates; returns the number of malformed ones too.
    pub(super) fn read(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> (Self, usize) {
        let (mut anchors, mut malformed) = (Vec::new(), 0);
        for certificate in certificates {
            let read = Certificate::read(&certificate).map(|read| Anchor {
                not_before: read.not_before,
                not_after: read.not_after,
            });
            let anchor = webpki::anchor_from_trusted_cert(&certificate).map(|anchor| anchor.to_owned());
            match (read, anchor) {
                (Some(read), Ok(anchor)) => anchors.push((read, anchor)),
                _ => malformed += 1,
            }
        }
        anchors.sort_by_key(|(read, _)| std::cmp::Reverse(read.not_after));
        let (by_expiry, for_verifier) = anchors.into_iter().unzip();
        (
            Self {
                by_expiry,
                for_verifier,
            },
            malformed,
        )
    }

    pub(super) fn len(&self) -> usize {
        self.by_expiry.len()
    }

    /// The anchors that have not expired at a time.
    pub(super) fn unexpired(&self, seconds: i64) -> &[TrustAnchor<'static>] {
        let count = self
            .by_expiry
            .partition_point(|anchor| anchor.not_after >= seconds);
        self.for_verifier.get(..count).unwrap_or_default()
    }

    /// All anchors, those with the latest expiry first.
    pub(super) fn all(&self) -> impl Iterator<Item = Trusted<'_>> {
        let both = self.by_expiry.iter().zip(&self.for_verifier);
        both.map(|(anchor, trusted)| Trusted {
            subject: &trusted.subject,
            key: &trusted.subject_public_key_info,
            not_before: anchor.not_before,
            not_after: anchor.not_after,
            constrains_names: trusted.name_constraints.is_some(),
        })
    }

    /// The anchor that the verifier found.
    pub(super) fn found(&self, anchor: &TrustAnchor<'_>) -> Option<Trusted<'_>> {
        let is_it = |trusted: &Trusted<'_>| {
            trusted.subject == &*anchor.subject && trusted.key == &*anchor.subject_public_key_info
        };
        self.all().find(is_it)
    }
}
