//! nginx: plain and with TLS, with valid and invalid certificates, and with an unavailable backend.
//!
//! Packages: nginx-light

use std::process::Command;

use portpulse_core::readiness::{HttpCheck, Method, Protocol, Tls};
use portpulse_core::service::Service;
use portpulse_ready::{Request, TlsClient};

use super::server::{Dir, Server, check, free_port, plain};
use crate::authority::{Authority, Validity};
use crate::peer::{default_request, request_for};

/// Starts nginx with these `server { … }` blocks.
pub(crate) fn start(dir: &Dir, servers: &str) -> Server {
    for temp in ["body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        std::fs::create_dir(dir.path().join(temp)).unwrap();
    }
    let all = format!(
        "daemon off;\nmaster_process off;\npid {{dir}}/pid;\nerror_log {{dir}}/log info;\nevents {{}}\nhttp {{\n\
         access_log off;\nclient_body_temp_path {{dir}}/body;\nproxy_temp_path {{dir}}/proxy;\n\
         fastcgi_temp_path {{dir}}/fastcgi;\nuwsgi_temp_path {{dir}}/uwsgi;\nscgi_temp_path {{dir}}/scgi;\n{servers}\n}}\n"
    );
    let file = dir.write("nginx.conf", &all);
    let mut command = Command::new("nginx");
    let error_log = dir.at("log");
    Server::start(dir, command.args(["-e", &error_log, "-c", &file])).ready("nginx/")
}

fn get(port: u16, text: &str) -> Request {
    let check = HttpCheck::new(Method::Get, "/", vec![200..=200], Some(text.to_owned()), false).unwrap();
    request_for(
        Protocol::Http(check),
        Tls::Off,
        "localhost".parse().unwrap(),
        port,
        &TlsClient::with_roots([]),
    )
}

#[tokio::test]
#[ignore = "needs nginx: run .ci/run"]
async fn nginx_is_healthy_and_missing_backend_is_no_backend() {
    let (dir, port, proxy, unused) = (Dir::new(), free_port(), free_port(), free_port());
    std::fs::create_dir(dir.path().join("www")).unwrap();
    dir.write("www/index.html", "<p>all is well</p>");
    let servers = format!(
        "server {{ listen 127.0.0.1:{port}; root {{dir}}/www; }}\n\
         server {{ listen 127.0.0.1:{proxy}; location / {{ proxy_pass http://127.0.0.1:{unused}; }} }}"
    );
    let server = start(&dir, &servers);
    for _ in 0..20 {
        check(&plain(Service::Http, port), port, "healthy: 200 OK").await;
    }
    check(&get(port, "all is well"), port, "healthy: 200 OK").await;
    check(
        &get(port, "sorry"),
        port,
        "wrong_answer in ready: 200 OK, but the expected text is missing",
    )
    .await;
    // A service that waits for the client, with another protocol.
    check(
        &plain(Service::Redis, port),
        port,
        "wrong_service in ready: sent PING, got `HTTP/1.1 400 Bad Request",
    )
    .await;
    check(
        &plain(Service::Postgres, port),
        port,
        "wrong_service in ready: sent a StartupMessage, got `HTTP/1.1 400 Bad Request",
    )
    .await;
    server.check_log(&["client sent invalid"]);
    check(
        &plain(Service::Http, proxy),
        proxy,
        "no_backend in ready: HTTP 502 Bad Gateway",
    )
    .await;
    server.check_log(&["client sent invalid", "while connecting to upstream"]);
}

#[tokio::test]
#[ignore = "needs nginx: run .ci/run"]
async fn nginx_certificates_are_verified() {
    let dir = Dir::new();
    let (trusted, untrusted) = (Authority::new("trusted"), Authority::new("untrusted"));
    let rows = [
        (trusted.issue("localhost", Validity::Good), "healthy: 200 OK"),
        (
            trusted.issue("localhost", Validity::Days(3)),
            "healthy: 200 OK; warning: the certificate expires in 3 days",
        ),
        (
            trusted.issue("localhost", Validity::Expired),
            "tls in tls: the certificate expired ",
        ),
        (
            trusted.issue("other.example", Validity::Good),
            "tls in tls: the certificate is for another name: for other.example, not for localhost",
        ),
        (
            untrusted.issue("localhost", Validity::Good),
            "tls in tls: the certificate has an unknown issuer: `untrusted` is neither trusted nor sent by the server",
        ),
    ];
    let rows = rows.map(|(issued, expected)| (free_port(), issued, expected));
    let mut servers = String::new();
    std::fs::create_dir(dir.path().join("www")).unwrap();
    dir.write("www/index.html", "well");
    for (port, issued, _) in &rows {
        dir.write(&format!("{port}.certificate"), &issued.certificate_pem);
        dir.write(&format!("{port}.key"), &issued.key_pem);
        servers += &format!(
            "server {{ listen 127.0.0.1:{port} ssl; root {{dir}}/www; ssl_certificate {{dir}}/{port}.certificate; \
             ssl_certificate_key {{dir}}/{port}.key; }}\n"
        );
    }
    let server = start(&dir, &servers);
    for (port, _, expected) in &rows {
        let request = default_request(
            Service::Https,
            "localhost".parse().unwrap(),
            *port,
            &trusted.client(),
        );
        for _ in 0..5 {
            check(&request, *port, expected).await;
        }
        let summary = "healthy: 400 Bad Request";
        check(&plain(Service::Http, *port), *port, summary).await;
    }
    server.check_log(&["client sent plain HTTP request to HTTPS port"]);
}
