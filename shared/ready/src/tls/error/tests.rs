//! Walks every variant of the libraries' errors, as their sources declare them, so that a variant of a new version is missed
//! in the lists below and fails a test, rather than being described in general words.
#![expect(
    deprecated,
    reason = "the libraries may still report the variants without context"
)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{InvalidMessage, OtherError, PeerIncompatible, PeerMisbehaved};
use serde_json::Value;

use super::super::chain_error;
use super::*;

/// The variants of an enumeration with a value of each.
macro_rules! values {
    ($type:ident { $($name:ident $( ( $value:expr ) )? $( { $($field:ident : $inner:expr),+ $(,)? } )?),+ $(,)? }) => {
        vec![$((stringify!($name), $type::$name $( ( $value ) )? $( { $($field : $inner),+ } )?)),+]
    };
}

fn other() -> OtherError {
    OtherError(Arc::new(std::io::Error::other("out of luck")))
}

const fn time() -> UnixTime {
    UnixTime::since_unix_epoch(std::time::Duration::ZERO)
}

fn name() -> ServerName<'static> {
    ServerName::try_from("a.example").unwrap()
}

fn algorithm() -> webpki::UnsupportedSignatureAlgorithmContext {
    webpki::UnsupportedSignatureAlgorithmContext {
        signature_algorithm_id: vec![],
        supported_algorithms: vec![],
    }
}

fn algorithm_for_key() -> webpki::UnsupportedSignatureAlgorithmForPublicKeyContext {
    webpki::UnsupportedSignatureAlgorithmForPublicKeyContext {
        signature_algorithm_id: vec![],
        public_key_algorithm_id: vec![],
    }
}

/// The folder with the source of a dependency.
fn source_of(package: &str) -> PathBuf {
    // Only the packages of this platform have been downloaded.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(std::env::var("CARGO").unwrap())
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .args(["--filter-platform", &platform])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let found = packages.iter().find(|found| found["name"] == package).unwrap();
    let manifest = PathBuf::from(found["manifest_path"].as_str().unwrap());
    manifest.parent().unwrap().join("src")
}

/// The lines of an enumeration's variants in a source file.
fn declared(source: &str, enumeration: &str) -> Vec<String> {
    let start = format!("pub enum {enumeration} {{");
    let (_, body) = source.split_once(&start).unwrap();
    let (mut depth, mut variants) = (1_i32, Vec::new());
    for line in body.lines().map(str::trim) {
        // An attribute may take several lines.
        if line.starts_with("//") || line.starts_with("#[") || line == ")]" {
            continue;
        }
        if depth == 1 && line.starts_with(|c: char| c.is_ascii_uppercase()) {
            variants.push(line.to_owned());
        }
        for c in line.chars() {
            depth += match c {
                '{' | '(' | '[' => 1,
                '}' | ')' | ']' => -1,
                _ => 0,
            };
        }
        if depth == 0 {
            break;
        }
    }
    variants
}

fn identifier(line: &str) -> &str {
    line.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap()
}

/// Compares the variants with the library's source, and their descriptions with the rules for messages.
fn check<T>(source: &str, enumeration: &str, values: Vec<(&str, T)>, describe: impl Fn(T) -> String) {
    let declared = declared(source, enumeration);
    let declared: BTreeSet<_> = declared.iter().map(|line| identifier(line)).collect();
    let mut listed: BTreeSet<_> = values.iter().map(|(name, _)| *name).collect();
    if enumeration == "InvalidMessage" {
        // Its value has a type that the library does not publish.
        listed.insert("UnsupportedKeyExchangeAlgorithm");
    }
    assert_eq!(declared, listed, "the variants of {enumeration}");
    for (name, value) in values {
        check_words(name, &describe(value));
    }
}

/// A description consists of words: no names of the library, nothing general, and short enough for a detail.
fn check_words(variant: &str, text: &str) {
    let is_code = |word: &str| {
        let letters: Vec<_> = word.chars().collect();
        letters
            .windows(2)
            .any(|pair| pair[0].is_lowercase() && pair[1].is_uppercase())
    };
    let own = text.replace(OFFERED, "");
    let codes: Vec<_> = own.split_whitespace().filter(|word| is_code(word)).collect();
    assert!(codes.is_empty(), "{variant}: {text}: {codes:?}");
    assert!(!text.contains("has no description"), "{variant}: {text}");
    assert!(
        (10..=200).contains(&text.len()),
        "{variant}: {} {text}",
        text.len()
    );
}

