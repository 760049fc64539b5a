use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

/// The greeting of `MariaDB` 10.11 with TLS enabled or disabled.
fn greeting(tls: bool) -> Vec<u8> {
    let low: u16 = if tls { 0xfffe } else { 0xf7fe };
    let mut payload = b"\x0a10.11.14-MariaDB\0\x05\0\0\0abcdefgh\0".to_vec();
    payload.extend_from_slice(&low.to_le_bytes());
    payload.extend_from_slice(
        b"\x2d\x02\0\xff\x81\x15\0\0\0\0\0\0\x1d\0\0\0abcdefghijkl\0mysql_native_password\0",
    );
    packet(0, &payload)
}

fn error(sequence: u8, code: u16, text: &str) -> Vec<u8> {
    let mut payload = vec![0xff];
    payload.extend_from_slice(&code.to_le_bytes());
    payload.extend_from_slice(text.as_bytes());
    packet(sequence, &payload)
}

fn plain() -> Mysql {
    Mysql::new(false)
}

fn with_upgrade() -> Mysql {
    Mysql::new(true)
}

fn denied(sequence: u8) -> Vec<u8> {
    error(sequence, 1045, "#28000Access denied for user 'portpulse'")
}

const LOGIN: &str = "> a login attempt";
const DENIED: &str = "healthy: 10.11.14-MariaDB: 1045 Access denied for user 'portpulse'";

#[test]
fn refused_login_is_healthy() {
    check(
        plain,
        &[greeting(true), denied(2)].concat(),
        &format!("{LOGIN} | {DENIED}"),
    );
    let accepted = [greeting(true), packet(2, &[0, 0, 0, 2, 0, 0, 0])].concat();
    let expected =
        "healthy: 10.11.14-MariaDB: accepts logins without a password | > \\x01\\x00\\x00\\x00\\x01";
    check(plain, &accepted, &format!("{LOGIN} | {expected}"));
}

#[test]
fn auth_switch_is_followed_until_refusal() {
    let switch = packet(2, b"\xfecaching_sha2_password\0abcdefghijklmnopqrst\0");
    let more = packet(4, b"\x01\x04");
    let expected = format!("{LOGIN} | > an empty password | > an empty password | {DENIED}");
    check(
        plain,
        &[greeting(true), switch.clone(), more, denied(6)].concat(),
        &expected,
    );
    let endless = (1..10u8).flat_map(|round| packet(2 * round, b"\xfemysql_old_password\0"));
    let expected = format!("{LOGIN} | {}wrong_service", "> an empty password | ".repeat(4));
    check(
        plain,
        &greeting(true).into_iter().chain(endless).collect::<Vec<_>>(),
        &expected,
    );
}

#[test]
fn decision_table_matches_code() {
    let codes = || (0..=u16::MAX).map(|code| code.to_string());
    let first = |code: &str| (plain(), error(0, code.parse().unwrap(), "no"));
    let later = |code: &str| {
        let refused = error(2, code.parse().unwrap(), "#08004no");
        (plain(), [greeting(true), refused].concat())
    };
    let mut table = Table::of(include_str!("../mysql.rs"));
    for text in PROXY_FAILURES {
        let refused = error(
            2,
            1105,
            &format!("#HY000{text}, please make sure TiDB is available"),
        );
        table = table.case("ERR 1105", plain(), [greeting(true), refused].concat());
    }
    table
        .codes(&["ERR", "ERR instead of a greeting"], codes(), first)
        .codes(&["ERR", "ERR after the login"], codes(), later)
        .case(
            "greeting",
            plain(),
            [greeting(true), packet(2, &[0, 0, 0, 2, 0, 0, 0])].concat(),
        )
        .case(
            "no `CLIENT_SSL`",
            with_upgrade(),
            [greeting(false), denied(2)].concat(),
        )
        .finish();
}

#[test]
fn error_of_proxy_is_read_with_any_number() {
    check(
        plain,
        &error(0, 1040, "Too many connections"),
        "busy: 1040 ER_CON_COUNT_ERROR: Too many connections",
    );
    let text = "Can't connect to remote MySQL server for client connected to '127.0.0.1:6446'";
    for sequence in 0..=3 {
        let reply = [greeting(true), error(sequence, 2003, text)].concat();
        check(
            plain,
            &reply,
            &format!("{LOGIN} | no_backend: 2003 CR_CONN_HOST_ERROR: {text}"),
        );
    }
}

#[test]
fn tls_precedes_login_and_missing_tls_fails_after_login() {
    let expected = format!("> an SSLRequest | tls | {LOGIN} | {DENIED}");
    check(with_upgrade, &[greeting(true), denied(3)].concat(), &expected);
    let expected = format!("{LOGIN} | tls: the server offers no TLS (no CLIENT_SSL in its greeting)");
    check(with_upgrade, &[greeting(false), denied(2)].concat(), &expected);
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(plain, &["mysql"]);
    check_other_services(with_upgrade, &["mysql"]);
    check(plain, &packet(0, b"\x09old"), "wrong_service");
    check(
        plain,
        &[greeting(true), packet(3, &[0, 0, 0, 2, 0, 0, 0])].concat(),
        &format!("{LOGIN} | wrong_service"),
    );
    fuzz(plain, &[greeting(true), denied(2)].concat());
    fuzz(with_upgrade, &[greeting(true), denied(3)].concat());
}

#[test]
fn login_is_handshake_response_41() {
    let mut input = Input::default();
    input.push(&greeting(true));
    let mut expected = b"\x41\0\0\x01\x01\x82\x08\0\0\0\0\x01\x21".to_vec();
    expected.extend_from_slice(&[0; 23]);
    expected.extend_from_slice(b"portpulse\0\0mysql_native_password\0");
    assert_eq!(plain().next(&mut input), Step::send("a login attempt", expected));
}
