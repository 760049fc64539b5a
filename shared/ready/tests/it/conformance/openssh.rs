//! OpenSSH: healthy, and at `MaxStartups`.
//!
//! Packages: openssh-server

use std::process::Command;

use portpulse_core::service::Service;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::server::{Dir, Server, check, free_port, plain, run};

fn start(dir: &Dir, port: u16, settings: &str) -> Server {
    run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &dir.at("key")]));
    // The directory of sshd's unprivileged process.
    std::fs::create_dir_all("/run/sshd").unwrap();
    let all = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {{dir}}/key\nPidFile none\nLogLevel VERBOSE\n{settings}\n"
    );
    let file = dir.write("sshd_config", &all);
    Server::start(
        dir,
        Command::new("/usr/sbin/sshd").args(["-D", "-e", "-f", &file]),
    )
    .ready("Server listening")
}

#[tokio::test]
#[ignore = "needs OpenSSH: run .ci/run"]
async fn server_is_healthy() {
    let (dir, port) = (Dir::new(), free_port());
    let server = start(&dir, port, "");
    for _ in 0..20 {
        check(&plain(Service::Ssh, port), port, "healthy: SSH-2.0-OpenSSH_").await;
    }
    server.check_log(&[]);
}

#[tokio::test]
#[ignore = "needs OpenSSH: run .ci/run"]
async fn max_startups_is_busy() {
    let (dir, port) = (Dir::new(), free_port());
    let server = start(&dir, port, "MaxStartups 2:100:2\nPerSourceMaxStartups none");
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        client.read_u8().await.unwrap();
        held.push(client);
    }
    check(
        &plain(Service::Ssh, port),
        port,
        "busy in ready: Exceeded MaxStartups",
    )
    .await;
    server.check_log(&["beginning MaxStartups throttling", "drop connection"]);
}
