//! DNS checks over UDP, and over TCP for truncated replies.

use std::net::SocketAddr;
use std::time::Duration;

use portpulse_core::readiness::{DnsCheck, RecordType, Transport};
use portpulse_ready::exchange_dns_over_udp;
use tokio::net::UdpSocket;
use tokio::time::Instant;

use crate::peer::{Action, Peer, describe, send};

/// A reply without records to any single question, with these flags.
fn reply(query: &[u8], flags: [u8; 2]) -> Vec<u8> {
    let mut reply = query.to_vec();
    reply[2..4].copy_from_slice(&flags);
    reply
}

/// Runs a check against a server that ignores the first `ignored` queries.
async fn check(
    check: &DnsCheck,
    ignored: usize,
    answer: impl Fn(&[u8]) -> Vec<u8>,
    timeout: Duration,
) -> String {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    ask(server, check, ignored, answer, timeout).await
}

async fn ask(
    server: UdpSocket,
    check: &DnsCheck,
    ignored: usize,
    answer: impl Fn(&[u8]) -> Vec<u8>,
    timeout: Duration,
) -> String {
    let address = server.local_addr().unwrap();
    let pending = exchange_dns_over_udp(address, check, Instant::now() + timeout);
    let serve = async {
        let mut buffer = [0; 512];
        for _ in 0..ignored {
            server.recv_from(&mut buffer).await.unwrap();
        }
        let (count, from) = server.recv_from(&mut buffer).await.unwrap();
        server.send_to(&answer(&buffer[..count]), from).await.unwrap();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        report = pending => describe(&report),
        () = serve => unreachable!(),
    }
}

/// A check over UDP that requires an address of `a.example`.
fn expecting(address: &str) -> DnsCheck {
    DnsCheck::new(
        "a.example",
        RecordType::A,
        &[address.to_owned()],
        &[],
        Transport::Udp,
    )
    .unwrap()
}

const LONG_TIMEOUT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn udp_reply_is_evaluated_like_tcp() {
    let root = DnsCheck::default();
    let summary = check(&root, 0, |query| reply(query, [0x81, 0x80]), LONG_TIMEOUT).await;
    assert_eq!(summary, "healthy: . NS: NOERROR");
    let wanted = expecting("192.0.2.1");
    let summary = "wrong_answer in ready: 192.0.2.1 is missing: a.example A: REFUSED";
    assert_eq!(
        check(&wanted, 0, |query| reply(query, [0x81, 0x85]), LONG_TIMEOUT).await,
        summary
    );
    let summary = "wrong_service in ready: sent . NS, got a malformed reply";
    let cut = |query: &[u8]| [&reply(query, [0x81, 0x80])[..6], &[0, 9], &query[8..]].concat();
    assert_eq!(check(&root, 0, cut, LONG_TIMEOUT).await, summary);
}

/// Runs a check against a server that answers each query with these datagrams, after a datagram from another port.
async fn ask_with_datagrams(answers: impl Fn(&[u8]) -> Vec<Vec<u8>>, timeout: Duration) -> String {
    let (server, other) = (
        UdpSocket::bind("127.0.0.1:0").await.unwrap(),
        UdpSocket::bind("127.0.0.1:0").await.unwrap(),
    );
    let root = DnsCheck::default();
    let pending = exchange_dns_over_udp(server.local_addr().unwrap(), &root, Instant::now() + timeout);
    let serve = async {
        let mut buffer = [0; 512];
        loop {
            let (count, from) = server.recv_from(&mut buffer).await.unwrap();
            let query = &buffer[..count];
            // The right reply, from the wrong port.
            other.send_to(&reply(query, [0x81, 0x82]), from).await.unwrap();
            for answer in answers(query) {
                server.send_to(&answer, from).await.unwrap();
            }
        }
    };
    tokio::select! {
        report = pending => describe(&report),
        () = serve => unreachable!(),
    }
}

/// Datagrams that differ from a reply to the query, each in another way.
fn unrelated_datagrams(query: &[u8]) -> Vec<Vec<u8>> {
    let good = reply(query, [0x81, 0x85]);
    let with = |at: usize, byte: u8| {
        let mut other = good.clone();
        other[at] ^= byte;
        other
    };
    vec![
        query.to_vec(),
        b"hello".to_vec(),
        Vec::new(),
        with(0, 1),
        with(1, 1),
        // Another type, another class, another name.
        with(14, 1),
        with(16, 1),
        [&good[..12], b"\x01a", &good[12..]].concat(),
        good[..good.len() - 1].to_vec(),
    ]
}

#[tokio::test]
async fn only_matching_reply_ends_wait() {
    let then_the_answer = |query: &[u8]| {
        let mut datagrams = unrelated_datagrams(query);
        datagrams.push(reply(query, [0x81, 0x80]));
        datagrams
    };
    assert_eq!(
        ask_with_datagrams(then_the_answer, LONG_TIMEOUT).await,
        "healthy: . NS: NOERROR"
    );
    assert_eq!(
        ask_with_datagrams(unrelated_datagrams, Duration::from_millis(300)).await,
        "silent in ready: sent . NS, got no answer, but 9 unrelated datagrams"
    );
}

#[tokio::test]
async fn datagram_flood_ends_wait() {
    // Enough datagrams although some may be lost: the query is repeated each second.
    let flood = |query: &[u8]| vec![query.to_vec(); 400];
    let summary = ask_with_datagrams(flood, Duration::from_secs(60)).await;
    assert!(
        summary.contains("got no answer, but 512 unrelated datagrams"),
        "{summary}"
    );
}

