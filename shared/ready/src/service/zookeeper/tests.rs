use super::*;
use crate::test_harness::{check, check_others, check_table, fuzz};

#[test]
fn answers_are_judged_by_their_line() {
    let version = "Zookeeper version: 3.8.0-1, built on 2022-02-25";
    check(
        Zookeeper::default,
        format!("{version}\nLatency\n").as_bytes(),
        &format!("> srvr | healthy: {version}"),
    );
    let refusal = "This ZooKeeper instance is not currently serving requests";
    check(
        Zookeeper::default,
        format!("{refusal}\n").as_bytes(),
        &format!("> srvr | starting: {refusal}"),
    );
    let notified = "healthy: srvr is not executed because it is not in the whitelist., \
                but allow srvr in 4lw.commands.whitelist to see whether it serves";
    check(
        Zookeeper::default,
        NOT_ALLOWED.as_bytes(),
        &format!("> srvr | {notified}"),
    );
    check(
        Zookeeper::default,
        b"",
        "> srvr | more, then closed, as ZooKeeper does at maxClientCnxns",
    );
}

#[test]
fn anything_else_is_another_service() {
    check_others(Zookeeper::default, &[]);
    fuzz(
        Zookeeper::default,
        b"Zookeeper version: 3.8.0-1, built on 2022-02-25\nLatency min\n",
    );
}

#[test]
fn each_row_of_the_table_is_as_it_says() {
    let says = |answer, says: &str| (answer, Zookeeper::default(), says.as_bytes().to_vec());
    let plays = [
        says(
            "`Zookeeper",
            "Zookeeper version: 3.8.0\nLatency min/avg/max: 0/0/0\nMode: standalone\n",
        ),
        says(
            "`srvr is not",
            "srvr is not executed because it is not in the whitelist.\n",
        ),
        says(
            "`… not",
            "This ZooKeeper instance is not currently serving requests\n",
        ),
        says("closed at once", ""),
    ];
    check_table(include_str!("../zookeeper.rs"), plays);
}
