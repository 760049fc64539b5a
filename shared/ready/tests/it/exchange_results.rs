//! Results of exchanges: answered, refused, incomplete or silent. The target always receives a FIN.

use std::time::Duration;

use portpulse_core::service::Service;
use portpulse_ready::{Request, TlsClient, exchange};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::peer::{Action, Peer, default_request, describe, send};

const LONG_TIMEOUT: Duration = Duration::from_secs(10);
/// Long enough for loopback, short enough to wait for.
const SHORT_TIMEOUT: Duration = Duration::from_millis(300);

fn request(service: Service, port: u16) -> Request {
    default_request(
        service,
        "db.example".parse().unwrap(),
        port,
        &TlsClient::with_roots([]),
    )
}

/// Runs an exchange against a peer with these actions; `final_bytes` is what the peer receives after them.
async fn check(service: Service, timeout: Duration, actions: Vec<Action>, expected: &str, final_bytes: &str) {
    let peer = Peer::new(actions);
    let request = request(service, peer.port());
    let (report, observed) = peer.run_exchange(&request, timeout).await;
    assert_eq!(describe(&report), expected);
    assert!(observed.fin && observed.completed, "{expected}: {observed:?}");
    assert_eq!(observed.final_bytes, final_bytes, "{expected}");
    assert!(report.ready.is_some() && report.tls.is_none());
}

#[tokio::test]
async fn answer_decides_result_and_client_says_goodbye() {
    let expect = |bytes| Action::Expect(bytes);
    let pong = vec![
        expect(b"PING\r\n".as_slice()),
        send("+PO"),
        send("NG\r\n"),
        expect(b"portpulse\r\n"),
        send("+none\r\n"),
    ];
    check(Service::Redis, LONG_TIMEOUT, pong, "healthy: PONG", "").await;
    let version = vec![expect(b"version\r\n"), send("VERSION 1.6.18\r\n")];
    check(
        Service::Memcached,
        LONG_TIMEOUT,
        version,
        "healthy: VERSION 1.6.18",
        "quit\\r\\n",
    )
    .await;
    let mail = vec![
        send("220 mail ESMTP\r\n"),
        expect(b"EHLO [127.0.0.1]\r\n"),
        send("250 mail\r\n"),
    ];
    check(
        Service::Smtp,
        LONG_TIMEOUT,
        mail,
        "healthy: 220 mail ESMTP",
        "QUIT\\r\\n",
    )
    .await;
    let starting = vec![
        expect(b"postgres\0\0"),
        send(b"E\0\0\0\x2fSFATAL\0C57P03\0Mthe database is starting up\0\0"),
    ];
    check(
        Service::Postgres,
        LONG_TIMEOUT,
        starting,
        "starting in ready: 57P03 cannot_connect_now: the database is starting up",
        "",
    )
    .await;
}

#[tokio::test]
async fn answer_before_question_counts_after_close() {
    let full = vec![send("-ERR max number of clients reached\r\n"), Action::Close];
    check(
        Service::Redis,
        LONG_TIMEOUT,
        full,
        "busy in ready: ERR max number of clients reached",
        "*1\\r\\n$4\\r\\nPING\\r\\n",
    )
    .await;
}

#[tokio::test]
async fn remaining_bytes_are_read_before_close() {
    let talkative = vec![
        Action::Expect(b"PING\r\n"),
        send("+PONG\r\n"),
        Action::Expect(b"portpulse\r\n"),
        send("+none\r\n"),
        send(vec![b'x'; 20_000]),
    ];
    check(Service::Redis, LONG_TIMEOUT, talkative, "healthy: PONG", "").await;
}

