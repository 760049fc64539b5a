//! Endless targets: every layer limits what one exchange reads and computes.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use portpulse_core::readiness::{HttpCheck, Method, Protocol, Tls};
use portpulse_core::service::Service;
use portpulse_ready::{Request, exchange};
use rustix::time::{ClockId, clock_gettime};
use rustls::ContentType;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::authority::{Authority, Validity};
use crate::peer::{
    Action, Peer, default_request, describe, request_for, send, server_config, starttls_request,
};

/// Far more than any of these tests needs: an exchange that runs so long has no limit.
const MAX_TEST_DURATION: Duration = Duration::from_secs(120);

fn request(service: Service, port: u16) -> Request {
    default_request(
        service,
        "db.example".parse().unwrap(),
        port,
        &Authority::new("trusted").client(),
    )
}

/// A `GET` request that expects a text.
fn waiting_for_a_text(tls: Tls, port: u16) -> Request {
    let check = HttpCheck::new(Method::Get, "/", vec![], Some("well".to_owned()), false).unwrap();
    let client = Authority::new("trusted").client();
    request_for(
        Protocol::Http(check),
        tls,
        "db.example".parse().unwrap(),
        port,
        &client,
    )
}

/// Runs an exchange against an endless peer.
async fn check(request: impl FnOnce(u16) -> Request, actions: Vec<Action>, expected: &str) {
    let peer = Peer::new(actions);
    let request = request(peer.port());
    let started = Instant::now();
    let (report, observed) = peer.run_exchange(&request, MAX_TEST_DURATION).await;
    assert!(
        started.elapsed() < MAX_TEST_DURATION / 2,
        "{expected}: {:?}",
        started.elapsed()
    );
    let summary = describe(&report);
    assert!(summary.contains(expected), "{summary}, not {expected}");
    assert!(observed.completed, "{expected}: {observed:?}");
}

#[tokio::test]
async fn endless_greeting_header_or_body_is_stopped() {
    let expect = || Action::Expect(b"\r\n\r\n");
    let ok = || send("HTTP/1.1 200 OK\r\n");
    let more = "wrong_service in ready: no complete answer within 16 KiB: ";
    check(
        |port| request(Service::Smtp, port),
        vec![Action::Flood(b"220-a\r\n".repeat(1_000))],
        more,
    )
    .await;
    let fields = vec![expect(), ok(), Action::Flood(b"X-More: a\r\n".repeat(1_000))];
    check(|port| request(Service::Http, port), fields, more).await;
    let interim = vec![
        expect(),
        Action::Flood(b"HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000)),
    ];
    check(|port| request(Service::Http, port), interim, more).await;
    let chunks = vec![
        expect(),
        ok(),
        send("Transfer-Encoding: chunked\r\n\r\n"),
        Action::Flood(b"1\r\na\r\n".repeat(1_000)),
    ];
    let missing = "200 OK, but the expected text is not in the first 64 KiB of the body";
    check(|port| waiting_for_a_text(Tls::Off, port), chunks, missing).await;
}

#[tokio::test]
async fn bytewise_banner_is_stopped() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut peer, _) = listener.accept().await.unwrap();
    let std_stream = stream.into_std().unwrap();
    let watched = std_stream.try_clone().unwrap();
    let stream = TcpStream::from_std(std_stream).unwrap();
    let sent = Cell::new(0);
    let send_bytewise = async {
        for byte in b"220-a line of a greeting\r\n".iter().cycle() {
            peer.write_all(&[*byte]).await.unwrap();
            sent.set(sent.get() + 1);
            // The client reads each byte before the next one is sent.
            while matches!(watched.peek(&mut [0]), Ok(1)) {
                tokio::task::yield_now().await;
            }
        }
    };
    let request = request(Service::Smtp, address.port());
    let pending = exchange(stream, &request, Instant::now() + MAX_TEST_DURATION);
    let report = tokio::select! {
        report = pending => report,
        () = send_bytewise => unreachable!(),
    };
    let summary = describe(&report);
    assert!(
        summary.starts_with("wrong_service in ready: no complete answer within 512 reads: "),
        "{summary}"
    );
    // Includes the bytes read while the connection closes.
    assert!((513..600).contains(&sent.get()), "{} bytes", sent.get());
}

