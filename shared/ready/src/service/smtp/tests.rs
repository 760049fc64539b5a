use super::*;
use crate::test_harness::{check, check_others, check_table, fuzz};

fn plain() -> Smtp {
    Smtp::new(false, None)
}

fn secured() -> Smtp {
    Smtp::new(true, None)
}

const BYE: &str = "> QUIT\\r\\n";

#[test]
fn a_greeting_and_an_answer_to_ehlo_are_healthy() {
    let notified = format!("> EHLO | healthy: 220 mail.example ESMTP | {BYE}");
    check(
        plain,
        b"220 mail.example ESMTP\r\n250 mail.example\r\n",
        &notified,
    );
    check(
        plain,
        b"220-mail.example ESMTP\r\n220 no spam\r\n250-mail.example\r\n250-SIZE 1\r\n250 8BITMIME\r\n",
        &notified,
    );
    let notified = format!("> EHLO | > HELO | healthy: 220 mail.example ESMTP | {BYE}");
    check(
        plain,
        b"220 mail.example ESMTP\r\n502 unknown\r\n250 mail.example\r\n",
        &notified,
    );
    // RFC 5321, section 4.2: the text may be missing.
    check(
        plain,
        b"220\r\n250\r\n",
        &format!("> EHLO | healthy: 220  | {BYE}"),
    );
}

#[test]
fn refusals_are_judged_by_their_code() {
    let rows = [
        ("421 4.3.2 try later\r\n", "busy: 421 4.3.2 try later"),
        ("450 not now\r\n", "busy: 450 not now"),
        (
            "554 no SMTP service here\r\n",
            "blocked: 554 no SMTP service here",
        ),
        ("521 no mail\r\n", "blocked: 521 no mail"),
        (
            "220 a\r\n421 shutting down\r\n",
            "> EHLO | busy: 421 shutting down",
        ),
        ("220 a\r\n550 go away\r\n", "> EHLO | blocked: 550 go away"),
        ("250 what\r\n", "wrong_service"),
        ("220 a\r\n530 log in\r\n", "> EHLO | wrong_service"),
    ];
    for (says, expected) in rows {
        check(plain, says.as_bytes(), &format!("{expected} | {BYE}"));
    }
}

#[test]
fn an_upgrade_greets_again_within_tls() {
    let offer = "220 a\r\n250-a\r\n250-starttls\r\n250 SIZE\r\n";
    let says = format!("{offer}220 go ahead\r\n250 a\r\n");
    check(
        secured,
        says.as_bytes(),
        &format!("> EHLO | > STARTTLS | tls | > EHLO | healthy: 220 a | {BYE}"),
    );
    let says = format!("{offer}454 TLS not available\r\n");
    check(
        secured,
        says.as_bytes(),
        &format!("> EHLO | > STARTTLS | tls: 454 TLS not available | {BYE}"),
    );
    let notified = format!("> EHLO | tls: the server does not offer STARTTLS | {BYE}");
    check(secured, b"220 a\r\n250-a\r\n250 SIZE\r\n", &notified);
}

#[test]
fn anything_else_is_another_service() {
    check_others(plain, &[]);
    check(plain, b"220-a\r\n250 b\r\n", "wrong_service");
    check(plain, b"220-a\r\n", "more, then closed");
    fuzz(
        plain,
        b"220-mail.example ESMTP\r\n220 x\r\n250-mail.example\r\n250 8BITMIME\r\n",
    );
    fuzz(secured, b"220 a\r\n250-a\r\n250 STARTTLS\r\n220 go\r\n250 a\r\n");
}

#[test]
fn the_client_gives_its_address_for_a_name() {
    for (from, expected) in [
        ("192.0.2.1", "EHLO [192.0.2.1]\r\n"),
        ("2001:db8::1", "EHLO [IPv6:2001:db8::1]\r\n"),
    ] {
        let mut input = Input::default();
        input.push(b"220 a\r\n");
        assert_eq!(
            Smtp::new(false, from.parse().ok()).next(&mut input),
            Step::send("EHLO", expected)
        );
    }
}

#[test]
fn each_row_of_the_table_is_as_it_says() {
    let says = |answer, dialogue, says: &str| (answer, dialogue, says.as_bytes().to_vec());
    let plays = [
        says("`220`, then", plain(), "220 a\r\n250 a\r\n"),
        says("`220`, then", plain(), "220 a\r\n502 what\r\n250 a\r\n"),
        says("`421`", plain(), "421 later\r\n"),
        says("`421`", plain(), "450 later\r\n"),
        says("5xx", plain(), "554 no\r\n"),
        says("5xx", plain(), "220 a\r\n550 go away\r\n"),
        says("no STARTTLS", secured(), "220 a\r\n250 a\r\n"),
        says(
            "no STARTTLS",
            secured(),
            "220 a\r\n250-a\r\n250 STARTTLS\r\n454 not now\r\n",
        ),
        says(
            "`220`, but",
            plain(),
            "220 (vsFTPd 3.0.3)\r\n500 what\r\n500 what\r\n",
        ),
    ];
    check_table(include_str!("../smtp.rs"), plays);
}
