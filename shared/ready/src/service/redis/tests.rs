use super::*;
use crate::test_harness::{check, check_others, check_table, fuzz};

#[test]
fn answers_are_judged_by_their_first_word() {
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
        ("+PONG", "more, then closed"),
        ("+OK\r\n", "wrong_service"),
        ("-lower case\r\n", "wrong_service"),
    ];
    for (answer, expected) in rows {
        check(Redis::default, answer.as_bytes(), &format!("> PING | {expected}"));
    }
}

#[test]
fn anything_else_is_another_service() {
    check_others(Redis::default, &["redis"]);
    fuzz(
        Redis::default,
        b"-LOADING Redis is loading the dataset in memory\r\n",
    );
    fuzz(Redis::default, b"+PONG\r\n");
}

#[test]
fn each_row_of_the_table_is_as_it_says() {
    let says = |answer, says: &str| (answer, Redis::default(), says.as_bytes().to_vec());
    let plays = [
        says("`+PONG`", "+PONG\r\n"),
        says("`-NOAUTH`", "-NOAUTH Authentication required.\r\n"),
        says("`-NOAUTH`", "-NOPERM this user has no permissions\r\n"),
        says("`-NOAUTH`", "-ERR unknown command 'PING'\r\n"),
        says(
            "`-LOADING`",
            "-LOADING Redis is loading the dataset in memory\r\n",
        ),
        says("`-LOADING`", "-MASTERDOWN Link with MASTER is down\r\n"),
        says("`-ERR max", "-ERR max number of clients reached\r\n"),
        says("`-BUSY`", "-BUSY Redis is busy running a script\r\n"),
        says(
            "`-MISCONF`",
            "-MISCONF Redis is configured to save RDB snapshots\r\n",
        ),
        says("`-DENIED`", "-DENIED Redis is running in protected mode\r\n"),
        says("any other", "-OOM command not allowed\r\n"),
    ];
    check_table(include_str!("../redis.rs"), plays);
}