/// The server's side of a TLS handshake, then one action.
fn tls_then(after: Action) -> (Vec<Action>, Authority) {
    let trusted = Authority::new("trusted");
    let mut config = server_config(&trusted.issue("db.example", Validity::Good), &[]);
    config.enable_secret_extraction = true;
    config.send_tls13_tickets = 0;
    (vec![Action::Tls(Arc::new(config)), after], trusted)
}

fn https(trusted: &Authority) -> impl FnOnce(u16) -> Request + use<'_> {
    move |port| {
        default_request(
            Service::Https,
            "db.example".parse().unwrap(),
            port,
            &trusted.client(),
        )
    }
}

#[tokio::test]
async fn endless_tls_records_are_stopped() {
    let (actions, trusted) = tls_then(Action::FloodOfRecords(ContentType::ApplicationData, Vec::new()));
    // The TLS library allows only a few empty records.
    check(https(&trusted), actions, "too many empty records").await;
    // One byte in each record, which is 23 bytes long.
    let (mut actions, trusted) = tls_then(send("HTTP/1.1 200 OK\r\n"));
    actions.push(Action::Flood(b"X".to_vec()));
    check(
        https(&trusted),
        actions,
        "wrong_service in ready: no complete answer within ",
    )
    .await;
}

/// The result of a `GET` over TLS that expects the text `well`, if the answer has these records. Runs in a thread, so
/// that an exchange that never yields cannot block the test's timeout.
fn answered_in_records(records: Vec<Vec<u8>>, junk: Vec<u8>) -> String {
    let (answer, result) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async {
            let (mut actions, trusted) = tls_then(Action::Expect(b"\r\n\r\n"));
            actions.push(Action::Records(records, junk));
            let peer = Peer::new(actions);
            let check = HttpCheck::new(Method::Get, "/", vec![], Some("well".to_owned()), false).unwrap();
            let host = "db.example".parse().unwrap();
            let protocol = Protocol::Http(check);
            let request = request_for(protocol, Tls::Implicit, host, peer.port(), &trusted.client());
            let (report, _) = peer.run_exchange(&request, MAX_TEST_DURATION).await;
            answer.send(describe(&report)).unwrap();
        });
    });
    result
        .recv_timeout(MAX_TEST_DURATION / 2)
        .expect("the exchange must end")
}

#[test]
fn bytes_after_close_notify_are_ignored() {
    let head = b"HTTP/1.1 200 OK\r\n\r\n";
    let record = [head.as_slice(), &vec![b'a'; 16_384 - head.len()]].concat();
    let summary = answered_in_records(vec![record], vec![b'x'; 6_000]);
    assert!(
        summary.contains("200 OK, but the expected text is missing"),
        "{summary}"
    );
}

#[test]
fn large_then_small_tls_records_are_read_completely() {
    let body = [16_384 - 43, 9, 12_000, 12_008].map(|length| vec![b'a'; length]);
    let total = body.iter().map(Vec::len).sum::<usize>() + "well".len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {total:06}\r\n\r\n");
    assert_eq!(head.len(), 43);
    let mut records = body.to_vec();
    records[0].splice(0..0, head.into_bytes());
    records.push(b"well".to_vec());
    let summary = answered_in_records(records, Vec::new());
    assert!(summary.starts_with("healthy: "), "{summary}");
}

