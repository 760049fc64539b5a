use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

fn plain() -> Imap {
    Imap::new(false)
}

fn with_upgrade() -> Imap {
    Imap::new(true)
}

const CLOSING: &str = "> a LOGOUT\\r\\n";

#[test]
fn greeting_decides_result() {
    check(
        plain,
        b"* OK IMAP4rev1 ready\r\n",
        &format!("healthy: * OK IMAP4rev1 ready | {CLOSING}"),
    );
    check(
        plain,
        b"* PREAUTH welcome\r\n",
        &format!("healthy: * PREAUTH welcome | {CLOSING}"),
    );
    check(
        plain,
        b"* BYE too many connections\r\n",
        "busy: * BYE too many connections",
    );
    check(plain, b"* OK", "waiting, then closed");
}

#[test]
fn starttls_logs_out_inside_tls() {
    let expected = format!("> STARTTLS | tls | healthy: * OK ready | {CLOSING}");
    check(
        with_upgrade,
        b"* OK ready\r\n* CAPABILITY IMAP4rev1\r\ns OK begin\r\n",
        &expected,
    );
    check(
        with_upgrade,
        b"* OK ready\r\ns BAD what\r\n",
        &format!("> STARTTLS | tls: s BAD what | {CLOSING}"),
    );
    check(
        with_upgrade,
        b"* OK ready\r\nHTTP/1.1 400\r\n",
        "> STARTTLS | wrong_service",
    );
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(plain, &["imap"]);
    fuzz(plain, b"* OK IMAP4rev1 ready\r\n");
    fuzz(
        with_upgrade,
        b"* OK ready\r\n* CAPABILITY IMAP4rev1\r\ns OK begin\r\n",
    );
}

#[test]
fn decision_table_matches_code() {
    let codes = ["LIMIT", "INUSE", "UNAVAILABLE", "ALERT", "SERVERBUG", "X"].map(str::to_owned);
    Table::of(include_str!("../imap.rs"))
        .codes(&["`* BYE` with a response code"], codes, |code| {
            (plain(), format!("* BYE [{code}] no\r\n").into_bytes())
        })
        .case("`* OK`", plain(), "* OK ready\r\n")
        .case("`* OK`", plain(), "* PREAUTH ready\r\n")
        .case("`* BYE` with `many", plain(), "* BYE Too many connections\r\n")
        .case(
            "`* BYE` with `many",
            plain(),
            "* BYE Maximum number of connections from user+IP exceeded\r\n",
        )
        .case("`NO`", with_upgrade(), "* OK ready\r\ns NO\r\n")
        .case("`NO`", with_upgrade(), "* OK ready\r\ns BAD what\r\n")
        .finish();
}
