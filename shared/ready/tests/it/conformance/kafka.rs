//! Kafka's protocol as implemented by Tansu, an independent broker: with and without authentication.

use std::path::PathBuf;
use std::process::Command;

use portpulse_core::service::Service;

use super::server::{Dir, Server, check, free_port, plain};

fn start(dir: &Dir, port: u16, more: &[&str]) -> Server {
    let home = std::env::var("PORTPULSE_BROKER_HOME").map(PathBuf::from);
    let folder = home
        .unwrap_or_else(|_| PathBuf::from(std::env::var("HOME").unwrap()).join(".cache/portpulse-broker"));
    let program = folder.join("tansu");
    assert!(program.exists(), "{}: run .ci/broker", program.display());
    let url = format!("tcp://127.0.0.1:{port}");
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("RUST_LOG", "warn")
        .current_dir(dir.path())
        .args(["broker", "--storage-engine", "memory://tansu/"])
        .args(["--listener-url", &url, "--advertised-listener-url", &url])
        .args(more);
    Server::start(dir, &mut command).ready("ready in")
}

#[tokio::test]
#[ignore = "needs Tansu: run .ci/run"]
async fn kafka_with_and_without_login_is_healthy() {
    for settings in [&[][..], &["--authentication"]] {
        let (dir, port) = (Dir::new(), free_port());
        let server = start(&dir, port, settings);
        for _ in 0..20 {
            check(
                &plain(Service::Kafka, port),
                port,
                "healthy: answered ApiVersions",
            )
            .await;
        }
        server.check_log(&[]);
    }
}
