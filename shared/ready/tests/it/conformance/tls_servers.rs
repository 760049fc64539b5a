//! OpenSSL and GnuTLS: certificates, versions, ciphers and demanded client certificates.
//!
//! Packages: openssl gnutls-bin

use std::process::Command;

use portpulse_core::readiness::{HttpCheck, Method, Protocol, Tls};
use portpulse_core::service::Service;
use portpulse_ready::{Request, TlsClient};

use super::server::{Dir, Server, check, free_port, run};
use crate::authority::{Authority, Validity};
use crate::peer::{default_request, request_for};

/// A self-signed certificate for `localhost` with an RSA key, as `openssl req -x509` makes it: with `CA:TRUE`.
fn self_signed(dir: &Dir, bits: u32) -> TlsClient {
    let (key, certificate) = (dir.at("key"), dir.at("certificate"));
    let new_key = format!("rsa:{bits}");
    let mut command = Command::new("openssl");
    command
        .args(["req", "-x509", "-newkey", &new_key, "-nodes", "-days", "90"])
        .args(["-keyout", &key, "-out", &certificate])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ]);
    run(&mut command);
    let der = dir.at("der");
    run(Command::new("openssl").args(["x509", "-in", &certificate, "-outform", "DER", "-out", &der]));
    TlsClient::with_roots([std::fs::read(der).unwrap()])
}

/// The default request, but of `https` a GET: neither server knows HEAD.
fn request(service: Service, port: u16, client: &TlsClient) -> Request {
    let host = "localhost".parse().unwrap();
    if service != Service::Https {
        return default_request(service, host, port, client);
    }
    let get = HttpCheck::new(Method::Get, "/", vec![], None, false).unwrap();
    request_for(Protocol::Http(get), Tls::Implicit, host, port, client)
}

fn openssl(dir: &Dir, port: u16, options: &[&str]) -> Server {
    let mut command = Command::new("openssl");
    command
        .args(["s_server", "-www", "-accept", &format!("127.0.0.1:{port}")])
        .args(["-key", &dir.at("key"), "-cert", &dir.at("certificate")])
        .args(options);
    Server::start(dir, &mut command).ready("ACCEPT")
}

async fn check_openssl(bits: u32, options: &[&str], service: Service, expected: &str) {
    let (dir, port) = (Dir::new(), free_port());
    let client = self_signed(&dir, bits);
    let _server = openssl(&dir, port, options);
    let request = request(service, port, &client);
    check(&request, port, expected).await;
}

#[tokio::test]
#[ignore = "needs OpenSSL: run .ci/run"]
async fn openssl_certificates_and_ciphers_are_judged() {
    let short = "tls in tls: the key of the certificate is too short (1024 bits; at least 2048 are required)";
    let nothing = "tls in tls: no TLS version or cipher in common: ";
    let rows: [(u32, &[&str], Service, &str); 7] = [
        (2_048, &[], Service::Tls, "healthy: TLS 1.3"),
        (2_048, &["-tls1_2"], Service::Https, "healthy: 200 ok"),
        (1_024, &["-cipher", "ALL:@SECLEVEL=0"], Service::Tls, short),
        (
            1_024,
            &["-tls1_2", "-cipher", "ALL:@SECLEVEL=0"],
            Service::Tls,
            short,
        ),
        (
            2_048,
            &["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA256"],
            Service::Tls,
            nothing,
        ),
        (
            2_048,
            &["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"],
            Service::Tls,
            nothing,
        ),
        (
            2_048,
            &["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
            Service::Tls,
            "tls in tls: no TLS version in common: ",
        ),
    ];
    for (bits, options, service, expected) in rows {
        check_openssl(bits, options, service, expected).await;
    }
}

#[tokio::test]
#[ignore = "needs OpenSSL: run .ci/run"]
async fn every_certificate_of_openssls_chain_is_judged_and_named() {
    let root = Authority::new("root");
    for (validity, expected) in [
        (Validity::Good, "healthy: TLS 1.3"),
        (
            Validity::Expired,
            "tls in tls: certificate 2 (`between`) expired ",
        ),
        (
            Validity::Days(4),
            "healthy: TLS 1.3; warning: the certificate of the issuer `between` expires in 4 days",
        ),
    ] {
        let (dir, port) = (Dir::new(), free_port());
        let between = root.intermediate("between", validity);
        let issued = between.issue("localhost", Validity::Days(300));
        dir.write("certificate", &issued.certificate_pem);
        dir.write("key", &issued.key_pem);
        let chain = dir.write("chain", &between.certificate_pem());
        let _server = openssl(&dir, port, &["-cert_chain", &chain]);
        check(&request(Service::Tls, port, &root.client()), port, expected).await;
    }
}

#[tokio::test]
#[ignore = "needs OpenSSL: run .ci/run"]
async fn openssl_that_demands_a_client_certificate_works() {
    let demanded = "healthy: the server demands a client certificate";
    for (version, service, expected) in [
        ("-tls1_2", Service::Tls, demanded),
        ("-tls1_2", Service::Https, demanded),
        (
            "-tls1_3",
            Service::Tls,
            "healthy: TLS 1.3, asks for a client certificate",
        ),
        ("-tls1_3", Service::Https, demanded),
    ] {
        let options = [version, "-Verify", "1", "-verify_return_error"];
        check_openssl(2_048, &options, service, expected).await;
    }
}

#[tokio::test]
#[ignore = "needs GnuTLS: run .ci/run"]
async fn gnutls_versions_and_client_certificates_are_judged() {
    let demanded = "healthy: the server demands a client certificate";
    let version = "tls in tls: no TLS version";
    for (priority, option, service, expected) in [
        (
            "NORMAL",
            "--disable-client-cert",
            Service::Https,
            "healthy: 200 OK",
        ),
        (
            "NORMAL:-VERS-ALL:+VERS-TLS1.2",
            "--require-client-cert",
            Service::Https,
            demanded,
        ),
        ("NORMAL", "--require-client-cert", Service::Https, demanded),
        (
            "LEGACY:-VERS-ALL:+VERS-TLS1.1",
            "--disable-client-cert",
            Service::Tls,
            version,
        ),
    ] {
        let (dir, port) = (Dir::new(), free_port());
        let client = self_signed(&dir, 2_048);
        let mut command = Command::new("gnutls-serv");
        command
            .args(["--http", "--priority", priority, option, "-p", &port.to_string()])
            .args([
                "--x509certfile",
                &dir.at("certificate"),
                "--x509keyfile",
                &dir.at("key"),
            ]);
        let _server = Server::start(&dir, &mut command).ready("HTTP Server listening");
        let request = request(service, port, &client);
        check(&request, port, expected).await;
    }
}
