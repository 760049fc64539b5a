use super::*;
use crate::test_harness::{check, check_other_services, check_table, fuzz};

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
        b"R\0\0\0\x08\0\0\0\0",
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
fn sqlstate_decides_result() {
    let rows = [
        (
            "28000",
            "role \"portpulse\" does not exist",
            "healthy: 28000 role \"portpulse\" does not exist",
        ),
        (
            "28P01",
            "password authentication failed",
            "healthy: 28P01 password authentication failed",
        ),
        (
            "3D000",
            "database \"postgres\" does not exist",
            "healthy: 3D000 database \"postgres\" does not exist",
        ),
        (
            "42501",
            "permission denied for database",
            "healthy: 42501 permission denied for database",
        ),
        (
            "08P01",
            "no such database: postgres",
            "healthy: 08P01 no such database: postgres",
        ),
        ("08P01", "invalid length", "busy: 08P01 invalid length"),
        (
            "57P03",
            "the database system is starting up",
            "starting: 57P03 the database system is starting up",
        ),
        (
            "57P01",
            "terminating connection",
            "starting: 57P01 terminating connection",
        ),
        (
            "57P02",
            "crash of another server process",
            "starting: 57P02 crash of another server process",
        ),
        (
            "53300",
            "sorry, too many clients already",
            "busy: 53300 sorry, too many clients already",
        ),
        ("53200", "out of memory", "busy: 53200 out of memory"),
        ("XX000", "internal error", "busy: XX000 internal error"),
    ];
    for (sqlstate, message, expected) in rows {
        check(
            plain,
            &refusal(sqlstate, message),
            &format!("> a StartupMessage | {expected}"),
        );
    }
    check(
        plain,
        b"Ecould not fork new process\0",
        "> a StartupMessage | busy: could not fork new process",
    );
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
        "> an SSLRequest | busy: 53300 sorry, too many clients already",
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

#[test]
fn decision_table_matches_code() {
    let refused = |answer, sqlstate, expected| (answer, plain(), refusal(sqlstate, expected));
    let old = b"Ecould not fork new process for connection: Cannot allocate memory\n\0";
    let cases = [
        ("`R`", plain(), SASL.to_vec()),
        refused("`E` with SQLSTATE", "28000", "no role"),
        refused("`E` with SQLSTATE", "3D000", "no database"),
        refused("`E` with SQLSTATE", "42501", "permission denied"),
        refused("`E` 08P01", "08P01", "no such database: postgres"),
        refused("`E` 57P01", "57P01", "terminating"),
        refused("`E` 57P01", "57P02", "crash"),
        refused("`E` 57P01", "57P03", "starting up"),
        refused("`E` of class 53", "53300", "too many clients already"),
        ("`E` `could not", plain(), old.to_vec()),
        refused("any other `E`", "XX000", "internal error"),
        ("`N`", Postgres::new(true), b"N".to_vec()),
    ];
    check_table(include_str!("../postgres.rs"), cases);
}
