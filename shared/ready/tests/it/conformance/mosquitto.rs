//! Mosquitto: healthy, with TLS, with a login, and at its connection limit.
//!
//! Packages: mosquitto

use std::process::Command;

use portpulse_core::readiness::{Protocol, Tls};
use portpulse_core::service::Service;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::server::{Dir, Server, ask, check, free_port, plain};
use crate::authority::{Authority, Validity};
use crate::peer::{describe, request_for};

/// Mosquitto closes without reading, so that the kernel may send a reset instead of the end of the stream.
async fn check_closed(port: u16) {
    let summary = describe(&ask(&plain(Service::Mqtt, port), port).await);
    let is_closed = ["closed", "reset"].iter().any(|class| summary.starts_with(class));
    assert!(is_closed, "{summary}");
}

fn start(dir: &Dir, settings: &str) -> Server {
    let all = format!("log_type all\nconnection_messages true\nuser mosquitto\n{settings}\n");
    let file = dir.write("mosquitto.conf", &all);
    dir.give_to("mosquitto");
    Server::start(dir, Command::new("mosquitto").args(["-c", &file])).ready("running")
}

#[tokio::test]
#[ignore = "needs Mosquitto: run .ci/run"]
async fn broker_with_and_without_login_is_healthy() {
    let (dir, port, secured) = (Dir::new(), free_port(), free_port());
    let authority = Authority::new("trusted");
    let issued = authority.issue("localhost", Validity::Good);
    dir.write("certificate", &issued.certificate_pem);
    dir.write("key", &issued.key_pem);
    let settings = format!(
        "allow_anonymous true\nlistener {port} 127.0.0.1\nlistener {secured} 127.0.0.1\ncertfile {{dir}}/certificate\n\
         keyfile {{dir}}/key"
    );
    let server = start(&dir, &settings);
    let over_tls = request_for(
        Protocol::of(Service::Mqtt),
        Tls::Implicit,
        "localhost".parse().unwrap(),
        secured,
        &authority.client(),
    );
    let accepted = "healthy: CONNACK 0 (connection accepted)";
    for _ in 0..20 {
        check(&plain(Service::Mqtt, port), port, accepted).await;
        check(&over_tls, secured, accepted).await;
    }
    // A check without TLS of a port that expects TLS.
    check_closed(secured).await;
    server.check_log(&["SSL routines", "Protocol error", "Socket error"]);

    let (dir, port) = (Dir::new(), free_port());
    let server = start(&dir, &format!("allow_anonymous false\nlistener {port} 127.0.0.1"));
    for _ in 0..20 {
        check(
            &plain(Service::Mqtt, port),
            port,
            "healthy: CONNACK 5 (a login is required)",
        )
        .await;
    }
    server.check_log(&[]);
}

#[tokio::test]
#[ignore = "needs Mosquitto: run .ci/run"]
async fn full_broker_is_closed() {
    let (dir, port) = (Dir::new(), free_port());
    let settings = format!("allow_anonymous true\nlistener {port} 127.0.0.1\nmax_connections 1");
    let _server = start(&dir, &settings);
    let mut client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    client
        .write_all(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00")
        .await
        .unwrap();
    client.read_exact(&mut [0; 4]).await.unwrap();
    check_closed(port).await;
}
