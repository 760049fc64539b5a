use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

fn plain() -> Pop3 {
    Pop3::new(false)
}

fn with_upgrade() -> Pop3 {
    Pop3::new(true)
}

const CLOSING: &str = "> QUIT\\r\\n";

#[test]
fn greeting_decides_result() {
    check(
        plain,
        b"+OK Dovecot ready.\r\n",
        &format!("healthy: +OK Dovecot ready. | {CLOSING}"),
    );
    check(
        plain,
        b"-ERR [SYS/TEMP] try later\r\n",
        "service_error: -ERR [SYS/TEMP] try later",
    );
    check(plain, b"-ERR [IN-USE] locked\r\n", "busy: -ERR [IN-USE] locked");
    check(plain, b"+O", "waiting, then closed");
}

#[test]
fn stls_quits_inside_tls() {
    check(
        with_upgrade,
        b"+OK ready\r\n+OK begin\r\n",
        &format!("> STLS | tls | healthy: +OK ready | {CLOSING}"),
    );
    check(
        with_upgrade,
        b"+OK ready\r\n-ERR no TLS\r\n",
        &format!("> STLS | tls: -ERR no TLS | {CLOSING}"),
    );
    check(
        with_upgrade,
        b"+OK ready\r\nSSH-2.0-x\r\n",
        "> STLS | wrong_service",
    );
}

#[test]
fn other_protocols_are_wrong_service() {
    // Redis has the same refusal.
    check_other_services(plain, &["pop3", "redis"]);
    fuzz(plain, b"+OK Dovecot ready.\r\n");
    fuzz(with_upgrade, b"+OK ready\r\n+OK begin\r\n");
}

#[test]
fn decision_table_matches_code() {
    let codes = ["IN-USE", "LOGIN-DELAY", "SYS/TEMP", "SYS/PERM", "AUTH", "X"].map(str::to_owned);
    Table::of(include_str!("../pop3.rs"))
        .codes(&["`-ERR` with a response code"], codes, |code| {
            (plain(), format!("-ERR [{code}] no\r\n").into_bytes())
        })
        .case("`+OK`", plain(), "+OK ready\r\n")
        .case("`-ERR` in", with_upgrade(), "+OK ready\r\n-ERR no TLS\r\n")
        .finish();
}
