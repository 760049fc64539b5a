//! Redirects, followed when asked, on the same host.

use std::time::Duration;

use portpulse_core::readiness::{HttpCheck, Method, Protocol, Tls};

use crate::authority::{Authority, Validity};
use crate::peer::{Act, Peer, asking, notified, say, tls};

fn moved(to: &str) -> Act {
    say(format!(
        "HTTP/1.1 301 Moved Permanently\r\nLocation: {to}\r\n\r\n"
    ))
}

/// Meets the first peer, with redirects followed; whatever it redirects to must be listening by then.
async fn check(first: Peer, authority: &Authority) -> String {
    let check = HttpCheck::new(Method::Get, "/", vec![200..=200], None, true).unwrap();
    let host = "db.example".parse().unwrap();
    let request = asking(
        Protocol::Http(check),
        Tls::Off,
        host,
        first.port(),
        &authority.client(),
    );
    let (report, seen) = first.meet(&request, Duration::from_secs(10)).await;
    assert!(seen.fin);
    notified(&report)
}

#[tokio::test]
async fn a_redirect_to_another_port_and_tls_is_followed() {
    let ours = Authority::new("ours");
    let acts = vec![
        tls(&ours.issue("db.example", Validity::Good)),
        Act::Hear(b"GET /in HTTP/1.1\r\nHost: db.example:"),
        Act::Hear(b"\r\n\r\n"),
        say("HTTP/1.1 200 OK\r\n\r\n"),
    ];
    let second = Peer::new(acts);
    let first = Peer::new(vec![
        Act::Hear(b"\r\n\r\n"),
        moved(&format!("https://db.example:{}/in", second.port())),
    ]);
    assert_eq!(check(first, &ours).await, "healthy: 200 OK");
}

#[tokio::test]
async fn a_redirect_elsewhere_or_in_a_circle_is_told() {
    let ours = Authority::new("ours");
    let elsewhere = [
        "https://other.example/",
        "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
        "http://169.254.169.254/",
        "http://[fd00:ec2::254]/",
        "http://localhost/",
    ];
    for to in elsewhere {
        let first = Peer::new(vec![Act::Hear(b"\r\n\r\n"), moved(to)]);
        let notified = format!("wrong_answer in ready: redirected to {to}: another host is not followed to");
        assert_eq!(check(first, &ours).await, notified);
    }

    let mut next = Peer::new(vec![Act::Hear(b"\r\n\r\n"), moved("/last")]);
    for _ in 0..5 {
        let to = format!("http://db.example:{}/", next.port());
        next = Peer::new(vec![Act::Hear(b"\r\n\r\n"), moved(&to)]);
    }
    let notified = "wrong_answer in ready: redirected to /last: too many redirects";
    assert_eq!(check(next, &ours).await, notified);
}

#[tokio::test]
async fn a_redirect_to_a_port_that_refuses_has_the_class_of_a_connect() {
    let ours = Authority::new("ours");
    // Bound, so that nobody else takes it, and never listening.
    let refused = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    refused
        .bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    let port = refused.local_addr().unwrap().as_socket().unwrap().port();
    let to = format!("http://db.example:{port}/");
    let first = Peer::new(vec![Act::Hear(b"\r\n\r\n"), moved(&to)]);
    let notified = format!("refused in ready: redirected to {to}: no connection there");
    assert_eq!(check(first, &ours).await, notified);
}
