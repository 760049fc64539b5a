use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

fn cluster() -> Elasticsearch {
    Elasticsearch::new("db.example:9200".to_owned())
}

fn response(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

fn health(status: &str) -> Vec<u8> {
    let body =
        format!(r#"{{"cluster_name":"shop","status":"{status}","timed_out":false,"number_of_nodes":3}}"#);
    response("200 OK", &body)
}

const SECURITY: &str = r#"{"error":{"root_cause":[],"type":"security_exception","reason":"action is unauthorized"},"status":403}"#;
const NO_MASTER: &str =
    r#"{"error":{"root_cause":[],"type":"master_not_discovered_exception","reason":null},"status":503}"#;

#[test]
fn status_of_cluster_decides_result() {
    let rows = [
        (health("green"), "healthy: cluster status of shop: green"),
        (health("yellow"), "healthy: cluster status of shop: yellow"),
        (health("red"), "service_error: cluster status of shop: red"),
        (
            response("503 Service Unavailable", NO_MASTER),
            "service_error: HTTP 503 Service Unavailable: master_not_discovered_exception",
        ),
        (
            response("401 Unauthorized", ""),
            "healthy: 401 Unauthorized, requires a login",
        ),
        (
            response("403 Forbidden", SECURITY),
            "healthy: 403 Forbidden, requires a login",
        ),
        (response("403 Forbidden", "<html>"), "blocked: HTTP 403 Forbidden"),
        // The answer to `GET /`, a number instead of a word, another document, and a body that is cut.
        (
            response("200 OK", r#"{"name":"a","tagline":"You Know, for Search"}"#),
            "wrong_service",
        ),
        (response("200 OK", r#"{"status":200}"#), "wrong_service"),
        (response("200 OK", "null"), "wrong_service"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"status\":\"green\"}".to_vec(),
            "wrong_service",
        ),
        (vec![], "waiting, then closed"),
    ];
    for (answer, expected) in rows {
        check(cluster, &answer, &format!("> GET /_cluster/health | {expected}"));
    }
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(cluster, &[]);
    fuzz(cluster, &health("green"));
    fuzz(cluster, &response("403 Forbidden", SECURITY));
}

#[test]
fn decision_table_matches_code() {
    let words = ["green", "yellow", "red", "GREEN", "unknown", ""].map(str::to_owned);
    let codes = (200..=999)
        .filter(|code| *code != 200)
        .map(|code| code.to_string());
    Table::of(include_str!("../elasticsearch.rs"))
        .codes(&["`status` of the cluster"], words, |status| {
            (cluster(), health(status))
        })
        .case("200 without", cluster(), response("200 OK", "{}"))
        .case("403 with", cluster(), response("403 Forbidden", SECURITY))
        .codes(&["another status"], codes, |code| (cluster(), response(code, "")))
        .case("the end of the stream", cluster(), "")
        .finish();
}
