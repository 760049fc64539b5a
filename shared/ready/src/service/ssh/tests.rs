use super::*;
use crate::test_harness::{check, check_others, check_table, fuzz};

#[test]
fn the_identification_may_come_after_other_lines() {
    let bye = "> SSH-2.0-portpulse\\r\\n";
    check(
        Ssh::default,
        b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n",
        &format!("healthy: SSH-2.0-OpenSSH_9.2p1 Debian | {bye}"),
    );
    check(
        Ssh::default,
        b"SSH-1.99-Cisco-1.25\n",
        &format!("healthy: SSH-1.99-Cisco-1.25 | {bye}"),
    );
    check(
        Ssh::default,
        b"Welcome\r\nto the host\r\nSSH-2.0-x\r\n",
        &format!("healthy: SSH-2.0-x | {bye}"),
    );
}

#[test]
fn refusals_come_as_lines() {
    check(
        Ssh::default,
        b"Exceeded MaxStartups\r\n",
        "busy: Exceeded MaxStartups",
    );
    check(
        Ssh::default,
        b"Not allowed at this time\r\n",
        "blocked: Not allowed at this time",
    );
    check(Ssh::default, b"SSH-2.0-Open", "more, then closed");
}

#[test]
fn anything_else_is_another_service() {
    // A line that is nobody's greeting may be followed by the identification.
    check_others(Ssh::default, &["ssh", "memcached"]);
    check(Ssh::default, b"SSH-1.5-old\r\n", "wrong_service");
    check(Ssh::default, "line\r\n".repeat(60).as_bytes(), "wrong_service");
    fuzz(Ssh::default, b"Welcome\r\nSSH-2.0-OpenSSH_9.2p1\r\n");
}

#[test]
fn each_row_of_the_table_is_as_it_says() {
    let says = |answer, says: &str| (answer, Ssh::default(), says.as_bytes().to_vec());
    let plays = [
        says("`SSH-2.0", "SSH-2.0-OpenSSH_9.2p1\r\n"),
        says("`SSH-2.0", "Welcome\r\nSSH-1.99-x\r\n"),
        says("`Exceeded", "Exceeded MaxStartups\r\n"),
        says("`Not allowed", "Not allowed at this time\r\n"),
        says("`SSH-1.…", "SSH-1.5-old\r\n"),
    ];
    check_table(include_str!("../ssh.rs"), plays);
}
