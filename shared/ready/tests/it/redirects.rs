//! HTTP redirects: on the same host, and to others.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use portpulse_core::outcome::{DnsFailure, NoData};
use portpulse_core::readiness::{Credentials, HttpCheck, Method, Protocol, RequestContent, Tls};
use portpulse_core::secret::SecretName;
use portpulse_core::target::Host;
use portpulse_ready::{HostError, OtherHosts};
use portpulse_secrets::Secret;
use tokio::time::Instant;

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
async fn refused_head_is_repeated_with_get() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let answer = |method: &'static [u8], status: &str| {
        vec![
            Action::Expect(method),
            Action::Expect(b"\r\n\r\n"),
            send(format!("HTTP/1.1 {status}\r\n\r\n")),
        ]
    };
    for (status, expected) in [
        ("200 OK", "healthy: 200 OK (to GET; HEAD is refused)"),
        ("500 Oops", "service_error in ready: HTTP 500 Oops"),
    ] {
        let first = Peer::on_listener(
            listener.try_clone().unwrap(),
            answer(b"HEAD / ", "501 Not Implemented"),
        );
        let host = "db.example".parse().unwrap();
        let client = Authority::new("trusted").client();
        let protocol = Protocol::Http(HttpCheck::default());
        let request = request_for(protocol, Tls::Off, host, first.port(), &client);
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", first.port()))
            .await
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let asked = portpulse_ready::exchange(stream, &request, deadline);
        let served = async {
            assert!(first.observed().await.fin);
            let second = Peer::on_listener(listener.try_clone().unwrap(), answer(b"GET / ", status));
            assert!(second.observed().await.fin);
        };
        let (report, ()) = tokio::join!(asked, served);
        assert_eq!(describe(&report), expected);
    }
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

#[tokio::test]
async fn refusal_is_reported_although_another_address_has_no_route() {
    let refused = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    refused
        .bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    let port = refused.local_addr().unwrap().as_socket().unwrap().port();
    let to = format!("http://both.example:{port}/");
    let first = answers_token(redirect_response(&to));
    let expected = format!("refused in ready: redirected to {to}: no connection");
    assert_eq!(check_with_token(first, true, true).await, expected);
}

/// Knows `www.example`, which is at the address of the peers, and `both.example`, of whose addresses no machine reaches the
/// second one.
#[derive(Debug)]
struct Hosts;

impl OtherHosts for Hosts {
    fn addresses<'a>(
        &'a self,
        host: &'a Host,
        _: Instant,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, HostError>> + Send + 'a>> {
        let found = match host.to_string().as_str() {
            "www.example" => Ok(vec![IpAddr::from([127, 0, 0, 1])]),
            "both.example" => Ok(vec![
                IpAddr::from([127, 0, 0, 1]),
                IpAddr::from([255, 255, 255, 255]),
            ]),
            "inner.example" => Err(HostError::NotPublic),
            "late.example" => Err(HostError::NoData(NoData::ResolverDown)),
            _ => Err(HostError::Dns(DnsFailure::NotFound)),
        };
        Box::pin(async move { found })
    }
}

fn token() -> SecretName {
    SecretName::Parameter("/token".to_owned())
}

/// Runs an exchange with a bearer token that follows redirects to other hosts.
async fn check_with_token(first: Peer, to_hosts: bool, token_is_known: bool) -> String {
    let check = HttpCheck::new(Method::Get, "/", vec![200..=200], None, true).unwrap();
    let content = RequestContent {
        credentials: Some(Credentials::Bearer(token())),
        ..RequestContent::default()
    };
    let check = check.with_content(content).unwrap();
    let client = Authority::new("trusted").client();
    let host = "db.example".parse().unwrap();
    let mut request = request_for(Protocol::Http(check), Tls::Off, host, first.port(), &client);
    if token_is_known {
        let secret = Secret::new("hush-hush-42").unwrap();
        request = request.with_secrets(BTreeMap::from([(token(), secret)]));
    }
    if to_hosts {
        request = request.with_other_hosts(Arc::new(Hosts));
    }
    let (report, observed) = first.run_exchange(&request, Duration::from_secs(10)).await;
    assert!(observed.fin);
    describe(&report)
}

/// The first peer: answers a request with the token.
fn answers_token(answer: Action) -> Peer {
    let expects = Action::Expect(b"Authorization: Bearer hush-hush-42\r\nConnection: close\r\n\r\n");
    Peer::new(vec![expects, answer])
}

#[tokio::test]
async fn redirect_to_other_host_is_followed_without_secrets() {
    let second = Peer::new(vec![
        // Without the token, the field `Connection` follows `Accept`.
        Action::Expect(b"Accept: */*\r\nConnection: close\r\n\r\n"),
        send("HTTP/1.1 200 OK\r\n\r\n"),
    ]);
    let to = format!("http://www.example:{}/in", second.port());
    let first = answers_token(redirect_response(&to));
    assert_eq!(check_with_token(first, true, true).await, "healthy: 200 OK");
    assert!(second.observed().await.completed);
}

#[tokio::test]
async fn redirect_to_host_without_public_address_is_not_followed() {
    for (to, expected) in [
        (
            "http://inner.example/",
            "wrong_answer in ready: redirected to http://inner.example/: only public addresses are followed",
        ),
        (
            "http://gone.example/",
            "dns_not_found in ready: redirected to http://gone.example/: no address",
        ),
        ("http://late.example/", "no_data_resolver_down"),
        (
            "http://inner.example/hush%2Dhush%2D42/?t=1",
            "wrong_answer in ready: redirected to http://inner.example/…/?…: only public addresses are followed",
        ),
    ] {
        let first = answers_token(redirect_response(to));
        let found = check_with_token(first, true, true).await;
        assert!(found.contains(expected), "{found}");
    }
}

#[tokio::test]
async fn secret_that_a_server_repeats_is_removed_from_the_message() {
    let first = answers_token(send("HTTP/1.1 418 no Bearer hush-hush-42 here\r\n\r\n"));
    let expected = "wrong_answer in ready: HTTP 418 no Bearer … here";
    assert_eq!(check_with_token(first, false, true).await, expected);
}

#[tokio::test]
async fn request_without_its_secret_is_not_made() {
    // Nothing arrives before the connection ends.
    let first = Peer::new(vec![]);
    let found = check_with_token(first, false, false).await;
    assert!(found.contains("no_data_secret_unreadable"), "{found}");
}
