use super::*;
use crate::test_harness::{check, check_others, check_table, fuzz};

fn plain() -> Imap {
    Imap::new(false)
}

fn secured() -> Imap {
    Imap::new(true)
}

const BYE: &str = "> a LOGOUT\\r\\n";

#[test]
fn greetings_are_judged_by_their_word() {
    check(
        plain,
        b"* OK IMAP4rev1 ready\r\n",
        &format!("healthy: * OK IMAP4rev1 ready | {BYE}"),
    );
    check(
        plain,
        b"* PREAUTH welcome\r\n",
        &format!("healthy: * PREAUTH welcome | {BYE}"),
    );
    check(
        plain,
        b"* BYE too many connections\r\n",
        "busy: * BYE too many connections",
    );
    check(plain, b"* OK", "more, then closed");
}

#[test]
fn an_upgrade_ends_with_a_logout_within_tls() {
    let notified = format!("> STARTTLS | tls | healthy: * OK ready | {BYE}");
    check(
        secured,
        b"* OK ready\r\n* CAPABILITY IMAP4rev1\r\ns OK begin\r\n",
        &notified,
    );
    check(
        secured,
        b"* OK ready\r\ns BAD what\r\n",
        &format!("> STARTTLS | tls: s BAD what | {BYE}"),
    );
    check(
        secured,
        b"* OK ready\r\nHTTP/1.1 400\r\n",
        "> STARTTLS | wrong_service",
    );
}

#[test]
fn anything_else_is_another_service() {
    check_others(plain, &["imap"]);
    fuzz(plain, b"* OK IMAP4rev1 ready\r\n");
    fuzz(secured, b"* OK ready\r\n* CAPABILITY IMAP4rev1\r\ns OK begin\r\n");
}

#[test]
fn each_row_of_the_table_is_as_it_says() {
    let plays = [
        ("`* OK`", plain(), b"* OK ready\r\n".to_vec()),
        ("`* OK`", plain(), b"* PREAUTH ready\r\n".to_vec()),
        ("`* BYE`", plain(), b"* BYE too many\r\n".to_vec()),
        ("`NO`", secured(), b"* OK ready\r\ns NO\r\n".to_vec()),
        ("`NO`", secured(), b"* OK ready\r\ns BAD what\r\n".to_vec()),
    ];
    check_table(include_str!("../imap.rs"), plays);
}
