use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

fn frame(version: u8, flags: u8, stream: u16, operation: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![version, flags];
    frame.extend(stream.to_be_bytes());
    frame.push(operation);
    frame.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    frame.extend(body);
    frame
}

fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    [&length.to_be_bytes(), text.as_bytes()].concat()
}

/// The options of Cassandra 4.1.
fn options() -> Vec<u8> {
    [
        vec![0, 3],
        text("PROTOCOL_VERSIONS"),
        vec![0, 2],
        text("3/v3"),
        text("4/v4"),
        text("COMPRESSION"),
        vec![0, 0],
        text("CQL_VERSION"),
        vec![0, 1],
        text("3.4.6"),
    ]
    .concat()
}

fn good() -> Vec<u8> {
    frame(0x84, 0, STREAM, SUPPORTED, &options())
}

fn error_of(code: u32, message: &str) -> Vec<u8> {
    let body = [&code.to_be_bytes(), text(message).as_slice()].concat();
    frame(0x84, 0, STREAM, ERROR, &body)
}

const VERSION: &str = "Invalid or unsupported protocol version (4); supported versions are (3/v3)";

#[test]
fn answer_to_options_decides_result() {
    let warned = [&[0, 1], text("a warning").as_slice(), &options()].concat();
    let rows = [
        (good(), "healthy: CQL 3.4.6"),
        (
            frame(0x84, WARNING, STREAM, SUPPORTED, &warned),
            "healthy: CQL 3.4.6",
        ),
        (
            frame(
                0x83,
                0,
                0,
                ERROR,
                &[&[0, 0, 0, 10], text(VERSION).as_slice()].concat(),
            ),
            "healthy: error 000a: Invalid or unsupported protocol version (4); supported versions are (3/v3)",
        ),
        (
            error_of(0x1002, "bootstrapping"),
            "starting: error 1002: bootstrapping",
        ),
        (error_of(0, "java.io"), "service_error: error 0000: java.io"),
        (vec![], "waiting, then closed"),
        // Another stream, no version of CQL, more options than bytes, an excessive length, and a compressed body.
        (frame(0x84, 0, 1, SUPPORTED, &options()), "wrong_service"),
        (frame(0x84, 0, STREAM, SUPPORTED, &[0, 0]), "wrong_service"),
        (
            frame(0x84, 0, STREAM, SUPPORTED, &[0xff, 0xff, 0, 0, 0xff, 0xff]),
            "wrong_service",
        ),
        (b"\x84\0\x70\x70\x06\xff\xff\xff\xff".to_vec(), "wrong_service"),
        (frame(0x84, 1, STREAM, SUPPORTED, &options()), "wrong_service"),
        (frame(0x84, WARNING, STREAM, SUPPORTED, &[0, 9]), "wrong_service"),
        (OPTIONS.to_vec(), "wrong_service"),
    ];
    for (answer, expected) in rows {
        check(Cassandra::default, &answer, &format!("> OPTIONS | {expected}"));
    }
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(Cassandra::default, &[]);
    fuzz(Cassandra::default, &good());
    fuzz(Cassandra::default, &error_of(10, VERSION));
}

#[test]
fn decision_table_matches_code() {
    let codes = (0..0x3000_u32).map(|code| format!("{code:04x}"));
    Table::of(include_str!("../cassandra.rs"))
        .case("`SUPPORTED`", Cassandra::default(), good())
        .case("`ERROR` 000a", Cassandra::default(), error_of(10, VERSION))
        .codes(&["`ERROR` with a code"], codes, |code| {
            let code = u32::from_str_radix(code, 16).unwrap();
            (Cassandra::default(), error_of(code, "no"))
        })
        .case("the end of the stream", Cassandra::default(), "")
        .finish();
}
