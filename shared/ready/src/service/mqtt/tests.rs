use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

/// A `CONNACK` of 3.1.1.
fn of_3(code: u8) -> Vec<u8> {
    vec![0x20, 2, 0, code]
}

/// A `CONNACK` of 5.0 with a reason string of 200 bytes.
fn of_5(code: u8) -> Vec<u8> {
    let mut packet = vec![0x20, 0xd0, 1, 0, code, 0xcc, 1, 0x1f, 0, 200];
    packet.extend([b'r'; 201 - 3 + 2]);
    packet.resize(3 + 208, b'r');
    packet
}

#[test]
fn connack_decides_result() {
    let rows = [
        (of_3(0), "healthy: CONNACK 0 (connection accepted) | > \\xe0\\x00"),
        (of_3(5), "healthy: CONNACK 5 (a login is required)"),
        (of_3(3), "service_error: CONNACK 3 (server unavailable)"),
        (of_5(0x84), "healthy: CONNACK 132 (the version is not supported)"),
        (of_5(0x89), "busy: CONNACK 137 (server busy)"),
        (
            of_5(0),
            "service_error: CONNACK 0 (not an answer to a first request)",
        ),
        (
            b"\x20\x03\0\x84\0".to_vec(),
            "healthy: CONNACK 132 (the version is not supported)",
        ),
        // Announces two bytes more than it has.
        (vec![0x20, 4, 0, 0], "waiting, then closed"),
        (vec![], "waiting, then closed"),
        // Too short, with unknown flags, and with a length of three bytes.
        (vec![0x20, 1, 0], "wrong_service"),
        (vec![0x20, 2, 2, 0], "wrong_service"),
        (vec![0x20, 0x82, 0x80, 0, 0, 0], "wrong_service"),
        // `CONNECT`, as a client sends it.
        (CONNECT.to_vec(), "wrong_service"),
    ];
    for (answer, expected) in rows {
        check(Mqtt::default, &answer, &format!("> CONNECT | {expected}"));
    }
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(Mqtt::default, &[]);
    fuzz(Mqtt::default, &of_3(0));
    fuzz(Mqtt::default, &of_5(0x87));
}

#[test]
fn decision_table_matches_code() {
    let all = || (0..=u8::MAX).map(|code| code.to_string());
    Table::of(include_str!("../mqtt.rs"))
        .codes(&["`CONNACK` of 3.1.1"], all(), |code| {
            (Mqtt::default(), of_3(code.parse().unwrap()))
        })
        .codes(&["`CONNACK` of 5.0"], all(), |code| {
            (Mqtt::default(), of_5(code.parse().unwrap()))
        })
        .case("the end of the stream", Mqtt::default(), "")
        .finish();
}
