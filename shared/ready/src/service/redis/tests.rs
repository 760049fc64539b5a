use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

#[test]
fn decision_table_matches_code() {
    let words = || {
        let words = "NOAUTH NOPERM LOADING MASTERDOWN BUSY OOM MISCONF CLUSTERDOWN READONLY TRYAGAIN WRONGPASS WRONGTYPE \
            NOPROTO NOREPLICAS EXECABORT UNKILLABLE NOGOODSLAVE NOMASTERLINK MOVED ASK ERR X OK PONG NOAUTHX MOVEDX";
        words.split_ascii_whitespace().map(str::to_owned)
    };
    let refused = |code: &str| (Redis::default(), format!("-{code} text\r\n").into_bytes());
    let refused_type = |code: &str| {
        (
            Redis::default(),
            format!("+PONG\r\n-{code} text\r\n").into_bytes(),
        )
    };
    let mut table = Table::of(include_str!("../redis.rs"))
        .codes(&["`-` and a word"], words().chain(["DENIED".to_owned()]), refused)
        .codes(&["`-` and a word, in answer to `TYPE`"], words(), refused_type);
    for name in TYPES {
        table = table.case(
            "`+` and a type",
            Redis::default(),
            format!("+PONG\r\n+{name}\r\n"),
        );
    }
    for pong in ["", "+PONG\r\n"] {
        for (condition, text) in [
            ("`-ERR unknown", "ERR unknown command 'PING'"),
            ("`-ERR unknown", "ERR operation not permitted"),
            ("`-ERR max", "ERR max number of clients reached"),
        ] {
            table = table.case(condition, Redis::default(), format!("{pong}-{text}\r\n"));
        }
        for text in PROXY_FAILURES {
            table = table.case("a proxy's", Redis::default(), format!("{pong}-{text}\r\n"));
        }
    }
    table.finish();
}

#[test]
fn answer_is_reported_with_its_text() {
    let rows = [
        ("+PONG\r\n+none\r\n", "> TYPE | healthy: PONG"),
        ("+PONG\r\n-MOVED 7 192.0.2.1:6379\r\n", "> TYPE | healthy: PONG"),
        (
            "+PONG\r\n-CLUSTERDOWN The cluster is down\r\n",
            "> TYPE | service_error: CLUSTERDOWN The cluster is down",
        ),
        (
            "+PONG\r\n-ERR Connection refused\r\n",
            "> TYPE | no_backend: ERR Connection refused",
        ),
        ("+PONG\r\n", "> TYPE | waiting, then closed"),
        ("+PONG\r\n+PONG\r\n", "> TYPE | wrong_service"),
        ("+PONG\r\n+\r\n", "> TYPE | wrong_service"),
        ("+PONG\r\n:0\r\n", "> TYPE | wrong_service"),
        (
            "-MOVED 7 192.0.2.1:6379\r\n",
            "service_error: MOVED 7 192.0.2.1:6379",
        ),
        (
            "-NOAUTH Authentication required.\r\n",
            "healthy: NOAUTH Authentication required.",
        ),
        (
            "-LOADING Redis is loading\r\n",
            "starting: LOADING Redis is loading",
        ),
        ("-no upstream host\r\n", "no_backend: no upstream host"),
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
    fuzz(Redis::default, b"+PONG\r\n+none\r\n");
}
