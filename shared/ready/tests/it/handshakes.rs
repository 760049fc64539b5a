//! TLS handshakes: valid and invalid certificates, upgrades, and targets without TLS.

use std::time::Duration;

use portpulse_core::readiness::{Protocol, Readiness, Tls};
use portpulse_core::service::Service;
use portpulse_ready::{ExchangeResult, Request, TlsClient};

use crate::authority::{Authority, Validity};
use crate::peer::{Action, Peer, default_request, describe, send, tls};

const LONG_TIMEOUT: Duration = Duration::from_secs(10);
const SHORT_TIMEOUT: Duration = Duration::from_millis(300);

fn https(client: &TlsClient) -> impl Fn(u16) -> Request + '_ {
    |port| default_request(Service::Https, "db.example".parse().unwrap(), port, client)
}

fn starttls_request(service: Service, client: &TlsClient) -> impl Fn(u16) -> Request + '_ {
    move |port| {
        let host = "db.example".parse().unwrap();
        crate::peer::starttls_request(service, host, port, client)
    }
}

async fn check(request: impl Fn(u16) -> Request, timeout: Duration, actions: Vec<Action>, expected: &str) {
    let peer = Peer::new(actions);
    let request = request(peer.port());
    let (report, observed) = peer.run_exchange(&request, timeout).await;
    assert_eq!(describe(&report), expected);
    assert!(observed.fin && observed.completed, "{expected}: {observed:?}");
}

fn answer() -> Action {
    send("HTTP/1.1 200 OK\r\n\r\n")
}

#[tokio::test]
async fn certificate_chain_time_and_name_are_verified() {
    let trusted = Authority::new("trusted");
    let client = trusted.client();
    let good = || vec![Action::Expect(b"\r\n\r\n"), answer()];
    let rows = [
        (
            tls(&trusted.issue("db.example", Validity::Good)),
            good(),
            "healthy: 200 OK",
        ),
        (
            tls(&trusted.issue("db.example", Validity::Days(5))),
            good(),
            "healthy: 200 OK; warning: the certificate expires in 5 days",
        ),
        (
            tls(&trusted.issue("other.example", Validity::Good)),
            vec![],
            "tls in tls: the certificate is for another name: for other.example, not for db.example",
        ),
        (
            tls(&Authority::new("untrusted").issue("db.example", Validity::Good)),
            vec![],
            "tls in tls: the certificate has an unknown issuer: `untrusted` is neither trusted nor sent by the server",
        ),
        (
            tls(&Authority::new("trusted").issue("db.example", Validity::Good)),
            vec![],
            "tls in tls: the certificate was not signed by the issuer that it names",
        ),
    ];
    for (handshake, mut actions, expected) in rows {
        actions.insert(0, handshake);
        check(https(&client), LONG_TIMEOUT, actions, expected).await;
    }
    let times = [
        (Validity::Expired, "tls in tls: the certificate expired "),
        (Validity::NotYet, "tls in tls: the certificate is not yet valid: "),
    ];
    for (validity, expected) in times {
        let peer = Peer::new(vec![tls(&trusted.issue("db.example", validity))]);
        let request = https(&client)(peer.port());
        let (report, observed) = peer.run_exchange(&request, LONG_TIMEOUT).await;
        let summary = describe(&report);
        assert!(
            summary.starts_with(expected) && summary.contains(" days") && observed.fin,
            "{summary}"
        );
        assert!(report.tls.is_some() && report.ready.is_none());
    }
}

#[tokio::test]
async fn certificate_days_are_recorded_and_warn_as_configured() {
    let trusted = Authority::new("trusted");
    for (warn_days, warns) in [(30, true), (29, false), (0, false)] {
        let peer = Peer::new(vec![tls(&trusted.issue("db.example", Validity::Days(29)))]);
        let host = "db.example".parse().unwrap();
        let readiness = Readiness::new(Protocol::TlsAlone, Tls::Implicit, warn_days).unwrap();
        let request = Request::new(readiness, host, peer.port(), &trusted.client());
        let (report, _) = peer.run_exchange(&request, LONG_TIMEOUT).await;
        let ExchangeResult::Healthy(healthy) = &report.result else {
            panic!("{}", describe(&report))
        };
        assert_eq!(healthy.certificate_days, Some(29));
        assert_eq!(healthy.warning.is_some(), warns);
        assert_eq!(healthy.banner.as_ref().unwrap().as_str(), "TLS 1.3");
        assert!(report.ready.is_none());
    }
}

