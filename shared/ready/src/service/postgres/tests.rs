use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

fn plain() -> Postgres {
    Postgres::new(false)
}

fn refusal(sqlstate: &str, message: &str) -> Vec<u8> {
    let body = format!("SFATAL\0VFATAL\0C{sqlstate}\0M{message}\0Fpostmaster.c\0L2335\0Rroutine\0\0");
    let mut bytes = vec![b'E'];
    bytes.extend_from_slice(&u32::try_from(body.len() + 4).unwrap().to_be_bytes());
    bytes.extend_from_slice(body.as_bytes());
    bytes
}

const SASL: &[u8] = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0";

#[test]
fn authentication_request_is_healthy() {
    check(
        plain,
        SASL,
        "> a StartupMessage | healthy: asks for a password (SASL)",
    );
    check(
        plain,
        b"R\0\0\0\x0c\0\0\0\x05abcd",
        "> a StartupMessage | healthy: asks for a password",
    );
    check(
        plain,
        b"R\0\0\0\x08\0\0\0\x07",
        "> a StartupMessage | healthy: asks for authentication",
    );
    check(
        plain,
        b"R\0\0\0\x08\0\0\0\0S\0\0\0\x08a\0b\0K\0\0\0\x0cabcdefghZ\0\0\0\x05I",
        "> a StartupMessage | healthy: accepts logins without a password | > X\\x00\\x00\\x00\\x04",
    );
    let negotiated = [b"v\0\0\0\x0c\0\0\0\0\0\0\0\0".as_slice(), SASL].concat();
    check(
        plain,
        &negotiated,
        "> a StartupMessage | healthy: asks for a password (SASL)",
    );
}

#[test]
fn decision_table_matches_code() {
    let digits = ('0'..='9').chain('A'..='Z');
    let classes = digits
        .clone()
        .flat_map(|a| digits.clone().map(move |b| format!("{a}{b}")));
    let codes = classes.flat_map(|class| {
        [
            "000", "001", "003", "004", "006", "007", "501", "P01", "P02", "P03", "300",
        ]
        .map(|rest| format!("{class}{rest}"))
    });
    let refused = |code: &str| (plain(), refusal(code, "no"));
    let mut table = Table::of(include_str!("../postgres.rs")).codes(&["`E`"], codes, refused);
    for (condition, texts) in [
        ("`E` with a pooler's decision", POOLER_DECISIONS),
        ("`E` with a pooler's report", POOLER_FAILURES),
        ("`E` with a pooler's limit", POOLER_LIMITS),
        ("`E` with a pooler's shutdown", POOLER_SHUTDOWNS),
    ] {
        for (code, text) in texts {
            table = table.case(condition, plain(), refusal(code, &format!("{text}…")));
        }
    }
    table
        .case("`R`, a", plain(), SASL)
        .case("`R` 0", plain(), b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I")
        .case(
            "`E` `could not",
            plain(),
            b"Ecould not fork new process for connection\n\0",
        )
        .case("`N`", Postgres::new(true), b"N")
        .finish();
}

#[test]
fn error_after_accepted_login_counts() {
    let reply = [
        b"R\0\0\0\x08\0\0\0\0".to_vec(),
        refusal("53300", "remaining slots are reserved"),
    ]
    .concat();
    let expected = "> a StartupMessage | busy: 53300 too_many_connections: remaining slots are reserved";
    check(plain, &reply, expected);
}

#[test]
fn refusal_is_reported_with_its_text() {
    let rows = [
        (
            "28000",
            "role \"portpulse\" does not exist",
            "healthy: 28000 role \"portpulse\" does not exist",
        ),
        ("08P01", "SSL required", "healthy: 08P01 SSL required"),
        (
            "28000",
            "frontend auth: failed to make auth query",
            "no_backend: 28000 frontend auth: failed to make auth query",
        ),
        (
            "08P01",
            "client connections exceeded (max_db_client_connections)",
            "busy: 08P01 protocol_violation: client connections exceeded (max_db_client_connections)",
        ),
        (
            "08P01",
            "pooler is shutting down",
            "starting: 08P01 protocol_violation: pooler is shutting down",
        ),
        (
            "08P01",
            "invalid length",
            "service_error: 08P01 protocol_violation: invalid length",
        ),
        (
            "53300",
            "sorry, too many clients already",
            "busy: 53300 too_many_connections: sorry, too many clients already",
        ),
        ("0A000", "unsupported", "service_error: 0A000 unsupported"),
    ];
    for (sqlstate, message, expected) in rows {
        let expected = format!("> a StartupMessage | {expected}");
        check(plain, &refusal(sqlstate, message), &expected);
    }
    let expected = "> a StartupMessage | busy: could not fork new process";
    check(plain, b"Ecould not fork new process\0", expected);
}

#[test]
fn ssl_request_precedes_startup() {
    let with_upgrade = || Postgres::new(true);
    check(
        with_upgrade,
        b"S",
        "> an SSLRequest | tls | > a StartupMessage | waiting, then closed",
    );
    check(
        with_upgrade,
        b"N",
        "> an SSLRequest | tls: the server answered N to SSLRequest: TLS is disabled",
    );
    let refused = refusal("53300", "sorry, too many clients already");
    check(
        with_upgrade,
        &refused,
        "> an SSLRequest | busy: 53300 too_many_connections: sorry, too many clients already",
    );
    check_other_services(with_upgrade, &["postgres"]);
    let ssh = crate::test_harness::transcript(with_upgrade(), [b"SSH-2.0-x\r\n".as_slice()]);
    assert_eq!(
        ssh, "> an SSLRequest | wrong_service",
        "`S` with more bytes is not an agreement to TLS"
    );
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(plain, &["postgres"]);
    check(plain, b"R\0\0\0\x04", "> a StartupMessage | wrong_service");
    check(plain, b"R\x7f\xff\xff\xff", "> a StartupMessage | wrong_service");
    check(plain, b"E\0\0\0\x05\0", "> a StartupMessage | wrong_service");
    fuzz(plain, &refusal("57P03", "the database system is starting up"));
    fuzz(|| Postgres::new(true), SASL);
}

#[test]
fn startup_message_is_protocol_3() {
    let sent = Postgres::new(false).next(&mut Input::default());
    let expected = b"\0\0\0\x2a\0\x03\0\0user\0portpulse\0database\0postgres\0\0";
    assert_eq!(sent, Step::send("a StartupMessage", expected.as_slice()));
}
