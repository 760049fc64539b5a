//! ZooKeeper: alone and serving, one of three without a quorum, and at its limit for one address.

use std::process::Command;

use portpulse_core::target::Service;
use portpulse_ready::exchange;
use tokio::time::{Duration, Instant};

use super::server::{Dir, Server, check, free_port, plain};
use crate::peer::told;

fn start(dir: &Dir, port: u16, settings: &str) -> Server {
    std::fs::create_dir(dir.path().join("data")).unwrap();
    let all = format!(
        "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir={{dir}}/data\nclientPort={port}\n\
        clientPortAddress=127.0.0.1\nadmin.enableServer=false\n{settings}\n"
    );
    let file = dir.write("zoo.cfg", &all);
    dir.write("data/myid", "1");
    // The library that logs is left to the operator; this one writes to the standard error.
    let classes = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar";
    let mut command = Command::new("java");
    command.args(["-Xmx128m", "-Dzookeeper.jmx.log4j.disable=true", "-cp", classes]);
    Server::start(
        dir,
        command.args(["org.apache.zookeeper.server.quorum.QuorumPeerMain", &file]),
    )
}

#[tokio::test]
#[ignore = "needs ZooKeeper: run .ci/run"]
async fn serving_and_at_its_limit_for_one_address() {
    let (dir, port) = (Dir::new(), free_port());
    let server = start(&dir, port, "maxClientCnxns=2").ready("Using checkIntervalMs");
    for _ in 0..20 {
        check(
            &plain(Service::Zookeeper, port),
            port,
            "healthy: Zookeeper version: 3.",
        )
        .await;
    }
    server.check_log(OF_ITS_OWN);
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut client = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut client, b"\0\0")
            .await
            .unwrap();
        held.push(client);
    }
    // It counts a client some time after it accepted it. It resets those of us whose word came before its close; a
    // connect that does not look behind itself sees neither.
    let request = plain(Service::Zookeeper, port);
    let deadline = Instant::now() + Duration::from_secs(20);
    let told = loop {
        let stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nonblocking(true).unwrap();
        let report = exchange(
            tokio::net::TcpStream::from_std(stream).unwrap(),
            &request,
            deadline,
        )
        .await;
        let told = told(&report);
        if !told.starts_with("healthy") || Instant::now() > deadline {
            break told;
        }
    };
    let closed =
        "closed in ready: sent srvr, got no answer, then closed, as ZooKeeper does at maxClientCnxns";
    assert!(
        told == closed || told == "reset in ready: sent srvr, got no answer, then a reset",
        "{told}"
    );
}

/// What it says of its configuration at every start.
const OF_ITS_OWN: &[&str] = &["running in standalone mode", "maxCnxns is not configured"];

#[tokio::test]
#[ignore = "needs ZooKeeper: run .ci/run"]
async fn without_a_quorum() {
    let (dir, [port, a, b]) = (Dir::new(), [(); 3].map(|()| free_port()));
    let server = start(
        &dir,
        port,
        &format!("server.1=127.0.0.1:{a}:{b}\nserver.2=127.0.0.2:1:2\nserver.3=127.0.0.3:1:2"),
    );
    let server = server.ready("binding to port");
    check(
        &plain(Service::Zookeeper, port),
        port,
        "starting in ready: This ZooKeeper instance is not currently serving",
    )
    .await;
    drop(server);
}
