use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

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
    let rows: [(&[u8], &str); 7] = [
        (b"\x08isWritablePrimary\0\x01", "healthy: isWritablePrimary"),
        (b"\x08ismaster\0\x01", "healthy: isWritablePrimary"),
        (
            b"\x08isWritablePrimary\0\x01\x02msg\0\x09\0\0\0isdbgrid\0",
            "healthy: isdbgrid: a mongos, which answers without its shards",
        ),
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

/// A refusal with a code of `error_codes.yml` in MongoDB's source.
fn refusal(code: u32) -> Vec<u8> {
    let code = [b"\x10code\0".as_slice(), &code.to_le_bytes()].concat();
    reply(
        &[
            code.as_slice(),
            b"\x02errmsg\0\x05\0\0\0nope\0".as_slice(),
            NOT_OK,
        ]
        .concat(),
    )
}

#[test]
fn decision_table_matches_code() {
    let primary = reply(&[b"\x08ismaster\0\x01", OK].concat());
    let case = |elements: &[&[u8]]| reply(&elements.concat());
    Table::of(include_str!("../mongodb.rs"))
        .codes(
            &["`ok: 0`"],
            (0..20_000)
                .filter(|code| *code != 59)
                .map(|code: u32| code.to_string()),
            |code| (Mongodb::default(), refusal(code.parse().unwrap())),
        )
        .case(
            "`ok: 1` with `isW",
            Mongodb::default(),
            case(&[b"\x08isWritablePrimary\0\x01", OK]),
        )
        .case(
            "`ok: 1` with `msg",
            Mongodb::default(),
            case(&[b"\x08isWritablePrimary\0\x01\x02msg\0\x09\0\0\0isdbgrid\0", OK]),
        )
        .case(
            "`ok: 1` with `isreplicaset",
            Mongodb::default(),
            case(&[b"\x08isreplicaset\0\x01", OK]),
        )
        .case(
            "`ok: 1` with none",
            Mongodb::default(),
            case(&[b"\x08secondary\0\0", OK]),
        )
        .case(
            "`ok: 0` with code 59",
            Mongodb::default(),
            [refusal(59), primary].concat(),
        )
        .case("closed at once", Mongodb::default(), "")
        .finish();
}

#[test]
fn unknown_hello_is_repeated_as_is_master_once() {
    let unknown = [refusal(59), refusal(59)].concat();
    check(
        Mongodb::default,
        &unknown,
        "> hello | > isMaster | service_error: 59 nope",
    );
    let closed = "> hello | waiting, then closed, as MongoDB does at maxIncomingConnections";
    check(Mongodb::default, b"", closed);
    check(Mongodb::default, &refusal(91), "> hello | starting: 91 nope");
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
    assert_eq!(command("hello"), expected);
}
