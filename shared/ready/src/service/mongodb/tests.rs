use super::*;
use crate::test_harness::{check, check_other_services, check_table, fuzz};

/// An `OP_MSG` reply with these elements in one section of kind 0 (MongoDB's manual, "MongoDB Wire Protocol", and the
/// BSON specification, bsonspec.org, version 1.1).
fn reply(elements: &[u8]) -> Vec<u8> {
    let document = elements.len() + 5;
    let mut bytes = Vec::new();
    for number in [u32::try_from(21 + document).unwrap(), 77, REQUEST_ID, OP_MSG, 0] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.push(0);
    bytes.extend_from_slice(&u32::try_from(document).unwrap().to_le_bytes());
    bytes.extend_from_slice(elements);
    bytes.push(0);
    bytes
}

const OK: &[u8] = b"\x01ok\0\0\0\0\0\0\0\xf0\x3f";
const NOT_OK: &[u8] = b"\x01ok\0\0\0\0\0\0\0\0\0";

// MongoDB's manual, "hello (database command)". `ismaster` and `isreplicaset` are not in the manual, but are fields of
// `HelloCommandReply` in MongoDB's source.
#[test]
fn hello_flags_decide_result() {
    let everything = b"\x03topologyVersion\0\x1c\0\0\0\x07processId\0abcdefghijkl\0\x09localTime\0abcdefgh\
        \x12maxWriteBatchSize\0\0\0\0\0\0\0\0\0\x05id\0\x01\0\0\0\0x\x0anull\0\x11t\0abcdefgh\x13d\0abcdefghijklmnop";
    let rows: [(&[u8], &str); 6] = [
        (b"\x08isWritablePrimary\0\x01", "healthy: isWritablePrimary"),
        (b"\x08ismaster\0\x01", "healthy: isWritablePrimary"),
        (
            b"\x08isWritablePrimary\0\0\x08secondary\0\x01",
            "healthy: secondary",
        ),
        (b"\x08secondary\0\0\x08arbiterOnly\0\x01", "healthy: arbiterOnly"),
        (
            b"\x08isreplicaset\0\x01",
            "starting: isreplicaset: the replica set is not initiated",
        ),
        (
            b"\x08secondary\0\0",
            "starting: neither primary nor secondary: the member starts or recovers",
        ),
    ];
    for (flags, expected) in rows {
        check(
            Mongodb::default,
            &reply(&[everything, flags, OK].concat()),
            &format!("> hello | {expected}"),
        );
    }
}

// `error_codes.yml` in MongoDB's source: 91 is ShutdownInProgress, 11600 InterruptedAtShutdown, 13 Unauthorized.
#[test]
fn refusal_code_decides_result() {
    let rows: [(&[u8], &str); 3] = [
        (
            b"\x10code\0\x5b\0\0\0\x02errmsg\0\x05\0\0\0quit\0",
            "starting: 91 quit",
        ),
        (
            b"\x10code\0\x50\x2d\0\0\x02errmsg\0\x05\0\0\0stop\0",
            "starting: 11600 stop",
        ),
        (
            b"\x10code\0\x0d\0\0\0\x02errmsg\0\x05\0\0\0nope\0",
            "busy: 13 nope",
        ),
    ];
    for (elements, expected) in rows {
        check(
            Mongodb::default,
            &reply(&[elements, NOT_OK].concat()),
            &format!("> hello | {expected}"),
        );
    }
    check(
        Mongodb::default,
        b"",
        "> hello | waiting, then closed, as MongoDB does at maxIncomingConnections",
    );
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(Mongodb::default, &[]);
    check(
        Mongodb::default,
        &reply(b"\x02errmsg\0\xff\xff\xff\xff"),
        "> hello | wrong_service",
    );
    fuzz(
        Mongodb::default,
        &reply(&[b"\x08secondary\0\x01\x02errmsg\0\x05\0\0\0quit\0", OK].concat()),
    );
}

#[test]
fn request_is_hello() {
    let expected = b"\x34\0\0\0\x01\0\x70\x70\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\
        \x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0";
    assert_eq!(hello(), expected);
}

#[test]
fn decision_table_matches_code() {
    let case = |answer, elements: &[&[u8]]| (answer, Mongodb::default(), reply(&elements.concat()));
    let cases = [
        case(
            "`ok: 1` with `isWritablePrimary`",
            &[b"\x08isWritablePrimary\0\x01", OK],
        ),
        case("`ok: 1` with `isWritablePrimary`", &[b"\x08secondary\0\x01", OK]),
        case(
            "`ok: 1` with `isWritablePrimary`",
            &[b"\x08arbiterOnly\0\x01", OK],
        ),
        case("`ok: 1` with `isreplicaset", &[b"\x08isreplicaset\0\x01", OK]),
        case("`ok: 1` with none", &[b"\x08secondary\0\0", OK]),
        case("`ok: 0`, code 91", &[b"\x10code\0\x5b\0\0\0", NOT_OK]),
        case("`ok: 0`, code 91", &[b"\x10code\0\x50\x2d\0\0", NOT_OK]),
        case("`ok: 0`, any", &[b"\x10code\0\x0d\0\0\0", NOT_OK]),
        ("closed at once", Mongodb::default(), Vec::new()),
    ];
    check_table(include_str!("../mongodb.rs"), cases);
}
