//! The Python package `websockets`: an upgrade, a refused one, and a proxy without its server.
//!
//! Packages: python3-websockets

use std::process::Command;

use portpulse_core::readiness::{Protocol, Tls};
use portpulse_ready::{Request, TlsClient};

use super::nginx;
use super::server::{Dir, Server, check, free_port};
use crate::peer::request_for;

const PROGRAM: &str = r#"
import asyncio, http, logging, sys, websockets
logging.basicConfig(level=logging.INFO)
async def echo(socket):
    async for message in socket:
        await socket.send(message)
async def decide(path, headers):
    if path == "/private":
        return http.HTTPStatus.UNAUTHORIZED, [], b"who are you?"
async def main():
    async with websockets.serve(echo, "127.0.0.1", int(sys.argv[1]), process_request=decide):
        await asyncio.Future()
asyncio.run(main())
"#;

fn request(path: &str, port: u16) -> Request {
    let protocol = Protocol::WebSocket(path.to_owned());
    let host = "localhost".parse().unwrap();
    request_for(protocol, Tls::Off, host, port, &TlsClient::with_roots([]))
}

#[tokio::test]
#[ignore = "needs websockets: run .ci/run"]
async fn upgrade_is_verified_directly_and_through_a_proxy() {
    let (dir, port) = (Dir::new(), free_port());
    let program = dir.write("server.py", PROGRAM);
    let mut command = Command::new("/usr/bin/python3");
    let server = Server::start(&dir, command.args([&program, &port.to_string()])).ready("server listening");
    for _ in 0..20 {
        check(&request("/chat", port), port, "healthy: 101 Switching Protocols").await;
    }
    check(
        &request("/private", port),
        port,
        "healthy: 401 Unauthorized, requires a login",
    )
    .await;
    server.check_log(&["connection failed (401 Unauthorized)", "connection rejected"]);
    // The proxy forwards the upgrade below `/chat` only.
    let (proxy_dir, proxy, gone) = (Dir::new(), free_port(), free_port());
    let forward = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;";
    let settings = format!(
        "server {{ listen 127.0.0.1:{proxy}; location /chat {{ proxy_pass http://127.0.0.1:{port}; {forward} }}\n\
         location /gone {{ proxy_pass http://127.0.0.1:{gone}; {forward} }} }}"
    );
    let _proxy = nginx::start(&proxy_dir, &settings);
    let rows = [
        ("/chat", "healthy: 101 Switching Protocols"),
        (
            "/gone",
            "no_backend in ready: HTTP 502 Bad Gateway instead of an upgrade",
        ),
        (
            "/other",
            "wrong_answer in ready: HTTP 404 Not Found instead of an upgrade",
        ),
    ];
    for (path, expected) in rows {
        check(&request(path, proxy), proxy, expected).await;
    }
}
