use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz, transcript};

fn plain() -> Ftp {
    Ftp::new(false)
}

fn with_upgrade() -> Ftp {
    Ftp::new(true)
}

const GREETING: &str = "220-Welcome\r\n to the archive\r\n220x\r\n220 (vsFTPd 3.0.3)\r\n";

#[test]
fn answer_to_syst_decides_result() {
    let rows = [
        ("215 UNIX Type: L8\r\n", "healthy: 220-Welcome | > QUIT\\r\\n"),
        (
            "530 Please login with USER and PASS.\r\n",
            "healthy: 220-Welcome | > QUIT\\r\\n",
        ),
        (
            "530 5.7.0 Must issue a STARTTLS command first\r\n",
            "wrong_service | > QUIT\\r\\n",
        ),
        ("421 Timeout.\r\n", "busy: 421 Timeout."),
        (
            "502 5.5.2 Error: command not recognized\r\n",
            "wrong_service | > QUIT\\r\\n",
        ),
        ("450 later\r\n", "service_error: 450 later | > QUIT\\r\\n"),
        ("215 UNIX", "waiting, then closed"),
        ("215-UNIX\r\n215\r\n", "waiting, then closed"),
        ("21\r\n", "wrong_service"),
    ];
    for (answer, expected) in rows {
        check(
            plain,
            format!("{GREETING}{answer}").as_bytes(),
            &format!("> SYST | {expected}"),
        );
    }
    check(
        plain,
        b"421 There are too many connected users.\r\n",
        "busy: 421 There are too many connected users.",
    );
}

#[test]
fn tls_follows_its_acceptance() {
    let mut dialogue = with_upgrade();
    let mut input = Input::default();
    input.push(GREETING.as_bytes());
    assert_eq!(dialogue.next(&mut input), Step::send("AUTH TLS", "AUTH TLS\r\n"));
    input.push(b"234 Proceed with negotiation.\r\n");
    assert_eq!(dialogue.next(&mut input), Step::StartTls);
    assert_eq!(dialogue.next(&mut input), Step::send("SYST", "SYST\r\n"));
    let refusal = format!("{GREETING}530 Please login with USER and PASS.\r\n");
    let text = transcript(with_upgrade(), [refusal.as_bytes()]);
    assert_eq!(
        text,
        "> AUTH TLS | tls: 530 Please login with USER and PASS. | > QUIT\\r\\n"
    );
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(plain, &[]);
    fuzz(plain, format!("{GREETING}215 UNIX\r\n").as_bytes());
    // A mail server.
    check(
        plain,
        b"220 mail ESMTP\r\n500 5.5.2 unrecognized command\r\n",
        "> SYST | wrong_service | > QUIT\\r\\n",
    );
}

#[test]
fn decision_table_matches_code() {
    let codes = |except: u16| {
        (100..=999)
            .filter(move |code| *code != except)
            .map(|code| code.to_string())
    };
    Table::of(include_str!("../ftp.rs"))
        .codes(&["greeting"], codes(220), |code| {
            (plain(), format!("{code} a\r\n").into_bytes())
        })
        .codes(&["answer to `SYST` after the greeting `220`"], codes(0), |code| {
            (plain(), format!("220 a\r\n{code} b\r\n").into_bytes())
        })
        .case(
            "`503` or `530` with",
            plain(),
            "220 a\r\n503 5.5.1 EHLO first\r\n",
        )
        .case(
            "refusal of `AUTH TLS`",
            with_upgrade(),
            "220 a\r\n502 unknown\r\n",
        )
        .finish();
}
