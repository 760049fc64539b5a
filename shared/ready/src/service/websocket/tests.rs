use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

/// The key of the example in RFC 6455, section 1.3.
fn example() -> WebSocket {
    WebSocket::new(
        "ws.example".to_owned(),
        "/chat?token=1",
        Key(*b"the sample nonce"),
    )
}

const UPGRADED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

#[test]
fn proof_of_server_decides_result() {
    let rows = [
        (
            UPGRADED.to_owned(),
            "healthy: 101 Switching Protocols | > \\x88\\x82\\x00\\x00\\x00\\x00\\x03\\xe8",
        ),
        (UPGRADED.replace("s3pP", "S3pP"), "wrong_service"),
        (UPGRADED.replace("Upgrade: WebSocket\r\n", ""), "wrong_service"),
        (UPGRADED.replace("Accept", "Accepted"), "wrong_service"),
        (
            "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 8, 7\r\n\r\n".to_owned(),
            "wrong_answer: HTTP 426 Upgrade Required instead of an upgrade; the server supports the versions 8, 7",
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\n\r\n".to_owned(),
            "no_backend: HTTP 502 Bad Gateway instead of an upgrade",
        ),
        (
            "HTTP/1.1 101 Switching Protocols\r\n".to_owned(),
            "waiting, then closed",
        ),
    ];
    for (answer, expected) in rows {
        check(
            example,
            answer.as_bytes(),
            &format!("> an upgrade request for /chat | {expected}"),
        );
    }
}

#[test]
fn keys_are_unpredictable() {
    let keys: std::collections::BTreeSet<_> = (0..64).map(|_| Key::random().0).collect();
    assert_eq!(keys.len(), 64);
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(example, &["http"]);
    fuzz(example, UPGRADED.as_bytes());
}

#[test]
fn decision_table_matches_code() {
    let codes = (200..=999).map(|code| code.to_string());
    Table::of(include_str!("../websocket.rs"))
        .case("101 with the right", example(), UPGRADED)
        .case(
            "101 without",
            example(),
            "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        )
        .codes(&["another status"], codes, |code| {
            (example(), format!("HTTP/1.1 {code} a\r\n\r\n").into_bytes())
        })
        .case("the end of the stream", example(), "")
        .finish();
}
