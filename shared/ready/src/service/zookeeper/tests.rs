use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

#[test]
fn answer_line_decides_result() {
    let version = "Zookeeper version: 3.8.0-1, built on 2022-02-25";
    check(
        Zookeeper::default,
        format!("{version}\nLatency\n").as_bytes(),
        &format!("> srvr | healthy: {version}"),
    );
    let read_only = "READ-ONLY mode; serving only read-only clients";
    check(
        Zookeeper::default,
        format!("{version}\n{read_only}\nLatency\n").as_bytes(),
        &format!("> srvr | starting: {read_only}"),
    );
    let refusal = "This ZooKeeper instance is not currently serving requests";
    check(
        Zookeeper::default,
        format!("{refusal}\n").as_bytes(),
        &format!("> srvr | starting: {refusal}"),
    );
    let expected = "healthy: srvr is not executed because it is not in the whitelist., \
                but allow srvr in 4lw.commands.whitelist to check the quorum";
    check(
        Zookeeper::default,
        NOT_ALLOWED.as_bytes(),
        &format!("> srvr | {expected}"),
    );
    check(
        Zookeeper::default,
        b"",
        "> srvr | waiting, then closed, as ZooKeeper does at maxClientCnxns",
    );
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(Zookeeper::default, &[]);
    fuzz(
        Zookeeper::default,
        b"Zookeeper version: 3.8.0-1, built on 2022-02-25\nLatency min\n",
    );
}

#[test]
fn decision_table_matches_code() {
    Table::of(include_str!("../zookeeper.rs"))
        .case(
            "`Zookeeper version: …`, then statistics",
            Zookeeper::default(),
            "Zookeeper version: 3.8.0\nLatency min/avg/max: 0/0.0/0\n",
        )
        .case(
            "`Zookeeper version: …`, then `READ-ONLY",
            Zookeeper::default(),
            "Zookeeper version: 3.8.0\nREAD-ONLY mode; serving only read-only clients\n",
        )
        .case("`srvr is not", Zookeeper::default(), NOT_ALLOWED)
        .case(
            "`… not",
            Zookeeper::default(),
            "This ZooKeeper instance is not currently serving requests\n",
        )
        .case("closed at once", Zookeeper::default(), "")
        .finish();
}