#[test]
fn every_error_of_the_tls_library_is_described_in_words() {
    let source = std::fs::read_to_string(source_of("rustls").join("error.rs")).unwrap();
    check(
        &source,
        "Error",
        values!(Error {
            InappropriateMessage { expect_types: vec![], got_type: rustls::ContentType::Alert },
            InappropriateHandshakeMessage { expect_types: vec![], got_type: rustls::HandshakeType::Finished },
            InvalidEncryptedClientHello(EncryptedClientHelloError::SniRequired),
            InvalidMessage(InvalidMessage::InvalidCcs),
            NoCertificatesPresented,
            UnsupportedNameType,
            DecryptError,
            EncryptError,
            PeerIncompatible(PeerIncompatible::Tls12NotOffered),
            PeerMisbehaved(PeerMisbehaved::InvalidKeyShare),
            AlertReceived(AlertDescription::DecodeError),
            InvalidCertificate(CertificateError::BadEncoding),
            InvalidCertRevocationList(CertRevocationListError::ParseError),
            General("out of luck".to_owned()),
            FailedToGetCurrentTime,
            FailedToGetRandomBytes,
            HandshakeNotComplete,
            PeerSentOversizedRecord,
            NoApplicationProtocol,
            BadMaxFragmentSize,
            InconsistentKeys(InconsistentKeys::Unknown),
            Other(other()),
        }),
        |error| describe_error(&error),
    );
    check(
        &source,
        "InvalidMessage",
        values!(InvalidMessage {
            CertificatePayloadTooLarge,
            HandshakePayloadTooLarge,
            InvalidCcs,
            InvalidContentType,
            InvalidCertificateStatusType,
            InvalidCertRequest,
            InvalidDhParams,
            InvalidEmptyPayload,
            InvalidKeyUpdate,
            InvalidServerName,
            MessageTooLarge,
            MessageTooShort,
            MissingData("part"),
            MissingKeyExchange,
            NoSignatureSchemes,
            TrailingData("part"),
            UnexpectedMessage("part"),
            UnknownProtocolVersion,
            UnsupportedCompression,
            UnsupportedCurveType,
            EmptyTicketValue,
            IllegalEmptyList("part"),
            IllegalEmptyValue,
            DuplicateExtension(7),
            PreSharedKeyIsNotFinalExtension,
            UnknownHelloRetryRequestExtension,
            UnknownCertificateExtension,
        }),
        |error| describe_error(&(Error::InvalidMessage)(error)),
    );
    check(
        &source,
        "PeerIncompatible",
        values!(PeerIncompatible {
            EcPointsExtensionRequired,
            ExtendedMasterSecretExtensionRequired,
            IncorrectCertificateTypeExtension,
            KeyShareExtensionRequired,
            NamedGroupsExtensionRequired,
            NoCertificateRequestSignatureSchemesInCommon,
            NoCipherSuitesInCommon,
            NoEcPointFormatsInCommon,
            NoKxGroupsInCommon,
            NoSignatureSchemesInCommon,
            NullCompressionRequired,
            ServerDoesNotSupportTls12Or13,
            ServerSentHelloRetryRequestWithUnknownExtension,
            ServerTlsVersionIsDisabledByOurConfig,
            SignatureAlgorithmsExtensionRequired,
            SupportedVersionsExtensionRequired,
            Tls12NotOffered,
            Tls12NotOfferedOrEnabled,
            Tls13RequiredForQuic,
            UncompressedEcPointsRequired,
            UnsolicitedCertificateTypeExtension,
            ServerRejectedEncryptedClientHello(None),
        }),
        |error| describe_error(&(Error::PeerIncompatible)(error)),
    );
    check(
        &source,
        "PeerMisbehaved",
        values!(PeerMisbehaved {
            AttemptedDowngradeToTls12WhenTls13IsSupported,
            BadCertChainExtensions,
            CipherSuiteDifferedOnRetry,
            DisallowedEncryptedExtension,
            DuplicateClientHelloExtensions,
            DuplicateEncryptedExtensions,
            DuplicateHelloRetryRequestExtensions,
            DuplicateNewSessionTicketExtensions,
            DuplicateServerHelloExtensions,
            DuplicateServerNameTypes,
            EarlyDataAttemptedInSecondClientHello,
            EarlyDataExtensionWithoutResumption,
            EarlyDataOfferedWithVariedCipherSuite,
            EchAcceptanceVariedAfterRetry,
            HandshakeHashVariedAfterRetry,
            IllegalHelloRetryRequestWithEmptyCookie,
            IllegalHelloRetryRequestWithNoChanges,
            IllegalHelloRetryRequestWithOfferedGroup,
            IllegalHelloRetryRequestWithUnofferedCipherSuite,
            IllegalHelloRetryRequestWithUnofferedNamedGroup,
            IllegalHelloRetryRequestWithUnsupportedVersion,
            IllegalHelloRetryRequestWithWrongSessionId,
            IllegalHelloRetryRequestWithInvalidEch,
            IllegalMiddleboxChangeCipherSpec,
            IllegalTlsInnerPlaintext,
            IncorrectBinder,
            InvalidCertCompression,
            InvalidMaxEarlyDataSize,
            InvalidKeyShare,
            KeyEpochWithPendingFragment,
            KeyUpdateReceivedInQuicConnection,
            MessageInterleavedWithHandshakeMessage,
            MissingBinderInPskExtension,
            MissingKeyShare,
            MissingPskExtensionInSecondClientHello,
            MissingPskModesExtension,
            MissingQuicTransportParameters,
            OfferedDuplicateCertificateCompressions,
            OfferedDuplicateKeyShares,
            OfferedEarlyDataWithOldProtocolVersion,
            OfferedEmptyApplicationProtocol,
            OfferedIncorrectCompressions,
            PskExtensionMustBeLast,
            PskExtensionWithMismatchedIdsAndBinders,
            RefusedToFollowHelloRetryRequest,
            RejectedEarlyDataInterleavedWithHandshakeMessage,
            ResumptionAttemptedWithVariedEms,
            ResumptionOfferedWithVariedCipherSuite,
            ResumptionOfferedWithVariedEms,
            ResumptionOfferedWithIncompatibleCipherSuite,
            SelectedDifferentCipherSuiteAfterRetry,
            SelectedInvalidPsk,
            SelectedTls12UsingTls13VersionExtension,
            SelectedUnofferedApplicationProtocol,
            SelectedUnofferedCertCompression,
            SelectedUnofferedCipherSuite,
            SelectedUnofferedCompression,
            SelectedUnofferedKxGroup,
            SelectedUnofferedPsk,
            SelectedUnusableCipherSuiteForVersion,
            ServerEchoedCompatibilitySessionId,
            ServerHelloMustOfferUncompressedEcPoints,
            ServerNameDifferedOnRetry,
            ServerNameMustContainOneHostName,
            SignedKxWithWrongAlgorithm,
            SignedHandshakeWithUnadvertisedSigScheme,
            TooManyEmptyFragments,
            TooManyKeyUpdateRequests,
            TooManyRenegotiationRequests,
            TooManyWarningAlertsReceived,
            TooMuchEarlyDataReceived,
            UnexpectedCleartextExtension,
            UnsolicitedCertExtension,
            UnsolicitedEncryptedExtension,
            UnsolicitedSctList,
            UnsolicitedServerHelloExtension,
            WrongGroupForKeyShare,
            UnsolicitedEchExtension,
        }),
        |error| describe_error(&(Error::PeerMisbehaved)(error)),
    );
    check(
        &source,
        "CertificateError",
        values!(CertificateError {
            BadEncoding,
            Expired,
            ExpiredContext { time: time(), not_after: time() },
            NotValidYet,
            NotValidYetContext { time: time(), not_before: time() },
            Revoked,
            UnhandledCriticalExtension,
            UnknownIssuer,
            UnknownRevocationStatus,
            ExpiredRevocationList,
            ExpiredRevocationListContext { time: time(), next_update: time() },
            BadSignature,
            UnsupportedSignatureAlgorithm,
            UnsupportedSignatureAlgorithmContext { signature_algorithm_id: vec![], supported_algorithms: vec![] },
            UnsupportedSignatureAlgorithmForPublicKeyContext { signature_algorithm_id: vec![], public_key_algorithm_id: vec![] },
            NotValidForName,
            NotValidForNameContext { expected: name(), presented: vec![] },
            InvalidPurpose,
            InvalidPurposeContext { required: ExtendedKeyPurpose::ServerAuth, presented: vec![ExtendedKeyPurpose::ClientAuth] },
            InvalidOcspResponse,
            ApplicationVerificationFailure,
            Other(other()),
        }),
        |error| describe_error(&(Error::InvalidCertificate)(error)),
    );
    check(
        &source,
        "CertRevocationListError",
        values!(CertRevocationListError {
            BadSignature,
            UnsupportedSignatureAlgorithm,
            UnsupportedSignatureAlgorithmContext { signature_algorithm_id: vec![], supported_algorithms: vec![] },
            UnsupportedSignatureAlgorithmForPublicKeyContext { signature_algorithm_id: vec![], public_key_algorithm_id: vec![] },
            InvalidCrlNumber,
            InvalidRevokedCertSerialNumber,
            IssuerInvalidForCrl,
            Other(other()),
            ParseError,
            UnsupportedCrlVersion,
            UnsupportedCriticalExtension,
            UnsupportedDeltaCrl,
            UnsupportedIndirectCrl,
            UnsupportedRevocationReason,
        }),
        |error| describe_error(&(Error::InvalidCertRevocationList)(error)),
    );
    check(
        &source,
        "EncryptedClientHelloError",
        values!(EncryptedClientHelloError {
            InvalidConfigList,
            NoCompatibleConfig,
            SniRequired,
        }),
        |error| describe_error(&(Error::InvalidEncryptedClientHello)(error)),
    );
    check(
        &source,
        "InconsistentKeys",
        values!(InconsistentKeys { KeyMismatch, Unknown }),
        |error| describe_error(&(Error::InconsistentKeys)(error)),
    );
    check(
        &source,
        "ExtendedKeyPurpose",
        values!(ExtendedKeyPurpose {
            ClientAuth,
            ServerAuth,
            Other(vec![1, 2]),
        }),
        |error| {
            describe_error(&Error::InvalidCertificate(
                CertificateError::InvalidPurposeContext {
                    required: ExtendedKeyPurpose::ServerAuth,
                    presented: vec![error],
                },
            ))
        },
    );
}

