//! Violations of the TLS protocol, and versions and features that server and client do not share, in words.
//!
//! Each match lists all variants of the library, so that a new one is a warning of the compiler's lints, and fails the
//! test that walks them.

use rustls::{InvalidMessage, PeerIncompatible, PeerMisbehaved};

/// What is offered in each handshake, for messages about a server that accepts none of it.
pub(super) const OFFERED: &str =
    "offered: TLS 1.2 and 1.3, ECDHE with AES-GCM or ChaCha20-Poly1305, no CBC or DHE";

/// Why a message cannot be read, after `the server sent an invalid TLS message: `.
pub(super) fn invalid_message(error: &InvalidMessage) -> String {
    use InvalidMessage as M;
    let text = match error {
        M::CertificatePayloadTooLarge => "its certificates are too long",
        M::HandshakePayloadTooLarge => "a handshake message is too long",
        M::InvalidCcs => "an invalid change of the cipher",
        M::InvalidContentType => "a record of an unknown type",
        M::InvalidCertificateStatusType => "an unknown type of certificate status",
        M::InvalidCertRequest => "a request for a certificate with a context during the handshake",
        M::InvalidDhParams => "invalid Diffie-Hellman parameters",
        M::InvalidEmptyPayload => "an empty record of a type that must not be empty",
        M::InvalidKeyUpdate => "an invalid key update",
        M::InvalidServerName => "an invalid server name",
        M::MessageTooLarge => "a record is too long",
        M::MessageTooShort => "a message is too short",
        M::MissingData(part) => return format!("the part `{part}` is incomplete"),
        M::MissingKeyExchange => "no key exchange is named",
        M::NoSignatureSchemes => "an empty list of signature algorithms",
        M::TrailingData(part) => return format!("the part `{part}` is followed by further bytes"),
        M::UnexpectedMessage(part) => return format!("a message `{part}` was not expected"),
        M::UnknownProtocolVersion => "an unknown protocol version",
        M::UnsupportedCompression => "compression is required",
        M::UnsupportedCurveType => "a type of elliptic curve that is not supported",
        M::UnsupportedKeyExchangeAlgorithm(_) => "a key exchange that is not supported",
        M::EmptyTicketValue => "an empty session ticket",
        M::IllegalEmptyList(part) => return format!("the list `{part}` is empty"),
        M::IllegalEmptyValue => "an empty value",
        M::DuplicateExtension(number) => return format!("the extension {number} is repeated"),
        M::PreSharedKeyIsNotFinalExtension => "the offer of a pre-shared key is not last",
        M::UnknownHelloRetryRequestExtension => "an unknown extension in a request to repeat the hello",
        M::UnknownCertificateExtension => "an unknown extension of a certificate",
        _ => "a kind of error that has no description",
    };
    text.to_owned()
}

/// What the two sides do not have in common.
pub(super) fn incompatible(error: &PeerIncompatible) -> String {
    use PeerIncompatible as P;
    let text = match error {
        P::ServerDoesNotSupportTls12Or13 | P::ServerTlsVersionIsDisabledByOurConfig => "the TLS version",
        P::Tls12NotOffered | P::Tls12NotOfferedOrEnabled => "TLS 1.2",
        P::Tls13RequiredForQuic => "TLS 1.3",
        P::NoCipherSuitesInCommon => "the cipher suite",
        P::NoKxGroupsInCommon => "the group of the key exchange",
        P::NoSignatureSchemesInCommon => "the signature algorithm",
        P::NoCertificateRequestSignatureSchemesInCommon => "the signature algorithm of a client certificate",
        P::NoEcPointFormatsInCommon | P::EcPointsExtensionRequired | P::UncompressedEcPointsRequired => {
            "the format of points on elliptic curves"
        }
        P::ExtendedMasterSecretExtensionRequired => "the extended master secret (RFC 7627)",
        P::IncorrectCertificateTypeExtension | P::UnsolicitedCertificateTypeExtension => {
            "the type of the certificate"
        }
        P::KeyShareExtensionRequired => "a key share",
        P::NamedGroupsExtensionRequired => "the list of groups",
        P::NullCompressionRequired => "uncompressed records",
        P::ServerSentHelloRetryRequestWithUnknownExtension => "an extension of the repeated hello",
        P::SignatureAlgorithmsExtensionRequired => "the list of signature algorithms",
        P::SupportedVersionsExtensionRequired => "the list of versions",
        P::ServerRejectedEncryptedClientHello(_) => "the encrypted client hello",
        _ => "a feature that has no description",
    };
    format!("no TLS version or cipher in common ({text} differs); {OFFERED}")
}

