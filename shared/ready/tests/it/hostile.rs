//! Targets that never come to an end: what one exchange reads and computes is bounded in every layer.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use portpulse_core::readiness::{HttpCheck, Method, Protocol, Tls};
use portpulse_core::target::Service;
use portpulse_ready::{Request, exchange};
use rustix::time::{ClockId, clock_gettime};
use rustls::ContentType;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::authority::{Authority, Validity};
use crate::peer::{Act, Peer, asking, notified, say, server_config, upgrading, usual};

/// Far more than any of these may take: whoever waits until then has no bound.
const ENDLESS: Duration = Duration::from_secs(120);

fn request(service: Service, port: u16) -> Request {
    usual(
        service,
        "db.example".parse().unwrap(),
        port,
        &Authority::new("ours").client(),
    )
}

/// A `GET` that waits for a text.
fn waiting_for_a_text(tls: Tls, port: u16) -> Request {
    let check = HttpCheck::new(Method::Get, "/", vec![], Some("well".to_owned()), false).unwrap();
    let client = Authority::new("ours").client();
    asking(
        Protocol::Http(check),
        tls,
        "db.example".parse().unwrap(),
        port,
        &client,
    )
}

/// Meets a peer that goes on for ever.
async fn check(request: impl FnOnce(u16) -> Request, acts: Vec<Act>, expected: &str) {
    let peer = Peer::new(acts);
    let request = request(peer.port());
    let began = Instant::now();
    let (report, seen) = peer.meet(&request, ENDLESS).await;
    assert!(began.elapsed() < ENDLESS / 2, "{expected}: {:?}", began.elapsed());
    let notified = notified(&report);
    assert!(notified.contains(expected), "{notified}, not {expected}");
    assert!(seen.played, "{expected}: {seen:?}");
}

#[tokio::test]
async fn a_greeting_header_or_body_without_an_end_is_cut() {
    let hear = || Act::Hear(b"\r\n\r\n");
    let ok = || say("HTTP/1.1 200 OK\r\n");
    let more = "wrong_service in ready: no answer within 16 KiB: ";
    check(
        |port| request(Service::Smtp, port),
        vec![Act::Flood(b"220-a\r\n".repeat(1_000))],
        more,
    )
    .await;
    let fields = vec![hear(), ok(), Act::Flood(b"X-More: a\r\n".repeat(1_000))];
    check(|port| request(Service::Http, port), fields, more).await;
    let interim = vec![hear(), Act::Flood(b"HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000))];
    check(|port| request(Service::Http, port), interim, more).await;
    let chunks = vec![
        hear(),
        ok(),
        say("Transfer-Encoding: chunked\r\n\r\n"),
        Act::Flood(b"1\r\na\r\n".repeat(1_000)),
    ];
    let missing = "200 OK, without the text that must appear";
    check(|port| waiting_for_a_text(Tls::Off, port), chunks, missing).await;
}

#[tokio::test]
async fn a_banner_that_comes_byte_by_byte_is_cut() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut peer, _) = listener.accept().await.unwrap();
    let ours = stream.into_std().unwrap();
    let watched = ours.try_clone().unwrap();
    let stream = TcpStream::from_std(ours).unwrap();
    let sent = Cell::new(0);
    let drip = async {
        for byte in b"220-a line of a greeting\r\n".iter().cycle() {
            peer.write_all(&[*byte]).await.unwrap();
            sent.set(sent.get() + 1);
            // Each byte is read before the next is sent.
            while matches!(watched.peek(&mut [0]), Ok(1)) {
                tokio::task::yield_now().await;
            }
        }
    };
    let request = request(Service::Smtp, address.port());
    let asked = exchange(stream, &request, Instant::now() + ENDLESS);
    let report = tokio::select! {
        report = asked => report,
        () = drip => unreachable!(),
    };
    let notified = notified(&report);
    assert!(
        notified.starts_with("wrong_service in ready: no answer within 512 pieces: "),
        "{notified}"
    );
    // And what is read while the connection ends.
    assert!((513..600).contains(&sent.get()), "{} bytes", sent.get());
}

