//! Readiness checks, from the connection to the outcome.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use portpulse_core::outcome::{Outcome, Phase};
use portpulse_core::readiness::{DnsCheck, Protocol, Readiness, RecordType, Tls, Transport};
use portpulse_core::service::Service;
use portpulse_core::target::{Check, Target};
use portpulse_prober::Prober;
use tokio::time::Instant;

use crate::name_server::{has, serve};
use crate::{code, codes, peers, probe, target, target_at, with_name_server, with_timeout};

/// Answers the first bytes of each of `clients` with `reply`, then waits for the client to close.
fn answers(reply: &'static str, clients: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for _ in 0..clients {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 512]).unwrap();
            stream.write_all(reply.as_bytes()).unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    address
}

fn redis(address: SocketAddr) -> Target {
    Target {
        check: Check::Ready(Readiness::of(Service::Redis, address.port())),
        ..target_at(address)
    }
}

#[tokio::test]
async fn ready_check_asks_service_and_times_phase() {
    let healthy = answers("+PONG\r\n+none\r\n", 1);
    let loading = answers("-LOADING Redis is loading the dataset in memory\r\n", 1);
    let silent = peers::open();
    let targets = [healthy, loading, silent.address].map(|address| with_timeout(300, redis(address)));
    let outcomes = probe(with_name_server(silent.address), &targets).await;
    assert_eq!(codes(&outcomes), ["open", "starting", "silent"]);

    let Outcome::Open(opened) = &outcomes[0] else {
        panic!("{outcomes:?}")
    };
    assert!(opened.phases.connect.is_some() && opened.phases.ready.is_some() && opened.phases.tls.is_none());
    for (outcome, address) in outcomes.iter().zip([healthy, loading, silent.address]).skip(1) {
        let Outcome::Failed(failure) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!((failure.phase, failure.address), (Phase::Ready, Some(address)));
        assert!(
            failure.phases.connect.unwrap() < Duration::from_millis(200),
            "{failure:?}"
        );
        assert!(failure.detail.is_some(), "{failure:?}");
    }
}

#[tokio::test]
async fn configured_name_is_presented_to_a_mail_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"220 mail.example\r\n").unwrap();
        let mut line = [0; 64];
        let count = stream.read(&mut line).unwrap();
        stream.write_all(b"250 mail.example\r\n").unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
        String::from_utf8_lossy(&line[..count]).into_owned()
    });
    let readiness =
        Readiness::of(Service::Smtp, address.port()).with_client_name("monitor.example.com".parse().ok());
    let mail = Target {
        check: Check::Ready(readiness),
        ..target_at(address)
    };
    assert_eq!(codes(&probe(with_name_server(address), &[mail]).await), ["open"]);
    assert_eq!(server.join().unwrap(), "EHLO monitor.example.com\r\n");
}

#[tokio::test]
async fn refused_port_is_not_asked() {
    let refused = peers::refused();
    assert_eq!(
        codes(&probe(with_name_server(refused.address), &[redis(refused.address)]).await),
        ["refused"]
    );
}

#[tokio::test]
async fn silence_until_probe_deadline_is_no_data() {
    let silent = peers::open();
    let prober = Prober::new(with_name_server(silent.address)).unwrap();
    let outcomes = prober
        .probe(
            &[redis(silent.address)],
            Instant::now() + Duration::from_millis(300),
        )
        .await;
    assert_eq!(code(&outcomes[0]), "no_data_out_of_time");
}

