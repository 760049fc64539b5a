use super::*;
use crate::test_harness::{check, check_other_services, check_table, fuzz};

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
    let cases = [
        ("`* OK`", plain(), b"* OK ready\r\n".to_vec()),
        ("`* OK`", plain(), b"* PREAUTH ready\r\n".to_vec()),
        ("`* BYE`", plain(), b"* BYE too many\r\n".to_vec()),
        ("`NO`", with_upgrade(), b"* OK ready\r\ns NO\r\n".to_vec()),
        ("`NO`", with_upgrade(), b"* OK ready\r\ns BAD what\r\n".to_vec()),
    ];
    check_table(include_str!("../imap.rs"), cases);
}