/// What the server did, after `the server violated the TLS protocol: `.
pub(super) fn misbehaved(error: &PeerMisbehaved) -> &'static str {
    use PeerMisbehaved as P;
    match error {
        P::AttemptedDowngradeToTls12WhenTls13IsSupported => {
            "it chose TLS 1.2 although both sides support 1.3 (a proxy may intercept the connection)"
        }
        P::BadCertChainExtensions => "invalid extensions of the certificates",
        P::CipherSuiteDifferedOnRetry | P::SelectedDifferentCipherSuiteAfterRetry => {
            "another cipher suite after the repeated hello"
        }
        P::DisallowedEncryptedExtension => "an extension that must not be encrypted",
        P::DuplicateClientHelloExtensions
        | P::DuplicateEncryptedExtensions
        | P::DuplicateHelloRetryRequestExtensions
        | P::DuplicateNewSessionTicketExtensions
        | P::DuplicateServerHelloExtensions => "a repeated extension",
        P::DuplicateServerNameTypes | P::ServerNameMustContainOneHostName => "more than one server name",
        P::EarlyDataAttemptedInSecondClientHello
        | P::EarlyDataExtensionWithoutResumption
        | P::EarlyDataOfferedWithVariedCipherSuite
        | P::InvalidMaxEarlyDataSize
        | P::OfferedEarlyDataWithOldProtocolVersion
        | P::RejectedEarlyDataInterleavedWithHandshakeMessage
        | P::TooMuchEarlyDataReceived => "invalid use of early data",
        P::EchAcceptanceVariedAfterRetry
        | P::IllegalHelloRetryRequestWithInvalidEch
        | P::UnsolicitedEchExtension => "an invalid answer to the encrypted client hello",
        P::HandshakeHashVariedAfterRetry => "another hash after the repeated hello",
        P::IllegalHelloRetryRequestWithEmptyCookie
        | P::IllegalHelloRetryRequestWithNoChanges
        | P::IllegalHelloRetryRequestWithOfferedGroup
        | P::IllegalHelloRetryRequestWithUnofferedCipherSuite
        | P::IllegalHelloRetryRequestWithUnofferedNamedGroup
        | P::IllegalHelloRetryRequestWithUnsupportedVersion
        | P::IllegalHelloRetryRequestWithWrongSessionId
        | P::RefusedToFollowHelloRetryRequest => "an invalid request to repeat the hello",
        P::IllegalMiddleboxChangeCipherSpec => "a change of the cipher at the wrong time",
        P::IllegalTlsInnerPlaintext => "an encrypted record without content",
        P::IncorrectBinder
        | P::MissingBinderInPskExtension
        | P::MissingPskExtensionInSecondClientHello
        | P::MissingPskModesExtension
        | P::PskExtensionMustBeLast
        | P::PskExtensionWithMismatchedIdsAndBinders
        | P::SelectedInvalidPsk
        | P::SelectedUnofferedPsk => "invalid use of a pre-shared key",
        P::InvalidCertCompression
        | P::OfferedDuplicateCertificateCompressions
        | P::OfferedIncorrectCompressions
        | P::SelectedUnofferedCertCompression => "invalid compression of the certificates",
        P::InvalidKeyShare | P::MissingKeyShare | P::OfferedDuplicateKeyShares | P::WrongGroupForKeyShare => {
            "an invalid key share"
        }
        P::KeyEpochWithPendingFragment | P::MessageInterleavedWithHandshakeMessage => {
            "an incomplete handshake message before other messages"
        }
        P::KeyUpdateReceivedInQuicConnection | P::MissingQuicTransportParameters => "invalid use of QUIC",
        P::OfferedEmptyApplicationProtocol => "an empty application protocol (ALPN)",
        P::SelectedUnofferedApplicationProtocol => {
            "it chose an application protocol (ALPN) that was not offered"
        }
        P::ResumptionAttemptedWithVariedEms
        | P::ResumptionOfferedWithVariedCipherSuite
        | P::ResumptionOfferedWithVariedEms
        | P::ResumptionOfferedWithIncompatibleCipherSuite => "invalid resumption of a session",
        P::SelectedTls12UsingTls13VersionExtension => "TLS 1.2 in an extension of 1.3",
        P::SelectedUnofferedCipherSuite => "it chose a cipher suite that was not offered",
        P::SelectedUnofferedCompression => "it chose a compression that was not offered",
        P::SelectedUnofferedKxGroup => "it chose a group of the key exchange that was not offered",
        P::SelectedUnusableCipherSuiteForVersion => "it chose a cipher suite of another TLS version",
        P::ServerEchoedCompatibilitySessionId => "it resumed a session that does not exist",
        P::ServerHelloMustOfferUncompressedEcPoints => "it does not accept uncompressed points",
        P::ServerNameDifferedOnRetry => "another server name after the repeated hello",
        P::SignedKxWithWrongAlgorithm => "the key exchange is signed with the wrong algorithm",
        P::SignedHandshakeWithUnadvertisedSigScheme => {
            "the handshake is signed with an algorithm that was not offered"
        }
        P::TooManyEmptyFragments => "too many empty records",
        P::TooManyKeyUpdateRequests => "too many key updates",
        P::TooManyRenegotiationRequests => "too many requests to renegotiate",
        P::TooManyWarningAlertsReceived => "too many warnings",
        P::UnexpectedCleartextExtension => "an extension that must be encrypted",
        P::UnsolicitedCertExtension
        | P::UnsolicitedEncryptedExtension
        | P::UnsolicitedSctList
        | P::UnsolicitedServerHelloExtension => "an extension that was not asked for",
        _ => "a kind of violation that has no description",
    }
}
