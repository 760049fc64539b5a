use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

#[test]
fn decision_table_matches_code() {
    let rows = [
        ("`VERSION", "VERSION 1.6.18"),
        ("`CLIENT_ERROR unauth", "CLIENT_ERROR unauthenticated"),
        ("`ERROR Too", "ERROR Too many open connections"),
        (
            "`SERVER_ERROR out",
            "SERVER_ERROR out of memory writing get response",
        ),
        ("`SERVER_ERROR` with", "SERVER_ERROR Connection refused"),
        ("`SERVER_ERROR` with", "SERVER_ERROR proxy downstream closed"),
        ("any other `SERVER", "SERVER_ERROR unavailable"),
        ("any other `CLIENT", "CLIENT_ERROR bad"),
    ];
    let mut table = Table::of(include_str!("../memcached.rs")).case("nothing", Memcached::default(), "");
    for (condition, line) in rows {
        let reply = format!("{line}\r\n");
        table = table.case(condition, Memcached::default(), &reply);
        let transcript = crate::test_harness::transcript(Memcached::default(), [reply.as_bytes()]);
        assert!(
            transcript.ends_with(&format!(": {line} | > quit\\r\\n")),
            "{transcript}"
        );
    }
    table.finish();
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(Memcached::default, &[]);
    check(
        Memcached::default,
        b"VERSION 1.6",
        "> version | waiting, then closed",
    );
    fuzz(Memcached::default, b"VERSION 1.6.18\r\n");
    fuzz(Memcached::default, b"ERROR Too many open connections\r\n");
}