/// Addresses of a MySQL server are not raced, because the server counts an abandoned connection against the client.
#[tokio::test]
async fn mysql_addresses_are_tried_sequentially() {
    let listener = TcpListener::bind("127.0.0.3:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let _silent = peers::silent_at(([127, 0, 0, 2], port).into());
    let _refused = peers::refused_at(([127, 0, 0, 4], port).into());
    let (sender, accepted) = std::sync::mpsc::channel();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            sender.send(std::time::Instant::now()).unwrap();
            stream
                .write_all(b"\x17\0\0\0\xff\x10\x04Too many connections")
                .unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    let names = serve([
        ("silent.test", has(&["127.0.0.2", "127.0.0.3"])),
        ("refused.test", has(&["127.0.0.4", "127.0.0.3"])),
        ("unreachable.test", has(&["127.0.0.2", "127.0.0.4"])),
    ]);
    let mysql = |name| Target {
        check: Check::Ready(Readiness::of(Service::Mysql, port)),
        ..target(name, port)
    };
    let asked = |name| with_timeout(2_000, mysql(name));
    let started = std::time::Instant::now();
    let outcomes = probe(with_name_server(names.address), &[asked("silent.test")]).await;
    assert_eq!(codes(&outcomes), ["busy"]);
    // The first address gets half of the time. A race would start the second one after 250 ms.
    let waited = accepted.recv().unwrap() - started;
    assert!(waited > Duration::from_millis(800), "{waited:?}");
    let started = std::time::Instant::now();
    let outcomes = probe(with_name_server(names.address), &[asked("refused.test")]).await;
    assert_eq!(codes(&outcomes), ["busy"]);
    assert!(accepted.recv().unwrap() - started < Duration::from_millis(800));
    let outcomes = probe(
        with_name_server(names.address),
        &[with_timeout(400, mysql("unreachable.test"))],
    )
    .await;
    assert_eq!(codes(&outcomes), ["refused"]);
}

/// Answers the DNS question in each datagram with this code and no records.
async fn answers_over_udp(socket: &tokio::net::UdpSocket, code: u8) {
    let mut buffer = [0; 512];
    loop {
        let (count, from) = socket.recv_from(&mut buffer).await.unwrap();
        let reply = &mut buffer[..count];
        (reply[2], reply[3]) = (0x81, 0x80 | code);
        socket.send_to(reply, from).await.unwrap();
    }
}

#[tokio::test]
async fn udp_name_server_is_asked_without_connect() {
    let server = tokio::net::UdpSocket::bind("127.0.0.3:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    // Receives datagrams and never answers.
    let _silent_server = tokio::net::UdpSocket::bind(("127.0.0.2", port)).await.unwrap();
    let names = serve([
        ("ns.test", has(&["127.0.0.2", "127.0.0.3"])),
        ("mute.test", has(&["127.0.0.2"])),
        // Tried in this order: no route, refused, no route.
        ("half.test", has(&[peers::UNROUTED_V6, "127.0.0.4", "ff02::2"])),
    ]);
    let refuses = tokio::net::UdpSocket::bind(("127.0.0.4", port)).await.unwrap();
    refuses.connect("127.0.0.1:9").await.unwrap();
    let question = |must: &[&str]| {
        let must: Vec<_> = must.iter().map(|&record| record.to_owned()).collect();
        let question = DnsCheck::new("a.example", RecordType::A, &must, &[], Transport::Udp);
        Readiness::new(Protocol::Dns(question.unwrap()), Tls::Off, 14).unwrap()
    };
    let asked = |name, must: &[&str]| Target {
        check: Check::Ready(question(must)),
        ..with_timeout(1_000, target(name, port))
    };
    let targets = [
        asked("ns.test", &[]),
        asked("ns.test", &["192.0.2.1"]),
        asked("mute.test", &[]),
        asked("half.test", &[]),
    ];
    let outcomes = tokio::select! {
        outcomes = probe(with_name_server(names.address), &targets) => outcomes,
        () = answers_over_udp(&server, 0) => unreachable!(),
    };
    assert_eq!(codes(&outcomes), ["open", "wrong_answer", "silent", "refused"]);
    let Outcome::Open(opened) = &outcomes[0] else {
        panic!("{outcomes:?}")
    };
    assert_eq!(opened.address.to_string(), format!("127.0.0.3:{port}"));
    assert!(opened.phases.connect.is_none() && opened.phases.ready.unwrap() < Duration::from_millis(400));
}
