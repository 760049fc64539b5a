//! Errors of the TLS library in words.
//!
//! Each match lists all variants of the library, so that a new one is a warning of the compiler's lints, and fails the
//! test that walks them.

use rustls::{
    AlertDescription, CertRevocationListError, CertificateError, EncryptedClientHelloError, Error,
    ExtendedKeyPurpose, InconsistentKeys,
};

use super::violation::{OFFERED, incompatible, invalid_message, misbehaved};

/// Describes a TLS error for an operator.
pub(crate) fn describe_error(error: &Error) -> String {
    use Error as E;
    let local = |text: &str| format!("the TLS handshake failed in the checker: {text}");
    match error {
        E::InvalidCertificate(error) => certificate(error),
        E::AlertReceived(alert) => alert_received(*alert),
        E::NoCertificatesPresented => "the server presented no certificate".to_owned(),
        E::PeerIncompatible(reason) => incompatible(reason),
        E::PeerMisbehaved(reason) => format!("the server violated the TLS protocol: {}", misbehaved(reason)),
        E::InvalidMessage(reason) => {
            format!(
                "the server sent an invalid TLS message: {}",
                invalid_message(reason)
            )
        }
        E::InappropriateMessage { .. } | E::InappropriateHandshakeMessage { .. } => {
            "the server violated the TLS protocol: a message out of order".to_owned()
        }
        E::DecryptError => "a record of the server cannot be decrypted".to_owned(),
        E::PeerSentOversizedRecord => "the server sent a TLS record that is too long".to_owned(),
        E::NoApplicationProtocol => "no application protocol (ALPN) in common".to_owned(),
        E::UnsupportedNameType => "the host cannot be sent as a TLS server name".to_owned(),
        E::InvalidEncryptedClientHello(error) => local(encrypted_hello(error)),
        E::InvalidCertRevocationList(error) => local(revocation_list(error)),
        E::EncryptError => local("a record cannot be encrypted"),
        E::FailedToGetCurrentTime => local("the time is unknown"),
        E::FailedToGetRandomBytes => local("no random bytes"),
        E::HandshakeNotComplete => local("the handshake is not complete"),
        E::BadMaxFragmentSize => local("invalid size of fragments"),
        E::InconsistentKeys(InconsistentKeys::KeyMismatch) => local("certificate and key do not match"),
        E::InconsistentKeys(_) => local("the key cannot be compared with its certificate"),
        E::General(text) => local(text),
        E::Other(other) => local(&other.to_string()),
        _ => local("a kind of error that has no description"),
    }
}

/// Why a server ended the handshake (RFC 8446, section 6.2; RFC 6066; RFC 7301).
fn alert_received(alert: AlertDescription) -> String {
    use AlertDescription as A;
    let text = match alert {
        A::HandshakeFailure => {
            return format!("no TLS version or cipher in common: the server ended the handshake; {OFFERED}");
        }
        A::ProtocolVersion => {
            return format!("no TLS version in common: the server ended the handshake; {OFFERED}");
        }
        A::InsufficientSecurity => {
            return format!("the server demands stronger ciphers; {OFFERED}");
        }
        A::CloseNotify => "the server closed the session",
        A::UnexpectedMessage => "it did not expect a message",
        A::BadRecordMac => "a record failed its check",
        A::DecryptionFailed => "it cannot decrypt a record",
        A::RecordOverflow => "a record is too long",
        A::DecompressionFailure => "it cannot decompress a record",
        A::NoCertificate => "the server demands a client certificate",
        A::CertificateRequired => "the server demands a client certificate",
        A::BadCertificate => "it refuses the client certificate, or its absence",
        A::UnsupportedCertificate => "it does not support the type of the client certificate",
        A::CertificateRevoked => "the client certificate is revoked",
        A::CertificateExpired => "the client certificate expired",
        A::CertificateUnknown => "it refuses the client certificate, or its absence",
        A::IllegalParameter => "a parameter is invalid",
        A::UnknownCA => "it does not trust the client certificate, or its absence",
        A::AccessDenied => "it denies access to this client",
        A::DecodeError => "it cannot read a message",
        A::DecryptError => "it cannot check a signature",
        A::ExportRestriction => "export rules forbid the connection",
        A::InternalError => "an internal error of the server",
        A::InappropriateFallback => "it supports a later TLS version than the one offered",
        A::UserCanceled => "the handshake was canceled",
        A::NoRenegotiation => "it does not renegotiate",
        A::MissingExtension => "it misses an extension",
        A::UnsupportedExtension => "it does not support an extension",
        A::CertificateUnobtainable => "it cannot fetch the client certificate",
        A::UnrecognisedName => {
            return "the server has no certificate for this server name; `tls: { name: … }` sends another"
                .to_owned();
        }
        A::BadCertificateStatusResponse => "the status of a certificate is invalid",
        A::BadCertificateHashValue => "the hash of a certificate differs",
        A::UnknownPSKIdentity => "it does not know the pre-shared key",
        A::NoApplicationProtocol => "it accepts none of the offered application protocols (ALPN)",
        A::EncryptedClientHelloRequired => "it demands an encrypted client hello",
        A::Unknown(code) => {
            return format!("the server ended the TLS handshake with the unknown alert {code}");
        }
        _ => "a reason that has no description",
    };
    if text.starts_with("the server ") {
        return text.to_owned();
    }
    format!("the server ended the TLS handshake: {text}")
}

