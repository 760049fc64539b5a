//! PostgreSQL: healthy, with TLS, without free connections, and a standby that refuses all clients.
//!
//! Packages: postgresql

use std::process::Command;

use portpulse_core::service::Service;
use portpulse_ready::TlsClient;

use super::server::{Dir, Server, as_user, check, free_port, plain, refusal_when_full, run};
use crate::authority::{Authority, Validity};
use crate::peer::starttls_request;

/// The path of a program of the newest installed version.
fn program(name: &str) -> String {
    let mut versions = std::fs::read_dir("/usr/lib/postgresql")
        .expect("run .ci/servers")
        .flatten()
        .collect::<Vec<_>>();
    versions.sort_by_key(std::fs::DirEntry::file_name);
    let newest = versions.last().expect("run .ci/servers").path();
    newest
        .join("bin")
        .join(name)
        .into_os_string()
        .into_string()
        .unwrap()
}

fn cluster(auth: &str, settings: &str) -> Dir {
    let dir = Dir::new();
    dir.give_to("postgres");
    run(as_user("postgres", &program("initdb")).args([
        &format!("--auth-host={auth}"),
        "--auth-local=trust",
        "--no-sync",
        "--pgdata",
        &dir.at("data"),
    ]));
    let all = "fsync = off\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{dir}'\nshared_buffers = 8MB\n";
    dir.write("data/postgresql.auto.conf", &format!("{all}{settings}\n"));
    dir
}

fn start(dir: &Dir, port: u16) -> Server {
    let mut command = as_user("postgres", &program("postgres"));
    // On QUIT the server does not wait for clients.
    Server::start(
        dir,
        command.args(["-D", &dir.at("data"), "-p", &port.to_string()]),
    )
    .stopped_by("-QUIT")
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run .ci/run"]
async fn serves_and_is_busy_without_free_connections() {
    let dir = cluster(
        "scram-sha-256",
        "max_connections = 5\nsuperuser_reserved_connections = 0\nmax_wal_senders = 0",
    );
    let port = free_port();
    let server = start(&dir, port).ready("ready to accept connections");
    let request = plain(Service::Postgres, port);
    for _ in 0..20 {
        check(&request, port, "healthy: asks for a password (SASL)").await;
    }
    let no_tls = starttls_request(
        Service::Postgres,
        "localhost".parse().unwrap(),
        port,
        &TlsClient::with_roots([]),
    );
    check(
        &no_tls,
        port,
        "tls in tls: the server answered N to SSLRequest: TLS is disabled",
    )
    .await;
    server.check_log(&[]);

    let mut session = Command::new("psql");
    session.args([
        "-h",
        &dir.at(""),
        "-p",
        &port.to_string(),
        "-U",
        "postgres",
        "-c",
        "select pg_sleep(60)",
    ]);
    let refused = refusal_when_full(&request, port, &mut session).await;
    assert_eq!(
        refused,
        "busy in ready: 53300 too_many_connections: sorry, too many clients already"
    );
    // The server logs each refused client, including the checks.
    server.check_log(&[
        "sorry, too many clients already",
        "connection to client lost",
        "could not send data to client",
        "could not receive data from client",
    ]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run .ci/run"]
async fn standby_without_readers_is_starting() {
    let dir = cluster("scram-sha-256", "hot_standby = off\nprimary_conninfo = ''");
    dir.write("data/standby.signal", "");
    let port = free_port();
    let server = start(&dir, port).ready("entering standby mode");
    let request = plain(Service::Postgres, port);
    for _ in 0..20 {
        check(
            &request,
            port,
            "starting in ready: 57P03 cannot_connect_now: the database system is ",
        )
        .await;
    }
    // The server logs this line for every client, including the checks.
    server.check_log(&[
        "FATAL:  the database system is ",
        "specified neither primary_conninfo nor restore_command",
    ]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run .ci/run"]
async fn certificate_decides_tls_result() {
    let dir = cluster(
        "scram-sha-256",
        "ssl = on\nssl_cert_file = '{dir}/certificate'\nssl_key_file = '{dir}/key'",
    );
    let authority = Authority::new("trusted");
    let issued = authority.issue("localhost", Validity::Good);
    dir.write("certificate", &issued.certificate_pem);
    dir.write("key", &issued.key_pem);
    run(Command::new("chmod").args(["600", &dir.at("key")]));
    dir.give_to("postgres");
    let port = free_port();
    let server = start(&dir, port).ready("ready to accept connections");
    let request =
        |client: &TlsClient| starttls_request(Service::Postgres, "localhost".parse().unwrap(), port, client);
    check(
        &request(&authority.client()),
        port,
        "healthy: asks for a password (SASL)",
    )
    .await;
    let stranger = Authority::new("untrusted").client();
    check(
        &request(&stranger),
        port,
        "tls in tls: the certificate has an unknown issuer: `trusted` is neither trusted nor sent by the server",
    )
    .await;
    server.check_log(&[]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run .ci/run"]
async fn trust_authentication_is_healthy() {
    let (dir, port) = (cluster("trust", ""), free_port());
    let mut server = start(&dir, port).ready("ready to accept connections");
    let request = plain(Service::Postgres, port);
    let accepted = "healthy: accepts logins without a password";
    let unknown = "FATAL:  role \"portpulse\" does not exist";
    // The server accepts the login, and then looks for the role.
    check(&request, port, "healthy: 28000 role \"portpulse\" does not exist").await;
    server.wait_for(unknown);
    server.check_log(&[unknown]);
    let mut psql = Command::new("psql");
    psql.args(["-h", &dir.at(""), "-p", &port.to_string(), "-U", "postgres"]);
    run(psql.args(["-c", "create role portpulse login"]));
    for _ in 0..20 {
        check(&request, port, accepted).await;
    }
    server.check_log(&[unknown]);
    assert_eq!(
        server.log().matches(unknown).count(),
        1,
        "the login of an existing role is not logged"
    );
}
