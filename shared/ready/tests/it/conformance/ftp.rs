//! FTP: vsftpd and pyftpdlib, healthy, with `AUTH TLS`, and at the connection limit.
//!
//! Packages: vsftpd python3-pyftpdlib python3-openssl

use std::process::Command;

use portpulse_core::service::Service;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::server::{Dir, Server, check, free_port, plain};
use crate::authority::{Authority, Validity};
use crate::peer::starttls_request;

/// vsftpd, which logs only to files.
fn vsftpd(dir: &Dir, port: u16, settings: &str) -> Server {
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    let all = format!(
        "listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\nsecure_chroot_dir={{dir}}/empty\n\
         xferlog_enable=YES\ndual_log_enable=YES\nvsftpd_log_file={{dir}}/log\nxferlog_file={{dir}}/transfers\n\
         log_ftp_protocol=YES\nseccomp_sandbox=NO\nisolate=NO\nisolate_network=NO\n{settings}\n"
    );
    let file = dir.write("vsftpd.conf", &all);
    let server = Server::start(dir, Command::new("vsftpd").arg(file));
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::yield_now();
    }
    server
}

#[tokio::test]
#[ignore = "needs vsftpd: run .ci/run"]
async fn vsftpd_is_healthy_until_it_is_full() {
    let authority = Authority::new("trusted");
    let issued = authority.issue("localhost", Validity::Good);
    let (dir, port) = (Dir::new(), free_port());
    dir.write("certificate", &issued.certificate_pem);
    dir.write("key", &issued.key_pem);
    let secure = "anonymous_enable=YES\nssl_enable=YES\nallow_anon_ssl=YES\nrsa_cert_file={dir}/certificate\n\
        rsa_private_key_file={dir}/key\nssl_ciphers=HIGH\nssl_tlsv1=YES";
    let server = vsftpd(&dir, port, secure);
    let upgraded = starttls_request(
        Service::Ftp,
        "localhost".parse().unwrap(),
        port,
        &authority.client(),
    );
    for _ in 0..20 {
        check(&plain(Service::Ftp, port), port, "healthy: 220 (vsFTPd 3.0").await;
        check(&upgraded, port, "healthy: 220 (vsFTPd 3.0").await;
    }
    server.check_log(&[]);

    let (dir, port) = (Dir::new(), free_port());
    let server = vsftpd(&dir, port, "anonymous_enable=NO\nlocal_enable=YES\nmax_clients=1");
    // The server may still count the connection that tested the port, and greets with 421 then.
    let client = loop {
        let mut client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        if client.read_u8().await.unwrap() == b'2' {
            break client;
        }
    };
    check(
        &plain(Service::Ftp, port),
        port,
        "busy in ready: 421 There are too many",
    )
    .await;
    let disabled = starttls_request(
        Service::Ftp,
        "localhost".parse().unwrap(),
        port,
        &authority.client(),
    );
    drop(client);
    loop {
        // The server notices the closed connection a moment later.
        let summary = crate::peer::describe(&super::server::ask(&disabled, port).await);
        if !summary.starts_with("busy") {
            assert!(summary.starts_with("tls in tls: 5"), "{summary}");
            break;
        }
    }
    server.check_log(&[]);
}

#[tokio::test]
#[ignore = "needs pyftpdlib: run .ci/run"]
async fn pyftpdlib_is_healthy() {
    let (dir, port) = (Dir::new(), free_port());
    let mut command = Command::new("/usr/bin/python3");
    command
        .args([
            "-m",
            "pyftpdlib",
            "-i",
            "127.0.0.1",
            "-p",
            &port.to_string(),
            "-d",
        ])
        .arg(dir.path());
    let server = Server::start(&dir, &mut command).ready("starting FTP server");
    for _ in 0..20 {
        check(&plain(Service::Ftp, port), port, "healthy: 220 pyftpdlib").await;
    }
    server.check_log(&[]);
}