#[tokio::test]
async fn unanswered_exchange_reports_sent_and_received() {
    let expect = || Action::Expect(b"PING\r\n");
    let rows = [
        (
            vec![expect(), Action::Close],
            "closed in ready: sent PING, got no answer, then closed",
        ),
        (
            vec![expect(), send("+PO"), Action::Close],
            "closed in ready: sent PING, got `+PO`, then closed",
        ),
        (
            vec![expect(), Action::Reset],
            "reset in ready: sent PING, got no answer, then a reset",
        ),
        (
            vec![expect(), send("SSH-2.0-x\r\n")],
            "wrong_service in ready: sent PING, got `SSH-2.0-x`: it speaks SSH",
        ),
        (
            vec![expect(), send(b"\x15\x03\x03\0\x02\x02\x0a")],
            "wrong_service in ready: sent PING, got `15 03 03 00 02 02 0a`: it speaks TLS",
        ),
        (
            vec![expect(), send(vec![b'-'; 1])],
            "timeout in ready: sent PING, got `-`, then nothing",
        ),
        (vec![expect()], "silent in ready: sent PING, got no answer"),
    ];
    for (actions, expected) in rows {
        let timeout = if expected.starts_with("timeout") || expected.starts_with("silent") {
            SHORT_TIMEOUT
        } else {
            LONG_TIMEOUT
        };
        check(Service::Redis, timeout, actions, expected, "").await;
    }
    let none = "silent in ready: waited for a greeting, got none";
    check(Service::Ssh, SHORT_TIMEOUT, vec![], none, "").await;
    let delayed = "timeout in ready: waited for a greeting, got `220-wait`, then nothing: the greeting is delayed, \
        as by postscreen; increase `timeout`";
    check(
        Service::Smtp,
        SHORT_TIMEOUT,
        vec![send("220-wait\r\n")],
        delayed,
        "",
    )
    .await;
    let binary = "silent in ready: sent version, got no answer, as memcached does at its connection limit, and with \
        -B binary";
    let version = vec![Action::Expect(b"version\r\n")];
    check(Service::Memcached, SHORT_TIMEOUT, version, binary, "").await;
    let half = "timeout in ready: sent EHLO, got no answer";
    check(
        Service::Smtp,
        SHORT_TIMEOUT,
        vec![send("220 a\r\n"), Action::Expect(b"EHLO")],
        half,
        " [127.0.0.1]\\r\\n",
    )
    .await;
}

#[tokio::test]
async fn flood_is_stopped_and_reported_in_part() {
    let flood = vec![
        Action::Expect(b"PING\r\n"),
        send([b"-", vec![b'A'; 20_000].as_slice()].concat()),
    ];
    let peer = Peer::new(flood);
    let request = request(Service::Redis, peer.port());
    let (report, observed) = peer.run_exchange(&request, LONG_TIMEOUT).await;
    let summary = describe(&report);
    assert!(
        summary
            .starts_with("wrong_service in ready: no complete answer within 16 KiB: sent PING, got `-AAAA")
            && summary.len() < 240,
        "{summary}"
    );
    assert!(observed.fin);
}

#[tokio::test]
async fn data_received_before_deadline_counts_when_read_late() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut peer, _) = listener.accept().await.unwrap();
    peer.write_all(b"SSH-2.0-late\r\n").await.unwrap();
    // Waits until the kernel has received all bytes.
    while stream.peek(&mut [0; 64]).await.unwrap() < 14 {}
    let fresh = TcpStream::from_std(stream.into_std().unwrap()).unwrap();
    let report = exchange(fresh, &request(Service::Ssh, port), Instant::now()).await;
    assert_eq!(describe(&report), "healthy: SSH-2.0-late");
}

#[tokio::test]
async fn answer_before_reset_counts() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut peer, _) = listener.accept().await.unwrap();
    peer.write_all(b"-ERR max number of clients reached\r\n")
        .await
        .unwrap();
    // Dropping the socket sends a reset, so that the client cannot even write its request.
    socket2::SockRef::from(&peer)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(peer);
    let report = exchange(
        stream,
        &request(Service::Redis, port),
        Instant::now() + LONG_TIMEOUT,
    )
    .await;
    assert_eq!(
        describe(&report),
        "busy in ready: ERR max number of clients reached"
    );
}
