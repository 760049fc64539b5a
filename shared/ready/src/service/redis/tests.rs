use super::*;
use crate::test_harness::{check, check_other_services, check_table, fuzz};

#[test]
fn first_word_decides_result() {
    let rows = [
        ("+PONG\r\n", "healthy: PONG"),
        (
            "-NOAUTH Authentication required.\r\n",
            "healthy: NOAUTH Authentication required.",
        ),
        (
            "-NOPERM this user has no permissions\r\n",
            "healthy: NOPERM this user has no permissions",
        ),
        (
            "-ERR unknown command 'PING'\r\n",
            "healthy: ERR unknown command 'PING'",
        ),
        (
            "-LOADING Redis is loading the dataset\r\n",
            "starting: LOADING Redis is loading the dataset",
        ),
        (
            "-MASTERDOWN Link with MASTER is down\r\n",
            "starting: MASTERDOWN Link with MASTER is down",
        ),
        (
            "-ERR max number of clients reached\r\n",
            "busy: ERR max number of clients reached",
        ),
        (
            "-BUSY Redis is busy running a script\r\n",
            "busy: BUSY Redis is busy running a script",
        ),
        (
            "-MISCONF Redis is configured to save\r\n",
            "busy: MISCONF Redis is configured to save",
        ),
        (
            "-DENIED Redis is running in protected mode\r\n",
            "blocked: DENIED Redis is running in protected mode",
        ),
        ("-OOM command not allowed\r\n", "busy: OOM command not allowed"),
        ("+PONG", "waiting, then closed"),
        ("+OK\r\n", "wrong_service"),
        ("-lower case\r\n", "wrong_service"),
    ];
    for (answer, expected) in rows {
        check(Redis::default, answer.as_bytes(), &format!("> PING | {expected}"));
    }
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(Redis::default, &["redis"]);
    fuzz(
        Redis::default,
        b"-LOADING Redis is loading the dataset in memory\r\n",
    );
    fuzz(Redis::default, b"+PONG\r\n");
}

#[test]
fn decision_table_matches_code() {
    let case = |answer, reply: &str| (answer, Redis::default(), reply.as_bytes().to_vec());
    let cases = [
        case("`+PONG`", "+PONG\r\n"),
        case("`-NOAUTH`", "-NOAUTH Authentication required.\r\n"),
        case("`-NOAUTH`", "-NOPERM this user has no permissions\r\n"),
        case("`-NOAUTH`", "-ERR unknown command 'PING'\r\n"),
        case(
            "`-LOADING`",
            "-LOADING Redis is loading the dataset in memory\r\n",
        ),
        case("`-LOADING`", "-MASTERDOWN Link with MASTER is down\r\n"),
        case("`-ERR max", "-ERR max number of clients reached\r\n"),
        case("`-BUSY`", "-BUSY Redis is busy running a script\r\n"),
        case(
            "`-MISCONF`",
            "-MISCONF Redis is configured to save RDB snapshots\r\n",
        ),
        case("`-DENIED`", "-DENIED Redis is running in protected mode\r\n"),
        case("any other", "-OOM command not allowed\r\n"),
    ];
    check_table(include_str!("../redis.rs"), cases);
}
