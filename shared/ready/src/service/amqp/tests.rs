use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

const START_FRAME: &[u8] = b"\x01\0\0\0\0\0\x1c\0\x0a\0\x0a\0\x09\0\0\0\0\0\0\0\x05PLAIN\0\0\0\x05en_US\xce";

#[test]
fn connection_start_is_healthy_other_version_is_reported() {
    check(
        Amqp::default,
        START_FRAME,
        "> an AMQP 0-9-1 header | healthy: Connection.Start",
    );
    let expected = "wrong_service: the server speaks AMQP 1.0.0 (protocol 3), not 0-9-1";
    check(
        Amqp::default,
        b"AMQP\x03\x01\0\0",
        &format!("> an AMQP 0-9-1 header | {expected}"),
    );
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(Amqp::default, &[]);
    check(
        Amqp::default,
        b"\x01\0\0\0\0\0\x1c\0\x0a\0\x0b",
        "> an AMQP 0-9-1 header | wrong_service",
    );
    check(
        Amqp::default,
        b"\x01\0\0\x7f\0\0\0",
        "> an AMQP 0-9-1 header | wrong_service",
    );
    fuzz(Amqp::default, START_FRAME);
}

/// A `Connection.Close` frame with this code and a text.
fn close(code: u16) -> Vec<u8> {
    let mut frame = b"\x01\0\0\0\0\0\x0f\0\x0a\0\x32".to_vec();
    frame.extend_from_slice(&code.to_be_bytes());
    frame.extend_from_slice(b"\x04stop\0\0\0\0\xce");
    frame
}

#[test]
fn decision_table_matches_code() {
    let codes = (0..1000).map(|code: u16| code.to_string());
    Table::of(include_str!("../amqp.rs"))
        .codes(&["`Connection.Close` instead"], codes, |code| {
            (Amqp::default(), close(code.parse().unwrap()))
        })
        .case("method frame", Amqp::default(), START_FRAME)
        .case("`AMQP`", Amqp::default(), b"AMQP\x03\x01\0\0")
        .case("nothing", Amqp::default(), "")
        .finish();
    check(
        Amqp::default,
        &close(320),
        "> an AMQP 0-9-1 header | starting: 320 stop",
    );
}
