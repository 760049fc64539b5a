//! HTTP redirects on the same host.

use std::time::Duration;

use portpulse_core::readiness::{HttpCheck, Method, Protocol, Tls};

use crate::authority::{Authority, Validity};
use crate::peer::{Action, Peer, describe, request_for, send, tls};

fn redirect_response(to: &str) -> Action {
    send(format!(
        "HTTP/1.1 301 Moved Permanently\r\nLocation: {to}\r\n\r\n"
    ))
}

/// Runs an exchange that follows redirects against the first peer. Redirect targets must be listening already.
async fn check(first: Peer, authority: &Authority) -> String {
    let check = HttpCheck::new(Method::Get, "/", vec![200..=200], None, true).unwrap();
    let host = "db.example".parse().unwrap();
    let request = request_for(
        Protocol::Http(check),
        Tls::Off,
        host,
        first.port(),
        &authority.client(),
    );
    let (report, observed) = first.run_exchange(&request, Duration::from_secs(10)).await;
    assert!(observed.fin);
    describe(&report)
}

#[tokio::test]
async fn redirect_to_other_port_with_tls_is_followed() {
    let trusted = Authority::new("trusted");
    let actions = vec![
        tls(&trusted.issue("db.example", Validity::Good)),
        Action::Expect(b"GET /in HTTP/1.1\r\nHost: db.example:"),
        Action::Expect(b"\r\n\r\n"),
        send("HTTP/1.1 200 OK\r\n\r\n"),
    ];
    let second = Peer::new(actions);
    let first = Peer::new(vec![
        Action::Expect(b"\r\n\r\n"),
        redirect_response(&format!("https://db.example:{}/in", second.port())),
    ]);
    assert_eq!(check(first, &trusted).await, "healthy: 200 OK");
}

#[tokio::test]
async fn redirect_to_other_host_or_in_loop_fails() {
    let trusted = Authority::new("trusted");
    let elsewhere = [
        "https://other.example/",
        "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
        "http://169.254.169.254/",
        "http://[fd00:ec2::254]/",
        "http://localhost/",
    ];
    for to in elsewhere {
        let first = Peer::new(vec![Action::Expect(b"\r\n\r\n"), redirect_response(to)]);
        let summary =
            format!("wrong_answer in ready: redirected to {to}: redirects to another host are not followed");
        assert_eq!(check(first, &trusted).await, summary);
    }

    let mut next = Peer::new(vec![Action::Expect(b"\r\n\r\n"), redirect_response("/last")]);
    for _ in 0..5 {
        let to = format!("http://db.example:{}/", next.port());
        next = Peer::new(vec![Action::Expect(b"\r\n\r\n"), redirect_response(&to)]);
    }
    let summary = "wrong_answer in ready: redirected to /last: too many redirects";
    assert_eq!(check(next, &trusted).await, summary);
}

#[tokio::test]
async fn redirect_to_closed_port_is_refused() {
    let trusted = Authority::new("trusted");
    // Bound, so that no other process takes the port, and never listening.
    let refused = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    refused
        .bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    let port = refused.local_addr().unwrap().as_socket().unwrap().port();
    let to = format!("http://db.example:{port}/");
    let first = Peer::new(vec![Action::Expect(b"\r\n\r\n"), redirect_response(&to)]);
    let summary = format!("refused in ready: redirected to {to}: no connection");
    assert_eq!(check(first, &trusted).await, summary);
}