#[tokio::test]
async fn target_without_tls_is_classified() {
    let client = Authority::new("trusted").client();
    let http = "wrong_service in tls: sent a TLS ClientHello, got `HTTP/1.1 400 Bad Request`: it speaks HTTP";
    let rows = [
        (vec![send("HTTP/1.1 400 Bad Request\r\n\r\n")], http),
        (
            vec![Action::Expect(b"db.example"), Action::Close],
            "closed in tls: sent a TLS ClientHello, then closed",
        ),
        (
            vec![send(b"\x15\x03\x01\0\x02\x02\x28")],
            "tls in tls: no TLS version or cipher in common: the server ended the handshake; offered: TLS 1.2 and 1.3, ECDHE with AES-GCM or ChaCha20-Poly1305, no CBC or DHE",
        ),
        (vec![], "silent in tls: sent a TLS ClientHello, got no answer"),
        (
            vec![send(b"\x16\x03\x03\x00\x40\x02")],
            "timeout in tls: sent a TLS ClientHello, got an incomplete handshake, then nothing",
        ),
    ];
    for (actions, expected) in rows {
        let timeout = if expected.contains("closed") || expected.contains("ended") {
            LONG_TIMEOUT
        } else {
            SHORT_TIMEOUT
        };
        check(https(&client), timeout, actions, expected).await;
    }
    let none = TlsClient::with_roots([]);
    check(https(&none), LONG_TIMEOUT, vec![], "no_data_internal").await;
}

#[tokio::test]
async fn protocols_upgrade_to_tls() {
    let trusted = Authority::new("trusted");
    let client = trusted.client();
    let handshake = || tls(&trusted.issue("db.example", Validity::Good));
    let expect = |bytes| Action::Expect(bytes);
    let imap = vec![
        send("* OK a\r\n"),
        expect(b"s STARTTLS\r\n".as_slice()),
        send("s OK\r\n"),
        handshake(),
    ];
    check(
        starttls_request(Service::Imap, &client),
        LONG_TIMEOUT,
        imap,
        "healthy: * OK a",
    )
    .await;
    let pop3 = vec![
        send("+OK a\r\n"),
        expect(b"STLS\r\n"),
        send("+OK\r\n"),
        handshake(),
    ];
    check(
        starttls_request(Service::Pop3, &client),
        LONG_TIMEOUT,
        pop3,
        "healthy: +OK a",
    )
    .await;
    let smtp = vec![
        send("220 a\r\n"),
        expect(b"EHLO [127.0.0.1]\r\n"),
        send("250-a\r\n250 STARTTLS\r\n"),
        expect(b"STARTTLS\r\n"),
        send("220 go\r\n"),
        handshake(),
        expect(b"EHLO [127.0.0.1]\r\n"),
        send("250 a\r\n"),
    ];
    check(
        starttls_request(Service::Submission, &client),
        LONG_TIMEOUT,
        smtp,
        "healthy: 220 a",
    )
    .await;
    let postgres = vec![
        expect(b"\x04\xd2\x16\x2f"),
        send("S"),
        handshake(),
        expect(b"postgres\0\0"),
        send(b"R\0\0\0\x08\0\0\0\x07"),
    ];
    check(
        starttls_request(Service::Postgres, &client),
        LONG_TIMEOUT,
        postgres,
        "healthy: asks for authentication",
    )
    .await;
}

#[tokio::test]
async fn plain_text_after_starttls_agreement_is_rejected() {
    let client = Authority::new("trusted").client();
    let actions = vec![
        send("+OK a\r\n"),
        Action::Expect(b"STLS\r\n"),
        send("+OK\r\n+OK injected\r\n"),
    ];
    let summary = "tls in tls: the server sent plain text after it agreed to TLS: +OK injected";
    check(
        starttls_request(Service::Pop3, &client),
        LONG_TIMEOUT,
        actions,
        summary,
    )
    .await;
}

#[tokio::test]
async fn mysql_login_completes_with_invalid_certificate() {
    let (trusted, untrusted) = (Authority::new("trusted"), Authority::new("untrusted"));
    let mut greeting = b"\x3c\0\0\0\x0a8.0.36\0\x05\0\0\0abcdefgh\0\xff\xff\x2d\x02\0\xff\x81\x15".to_vec();
    greeting.extend_from_slice(b"\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0caching_sha2");
    let length = u8::try_from(greeting.len() - 4).unwrap();
    greeting[0] = length;
    let actions = vec![
        send(greeting),
        // The SSLRequest ends with 23 zeros.
        Action::Expect(&[
            33, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ]),
        tls(&untrusted.issue("db.example", Validity::Good)),
        Action::Expect(b"mysql_native_password\0"),
        send(b"\x0c\0\0\x03\xff\x15\x04#28000no!"),
    ];
    let client = trusted.client();
    let summary = "tls in tls: the certificate has an unknown issuer: `untrusted` is neither trusted nor sent by the server";
    check(
        starttls_request(Service::Mysql, &client),
        LONG_TIMEOUT,
        actions,
        summary,
    )
    .await;
}

#[tokio::test]
async fn sessions_are_never_resumed() {
    let trusted = Authority::new("trusted");
    let client = trusted.client();
    let Action::Tls(server) = tls(&trusted.issue("db.example", Validity::Good)) else {
        unreachable!()
    };
    for _ in 0..2 {
        let peer = Peer::new(vec![
            Action::Tls(server.clone()),
            Action::Expect(b"\r\n\r\n"),
            answer(),
        ]);
        let request = https(&client)(peer.port());
        let (report, observed) = peer.run_exchange(&request, LONG_TIMEOUT).await;
        assert_eq!(describe(&report), "healthy: 200 OK");
        assert!(!observed.resumed);
    }
}
