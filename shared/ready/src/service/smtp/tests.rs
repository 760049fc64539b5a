use super::*;
use crate::test_harness::{check, check_other_services, check_table, fuzz};

fn plain() -> Smtp {
    Smtp::new(false, None)
}

fn with_upgrade() -> Smtp {
    Smtp::new(true, None)
}

const CLOSING: &str = "> QUIT\\r\\n";

#[test]
fn greeting_and_ehlo_reply_are_healthy() {
    let expected = format!("> EHLO | healthy: 220 mail.example ESMTP | {CLOSING}");
    check(
        plain,
        b"220 mail.example ESMTP\r\n250 mail.example\r\n",
        &expected,
    );
    check(
        plain,
        b"220-mail.example ESMTP\r\n220 no spam\r\n250-mail.example\r\n250-SIZE 1\r\n250 8BITMIME\r\n",
        &expected,
    );
    let expected = format!("> EHLO | > HELO | healthy: 220 mail.example ESMTP | {CLOSING}");
    check(
        plain,
        b"220 mail.example ESMTP\r\n502 unknown\r\n250 mail.example\r\n",
        &expected,
    );
    // RFC 5321, section 4.2: the text is optional.
    check(
        plain,
        b"220\r\n250\r\n",
        &format!("> EHLO | healthy: 220  | {CLOSING}"),
    );
}

#[test]
fn refusal_code_decides_result() {
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
    for (reply, expected) in rows {
        check(plain, reply.as_bytes(), &format!("{expected} | {CLOSING}"));
    }
}

#[test]
fn starttls_repeats_ehlo_inside_tls() {
    let offer = "220 a\r\n250-a\r\n250-starttls\r\n250 SIZE\r\n";
    let reply = format!("{offer}220 go ahead\r\n250 a\r\n");
    check(
        with_upgrade,
        reply.as_bytes(),
        &format!("> EHLO | > STARTTLS | tls | > EHLO | healthy: 220 a | {CLOSING}"),
    );
    let reply = format!("{offer}454 TLS not available\r\n");
    check(
        with_upgrade,
        reply.as_bytes(),
        &format!("> EHLO | > STARTTLS | tls: 454 TLS not available | {CLOSING}"),
    );
    let expected = format!("> EHLO | tls: the server does not offer STARTTLS | {CLOSING}");
    check(with_upgrade, b"220 a\r\n250-a\r\n250 SIZE\r\n", &expected);
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(plain, &[]);
    check(plain, b"220-a\r\n250 b\r\n", "wrong_service");
    check(plain, b"220-a\r\n", "waiting, then closed");
    fuzz(
        plain,
        b"220-mail.example ESMTP\r\n220 x\r\n250-mail.example\r\n250 8BITMIME\r\n",
    );
    fuzz(
        with_upgrade,
        b"220 a\r\n250-a\r\n250 STARTTLS\r\n220 go\r\n250 a\r\n",
    );
}

#[test]
fn ehlo_uses_client_address() {
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
fn decision_table_matches_code() {
    let case = |answer, dialogue, reply: &str| (answer, dialogue, reply.as_bytes().to_vec());
    let cases = [
        case("`220`, then", plain(), "220 a\r\n250 a\r\n"),
        case("`220`, then", plain(), "220 a\r\n502 what\r\n250 a\r\n"),
        case("`421`", plain(), "421 later\r\n"),
        case("`421`", plain(), "450 later\r\n"),
        case("5xx", plain(), "554 no\r\n"),
        case("5xx", plain(), "220 a\r\n550 go away\r\n"),
        case("no STARTTLS", with_upgrade(), "220 a\r\n250 a\r\n"),
        case(
            "no STARTTLS",
            with_upgrade(),
            "220 a\r\n250-a\r\n250 STARTTLS\r\n454 not now\r\n",
        ),
        case(
            "`220`, but",
            plain(),
            "220 (vsFTPd 3.0.3)\r\n500 what\r\n500 what\r\n",
        ),
    ];
    check_table(include_str!("../smtp.rs"), cases);
}
