use super::*;
use crate::test_harness::{check, check_other_services, check_table, fuzz};

#[test]
fn answer_line_decides_result() {
    let rows = [
        ("VERSION 1.6.18\r\n", "healthy: VERSION 1.6.18"),
        (
            "CLIENT_ERROR unauthenticated\r\n",
            "healthy: CLIENT_ERROR unauthenticated",
        ),
        (
            "ERROR Too many open connections\r\n",
            "busy: ERROR Too many open connections",
        ),
        (
            "SERVER_ERROR out of memory\r\n",
            "busy: SERVER_ERROR out of memory",
        ),
        ("CLIENT_ERROR bad\r\n", "busy: CLIENT_ERROR bad"),
    ];
    for (answer, expected) in rows {
        check(
            Memcached::default,
            answer.as_bytes(),
            &format!("> version | {expected} | > quit\\r\\n"),
        );
    }
    check(
        Memcached::default,
        b"VERSION 1.6",
        "> version | waiting, then closed",
    );
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(Memcached::default, &[]);
    fuzz(Memcached::default, b"VERSION 1.6.18\r\n");
    fuzz(Memcached::default, b"ERROR Too many open connections\r\n");
}

#[test]
fn decision_table_matches_code() {
    let case = |answer, reply: &str| (answer, Memcached::default(), reply.as_bytes().to_vec());
    let cases = [
        case("`VERSION", "VERSION 1.6.18\r\n"),
        case("`CLIENT_ERROR unauth", "CLIENT_ERROR unauthenticated\r\n"),
        case("`ERROR Too", "ERROR Too many open connections\r\n"),
        case("any other", "CLIENT_ERROR bad\r\n"),
        case("any other", "SERVER_ERROR out of memory\r\n"),
        case("nothing", ""),
    ];
    check_table(include_str!("../memcached.rs"), cases);
}