/// The server's TLS, with the client's part of the conversation before it if there is one.
fn within_tls(after: Act) -> (Vec<Act>, Authority) {
    let ours = Authority::new("ours");
    let mut config = server_config(&ours.issue("db.example", Validity::Good), &[]);
    config.enable_secret_extraction = true;
    config.send_tls13_tickets = 0;
    (vec![Act::Tls(Arc::new(config)), after], ours)
}

fn https(ours: &Authority) -> impl FnOnce(u16) -> Request + use<'_> {
    move |port| {
        usual(
            Service::Https,
            "db.example".parse().unwrap(),
            port,
            &ours.client(),
        )
    }
}

#[tokio::test]
async fn records_of_tls_without_an_end_are_cut() {
    let (acts, ours) = within_tls(Act::FloodOfRecords(ContentType::ApplicationData, Vec::new()));
    // The library itself bears only a few that are empty.
    check(https(&ours), acts, "TooManyEmptyFragments").await;
    // One byte a record, which is 23 on the wire.
    let (mut acts, ours) = within_tls(say("HTTP/1.1 200 OK\r\n"));
    acts.push(Act::Flood(b"X".to_vec()));
    check(https(&ours), acts, "wrong_service in ready: no answer within ").await;
}

/// What a `GET` over TLS that waits for the text `well` comes to, where the answer comes in these records. In a thread of
/// its own, since an exchange that never yields would keep the test from failing.
fn answered_in_records(records: Vec<Vec<u8>>, junk: Vec<u8>) -> String {
    let (answer, result) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async {
            let (mut acts, ours) = within_tls(Act::Hear(b"\r\n\r\n"));
            acts.push(Act::Records(records, junk));
            let peer = Peer::new(acts);
            let check = HttpCheck::new(Method::Get, "/", vec![], Some("well".to_owned()), false).unwrap();
            let host = "db.example".parse().unwrap();
            let protocol = Protocol::Http(check);
            let request = asking(protocol, Tls::Implicit, host, peer.port(), &ours.client());
            let (report, _) = peer.meet(&request, ENDLESS).await;
            answer.send(notified(&report)).unwrap();
        });
    });
    result.recv_timeout(ENDLESS / 2).expect("the exchange ends")
}

#[test]
fn bytes_after_the_end_of_tls_are_left_unread() {
    let head = b"HTTP/1.1 200 OK\r\n\r\n";
    let record = [head.as_slice(), &vec![b'a'; 16_384 - head.len()]].concat();
    let notified = answered_in_records(vec![record], vec![b'x'; 6_000]);
    assert!(
        notified.contains("200 OK, without the text that must appear"),
        "{notified}"
    );
}

#[test]
fn large_records_followed_by_small_ones_are_read_whole() {
    let body = [16_384 - 43, 9, 12_000, 12_008].map(|length| vec![b'a'; length]);
    let total = body.iter().map(Vec::len).sum::<usize>() + "well".len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {total:06}\r\n\r\n");
    assert_eq!(head.len(), 43);
    let mut records = body.to_vec();
    records[0].splice(0..0, head.into_bytes());
    records.push(b"well".to_vec());
    let notified = answered_in_records(records, Vec::new());
    assert!(notified.starts_with("healthy: "), "{notified}");
}

