//! etcd: healthy, and without a leader.
//!
//! Packages: etcd-server

use std::process::Command;

use portpulse_core::service::Service;

use super::server::{Dir, Server, ask, check, free_port, plain};
use crate::peer::describe;

/// A member of a cluster of these peers, which listens on `port`.
fn start(dir: &Dir, name: &str, port: u16, peer: u16, cluster: &str) -> Server {
    let client_url = format!("http://127.0.0.1:{port}");
    let peer_url = format!("http://127.0.0.1:{peer}");
    let mut command = Command::new("etcd");
    command
        .env_clear()
        .args(["--name", name, "--data-dir", &dir.at("data"), "--logger", "zap"])
        .args([
            "--listen-client-urls",
            &client_url,
            "--advertise-client-urls",
            &client_url,
        ])
        .args([
            "--listen-peer-urls",
            &peer_url,
            "--initial-advertise-peer-urls",
            &peer_url,
        ])
        .args(["--initial-cluster", cluster]);
    Server::start(dir, &mut command)
}

#[tokio::test]
#[ignore = "needs etcd: run .ci/run"]
async fn member_with_leader_is_healthy_and_without_is_not() {
    const SERVING: &str = "serving client traffic";
    let (dir, port, peer) = (Dir::new(), free_port(), free_port());
    let (other_dir, other_port, other_peer) = (Dir::new(), free_port(), free_port());
    let cluster = format!("a=http://127.0.0.1:{peer},b=http://127.0.0.1:{other_peer}");
    let mut server = start(&dir, "a", port, peer, &cluster);
    let other = start(&other_dir, "b", other_port, other_peer, &cluster).ready(SERVING);
    server.wait_for(SERVING);
    for _ in 0..20 {
        check(&plain(Service::Etcd, port), port, "healthy: health: true").await;
    }
    let log = server.log();
    assert!(!log.contains("\"level\":\"error\""), "{log}");
    // One of two members has no majority. It notices after an election timeout.
    drop(other);
    let without_majority = loop {
        let summary = describe(&ask(&plain(Service::Etcd, port), port).await);
        if !summary.starts_with("healthy") {
            break summary;
        }
    };
    let expected = "service_error in ready: HTTP 503 Service Unavailable, health: false";
    assert!(without_majority.starts_with(expected), "{without_majority}");
}
