//! DNS over UDP.

use std::net::SocketAddr;
use std::time::Duration;

use portpulse_core::readiness::{DnsCheck, RecordType, Transport};
use portpulse_ready::exchange_dns_over_udp;
use tokio::net::UdpSocket;
use tokio::time::Instant;

use crate::peer::told;

/// A reply to any one question without records, with the wanted flags.
fn reply(query: &[u8], flags: [u8; 2]) -> Vec<u8> {
    let mut reply = query.to_vec();
    reply[2..4].copy_from_slice(&flags);
    reply
}

/// Asks a server that lets so many queries go by, then answers.
async fn check(
    check: &DnsCheck,
    ignored: usize,
    answer: impl Fn(&[u8]) -> Vec<u8>,
    patience: Duration,
) -> String {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let asked = exchange_dns_over_udp(address, check, Instant::now() + patience);
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
        report = asked => told(&report),
        () = serve => unreachable!(),
    }
}

const PATIENT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_reply_is_judged_as_over_tcp() {
    let root = DnsCheck::default();
    let rows = [
        ([0x81, 0x80], "healthy: . NS: NOERROR"),
        ([0x83, 0x80], "healthy: . NS: NOERROR, truncated"),
    ];
    for (flags, expected) in rows {
        assert_eq!(
            check(&root, 0, |query| reply(query, flags), PATIENT).await,
            expected
        );
    }
    let wanted = DnsCheck::new(
        "a.example",
        RecordType::A,
        &["192.0.2.1".to_owned()],
        &[],
        Transport::Udp,
    )
    .unwrap();
    let told = "wrong_answer in ready: a.example A: REFUSED; 192.0.2.1 is missing";
    assert_eq!(
        check(&wanted, 0, |query| reply(query, [0x81, 0x85]), PATIENT).await,
        told
    );
    let told = "wrong_service in ready: sent . NS, got a datagram that is no DNS reply to it";
    assert_eq!(check(&root, 0, <[u8]>::to_vec, PATIENT).await, told);
    assert_eq!(check(&root, 0, |_| b"hello".to_vec(), PATIENT).await, told);
}

#[tokio::test]
async fn a_lost_query_is_sent_again() {
    let told = check(
        &DnsCheck::default(),
        1,
        |query| reply(query, [0x81, 0x80]),
        PATIENT,
    )
    .await;
    assert_eq!(told, "healthy: . NS: NOERROR");
}

#[tokio::test]
async fn nobody_and_silence_are_told_apart() {
    let brief = Duration::from_millis(300);
    let told_of_silence = check(&DnsCheck::default(), 9, <[u8]>::to_vec, brief).await;
    assert_eq!(told_of_silence, "silent in ready: sent . NS, got no answer");
    // A port that is taken, but not for UDP: nobody else can take it meanwhile for what is asked.
    let held = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let nobody: SocketAddr = held.local_addr().unwrap();
    held.connect("127.0.0.1:9").await.unwrap();
    let report = exchange_dns_over_udp(nobody, &DnsCheck::default(), Instant::now() + PATIENT).await;
    assert_eq!(
        told(&report),
        "refused in ready: sent . NS, the host says that nobody listens there"
    );
}
