use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

fn plain() -> Smtp {
    Smtp::new(false, None, None)
}

fn with_upgrade() -> Smtp {
    Smtp::new(true, None, None)
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
fn decision_table_matches_code() {
    let codes = || {
        (200..600)
            .filter(|code| *code != 220)
            .map(|code: u16| code.to_string())
    };
    let later = codes().filter(|code| code != "250");
    let no_tls = "220 a\r\n250-a\r\n250 STARTTLS\r\n454 not now\r\n";
    Table::of(include_str!("../smtp.rs"))
        .codes(&["greeting"], codes(), |code| {
            (plain(), format!("{code} no\r\n").into_bytes())
        })
        .codes(&["refusal of `HELO`"], later, |code| {
            // `EHLO` is refused with the same code; most codes decide at once.
            (
                plain(),
                format!("220 a\r\n{code} no\r\n{code} no\r\n").into_bytes(),
            )
        })
        .case("`220`, then", plain(), "220 a\r\n250 a\r\n")
        .case(
            "`220`, then",
            plain(),
            "220 a\r\n504 [192.0.2.1]: no\r\n250 a\r\n",
        )
        .case("4xx or 5xx", plain(), "421 4.7.0 too many from your address\r\n")
        .case("4xx or 5xx", plain(), "220 a\r\n550 5.7.1 go away\r\n")
        .case("4xx with", plain(), "421 4.3.2 shutting down\r\n")
        .case("no STARTTLS", with_upgrade(), "220 a\r\n250 a\r\n")
        .case("no STARTTLS", with_upgrade(), no_tls)
        .case("`220-`", plain(), "220-wait\r\n")
        .finish();
}

#[test]
fn refusal_is_reported_with_its_text() {
    let rows = [
        ("421 try later\r\n", "busy: 421 try later"),
        (
            "554 no SMTP service here\r\n",
            "blocked: 554 no SMTP service here",
        ),
        (
            "220 a\r\n421 shutting down\r\n",
            "> EHLO | busy: 421 shutting down",
        ),
        (
            "220 a\r\n501 bad\r\n501 bad name\r\n",
            "> EHLO | > HELO | blocked: 501 bad name",
        ),
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
fn ehlo_uses_the_configured_name() {
    for (name, expected) in [
        ("monitor.example.com.", "EHLO monitor.example.com\r\n"),
        ("192.0.2.9", "EHLO [192.0.2.9]\r\n"),
    ] {
        let mut input = Input::default();
        input.push(b"220 a\r\n");
        let name: Host = name.parse().unwrap();
        assert_eq!(
            Smtp::new(false, Some(&name), "192.0.2.1".parse().ok()).next(&mut input),
            Step::send("EHLO", expected)
        );
    }
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
            Smtp::new(false, None, from.parse().ok()).next(&mut input),
            Step::send("EHLO", expected)
        );
    }
}
