//! OpenLDAP: healthy, with StartTLS, with implicit TLS, with a required login, and as a proxy.
//!
//! Packages: slapd

use std::process::Command;

use portpulse_core::service::Service;

use super::server::{Dir, Server, check, free_port, plain};
use crate::authority::{Authority, Validity};
use crate::peer::{default_request, starttls_request};

fn start(dir: &Dir, port: u16, secured: u16, settings: &str) -> Server {
    std::fs::create_dir(dir.path().join("data")).unwrap();
    let all = format!(
        "pidfile {{dir}}/pid\ninclude /etc/ldap/schema/core.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n{settings}\ndatabase mdb\n\
         suffix \"dc=example,dc=com\"\ndirectory {{dir}}/data\n"
    );
    let file = dir.write("slapd.conf", &all);
    let urls = format!("ldap://127.0.0.1:{port} ldaps://127.0.0.1:{secured}");
    let mut command = Command::new("slapd");
    Server::start(dir, command.args(["-d", "stats", "-h", &urls, "-f", &file]))
        .ready("slapd starting")
        .listening(port)
        .listening(secured)
}

#[tokio::test]
#[ignore = "needs slapd: run .ci/run"]
async fn server_with_and_without_tls_is_healthy() {
    let (dir, port, secured) = (Dir::new(), free_port(), free_port());
    let authority = Authority::new("trusted");
    let issued = authority.issue("localhost", Validity::Good);
    dir.write("certificate", &issued.certificate_pem);
    dir.write("key", &issued.key_pem);
    let settings = "TLSCertificateFile {dir}/certificate\nTLSCertificateKeyFile {dir}/key";
    let server = start(&dir, port, secured, settings);
    let client = authority.client();
    let host = || "localhost".parse().unwrap();
    let success = "healthy: LDAP result 0 (success)";
    for _ in 0..20 {
        check(&plain(Service::Ldap, port), port, success).await;
        check(
            &starttls_request(Service::Ldap, host(), port, &client),
            port,
            success,
        )
        .await;
        check(
            &default_request(Service::Ldaps, host(), secured, &client),
            secured,
            success,
        )
        .await;
    }
    // Results are logged with `err=0`.
    server.check_log(&[" tag=101 err=0 ", " tag=120 err=0 "]);
    let log = server.log();
    assert!(!log.contains("connection lost"), "{log}");
    check(&plain(Service::Ldap, secured), secured, "closed in ready: ").await;
}

#[tokio::test]
#[ignore = "needs slapd: run .ci/run"]
async fn server_that_requires_login_is_healthy_and_disabled_tls_is_tls() {
    for settings in [
        "require authc",
        "require bind",
        "access to * by * none",
        "disallow bind_anon",
    ] {
        let (dir, port, secured) = (Dir::new(), free_port(), free_port());
        let _server = start(&dir, port, secured, settings);
        check(&plain(Service::Ldap, port), port, "healthy: LDAP result ").await;
        let upgraded = starttls_request(
            Service::Ldap,
            "localhost".parse().unwrap(),
            port,
            &Authority::new("trusted").client(),
        );
        check(&upgraded, port, "tls in tls: LDAP result ").await;
    }
}
