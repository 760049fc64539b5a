//! Errors of certificate verification in words.
//!
//! The match lists all variants of the library, so that a new one is a warning of the compiler's lints, and fails the
//! test that walks them.

use webpki::Error;

use super::words::ago;

/// Why a chain of certificates, of which no single one is found to be at fault, is not valid.
#[expect(
    deprecated,
    reason = "the library may still report the variants without context"
)]
pub(super) fn describe(error: &Error) -> String {
    use Error as E;
    let text = match error {
        E::BadDer
        | E::BadDerTime
        | E::MalformedExtensions
        | E::ExtensionValueInvalid
        | E::TrailingData(_) => "is malformed",
        E::CaUsedAsEndEntity => "is the certificate of an authority, not of a server",
        E::CertDistrusted => "has a key that is distrusted",
        E::CertExpired { time, not_after } => {
            return format!(
                "a certificate of the chain expired {} ago",
                ago(time.as_secs().saturating_sub(not_after.as_secs()))
            );
        }
        E::CertNotValidForName(_) => "is for another name",
        E::CertNotValidYet { .. } => "is not yet valid",
        E::CertRevoked => "is revoked",
        E::CrlExpired { .. } => "cannot be checked: the revocation list expired",
        E::EmptyEkuExtension => "is for no purpose",
        E::EndEntityUsedAsCa => "was issued with a certificate that is not of an authority",
        E::InvalidCertValidity => "ends before it begins",
        E::InvalidNetworkMaskConstraint | E::MalformedNameConstraint => {
            "has an issuer whose limits for names are malformed"
        }
        E::InvalidSerialNumber => "has an invalid serial number",
        E::InvalidCrlNumber
        | E::InvalidCrlSignatureForPublicKey
        | E::IssuerNotCrlSigner
        | E::UnsupportedCrlIssuingDistributionPoint
        | E::UnsupportedCrlVersion
        | E::UnsupportedDeltaCrl
        | E::UnsupportedIndirectCrl
        | E::UnsupportedRevocationReason
        | E::UnsupportedRevocationReasonsPartitioning
        | E::UnsupportedCrlSignatureAlgorithm
        | E::UnsupportedCrlSignatureAlgorithmContext(_)
        | E::UnsupportedCrlSignatureAlgorithmForPublicKey
        | E::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(_) => {
            "cannot be checked: the revocation list is invalid"
        }
        E::UnknownRevocationStatus => "has an unknown revocation status",
        E::InvalidSignatureForPublicKey => "was not signed by the issuer that it names",
        E::MalformedDnsIdentifier => "has a malformed name",
        E::MaximumNameConstraintComparisonsExceeded
        | E::MaximumPathBuildCallsExceeded
        | E::MaximumPathDepthExceeded
        | E::MaximumSignatureChecksExceeded => "has too many issuers to check",
        E::NameConstraintViolation => "has a name that its issuer must not certify",
        E::PathLenConstraintViolated => "has more issuers than one of them permits",
        E::RequiredEkuNotFound | E::RequiredEkuNotFoundContext(_) => "is not for servers",
        E::SignatureAlgorithmMismatch => "names two different signature algorithms",
        E::UnknownIssuer => "has an unknown issuer",
        E::UnsupportedCertVersion => "has a version other than 3",
        E::UnsupportedCriticalExtension => "has a critical extension that is not supported",
        E::UnsupportedNameType => "cannot be compared with the host",
        E::UnsupportedSignatureAlgorithm
        | E::UnsupportedSignatureAlgorithmContext(_)
        | E::UnsupportedSignatureAlgorithmForPublicKey
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            "has a key or a signature of a type that is not supported"
        }
        _ => "is invalid in a way that has no description",
    };
    format!("the certificate {text}")
}
