//! `MariaDB`: serving, at its limit of connections, with TLS, and five hundred checks without a ban.

use std::net::Ipv4Addr;
use std::process::{Command, Stdio};

use portpulse_core::target::Service;
use portpulse_ready::TlsClient;

use super::server::{Dir, Server, ask, ask_from, check, free_port, plain, run};
use crate::authority::{Authority, Validity};
use crate::peer::{told, upgrading};

/// An address that has a name, so that the server keeps count of its errors; of 127.0.0.1 it never does.
const NAMED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

fn start(port: u16, settings: &str, prepare: impl FnOnce(&Dir)) -> (Dir, Server) {
    let dir = Dir::new();
    prepare(&dir);
    let data = dir.at("data");
    run(Command::new("mariadb-install-db")
        .args(["--no-defaults", "--auth-root-authentication-method=normal"])
        .args(["--skip-test-db", "--user=root", &format!("--datadir={data}")]));
    let all = format!(
        "[mariadbd]\ndatadir = {{dir}}/data\nsocket = {{dir}}/socket\npid-file = {{dir}}/pid\nport = {port}\n\
        bind-address = 127.0.0.1\nuser = root\ninnodb_buffer_pool_size = 8M\ntable_open_cache = 100\ninit_file = {{dir}}/init.sql\n{settings}\n"
    );
    let file = dir.write("my.cnf", &all);
    // Without a user from anywhere, the server would turn us away by address alone.
    dir.write(
        "init.sql",
        "create user if not exists 'app'@'%' identified by 'secret';\n",
    );
    dir.write("hosts", "127.0.0.1 localhost\n127.0.0.2 probe.example\n");
    // Names as this server alone sees them.
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

/// Each login that is refused is told, unless `log_warnings` is 1 or less.
const REFUSED: &str = "Access denied for user 'portpulse'@";

#[tokio::test]
#[ignore = "needs MariaDB: run .ci/run"]
async fn five_hundred_checks_are_no_reason_for_a_ban() {
    let port = free_port();
    let (dir, server) = start(port, "max_connect_errors = 5", |_| {});
    let request = plain(Service::Mariadb, port);
    for _ in 0..500 {
        let told = told(&ask_from(NAMED, &request, port).await);
        let wanted = "-MariaDB";
        assert!(
            told.starts_with("healthy: ") && told.contains(wanted) && told.contains(": 1045 Access denied"),
            "{told}"
        );
        assert!(
            told.contains("probe.example"),
            "the server does not know the address by name: {told}"
        );
    }
    let errors = sql(
        &dir,
        "select sum_connect_errors, count_host_blocked_errors, count_handshake_errors \
        from performance_schema.host_cache",
    );
    assert!(errors.lines().all(|line| line == "0\t0\t0"), "{errors}");
    server.check_log(&[REFUSED]);

    // The measure is right: six that leave early get the address banned.
    for _ in 0..6 {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((NAMED, 0).into()).unwrap();
        let mut stream = socket.connect((Ipv4Addr::LOCALHOST, port).into()).await.unwrap();
        tokio::io::AsyncReadExt::read_u8(&mut stream).await.unwrap();
    }
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let banned = loop {
        let told = told(&ask_from(NAMED, &request, port).await);
        if told.starts_with("blocked") || std::time::Instant::now() > deadline {
            break told;
        }
    };
    assert!(
        banned.starts_with(
            "blocked in ready: 1129 Host '127.0.0.2' is blocked because of many connection errors"
        ),
        "{banned}"
    );
}

#[tokio::test]
#[ignore = "needs MariaDB: run .ci/run"]
async fn at_its_limit_of_connections() {
    let port = free_port();
    let (dir, server) = start(port, "max_connections = 10\nextra_max_connections = 1", |_| {});
    let request = plain(Service::Mysql, port);
    check(&request, port, "healthy: ").await;
    let session = || {
        let mut client = Command::new("mariadb");
        client.args([
            "--no-defaults",
            "-u",
            "root",
            "-S",
            &dir.at("socket"),
            "-e",
            "select sleep(60)",
        ]);
        client
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    // More and more, since our own checks take their turns too.
    let mut sessions = Vec::new();
    let refused = loop {
        let told = told(&ask(&request, port).await);
        if told.starts_with("busy") || sessions.len() == 200 {
            break told;
        }
        sessions.push(session());
    };
    for session in &mut sessions {
        session.kill().unwrap();
        session.wait().unwrap();
    }
    assert_eq!(refused, "busy in ready: 1040 Too many connections");
    server.check_log(&[REFUSED, "Aborted connection"]);
}

#[tokio::test]
#[ignore = "needs MariaDB: run .ci/run"]
async fn with_tls_good_and_bad() {
    let port = free_port();
    let authority = Authority::new("ours");
    let issued = authority.issue("localhost", Validity::Good);
    let settings =
        "max_connect_errors = 5\nlog_warnings = 1\nssl_cert = {dir}/certificate\nssl_key = {dir}/key";
    let (dir, server) = start(port, settings, |dir| {
        dir.write("certificate", &issued.certificate_pem);
        dir.write("key", &issued.key_pem);
    });
    let request =
        |client: &TlsClient| upgrading(Service::Mariadb, "localhost".parse().unwrap(), port, client);
    let (ours, theirs) = (authority.client(), Authority::new("theirs").client());
    for _ in 0..20 {
        let good = told(&ask_from(NAMED, &request(&ours), port).await);
        assert!(
            good.starts_with("healthy: ") && good.contains("1045 Access denied"),
            "{good}"
        );
    }
    for _ in 0..20 {
        let bad = told(&ask_from(NAMED, &request(&theirs), port).await);
        assert_eq!(bad, "tls in tls: the certificate's issuer is unknown");
    }
    let errors = sql(
        &dir,
        "select sum_connect_errors from performance_schema.host_cache",
    );
    assert!(errors.lines().all(|line| line == "0"), "{errors}");
    server.check_log(&[]);
}
