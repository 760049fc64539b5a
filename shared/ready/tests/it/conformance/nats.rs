//! NATS: healthy, with a login, and at its connection limit.
//!
//! Packages: nats-server

use std::process::Command;

use portpulse_core::service::Service;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::server::{Dir, Server, check, free_port, plain};

fn start(dir: &Dir, port: u16, more: &[&str]) -> Server {
    let mut command = Command::new("nats-server");
    command
        .args(["-a", "127.0.0.1", "-p", &port.to_string()])
        .args(more);
    Server::start(dir, &mut command).ready("Server is ready")
}

#[tokio::test]
#[ignore = "needs nats-server: run .ci/run"]
async fn server_with_and_without_login_is_healthy() {
    let rows = [
        (&[][..], "healthy: NATS 2.", &[][..]),
        (
            &["--user", "a", "--pass", "b"],
            "healthy: NATS 2.9.10, requires a login",
            &["Plaintext passwords detected", "authentication error"],
        ),
    ];
    for (options, expected, known) in rows {
        let (dir, port) = (Dir::new(), free_port());
        let server = start(&dir, port, options);
        for _ in 0..20 {
            check(&plain(Service::Nats, port), port, expected).await;
        }
        server.check_log(known);
    }
}

#[tokio::test]
#[ignore = "needs nats-server: run .ci/run"]
async fn full_server_is_busy() {
    let (dir, port) = (Dir::new(), free_port());
    let config = dir.write("nats.conf", "max_connections: 1\n");
    let server = start(&dir, port, &["-c", &config]);
    let mut client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    client.write_all(b"PING\r\n").await.unwrap();
    client.read_u8().await.unwrap();
    let expected = "busy in ready: maximum connections exceeded";
    check(&plain(Service::Nats, port), port, expected).await;
    server.check_log(&["maximum connections exceeded"]);
}
