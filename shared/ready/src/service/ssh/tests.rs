use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

#[test]
fn identification_may_follow_other_lines() {
    let closing = "> SSH-2.0-portpulse\\r\\n";
    check(
        Ssh::default,
        b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n",
        &format!("healthy: SSH-2.0-OpenSSH_9.2p1 Debian | {closing}"),
    );
    check(
        Ssh::default,
        b"SSH-1.99-Cisco-1.25\n",
        &format!("healthy: SSH-1.99-Cisco-1.25 | {closing}"),
    );
    check(
        Ssh::default,
        b"Welcome\r\nto the host\r\nSSH-2.0-x\r\n",
        &format!("healthy: SSH-2.0-x | {closing}"),
    );
}

#[test]
fn other_protocols_are_wrong_service() {
    // A line that is not a known greeting may be followed by the identification.
    check_other_services(Ssh::default, &["ssh", "memcached"]);
    check(Ssh::default, b"SSH-2.0-Open", "waiting, then closed");
    check(Ssh::default, "line\r\n".repeat(60).as_bytes(), "wrong_service");
    fuzz(Ssh::default, b"Welcome\r\nSSH-2.0-OpenSSH_9.2p1\r\n");
}

#[test]
fn decision_table_matches_code() {
    Table::of(include_str!("../ssh.rs"))
        .case("`SSH-2.0", Ssh::default(), "SSH-2.0-OpenSSH_9.2p1\r\n")
        .case("`SSH-2.0", Ssh::default(), "Welcome\r\nSSH-1.99-x\r\n")
        .case("`Exceeded", Ssh::default(), "Exceeded MaxStartups\r\n")
        .case("`Not allowed", Ssh::default(), "Not allowed at this time\r\n")
        .case("`SSH-1.…", Ssh::default(), "SSH-1.5-old\r\n")
        .finish();
}
