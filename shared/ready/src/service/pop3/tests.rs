use super::*;
use crate::test_harness::{check, check_others, check_table, fuzz};

fn plain() -> Pop3 {
    Pop3::new(false)
}

fn secured() -> Pop3 {
    Pop3::new(true)
}

const BYE: &str = "> QUIT\\r\\n";

#[test]
fn greetings_are_judged_by_their_word() {
    check(
        plain,
        b"+OK Dovecot ready.\r\n",
        &format!("healthy: +OK Dovecot ready. | {BYE}"),
    );
    check(
        plain,
        b"-ERR [SYS/TEMP] try later\r\n",
        "busy: -ERR [SYS/TEMP] try later",
    );
    check(plain, b"-ERR [IN-USE] locked\r\n", "busy: -ERR [IN-USE] locked");
    check(plain, b"+O", "more, then closed");
}

#[test]
fn an_upgrade_ends_with_a_quit_within_tls() {
    check(
        secured,
        b"+OK ready\r\n+OK begin\r\n",
        &format!("> STLS | tls | healthy: +OK ready | {BYE}"),
    );
    check(
        secured,
        b"+OK ready\r\n-ERR no TLS\r\n",
        &format!("> STLS | tls: -ERR no TLS | {BYE}"),
    );
    check(secured, b"+OK ready\r\nSSH-2.0-x\r\n", "> STLS | wrong_service");
}

#[test]
fn anything_else_is_another_service() {
    // Redis refuses in the same words.
    check_others(plain, &["pop3", "redis"]);
    fuzz(plain, b"+OK Dovecot ready.\r\n");
    fuzz(secured, b"+OK ready\r\n+OK begin\r\n");
}

#[test]
fn each_row_of_the_table_is_as_it_says() {
    let plays = [
        ("`+OK`", plain(), b"+OK ready\r\n".to_vec()),
        ("`-ERR`, such", plain(), b"-ERR [SYS/TEMP] later\r\n".to_vec()),
        ("`-ERR` to", secured(), b"+OK ready\r\n-ERR no TLS\r\n".to_vec()),
    ];
    check_table(include_str!("../pop3.rs"), plays);
}
