use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

fn etcd() -> Etcd {
    Etcd::new("db.example:2379".to_owned())
}

fn response(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

#[test]
fn health_decides_result() {
    let rows = [
        (
            response("200 OK", r#"{"health":"true"}"#),
            "healthy: health: true",
        ),
        (
            response("200 OK", r#"{"health":true,"reason":""}"#),
            "healthy: health: true",
        ),
        (
            response(
                "503 Service Unavailable",
                r#"{"health":"false","reason":"RAFT NO LEADER"}"#,
            ),
            "service_error: HTTP 503 Service Unavailable, health: false: RAFT NO LEADER",
        ),
        (response("503 Away", "<html>"), "service_error: HTTP 503 Away"),
        (
            response("503 Away", r#"{"health":"true"}"#),
            "service_error: HTTP 503 Away, health: true",
        ),
        (response("200 OK", r#"{"health":1}"#), "wrong_service"),
        (response("200 OK", r#"["health","true"]"#), "wrong_service"),
        (response("404 Not Found", ""), "wrong_service: HTTP 404 Not Found"),
        // A body that ends with the connection, a body that is cut, and none.
        (
            b"HTTP/1.0 200 OK\r\n\r\n{\"health\":\"true\"}".to_vec(),
            "healthy: health: true",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"health\":\"true\"}".to_vec(),
            "wrong_service",
        ),
        (b"HTTP/1.1 200 OK\r\n".to_vec(), "waiting, then closed"),
        (vec![], "waiting, then closed"),
    ];
    for (answer, expected) in rows {
        check(etcd, &answer, &format!("> GET /health | {expected}"));
    }
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(etcd, &[]);
    fuzz(etcd, &response("200 OK", r#"{"health":"true"}"#));
}

#[test]
fn decision_table_matches_code() {
    let words = || ["true", "false", "TRUE", "1", ""].map(str::to_owned);
    let health = |health: &str| format!(r#"{{"health":"{health}"}}"#);
    let codes = (200..=999)
        .filter(|code| *code != 200)
        .map(|code| code.to_string());
    Table::of(include_str!("../etcd.rs"))
        .codes(&["`health` with the status 200"], words(), |word| {
            (etcd(), response("200 OK", &health(word)))
        })
        .codes(&["`health` with the status 503"], words(), |word| {
            (etcd(), response("503 Away", &health(word)))
        })
        .case("200 without", etcd(), response("200 OK", "{}"))
        .codes(&["another status"], codes, |code| (etcd(), response(code, "")))
        .case("the end of the stream", etcd(), "")
        .finish();
}