#[tokio::test]
async fn query_id_and_source_port_are_random() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let mut observed = std::collections::BTreeSet::new();
    for _ in 0..8 {
        let root = DnsCheck::default();
        let pending = exchange_dns_over_udp(address, &root, Instant::now() + LONG_TIMEOUT);
        let serve = async {
            let mut buffer = [0; 512];
            let (count, from) = server.recv_from(&mut buffer).await.unwrap();
            server
                .send_to(&reply(&buffer[..count], [0x81, 0x80]), from)
                .await
                .unwrap();
            (buffer[..2].to_vec(), from.port())
        };
        let (_, (id, port)) = tokio::join!(pending, serve);
        observed.insert(id);
        observed.insert(port.to_be_bytes().to_vec());
    }
    assert!(observed.len() > 12, "{observed:?}");
}

#[tokio::test]
async fn lost_query_is_resent() {
    let summary = check(
        &DnsCheck::default(),
        1,
        |query| reply(query, [0x81, 0x80]),
        LONG_TIMEOUT,
    )
    .await;
    assert_eq!(summary, "healthy: . NS: NOERROR");
}

#[tokio::test]
async fn closed_port_and_silence_are_distinguished() {
    let short_timeout = Duration::from_millis(300);
    let silent_summary = check(&DnsCheck::default(), 9, <[u8]>::to_vec, short_timeout).await;
    assert_eq!(silent_summary, "silent in ready: sent . NS, got no answer");
    // A port bound over UDP, so that no other process can use it, and connected elsewhere, so that it refuses
    // datagrams.
    let held = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let unused: SocketAddr = held.local_addr().unwrap();
    held.connect("127.0.0.1:9").await.unwrap();
    let report = exchange_dns_over_udp(unused, &DnsCheck::default(), Instant::now() + LONG_TIMEOUT).await;
    assert_eq!(
        describe(&report),
        "refused in ready: sent . NS, the host reports that the port is closed"
    );
}

/// The question `a.example A`, and the answer 192.0.2.1 as encoded in a message.
const QUESTION: &[u8] = b"\x01a\x07example\0\0\x01\0\x01";
const ANSWER: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\x0e\x10\0\x04\xc0\0\x02\x01";

/// The complete answer over TCP.
fn whole() -> Action {
    Action::Reply(|framed| {
        let header = b"\x81\x80\0\x01\0\x01\0\0\0\0";
        let message = [&framed[2..4], header, QUESTION, ANSWER].concat();
        let length = u16::try_from(message.len()).unwrap();
        [&length.to_be_bytes(), message.as_slice()].concat()
    })
}

/// A truncated reply that ends inside a record. Other servers omit complete records.
fn truncated(query: &[u8]) -> Vec<u8> {
    let header = [&reply(query, [0x83, 0x80])[..6], &[0, 1], &query[8..12]].concat();
    [&header, &query[12..], &ANSWER[..9]].concat()
}

/// A port that is free over TCP and UDP; not listening over TCP yet.
async fn both() -> (socket2::Socket, UdpSocket) {
    loop {
        let over_tcp = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        over_tcp
            .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
            .unwrap();
        let address = over_tcp.local_addr().unwrap().as_socket().unwrap();
        if let Ok(over_udp) = UdpSocket::bind(address).await {
            return (over_tcp, over_udp);
        }
    }
}

#[tokio::test]
async fn truncated_reply_is_retried_over_tcp() {
    let short_timeout = Duration::from_millis(300);
    let rows = [
        (
            "192.0.2.1",
            vec![Action::Expect(QUESTION), whole()],
            LONG_TIMEOUT,
            "healthy: a.example A: NOERROR 192.0.2.1",
        ),
        (
            "192.0.2.2",
            vec![Action::Expect(QUESTION), whole()],
            LONG_TIMEOUT,
            "wrong_answer in ready: 192.0.2.2 is missing: a.example A: NOERROR 192.0.2.1",
        ),
        (
            "192.0.2.1",
            vec![Action::Expect(QUESTION), send("HTTP/1.1 400 Bad Request")],
            LONG_TIMEOUT,
            "wrong_service in ready: sent a.example A, got a truncated answer over UDP; over TCP: sent a.example A, \
             got `HTTP/1.1 400 Bad Request`: it speaks HTTP",
        ),
        // One deadline for both transports.
        (
            "192.0.2.1",
            vec![Action::Expect(QUESTION)],
            short_timeout,
            "silent in ready: sent a.example A, got a truncated answer over UDP; over TCP: sent a.example A, got no answer",
        ),
    ];
    for (address, actions, timeout, expected) in rows {
        let (over_tcp, over_udp) = both().await;
        over_tcp.listen(1).unwrap();
        let peer = Peer::on_listener(over_tcp.into(), actions);
        let started = Instant::now();
        let summary = ask(over_udp, &expecting(address), 0, truncated, timeout).await;
        assert_eq!(summary, expected);
        assert!(
            started.elapsed() < LONG_TIMEOUT,
            "it took {:?}",
            started.elapsed()
        );
        let observed = peer.observed().await;
        assert!(observed.fin && observed.completed, "{observed:?}");
    }
    let (_held, over_udp) = both().await;
    assert_eq!(
        ask(over_udp, &expecting("192.0.2.1"), 0, truncated, LONG_TIMEOUT).await,
        "refused in ready: sent a.example A, got a truncated answer over UDP; over TCP: the connection was refused"
    );
}