/// Why a certificate, or a signature made with it, is invalid.
#[expect(
    deprecated,
    reason = "the library may still report the variants without context"
)]
fn certificate(error: &CertificateError) -> String {
    use CertificateError as C;
    let text = match error {
        C::BadEncoding => "is malformed",
        C::Expired | C::ExpiredContext { .. } => "expired",
        C::NotValidYet | C::NotValidYetContext { .. } => "is not yet valid",
        C::Revoked => "is revoked",
        C::UnhandledCriticalExtension => "has a critical extension that is not supported",
        C::UnknownIssuer => "has an unknown issuer",
        C::UnknownRevocationStatus => "has an unknown revocation status",
        C::ExpiredRevocationList | C::ExpiredRevocationListContext { .. } => {
            "cannot be checked: the revocation list expired"
        }
        C::BadSignature => "does not fit the key that the server uses",
        C::UnsupportedSignatureAlgorithm
        | C::UnsupportedSignatureAlgorithmContext { .. }
        | C::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "has a key or a signature of a type that is not supported"
        }
        C::NotValidForName | C::NotValidForNameContext { .. } => "is for another name",
        C::InvalidPurpose => "is not for servers",
        C::InvalidPurposeContext { presented, .. } => {
            return format!(
                "the certificate is not for servers, only for {}",
                purposes(presented)
            );
        }
        C::InvalidOcspResponse => "came with an invalid revocation status",
        C::ApplicationVerificationFailure => "was refused",
        C::Other(other) => return format!("the certificate is invalid: {other}"),
        _ => "is invalid in a way that has no description",
    };
    format!("the certificate {text}")
}

fn purposes(presented: &[ExtendedKeyPurpose]) -> String {
    let words = presented.iter().map(|purpose| match purpose {
        ExtendedKeyPurpose::ClientAuth => "clients".to_owned(),
        ExtendedKeyPurpose::ServerAuth => "servers".to_owned(),
        ExtendedKeyPurpose::Other(numbers) => {
            let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
            format!("the purpose {}", numbers.join("."))
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

const fn encrypted_hello(error: &EncryptedClientHelloError) -> &'static str {
    match error {
        EncryptedClientHelloError::InvalidConfigList => "invalid keys for the encrypted client hello",
        EncryptedClientHelloError::NoCompatibleConfig => "no usable key for the encrypted client hello",
        EncryptedClientHelloError::SniRequired => "the encrypted client hello needs a server name",
        _ => "an error of the encrypted client hello that has no description",
    }
}

/// Revocation lists are not configured, so that none of these is expected.
#[expect(
    deprecated,
    reason = "the library may still report the variant without context"
)]
const fn revocation_list(error: &CertRevocationListError) -> &'static str {
    use CertRevocationListError as C;
    match error {
        C::BadSignature => "a revocation list was not signed by its issuer",
        C::UnsupportedSignatureAlgorithm
        | C::UnsupportedSignatureAlgorithmContext { .. }
        | C::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "a revocation list has a signature of a type that is not supported"
        }
        C::InvalidCrlNumber => "a revocation list has an invalid number",
        C::InvalidRevokedCertSerialNumber => "a revocation list has an invalid serial number",
        C::IssuerInvalidForCrl => "a revocation list has an issuer that must not sign one",
        C::ParseError => "a revocation list is malformed",
        C::UnsupportedCrlVersion => "a revocation list has a version that is not supported",
        C::UnsupportedCriticalExtension => "a revocation list has a critical extension that is not supported",
        C::UnsupportedDeltaCrl => "a revocation list has only changes",
        C::UnsupportedIndirectCrl => "a revocation list is of several issuers",
        C::UnsupportedRevocationReason => "a revocation list has an unknown reason",
        C::Other(_) | _ => "a revocation list is invalid",
    }
}

#[cfg(test)]
mod tests;
