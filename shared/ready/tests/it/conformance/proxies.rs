//! Poolers and proxies in front of services: decisions of their own, and servers that they cannot reach.
//!
//! Packages: gnutls-bin haproxy memcached nutcracker pgbouncer pgpool2 redis-server

use std::process::Command;
use std::time::Instant;

use portpulse_core::readiness::{Readiness, Tls};
use portpulse_core::service::Service;

use super::server::{Dir, EXCHANGE_TIMEOUT, Server, as_user, ask, check, free_port, plain, run};
use crate::peer::{default_request, describe};

/// Waits for a server that logs nothing at its start.
fn wait_for_port(port: u16) {
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::yield_now();
    }
}

/// `PgBouncer` in front of a server that does not exist.
fn pgbouncer(dir: &Dir, port: u16, settings: &str) -> Server {
    let file = dir.write(
        "pgbouncer.ini",
        &format!(
            "[databases]\n* = host=127.0.0.1 port=9 user=other\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nserver_login_retry = 0.2\nclient_login_timeout = 2\n{settings}\n"
        ),
    );
    dir.write("users", "\"other\" \"secret\"\n");
    dir.write("hba", "");
    dir.give_to("postgres");
    Server::start(dir, as_user("postgres", "pgbouncer").arg(file)).ready("process up")
}

#[tokio::test]
#[ignore = "needs PgBouncer: run .ci/run"]
async fn decision_of_pgbouncer_is_healthy_and_its_missing_server_is_not() {
    let authority = crate::authority::Authority::new("trusted");
    let issued = authority.issue("localhost", crate::authority::Validity::Good);
    let rows = [
        (
            "auth_type = hba\nauth_file = {dir}/users\nauth_hba_file = {dir}/hba",
            "healthy: 08P01 login rejected",
        ),
        (
            "auth_type = trust\nauth_file = {dir}/users\nclient_tls_sslmode = require\nclient_tls_key_file = {dir}/key\n\
             client_tls_cert_file = {dir}/certificate",
            "healthy: 08P01 SSL required",
        ),
        (
            "auth_type = trust\nauth_file = {dir}/users",
            "healthy: 08P01 \"trust\" authentication failed",
        ),
        ("auth_type = any", "no_backend in ready: 08P01 "),
    ];
    for (settings, expected) in rows {
        let (dir, port) = (Dir::new(), free_port());
        dir.write("certificate", &issued.certificate_pem);
        dir.write("key", &issued.key_pem);
        let _server = pgbouncer(&dir, port, settings);
        check(&plain(Service::Postgres, port), port, expected).await;
    }
}

#[tokio::test]
#[ignore = "needs Pgpool: run .ci/run"]
async fn pgpool_without_server_is_not_healthy() {
    for (failover, expected) in [
        (
            "on",
            "no_backend in ready: XX000 internal_error: failed to create a backend connection",
        ),
        (
            "off",
            "no_backend in ready: XX000 internal_error: failed to create a backend 0 connection",
        ),
    ] {
        let (dir, [port, pcp, gone]) = (Dir::new(), [(); 3].map(|()| free_port()));
        let config = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nsocket_dir = '{{dir}}'\nunix_socket_directories = '{{dir}}'\n\
             pcp_listen_addresses = '127.0.0.1'\npcp_port = {pcp}\npcp_socket_dir = '{{dir}}'\n\
             backend_hostname0 = '127.0.0.1'\nbackend_port0 = {gone}\nbackend_weight0 = 1\n\
             pid_file_name = '{{dir}}/pid'\nlogdir = '{{dir}}'\nnum_init_children = 4\nhealth_check_period = 0\n\
             sr_check_period = 0\nbackend_clustering_mode = 'raw'\nfailover_on_backend_error = {failover}\n"
        );
        let file = dir.write("pgpool.conf", &config);
        let (hba, users) = (dir.write("hba", ""), dir.write("users", ""));
        dir.give_to("postgres");
        let mut command = as_user("postgres", "pgpool");
        command.args(["-n", "-f", &file, "-a", &hba, "-F", &users]);
        let _server = Server::start(&dir, &mut command);
        wait_for_port(port);
        check(&plain(Service::Postgres, port), port, expected).await;
        // After the failover, Pgpool knows that no server is left. It restarts its processes first, and closes their sessions.
        if failover == "on" {
            let last = Instant::now() + EXCHANGE_TIMEOUT;
            loop {
                let summary = describe(&ask(&plain(Service::Postgres, port), port).await);
                if summary.starts_with("no_backend in ready: XX000 ") {
                    break;
                }
                let is_restarting = summary.starts_with("closed ") || summary.starts_with("reset ");
                assert!(is_restarting && Instant::now() < last, "{summary}");
            }
        }
    }
}

