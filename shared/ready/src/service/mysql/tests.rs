use super::*;
use crate::test_harness::{check, check_other_services, check_table, fuzz};

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
fn error_before_greeting_is_classified_by_code() {
    let rows = [
        (1040, "Too many connections", "busy: 1040 Too many connections"),
        (1129, "Host 'a' is blocked", "blocked: 1129 Host 'a' is blocked"),
        (
            1130,
            "Host 'a' is not allowed to connect",
            "healthy: 1130 Host 'a' is not allowed to connect",
        ),
        (
            1053,
            "Server shutdown in progress",
            "starting: 1053 Server shutdown in progress",
        ),
        (
            1135,
            "Can't create a new thread",
            "busy: 1135 Can't create a new thread",
        ),
        (1158, "Got an error reading", "busy: 1158 Got an error reading"),
    ];
    for (code, text, expected) in rows {
        check(plain, &error(0, code, text), expected);
        let later = [greeting(true), error(2, code, &format!("#08004{text}"))].concat();
        // After the login, an error without a class of its own is a decision about the login.
        let expected = match code {
            1130 | 1158 => format!("healthy: 10.11.14-MariaDB: {code} {text}"),
            _ => expected.to_owned(),
        };
        check(plain, &later, &format!("{LOGIN} | {expected}"));
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
        &[greeting(true), denied(3)].concat(),
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

#[test]
fn decision_table_matches_code() {
    let refusals = [1040, 1041, 1135, 1203, 1226].map(|code| ("ERR 1040,", plain(), error(0, code, "no")));
    let endings = [1053, 1077, 3032].map(|code| ("ERR 1053,", plain(), error(0, code, "no")));
    let cases = [
        ("greeting, then", plain(), [greeting(true), denied(2)].concat()),
        (
            "greeting, then",
            plain(),
            [greeting(true), packet(2, &[0, 0, 0, 2, 0, 0, 0])].concat(),
        ),
        ("ERR 1130", plain(), error(0, 1130, "not allowed")),
        ("ERR 1129", plain(), error(0, 1129, "blocked")),
        ("any other ERR", plain(), error(0, 1105, "unknown error")),
        (
            "no `CLIENT_SSL`",
            with_upgrade(),
            [greeting(false), denied(2)].concat(),
        ),
    ];
    let cases = cases.into_iter().chain(refusals).chain(endings);
    check_table(include_str!("../mysql.rs"), cases);
}
