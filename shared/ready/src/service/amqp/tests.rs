use super::*;
use crate::test_harness::{check, check_others, check_table, fuzz};

const START_FRAME: &[u8] = b"\x01\0\0\0\0\0\x1c\0\x0a\0\x0a\0\x09\0\0\0\0\0\0\0\x05PLAIN\0\0\0\x05en_US\xce";

#[test]
fn a_start_is_healthy_and_another_version_is_named() {
    check(
        Amqp::default,
        START_FRAME,
        "> an AMQP 0-9-1 header | healthy: Connection.Start",
    );
    let notified = "wrong_service: it speaks AMQP 1.0.0 (protocol 3), not 0-9-1";
    check(
        Amqp::default,
        b"AMQP\x03\x01\0\0",
        &format!("> an AMQP 0-9-1 header | {notified}"),
    );
}

#[test]
fn anything_else_is_another_service() {
    check_others(Amqp::default, &[]);
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

#[test]
fn each_row_of_the_table_is_as_it_says() {
    let plays = [
        ("method frame", Amqp::default(), START_FRAME.to_vec()),
        ("`AMQP`", Amqp::default(), b"AMQP\x03\x01\0\0".to_vec()),
        ("nothing", Amqp::default(), Vec::new()),
    ];
    check_table(include_str!("../amqp.rs"), plays);
}
