//! How exchanges end: answered, refused, cut short, or not at all; and that the target always sees a FIN.

use std::time::Duration;

use portpulse_core::target::Service;
use portpulse_ready::{Request, TlsClient, exchange};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::peer::{Act, Peer, notified, say, usual};

const PATIENT: Duration = Duration::from_secs(10);
/// Long enough for loopback, short enough to wait out.
const BRIEF: Duration = Duration::from_millis(300);

fn request(service: Service, port: u16) -> Request {
    usual(
        service,
        "db.example".parse().unwrap(),
        port,
        &TlsClient::with_roots([]),
    )
}

/// Plays the acts to an exchange; `last_banners` is what the target hears at the end.
async fn check(service: Service, retry_policy: Duration, acts: Vec<Act>, expected: &str, last_banners: &str) {
    let peer = Peer::new(acts);
    let request = request(service, peer.port());
    let (report, seen) = peer.meet(&request, retry_policy).await;
    assert_eq!(notified(&report), expected);
    assert!(seen.fin && seen.played, "{expected}: {seen:?}");
    assert_eq!(seen.last_banners, last_banners, "{expected}");
    assert!(report.ready.is_some() && report.tls.is_none());
}

#[tokio::test]
async fn an_answer_is_a_status_and_the_leave_is_polite() {
    let hear = |bytes| Act::Hear(bytes);
    let pong = vec![hear(b"PING\r\n".as_slice()), say("+PO"), say("NG\r\n")];
    check(Service::Redis, PATIENT, pong, "healthy: PONG", "").await;
    let version = vec![hear(b"version\r\n"), say("VERSION 1.6.18\r\n")];
    check(
        Service::Memcached,
        PATIENT,
        version,
        "healthy: VERSION 1.6.18",
        "quit\\r\\n",
    )
    .await;
    let mail = vec![
        say("220 mail ESMTP\r\n"),
        hear(b"EHLO [127.0.0.1]\r\n"),
        say("250 mail\r\n"),
    ];
    check(
        Service::Smtp,
        PATIENT,
        mail,
        "healthy: 220 mail ESMTP",
        "QUIT\\r\\n",
    )
    .await;
    let starting = vec![
        hear(b"postgres\0\0"),
        say(b"E\0\0\0\x2fSFATAL\0C57P03\0Mthe database is starting up\0\0"),
    ];
    check(
        Service::Postgres,
        PATIENT,
        starting,
        "starting in ready: 57P03 the database is starting up",
        "",
    )
    .await;
}

#[tokio::test]
async fn an_answer_before_the_question_counts_though_the_target_left() {
    let full = vec![say("-ERR max number of clients reached\r\n"), Act::Leave];
    check(
        Service::Redis,
        PATIENT,
        full,
        "busy in ready: ERR max number of clients reached",
        "PING\\r\\n",
    )
    .await;
}

#[tokio::test]
async fn what_the_target_still_says_is_read_before_the_socket_closes() {
    let talkative = vec![Act::Hear(b"PING\r\n"), say("+PONG\r\n"), say(vec![b'x'; 20_000])];
    check(Service::Redis, PATIENT, talkative, "healthy: PONG", "").await;
}

#[tokio::test]
async fn an_end_without_an_answer_tells_what_was_sent_and_what_came() {
    let hear = || Act::Hear(b"PING\r\n");
    let rows = [
        (
            vec![hear(), Act::Leave],
            "closed in ready: sent PING, got no answer, then closed",
        ),
        (
            vec![hear(), say("+PO"), Act::Leave],
            "closed in ready: sent PING, got `+PO`, then closed",
        ),
        (
            vec![hear(), Act::Reset],
            "reset in ready: sent PING, got no answer, then a reset",
        ),
        (
            vec![hear(), say("SSH-2.0-x\r\n")],
            "wrong_service in ready: sent PING, got `SSH-2.0-x`",
        ),
        (
            vec![hear(), say(vec![b'-'; 1])],
            "timeout in ready: sent PING, got `-`, then nothing",
        ),
        (vec![hear()], "silent in ready: sent PING, got no answer"),
    ];
    for (acts, expected) in rows {
        let retry_policy = if expected.starts_with("timeout") || expected.starts_with("silent") {
            BRIEF
        } else {
            PATIENT
        };
        check(Service::Redis, retry_policy, acts, expected, "").await;
    }
    let none = "silent in ready: waited for a greeting, got none";
    check(Service::Ssh, BRIEF, vec![], none, "").await;
    let half = "timeout in ready: sent EHLO, got no answer";
    check(
        Service::Smtp,
        BRIEF,
        vec![say("220 a\r\n"), Act::Hear(b"EHLO")],
        half,
        " [127.0.0.1]\\r\\n",
    )
    .await;
}

#[tokio::test]
async fn a_flood_is_cut_and_told_in_part() {
    let flood = vec![
        Act::Hear(b"PING\r\n"),
        say([b"-", vec![b'A'; 20_000].as_slice()].concat()),
    ];
    let peer = Peer::new(flood);
    let request = request(Service::Redis, peer.port());
    let (report, seen) = peer.meet(&request, PATIENT).await;
    let notified = notified(&report);
    assert!(
        notified.starts_with("wrong_service in ready: no answer within 16 KiB: sent PING, got `-AAAA")
            && notified.len() < 240,
        "{notified}"
    );
    assert!(seen.fin);
}

#[tokio::test]
async fn what_came_in_time_counts_though_we_were_late_to_read_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut peer, _) = listener.accept().await.unwrap();
    peer.write_all(b"SSH-2.0-late\r\n").await.unwrap();
    // Until all of it has reached our kernel.
    while stream.peek(&mut [0; 64]).await.unwrap() < 14 {}
    let fresh = TcpStream::from_std(stream.into_std().unwrap()).unwrap();
    let report = exchange(fresh, &request(Service::Ssh, port), Instant::now()).await;
    assert_eq!(notified(&report), "healthy: SSH-2.0-late");
}

#[tokio::test]
async fn an_answer_in_front_of_a_reset_counts() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut peer, _) = listener.accept().await.unwrap();
    peer.write_all(b"-ERR max number of clients reached\r\n")
        .await
        .unwrap();
    // Dropped so, it resets: our question cannot even be written.
    socket2::SockRef::from(&peer)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(peer);
    let report = exchange(stream, &request(Service::Redis, port), Instant::now() + PATIENT).await;
    assert_eq!(
        notified(&report),
        "busy in ready: ERR max number of clients reached"
    );
}
