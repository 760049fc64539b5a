//! Redis: healthy, with a password, loading, at its client limit, and unable to persist.
//!
//! Packages: redis-server

use std::process::Command;

use portpulse_core::service::Service;

use super::server::{Dir, Server, ask, check, free_port, plain, run};
use crate::peer::describe;

fn start(dir: &Dir, port: u16, settings: &str) -> Server {
    let all = format!(
        "port {port}\nbind 127.0.0.1\ndir {{dir}}\nsave \"\"\nenable-debug-command yes\n{settings}\n"
    );
    let file = dir.write("redis.conf", &all);
    Server::start(dir, Command::new("redis-server").arg(file))
}

fn cli(port: u16, arguments: &[&str]) -> String {
    run(Command::new("redis-cli")
        .args(["-p", &port.to_string()])
        .args(arguments))
}

/// Redis logs warnings about the machine's settings at every start.
const MACHINE_WARNINGS: &[&str] = &[
    "overcommit_memory",
    "TCP backlog",
    "Transparent Huge",
    "no config file",
    "WARNING: The",
];

#[tokio::test]
#[ignore = "needs Redis: run .ci/run"]
async fn serves_with_and_without_password() {
    for (settings, expected) in [
        ("", "healthy: PONG"),
        ("requirepass secret", "healthy: NOAUTH Authentication required."),
    ] {
        let (dir, port) = (Dir::new(), free_port());
        let server = start(&dir, port, settings).ready("Ready to accept connections");
        for _ in 0..20 {
            check(&plain(Service::Redis, port), port, expected).await;
        }
        server.check_log(MACHINE_WARNINGS);
    }
}

#[tokio::test]
#[ignore = "needs Redis: run .ci/run"]
async fn node_of_a_cluster_is_healthy_while_the_cluster_serves() {
    let (dir, port) = (Dir::new(), free_port());
    let bus = free_port();
    let server = start(&dir, port, &format!("cluster-enabled yes\ncluster-port {bus}"))
        .ready("Ready to accept connections");
    let down = "service_error in ready: CLUSTERDOWN Hash slot not served";
    check(&plain(Service::Redis, port), port, down).await;
    cli(port, &["cluster", "addslotsrange", "0", "16383"]);
    let mut server = server;
    server.wait_for("Cluster state changed: ok");
    check(&plain(Service::Redis, port), port, "healthy: PONG").await;
}

#[tokio::test]
#[ignore = "needs Redis: run .ci/run"]
async fn restricted_user_and_sentinel_are_healthy() {
    for (settings, arguments) in [
        ("user default on nopass -@all +ping", &[][..]),
        ("", &["--sentinel"]),
    ] {
        let (dir, port) = (Dir::new(), free_port());
        let all = format!("port {port}\nbind 127.0.0.1\ndir {{dir}}\n{settings}\n");
        let file = dir.write("redis.conf", &all);
        let server = Server::start(&dir, Command::new("redis-server").arg(file).args(arguments));
        let started = if arguments.is_empty() {
            "Ready to accept connections"
        } else {
            "Sentinel ID is"
        };
        let server = server.ready(started);
        check(&plain(Service::Redis, port), port, "healthy: PONG").await;
        server.check_log(MACHINE_WARNINGS);
    }
}

#[tokio::test]
#[ignore = "needs Redis: run .ci/run"]
async fn full_server_is_busy() {
    let (dir, port) = (Dir::new(), free_port());
    let server = start(&dir, port, "maxclients 2").ready("Ready to accept connections");
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut client = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut client, b"PING\r\n")
            .await
            .unwrap();
        tokio::io::AsyncReadExt::read(&mut client, &mut [0; 16])
            .await
            .unwrap();
        held.push(client);
    }
    check(
        &plain(Service::Redis, port),
        port,
        "busy in ready: ERR max number of clients reached",
    )
    .await;
    server.check_log(MACHINE_WARNINGS);
}

#[tokio::test]
#[ignore = "needs Redis: run .ci/run"]
async fn failed_persistence_is_service_error() {
    let (dir, port) = (Dir::new(), free_port());
    let server = start(&dir, port, "save 3600 1").ready("Ready to accept connections");
    cli(port, &["set", "a", "b"]);
    // The name of the snapshot is taken by a directory with content.
    std::fs::create_dir_all(dir.path().join("dump.rdb/in-the-way")).unwrap();
    cli(port, &["bgsave"]);
    let mut server = server;
    server.wait_for("Background saving error");
    check(
        &plain(Service::Redis, port),
        port,
        "service_error in ready: MISCONF ",
    )
    .await;
    server.check_log(&[MACHINE_WARNINGS, &["Background saving error", "dump.rdb"]].concat());
}

#[tokio::test]
#[ignore = "needs Redis: run .ci/run"]
async fn loading_is_starting() {
    let (dir, port) = (Dir::new(), free_port());
    {
        let _server = start(&dir, port, "").ready("Ready to accept connections");
        cli(port, &["debug", "populate", "20000"]);
        cli(port, &["save"]);
    }
    // With a delay after each key, the server loads for longer than the test needs.
    let server = start(
        &dir,
        port,
        "key-load-delay 1000\nloading-process-events-interval-bytes 1024",
    )
    .ready("Loading RDB");
    let request = plain(Service::Redis, port);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let loading = loop {
        let summary = describe(&ask(&request, port).await);
        if summary.contains("LOADING") || std::time::Instant::now() > deadline {
            break summary;
        }
    };
    assert_eq!(
        loading,
        "starting in ready: LOADING Redis is loading the dataset in memory"
    );
    server.check_log(MACHINE_WARNINGS);
}
