//! `MariaDB`: healthy, at its connection limit, with TLS, and five hundred checks without a ban.
//!
//! `Aborted_connects` counts all failed connection attempts, including wrong passwords. It is one counter for the whole
//! server, shown to its operator, and has no limit (MariaDB's manual, "Server Status Variables"). A ban occurs when
//! `SUM_CONNECT_ERRORS` of an address in `performance_schema.host_cache` exceeds `max_connect_errors`. That column
//! counts errors before the login is decided. A completed login is not counted, whether refused or not.
//!
//! Packages: mariadb-client-core mariadb-server-core

use std::net::Ipv4Addr;
use std::process::Command;
use std::time::{Duration, Instant};

use portpulse_core::service::Service;
use portpulse_ready::TlsClient;

use super::server::{Dir, Server, ask_from, check, free_port, plain, refusal_when_full, run};
use crate::authority::{Authority, Validity};
use crate::peer::{describe, starttls_request};

/// An address with a name, for which the server counts errors. The server never counts errors of 127.0.0.1.
const NAMED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

fn start(port: u16, settings: &str, prepare: impl FnOnce(&Dir)) -> (Dir, Server) {
    let dir = Dir::new();
    prepare(&dir);
    let data = dir.at("data");
    // Two concurrent runs in the same directory delete each other's temporary tables.
    run(Command::new("mariadb-install-db")
        .env("TMPDIR", dir.path())
        .args(["--no-defaults", "--auth-root-authentication-method=normal"])
        .args(["--skip-test-db", "--user=root", &format!("--datadir={data}")]));
    let all = format!(
        "[mariadbd]\ndatadir = {{dir}}/data\ntmpdir = {{dir}}\nsocket = {{dir}}/socket\npid-file = {{dir}}/pid\nport = {port}\n\
        bind-address = 127.0.0.1\nuser = root\ninnodb_buffer_pool_size = 8M\nperformance_schema = on\ntable_open_cache = 100\ninit_file = {{dir}}/init.sql\n{settings}\n"
    );
    let file = dir.write("my.cnf", &all);
    // Without a user for any host, the server would refuse the client by its address.
    dir.write(
        "init.sql",
        "create user if not exists 'app'@'%' identified by 'secret';\n",
    );
    dir.write("hosts", "127.0.0.1 localhost\n127.0.0.2 probe.example\n");
    // A hosts file for this server only.
    let script = "mount --bind \"$1\" /etc/hosts && exec mariadbd --defaults-file=\"$2\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh", &dir.at("hosts"), &file]);
    let server = Server::start(&dir, &mut command).ready("ready for connections");
    (dir, server)
}

fn sql(dir: &Dir, statement: &str) -> String {
    run(Command::new("mariadb").args([
        "--no-defaults",
        "-u",
        "root",
        "-N",
        "-B",
        "-S",
        &dir.at("socket"),
        "-e",
        statement,
    ]))
}

/// The name of the checks' address, and the server's error counters for it.
fn errors(dir: &Dir) -> String {
    let counts = "host, sum_connect_errors, count_host_blocked_errors, count_handshake_errors";
    sql(
        dir,
        &format!("select {counts} from performance_schema.host_cache where ip = '{NAMED}'"),
    )
}

/// Repeats a query until its result is as wanted or 20 seconds have passed, because the server counts a client after
/// answering it. Returns the last result.
fn poll_until(query: impl Fn() -> String, is_wanted: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let summary = query();
        if is_wanted(&summary) || Instant::now() > deadline {
            return summary;
        }
    }
}

/// The server logs each refused login, unless `log_warnings` is 1 or less.
const REFUSED: &str = "Access denied for user 'portpulse'@";