#[tokio::test]
async fn a_flood_of_session_tickets_is_cut() {
    // RFC 8446, section 4.6.1: lifetime, age, nonce, ticket, extensions.
    let ticket = [
        &[0, 0, 0x1c, 0x20, 1, 2, 3, 4, 1, 0, 0, 200],
        &[7; 200][..],
        &[0, 0],
    ]
    .concat();
    let ticket = [&[4, 0, 0, u8::try_from(ticket.len()).unwrap()], ticket.as_slice()].concat();
    let flood = || within_tls(Act::FloodOfRecords(ContentType::Handshake, ticket.clone()));
    let (acts, ours) = flood();
    let peer = Peer::new(acts);
    let request = https(&ours)(peer.port());
    let cpu = ClockId::ThreadCPUTime;
    let began = clock_gettime(cpu);
    let (report, _) = peer.meet(&request, ENDLESS).await;
    let spent = Duration::try_from(clock_gettime(cpu) - began).unwrap();
    assert_eq!(
        notified(&report),
        "wrong_service in ready: no answer within 148 KiB: sent HEAD /, got no answer"
    );
    assert!(spent < Duration::from_secs(5), "{spent:?}");
    // The same after STARTTLS.
    let (within, ours) = flood();
    let mut acts = vec![
        say("220 a\r\n"),
        Act::Hear(b"EHLO [127.0.0.1]\r\n"),
        say("250-a\r\n250 STARTTLS\r\n"),
        Act::Hear(b"STARTTLS\r\n"),
        say("220 go\r\n"),
    ];
    acts.extend(within);
    let smtp = |port| {
        upgrading(
            Service::Submission,
            "db.example".parse().unwrap(),
            port,
            &ours.client(),
        )
    };
    let notified = "wrong_service in ready: no answer within 148 KiB: sent EHLO, got no answer";
    check(smtp, acts, notified).await;
}

#[tokio::test]
async fn a_handshake_without_an_end_is_cut() {
    let records = [
        // Handshake messages of an unknown type, and the parts of one that is longer than any.
        b"\x16\x03\x03\x00\x05\x63\x00\x00\x01\x00".as_slice(),
        b"\x16\x03\x03\x00\x04\x02\xff\xff\xff",
        // Nothing, changes of the cipher, warnings.
        b"\x16\x03\x03\x00\x00",
        b"\x14\x03\x03\x00\x01\x01",
        b"\x15\x03\x03\x00\x02\x01\x5a",
    ];
    for record in records {
        let acts = vec![Act::Flood(record.repeat(100))];
        check(|port| request(Service::Https, port), acts, " in tls: ").await;
    }
    // Not TLS at all.
    let acts = vec![Act::Flood(b"220-a\r\n".repeat(1_000))];
    check(
        |port| request(Service::Https, port),
        acts,
        "wrong_service in tls: ",
    )
    .await;
}

#[tokio::test]
async fn a_huge_chain_of_certificates_of_one_name_is_judged_in_little_time() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let chain: Vec<_> = (0..120).map(|_| Authority::new("theirs").certificate()).collect();
    let config = server_config(&theirs.issue("db.example", Validity::Good), &chain);
    let peer = Peer::new(vec![Act::Tls(Arc::new(config))]);
    let request = https(&ours)(peer.port());
    let cpu = ClockId::ThreadCPUTime;
    let began = clock_gettime(cpu);
    let (report, _) = peer.meet(&request, ENDLESS).await;
    let spent = Duration::try_from(clock_gettime(cpu) - began).unwrap();
    assert_eq!(
        notified(&report),
        "tls in tls: the certificate's issuer is unknown"
    );
    assert!(spent < Duration::from_secs(5), "{spent:?}");
}

#[tokio::test]
async fn others_have_their_turn_while_a_target_floods() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut peer, _) = listener.accept().await.unwrap();
    // All of it is there before the first read.
    let flood = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &[b'a'; 36 * 1024]].concat();
    peer.write_all(&flood).await.unwrap();
    peer.shutdown().await.unwrap();
    let mut there = vec![0; flood.len()];
    while stream.peek(&mut there).await.unwrap() < flood.len() {
        tokio::task::yield_now().await;
    }
    let request = waiting_for_a_text(Tls::Off, address.port());
    let mut asked = std::pin::pin!(exchange(stream, &request, Instant::now() + ENDLESS));
    let mut turns = 0;
    let report = loop {
        // One turn of the exchange, as often as it asks for one.
        if let Some(report) = asked.as_mut().now_or_never() {
            break report;
        }
        turns += 1;
        tokio::task::yield_now().await;
    };
    assert!(
        notified(&report).contains("without the text"),
        "{}",
        notified(&report)
    );
    // Ten reads of 4 KiB, each of which finds what it wants.
    assert!(turns > 0, "it went on without a break");
}
