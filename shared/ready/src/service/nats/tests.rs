use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

fn plain() -> Nats {
    Nats::new(false)
}

fn with_upgrade() -> Nats {
    Nats::new(true)
}

/// The first line of nats-server 2.9 with these fields, and what follows.
fn info(fields: &str, then: &str) -> Vec<u8> {
    let info = r#"INFO {"server_id":"N","version":"2.9.10","proto":1,"max_payload":1048576"#;
    format!("{info}{fields}}} \r\n{then}").into_bytes()
}

const TLS: &str = r#","tls_required":true"#;
const FULL: &str = "-ERR 'maximum connections exceeded'\r\n";

#[test]
fn answer_to_ping_decides_result() {
    let rows = [
        ("", "PONG\r\n", "healthy: NATS 2.9.10"),
        ("", "PING\r\n+OK\r\nPONG\r\n", "healthy: NATS 2.9.10"),
        (
            r#","auth_required":true"#,
            "-ERR 'Authorization Violation'\r\n",
            "healthy: NATS 2.9.10, requires a login",
        ),
        ("", FULL, "busy: maximum connections exceeded"),
        (
            "",
            "-ERR 'Stale Connection'\r\n",
            "service_error: Stale Connection",
        ),
        ("", "PONGS\r\n", "wrong_service"),
        ("", "", "waiting, then closed"),
    ];
    for (fields, then, expected) in rows {
        check(plain, &info(fields, then), &format!("> PING | {expected}"));
    }
}

#[test]
fn tls_follows_info() {
    let expected = "tls | > PING | healthy: NATS 2.9.10";
    for offer in [TLS, r#","tls_available":true"#] {
        let mut dialogue = with_upgrade();
        let mut input = Input::default();
        input.push(&info(offer, ""));
        assert_eq!(dialogue.next(&mut input), Step::StartTls, "{expected}");
        assert_eq!(dialogue.next(&mut input), Step::send("PING", "PING\r\n"));
        input.push(b"PONG\r\n");
        assert_eq!(dialogue.next(&mut input), Step::healthy("NATS 2.9.10"));
    }
    let full = crate::test_harness::transcript(with_upgrade(), [info(TLS, FULL).as_slice()]);
    assert_eq!(full, "busy: maximum connections exceeded");
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(plain, &[]);
    check(plain, b"INFO {}\r\n", "wrong_service");
    check(
        plain,
        b"-ERR 'Authorization Violation'\r\n",
        "service_error: Authorization Violation",
    );
    fuzz(plain, &info("", "PONG\r\n"));
    fuzz(plain, &info("", FULL));
}

#[test]
fn decision_table_matches_code() {
    Table::of(include_str!("../nats.rs"))
        .case("`INFO`, then `PONG`", plain(), info("", "PONG\r\n"))
        .case(
            "`INFO`, then `-ERR",
            plain(),
            info("", "-ERR 'Authorization Violation'\r\n"),
        )
        .case("`INFO` with `ldm`", plain(), info(r#","ldm":true"#, ""))
        .case("`-ERR` that", plain(), info("", FULL))
        .case(
            "any other",
            plain(),
            info("", "-ERR 'Unknown Protocol Operation'\r\n"),
        )
        .case("`INFO` with `tls_required`", plain(), info(TLS, ""))
        .case("`INFO` without", with_upgrade(), info("", ""))
        .finish();
}
