//! ZooKeeper: a single server, three with a quorum, one of them without it, and the limit for one address.
//!
//! Packages: zookeeper

use std::process::Command;

use portpulse_core::service::Service;
use portpulse_ready::exchange;
use tokio::time::{Duration, Instant};

use super::server::{Dir, Server, ask, check, free_port, plain};
use crate::peer::describe;

/// Starts the ensemble member with this number.
fn start(dir: &Dir, number: usize, port: u16, settings: &str) -> Server {
    start_with(&[], dir, number, port, settings)
}

/// Starts the ensemble member with these properties of Java.
fn start_with(properties: &[&str], dir: &Dir, number: usize, port: u16, settings: &str) -> Server {
    std::fs::create_dir(dir.path().join("data")).unwrap();
    let all = format!(
        "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir={{dir}}/data\nclientPort={port}\n\
        clientPortAddress=127.0.0.1\nadmin.enableServer=false\n{settings}\n"
    );
    let file = dir.write("zoo.cfg", &all);
    dir.write("data/myid", &number.to_string());
    // The operator chooses the logging library; this one writes to standard error.
    let classes = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar";
    let mut command = Command::new("java");
    command.args(["-Xmx128m", "-Dzookeeper.jmx.log4j.disable=true", "-cp", classes]);
    command.args(properties);
    Server::start(
        dir,
        command.args(["org.apache.zookeeper.server.quorum.QuorumPeerMain", &file]),
    )
}

#[tokio::test]
#[ignore = "needs ZooKeeper: run .ci/run"]
async fn serves_and_closes_at_per_address_limit() {
    let (dir, port) = (Dir::new(), free_port());
    let server = start(&dir, 1, port, "maxClientCnxns=2").ready("Using checkIntervalMs");
    for _ in 0..20 {
        check(
            &plain(Service::Zookeeper, port),
            port,
            "healthy: Zookeeper version: 3.",
        )
        .await;
    }
    server.check_log(STARTUP_WARNINGS);
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut client = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut client, b"\0\0")
            .await
            .unwrap();
        held.push(client);
    }
    // The server counts a client some time after accepting it. The server resets a refused client whose request arrives
    // before the close, so that the result may be `closed` or `reset`.
    let request = plain(Service::Zookeeper, port);
    let deadline = Instant::now() + Duration::from_secs(20);
    let summary = loop {
        let stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nonblocking(true).unwrap();
        let report = exchange(
            tokio::net::TcpStream::from_std(stream).unwrap(),
            &request,
            deadline,
        )
        .await;
        let summary = describe(&report);
        if !summary.starts_with("healthy") || Instant::now() > deadline {
            break summary;
        }
    };
    let closed =
        "closed in ready: sent srvr, got no answer, then closed, as ZooKeeper does at maxClientCnxns";
    assert!(
        summary == closed || summary == "reset in ready: sent srvr, got no answer, then a reset",
        "{summary}"
    );
}

/// Log lines about the configuration at every start.
const STARTUP_WARNINGS: &[&str] = &["running in standalone mode", "maxCnxns is not configured"];

/// Repeats the check until its result starts like this: an election takes an unknown time.
async fn poll_until_prefix(port: u16, wanted: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        let summary = describe(&ask(&plain(Service::Zookeeper, port), port).await);
        if summary.starts_with(wanted) || Instant::now() > deadline {
            return summary;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
#[ignore = "needs ZooKeeper: run .ci/run"]
async fn quorum_is_healthy_and_its_loss_is_starting() {
    let ports = [(); 3].map(|()| [free_port(), free_port(), free_port()]);
    let members = ports
        .iter()
        .enumerate()
        .map(|(n, [_, a, b])| format!("server.{}=127.0.0.1:{a}:{b}\n", n + 1));
    let members = members.collect::<String>();
    let mut ensemble = Vec::new();
    for (n, &[port, ..]) in ports.iter().enumerate() {
        let dir = Dir::new();
        let server = start(&dir, n + 1, port, &members);
        ensemble.push((server.listening(port), dir));
    }
    for [port, ..] in ports {
        let summary = poll_until_prefix(port, "healthy").await;
        assert!(summary.starts_with("healthy: Zookeeper version: 3."), "{summary}");
    }
    // Log lines of members about each other, which the checks do not cause. The line of an exception follows one that
    // names the class that logs it, and which is judged too: a client's connection is logged by another package.
    let between_members = &[
        "org.apache.zookeeper.server.quorum.",
        "java.net.SocketException: ",
    ];
    let ensemble_warnings = [STARTUP_WARNINGS, between_members].concat();
    for (server, _) in &ensemble {
        server.check_log(&ensemble_warnings);
    }
    ensemble.truncate(1);
    let summary = poll_until_prefix(ports[0][0], "starting").await;
    assert_eq!(
        summary,
        "starting in ready: This ZooKeeper instance is not currently serving requests"
    );
    ensemble[0].0.check_log(&ensemble_warnings);
}

#[tokio::test]
#[ignore = "needs ZooKeeper: run .ci/run"]
async fn member_that_serves_readers_only_is_starting() {
    let (dir, ports) = (Dir::new(), [(); 5].map(|()| free_port()));
    let [port, a, b, gone, away] = ports;
    let members = format!(
        "server.1=127.0.0.1:{a}:{b}\nserver.2=127.0.0.1:{gone}:{away}\nserver.3=127.0.0.1:{away}:{gone}\n"
    );
    let _server = start_with(&["-Dreadonlymode.enabled=true"], &dir, 1, port, &members).listening(port);
    let wanted = "starting in ready: READ-ONLY mode; serving only read-only clients";
    assert_eq!(poll_until_prefix(port, wanted).await, wanted);
}