/// twemproxy in front of one server, for Redis or memcached.
fn twemproxy(dir: &Dir, port: u16, is_redis: bool, server_port: u16) -> Server {
    let config = format!(
        "pool:\n  listen: 127.0.0.1:{port}\n  redis: {is_redis}\n  timeout: 1000\n  servers:\n   - 127.0.0.1:{server_port}:1\n"
    );
    let file = dir.write("nutcracker.yml", &config);
    let mut command = Command::new("nutcracker");
    let stats = free_port().to_string();
    command.args(["-c", &file, "-a", "127.0.0.1", "-s", &stats]);
    let server = Server::start(dir, &mut command);
    wait_for_port(port);
    server
}

#[tokio::test]
#[ignore = "needs twemproxy and memcached: run .ci/run"]
async fn memcached_behind_twemproxy_is_checked() {
    let (dir, port, server_port) = (Dir::new(), free_port(), free_port());
    let _proxy = twemproxy(&dir, port, false, server_port);
    let request = plain(Service::Memcached, port);
    let gone = "no_backend in ready: SERVER_ERROR Connection refused";
    check(&request, port, gone).await;
    let mut command = Command::new("memcached");
    let number = server_port.to_string();
    command.args([
        "-vv",
        "-u",
        "memcache",
        "-l",
        "127.0.0.1",
        "-t",
        "1",
        "-p",
        &number,
    ]);
    let server = Server::start(&dir, &mut command).ready("server listening");
    for _ in 0..20 {
        check(&request, port, "healthy: VERSION 1.").await;
    }
    drop(server);
    check(&request, port, "no_backend in ready: SERVER_ERROR Connection re").await;
}

#[tokio::test]
#[ignore = "needs twemproxy and Redis: run .ci/run"]
async fn server_behind_twemproxy_is_checked() {
    let (dir, port, server_port) = (Dir::new(), free_port(), free_port());
    let _proxy = twemproxy(&dir, port, true, server_port);
    let gone = "no_backend in ready: ERR Connection refused";
    check(&plain(Service::Redis, port), port, gone).await;
    let settings = format!("port {server_port}\nbind 127.0.0.1\ndir {{dir}}\nsave \"\"\n");
    let file = dir.write("redis.conf", &settings);
    let server =
        Server::start(&dir, Command::new("redis-server").arg(file)).ready("Ready to accept connections");
    for _ in 0..20 {
        check(&plain(Service::Redis, port), port, "healthy: PONG").await;
    }
    drop(server);
    check(
        &plain(Service::Redis, port),
        port,
        "no_backend in ready: ERR Connection re",
    )
    .await;
}

#[tokio::test]
#[ignore = "needs HAProxy: run .ci/run"]
async fn haproxy_without_server_is_closed_for_every_service() {
    let (dir, port) = (Dir::new(), free_port());
    let config = format!(
        "defaults\n mode tcp\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n retries 0\n\
         listen all\n bind 127.0.0.1:{port}\n server gone 127.0.0.1:9\n"
    );
    let file = dir.write("haproxy.cfg", &config);
    run(Command::new("haproxy").args(["-c", "-f", &file]));
    let _server = Server::start(&dir, Command::new("haproxy").args(["-V", "-db", "-f", &file]));
    wait_for_port(port);
    let client = crate::authority::Authority::new("trusted").client();
    for &service in Service::ALL {
        let phase = match Readiness::of(service, port).tls() {
            Tls::Implicit => "tls",
            Tls::Off | Tls::Upgrade => "ready",
        };
        let request = default_request(service, "localhost".parse().unwrap(), port, &client);
        check(&request, port, &format!("closed in {phase}: ")).await;
    }
}

#[tokio::test]
#[ignore = "needs GnuTLS: run .ci/run"]
async fn tls_server_is_recognized() {
    let authority = crate::authority::Authority::new("trusted");
    let issued = authority.issue("localhost", crate::authority::Validity::Good);
    let (dir, port) = (Dir::new(), free_port());
    let certificate = dir.write("certificate", &issued.certificate_pem);
    let key = dir.write("key", &issued.key_pem);
    let mut command = Command::new("gnutls-serv");
    command.args([
        "--echo",
        "--x509certfile",
        &certificate,
        "--x509keyfile",
        &key,
        "-p",
        &port.to_string(),
    ]);
    let _server = Server::start(&dir, &mut command).ready("Echo Server listening");
    let expected =
        "wrong_service in ready: sent an AMQP 0-9-1 header, got `15 03 03 00 02 02 0a`: it speaks TLS";
    check(&plain(Service::Rabbitmq, port), port, expected).await;
}
