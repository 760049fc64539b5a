use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

fn packet(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 8).unwrap();
    [&[4, 1], &length.to_be_bytes()[..], &[0, 0, 1, 0], data].concat()
}

/// The answer of SQL Server 2022: version, encryption, instance, thread and MARS.
fn prelogin() -> Vec<u8> {
    packet(
        b"\0\0\x1a\0\x06\x01\0\x20\0\x01\x02\0\x21\0\x01\x03\0\x22\0\0\x04\0\x22\0\x01\xff\
        \x10\x00\x10\x04\x00\x00\x02\x00\x00",
    )
}

fn error_of(number: u32, text: &str) -> Vec<u8> {
    let text: Vec<_> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let characters = u16::try_from(text.len() / 2).unwrap();
    let mut token = vec![ERROR, 0, 0];
    token.extend(number.to_le_bytes());
    token.extend([1, 14]);
    token.extend(characters.to_le_bytes());
    token.extend(text);
    packet(&token)
}

#[test]
fn prelogin_shows_version() {
    let closed = "waiting, then closed, as SQL Server does where it expects TLS first (strict encryption)";
    let rows = [
        (prelogin(), "healthy: SQL Server 16.0.4100"),
        (
            error_of(17809, "Could not connect."),
            "busy: error 17809: Could not connect.",
        ),
        (vec![], closed),
        // No version, a version of five bytes, options without end, an option outside the packet.
        (packet(&[TERMINATOR]), "wrong_service"),
        (packet(b"\0\0\x06\0\x05\xff\x10\0\0\0\0"), "wrong_service"),
        (packet(b"\0\0\x05\0\x06\x10\0\0\0\0\0"), "wrong_service"),
        (
            packet(b"\0\0\x0b\0\x06\x01\xff\0\0\x01\xff\x10\0\0\0\0\0"),
            "wrong_service",
        ),
        // A length without data, an excessive one, and an error that is longer than its packet.
        (packet(b""), "wrong_service"),
        (b"\x04\x01\xff\xff\0\0\x01\0".to_vec(), "wrong_service"),
        (packet(b"\xaa\0\0\x01\0\0\0\x01\x0e\xff\xff"), "wrong_service"),
        (PRELOGIN.to_vec(), "wrong_service"),
    ];
    for (answer, expected) in rows {
        check(Mssql::default, &answer, &format!("> PRELOGIN | {expected}"));
    }
}

#[test]
fn request_announces_its_length() {
    assert_eq!(be_u16(PRELOGIN, 2).map(usize::from), Some(PRELOGIN.len()));
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(Mssql::default, &[]);
    fuzz(Mssql::default, &prelogin());
    fuzz(Mssql::default, &error_of(18456, "Login failed."));
}

#[test]
fn decision_table_matches_code() {
    let numbers = (0..50_000).chain([u32::MAX]).map(|number| number.to_string());
    Table::of(include_str!("../mssql.rs"))
        .case("`PRELOGIN`", Mssql::default(), prelogin())
        .codes(&["error instead"], numbers, |number| {
            (Mssql::default(), error_of(number.parse().unwrap(), ""))
        })
        .case("the end of the stream", Mssql::default(), "")
        .finish();
}