#[tokio::test]
#[ignore = "needs MariaDB: run .ci/run"]
async fn five_hundred_checks_cause_no_ban() {
    let port = free_port();
    let (dir, server) = start(port, "max_connect_errors = 5", |_| {});
    let request = plain(Service::Mariadb, port);
    for _ in 0..500 {
        let summary = describe(&ask_from(NAMED, &request, port).await);
        let wanted = "-MariaDB";
        assert!(
            summary.starts_with("healthy: ")
                && summary.contains(wanted)
                && summary.contains(": 1045 Access denied"),
            "{summary}"
        );
        assert!(
            summary.contains("probe.example"),
            "the server does not resolve the address to its name: {summary}"
        );
    }
    // Every refused login is a failed connection attempt, and no connection ended before the login. Neither counter
    // causes a ban.
    let failed = "show global status where variable_name in ('Aborted_clients', 'Aborted_connects', 'Aborted_connects_preauth')";
    let wanted = "Aborted_clients\t0\nAborted_connects\t500\nAborted_connects_preauth\t0\n";
    assert_eq!(
        poll_until(|| sql(&dir, failed), |summary| summary == wanted),
        wanted
    );
    // The counter that causes a ban is kept for each address, and counts only errors of the handshake.
    assert_eq!(errors(&dir), "probe.example\t0\t0\t0\n");
    server.check_log(&[REFUSED]);

    // Cross-check: six clients that leave early get the address banned.
    for _ in 0..6 {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((NAMED, 0).into()).unwrap();
        let mut stream = socket.connect((Ipv4Addr::LOCALHOST, port).into()).await.unwrap();
        tokio::io::AsyncReadExt::read_u8(&mut stream).await.unwrap();
    }
    // The server refuses the sixth client if it has counted the fifth by then; otherwise it counts the sixth too.
    let counted = |summary: &str| {
        ["probe.example\t5\t", "probe.example\t6\t"]
            .iter()
            .any(|wanted| summary.starts_with(wanted))
    };
    let errors = poll_until(|| errors(&dir), counted);
    assert!(counted(&errors), "{errors}");
    let deadline = Instant::now() + Duration::from_secs(20);
    let banned = loop {
        let summary = describe(&ask_from(NAMED, &request, port).await);
        if summary.starts_with("blocked") || Instant::now() > deadline {
            break summary;
        }
    };
    assert!(
        banned.starts_with(
            "blocked in ready: 1129 ER_HOST_IS_BLOCKED: Host '127.0.0.2' is blocked because of many connection errors"
        ),
        "{banned}"
    );
}

#[tokio::test]
#[ignore = "needs MariaDB: run .ci/run"]
async fn full_server_is_busy() {
    let port = free_port();
    let (dir, server) = start(port, "max_connections = 10\nextra_max_connections = 1", |_| {});
    let request = plain(Service::Mysql, port);
    check(&request, port, "healthy: ").await;
    let mut session = Command::new("mariadb");
    session.args([
        "--no-defaults",
        "-u",
        "root",
        "-S",
        &dir.at("socket"),
        "-e",
        "select sleep(60)",
    ]);
    let refused = refusal_when_full(&request, port, &mut session).await;
    assert_eq!(
        refused,
        "busy in ready: 1040 ER_CON_COUNT_ERROR: Too many connections"
    );
    server.check_log(&[REFUSED, "Aborted connection"]);
}

#[tokio::test]
#[ignore = "needs MariaDB: run .ci/run"]
async fn certificate_decides_tls_result() {
    let port = free_port();
    let authority = Authority::new("trusted");
    let issued = authority.issue("localhost", Validity::Good);
    let settings =
        "max_connect_errors = 5\nlog_warnings = 1\nssl_cert = {dir}/certificate\nssl_key = {dir}/key";
    let (dir, server) = start(port, settings, |dir| {
        dir.write("certificate", &issued.certificate_pem);
        dir.write("key", &issued.key_pem);
    });
    let request =
        |client: &TlsClient| starttls_request(Service::Mariadb, "localhost".parse().unwrap(), port, client);
    let (trusted, untrusted) = (authority.client(), Authority::new("untrusted").client());
    for _ in 0..20 {
        let good = describe(&ask_from(NAMED, &request(&trusted), port).await);
        assert!(
            good.starts_with("healthy: ") && good.contains("1045 Access denied"),
            "{good}"
        );
    }
    for _ in 0..20 {
        let bad = describe(&ask_from(NAMED, &request(&untrusted), port).await);
        assert_eq!(
            bad,
            "tls in tls: the certificate has an unknown issuer: `trusted` is neither trusted nor sent by the server"
        );
    }
    assert_eq!(errors(&dir), "probe.example\t0\t0\t0\n");
    server.check_log(&[]);
}
