//! memcached: healthy, and at its connection limit, where the server either refuses or does not accept connections.
//!
//! Packages: memcached

use std::process::Command;

use portpulse_core::service::Service;
use portpulse_ready::exchange;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant};

use super::server::{Dir, Server, check, free_port, plain};
use crate::peer::describe;

fn start(dir: &Dir, port: u16, more: &[&str]) -> Server {
    let port = port.to_string();
    let mut command = Command::new("memcached");
    command
        .args(["-vv", "-u", "memcache", "-l", "127.0.0.1", "-t", "1", "-p", &port])
        .args(more);
    Server::start(dir, &mut command).ready("server listening")
}

#[tokio::test]
#[ignore = "needs memcached: run .ci/run"]
async fn server_is_healthy() {
    let (dir, port) = (Dir::new(), free_port());
    let server = start(&dir, port, &[]);
    for _ in 0..20 {
        check(&plain(Service::Memcached, port), port, "healthy: VERSION 1.").await;
    }
    server.check_log(&[]);
}

#[tokio::test]
#[ignore = "needs memcached: run .ci/run"]
async fn server_with_the_binary_protocol_only_is_silent_and_named() {
    let (dir, port) = (Dir::new(), free_port());
    let server = start(&dir, port, &["-B", "binary"]);
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = plain(Service::Memcached, port);
    let report = exchange(stream, &request, Instant::now() + Duration::from_secs(3)).await;
    let summary = describe(&report);
    assert!(
        summary.starts_with("silent in ready: ") && summary.ends_with("with -B binary"),
        "{summary}"
    );
    server.check_log(&[]);
}

/// Repeats the check, with one more open client each time, until the server is not healthy.
async fn fill(port: u16) -> String {
    let request = plain(Service::Memcached, port);
    let mut held = Vec::new();
    loop {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let report = exchange(stream, &request, Instant::now() + Duration::from_secs(3)).await;
        let summary = describe(&report);
        if !summary.starts_with("healthy") {
            return summary;
        }
        let mut client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        client.write_all(b"version\r\n").await.unwrap();
        client.read_u8().await.unwrap();
        held.push(client);
    }
}

#[tokio::test]
#[ignore = "needs memcached: run .ci/run"]
async fn full_server_is_busy_or_silent() {
    let rows = [
        ("maxconns_fast", "busy in ready: ERROR Too many open connections"),
        // The accept queue then holds one connection, which is silent. Later connections get no SYN-ACK.
        (
            "no_maxconns_fast",
            "silent in ready: sent version, got no answer, as memcached does at its connection limit, and with -B binary",
        ),
    ];
    for (option, expected) in rows {
        let (dir, port) = (Dir::new(), free_port());
        let server = start(&dir, port, &["-c", "64", "-o", option]);
        assert_eq!(fill(port).await, expected);
        server.check_log(&["Too many open connections"]);
    }
}
