use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

/// "`ApiVersions` Response (Version: 0)" of the Kafka protocol guide (kafka.apache.org/protocol), after a response
/// header of version 0, with the one key that a broker lists with error 35 (KIP-511): 18, versions 0 to 4.
fn response(correlation: u32, error: u16) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 16];
    bytes.extend_from_slice(&correlation.to_be_bytes());
    bytes.extend_from_slice(&error.to_be_bytes());
    bytes.extend_from_slice(&[0, 0, 0, 1, 0, 18, 0, 0, 0, 4]);
    bytes
}

// The guide's "Error Codes": 35 is UNSUPPORTED_VERSION, 56 is KAFKA_STORAGE_ERROR.
#[test]
fn error_code_decides_result() {
    let rows = [
        (0, "healthy: answered ApiVersions"),
        (35, "healthy: answered ApiVersions: error 35, unsupported version"),
        (
            56,
            "service_error: answered ApiVersions: error 56 (KAFKA_STORAGE_ERROR)",
        ),
    ];
    for (error, expected) in rows {
        check(
            Kafka::default,
            &response(CORRELATION, error),
            &format!("> an ApiVersions request | {expected}"),
        );
    }
    let expected = "waiting, then closed, as Kafka does at max.connections.per.ip, or where it expects TLS";
    check(
        Kafka::default,
        b"",
        &format!("> an ApiVersions request | {expected}"),
    );
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(Kafka::default, &[]);
    check(
        Kafka::default,
        &response(7, 0),
        "> an ApiVersions request | wrong_service",
    );
    fuzz(Kafka::default, &response(CORRELATION, 0));
}

#[test]
fn request_is_version_0() {
    let expected = b"\0\0\0\x13\0\x12\0\0\x70\x70\0\x01\0\x09portpulse";
    assert_eq!(request(), expected);
}

#[test]
fn decision_table_matches_code() {
    let condition = "error code under the request's correlation id";
    let codes = (0..=u16::MAX).map(|code| code.to_string());
    Table::of(include_str!("../kafka.rs"))
        .codes(&[condition], codes, |code| {
            (Kafka::default(), response(CORRELATION, code.parse().unwrap()))
        })
        .case("closed at once", Kafka::default(), "")
        .finish();
}