#[test]
fn every_alert_is_described_in_words() {
    let source = std::fs::read_to_string(source_of("rustls").join("enums.rs")).unwrap();
    let declared = declared(&source, "AlertDescription");
    assert!(declared.len() > 30, "{declared:?}");
    for line in declared {
        let (name, code) = line.split_once(" => 0x").unwrap();
        let code = u8::from_str_radix(&code[..2], 16).unwrap();
        let alert = AlertDescription::from(code);
        assert!(!matches!(alert, AlertDescription::Unknown(_)), "{name}");
        check_words(name, &describe_error(&Error::AlertReceived(alert)));
    }
    let unknown = describe_error(&Error::AlertReceived(AlertDescription::from(200)));
    assert_eq!(
        unknown,
        "the server ended the TLS handshake with the unknown alert 200"
    );
}

#[test]
fn every_error_of_the_verifier_is_described_in_words() {
    use webpki::Error;
    let source = std::fs::read_to_string(source_of("rustls-webpki").join("error.rs")).unwrap();
    check(
        &source,
        "Error",
        values!(Error {
            BadDer,
            BadDerTime,
            CaUsedAsEndEntity,
            CertDistrusted,
            CertExpired { time: time(), not_after: time() },
            CertNotValidForName(webpki::InvalidNameContext { expected: name(), presented: vec![] }),
            CertNotValidYet { time: time(), not_before: time() },
            CertRevoked,
            CrlExpired { time: time(), next_update: time() },
            EmptyEkuExtension,
            EndEntityUsedAsCa,
            ExtensionValueInvalid,
            InvalidCertValidity,
            InvalidCrlNumber,
            InvalidNetworkMaskConstraint,
            InvalidSerialNumber,
            InvalidCrlSignatureForPublicKey,
            InvalidSignatureForPublicKey,
            IssuerNotCrlSigner,
            MalformedDnsIdentifier,
            MalformedExtensions,
            MalformedNameConstraint,
            MaximumNameConstraintComparisonsExceeded,
            MaximumPathBuildCallsExceeded,
            MaximumPathDepthExceeded,
            MaximumSignatureChecksExceeded,
            NameConstraintViolation,
            PathLenConstraintViolated,
            RequiredEkuNotFound,
            RequiredEkuNotFoundContext(webpki::RequiredEkuNotFoundContext { required: webpki::KeyUsage::server_auth(), present: vec![] }),
            SignatureAlgorithmMismatch,
            TrailingData(webpki::DerTypeId::Time),
            UnknownIssuer,
            UnknownRevocationStatus,
            UnsupportedCertVersion,
            UnsupportedCriticalExtension,
            UnsupportedCrlIssuingDistributionPoint,
            UnsupportedCrlVersion,
            UnsupportedDeltaCrl,
            UnsupportedIndirectCrl,
            UnsupportedNameType,
            UnsupportedRevocationReason,
            UnsupportedRevocationReasonsPartitioning,
            UnsupportedCrlSignatureAlgorithm,
            UnsupportedCrlSignatureAlgorithmContext(algorithm()),
            UnsupportedSignatureAlgorithm,
            UnsupportedSignatureAlgorithmContext(algorithm()),
            UnsupportedCrlSignatureAlgorithmForPublicKey,
            UnsupportedCrlSignatureAlgorithmForPublicKeyContext(algorithm_for_key()),
            UnsupportedSignatureAlgorithmForPublicKey,
            UnsupportedSignatureAlgorithmForPublicKeyContext(algorithm_for_key()),
        }),
        |error| chain_error::describe(&error),
    );
}
