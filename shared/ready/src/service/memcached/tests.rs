use super::*;
use crate::test_harness::{check, check_others, check_table, fuzz};

#[test]
fn answers_are_judged_by_their_line() {
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
        "> version | more, then closed",
    );
}

#[test]
fn anything_else_is_another_service() {
    check_others(Memcached::default, &[]);
    fuzz(Memcached::default, b"VERSION 1.6.18\r\n");
    fuzz(Memcached::default, b"ERROR Too many open connections\r\n");
}

#[test]
fn each_row_of_the_table_is_as_it_says() {
    let says = |answer, says: &str| (answer, Memcached::default(), says.as_bytes().to_vec());
    let plays = [
        says("`VERSION", "VERSION 1.6.18\r\n"),
        says("`CLIENT_ERROR unauth", "CLIENT_ERROR unauthenticated\r\n"),
        says("`ERROR Too", "ERROR Too many open connections\r\n"),
        says("any other", "CLIENT_ERROR bad\r\n"),
        says("any other", "SERVER_ERROR out of memory\r\n"),
        says("nothing", ""),
    ];
    check_table(include_str!("../memcached.rs"), plays);
}