#[tokio::test]
async fn session_ticket_flood_is_stopped() {
    // RFC 8446, section 4.6.1: lifetime, age, nonce, ticket, extensions.
    let ticket = [
        &[0, 0, 0x1c, 0x20, 1, 2, 3, 4, 1, 0, 0, 200],
        &[7; 200][..],
        &[0, 0],
    ]
    .concat();
    let ticket = [&[4, 0, 0, u8::try_from(ticket.len()).unwrap()], ticket.as_slice()].concat();
    let flood = || tls_then(Action::FloodOfRecords(ContentType::Handshake, ticket.clone()));
    let (actions, trusted) = flood();
    let peer = Peer::new(actions);
    let request = https(&trusted)(peer.port());
    let cpu = ClockId::ThreadCPUTime;
    let started = clock_gettime(cpu);
    let (report, _) = peer.run_exchange(&request, MAX_TEST_DURATION).await;
    let spent = Duration::try_from(clock_gettime(cpu) - started).unwrap();
    assert_eq!(
        describe(&report),
        "wrong_service in ready: no complete answer within 148 KiB: sent HEAD /, got no answer"
    );
    assert!(spent < Duration::from_secs(5), "{spent:?}");
    // The same after STARTTLS.
    let (within, trusted) = flood();
    let mut actions = vec![
        send("220 a\r\n"),
        Action::Expect(b"EHLO [127.0.0.1]\r\n"),
        send("250-a\r\n250 STARTTLS\r\n"),
        Action::Expect(b"STARTTLS\r\n"),
        send("220 go\r\n"),
    ];
    actions.extend(within);
    let smtp = |port| {
        starttls_request(
            Service::Submission,
            "db.example".parse().unwrap(),
            port,
            &trusted.client(),
        )
    };
    let summary = "wrong_service in ready: no complete answer within 148 KiB: sent EHLO, got no answer";
    check(smtp, actions, summary).await;
}

#[tokio::test]
async fn endless_handshake_is_stopped() {
    let records = [
        // Handshake messages of an unknown type, and fragments of a handshake message of excessive length.
        b"\x16\x03\x03\x00\x05\x63\x00\x00\x01\x00".as_slice(),
        b"\x16\x03\x03\x00\x04\x02\xff\xff\xff",
        // Empty records, ChangeCipherSpec records, warning alerts.
        b"\x16\x03\x03\x00\x00",
        b"\x14\x03\x03\x00\x01\x01",
        b"\x15\x03\x03\x00\x02\x01\x5a",
    ];
    for record in records {
        let actions = vec![Action::Flood(record.repeat(100))];
        check(|port| request(Service::Https, port), actions, " in tls: ").await;
    }
    // Not TLS.
    let actions = vec![Action::Flood(b"220-a\r\n".repeat(1_000))];
    check(
        |port| request(Service::Https, port),
        actions,
        "wrong_service in tls: ",
    )
    .await;
}

#[tokio::test]
async fn huge_certificate_chain_is_verified_quickly() {
    let (trusted, untrusted) = (Authority::new("trusted"), Authority::new("untrusted"));
    let chain: Vec<_> = (0..120)
        .map(|_| Authority::new("untrusted").certificate())
        .collect();
    let config = server_config(&untrusted.issue("db.example", Validity::Good), &chain);
    let peer = Peer::new(vec![Action::Tls(Arc::new(config))]);
    let request = https(&trusted)(peer.port());
    let cpu = ClockId::ThreadCPUTime;
    let started = clock_gettime(cpu);
    let (report, _) = peer.run_exchange(&request, MAX_TEST_DURATION).await;
    let spent = Duration::try_from(clock_gettime(cpu) - started).unwrap();
    assert_eq!(
        describe(&report),
        "tls in tls: the certificate was not signed by the issuer that it names"
    );
    assert!(spent < Duration::from_secs(5), "{spent:?}");
}

#[tokio::test]
async fn exchange_yields_during_flood() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut peer, _) = listener.accept().await.unwrap();
    // All bytes have arrived before the first read.
    let flood = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &[b'a'; 36 * 1024]].concat();
    peer.write_all(&flood).await.unwrap();
    peer.shutdown().await.unwrap();
    let mut there = vec![0; flood.len()];
    while stream.peek(&mut there).await.unwrap() < flood.len() {
        tokio::task::yield_now().await;
    }
    let request = waiting_for_a_text(Tls::Off, address.port());
    let mut pending = std::pin::pin!(exchange(stream, &request, Instant::now() + MAX_TEST_DURATION));
    let mut polls = 0;
    let report = loop {
        // Polls the exchange once each time it yields.
        if let Some(report) = pending.as_mut().now_or_never() {
            break report;
        }
        polls += 1;
        tokio::task::yield_now().await;
    };
    assert!(
        describe(&report).contains("the expected text is missing"),
        "{}",
        describe(&report)
    );
    // The bytes are read in many reads, each of which succeeds immediately.
    assert!(polls > 0, "the exchange never yielded");
}
