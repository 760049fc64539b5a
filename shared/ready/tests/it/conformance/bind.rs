//! BIND, unbound and dnsmasq: answers, refusals, wrong records, and the limit of TCP connections.
//!
//! Packages: bind9 dnsmasq-base unbound

use std::process::Command;

use portpulse_core::readiness::{DnsCheck, Protocol, RecordType, Tls, Transport};
use portpulse_core::service::Service;
use portpulse_ready::{Request, TlsClient, exchange, exchange_dns_over_udp};
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant};

use super::server::{Dir, Server, check, free_port, plain};
use crate::peer::{describe, request_for};

fn start(dir: &Dir, port: u16, options: &str) -> Server {
    let zone = "$TTL 60\n@ SOA ns hostmaster 1 60 60 60 60\n@ NS ns\nns A 127.0.0.1\nwww A 192.0.2.1\nwww A 192.0.2.2\n\
        @ MX 10 mail\nmail AAAA 2001:db8::1\n@ TXT \"v=spf1 \" \"-all\"\nalias CNAME www\n\
        _sip._tcp SRV 10 5 5060 www\n@ CAA 0 issue \"ca.example\"\n";
    // More than fits into a datagram of 512 bytes.
    let many = (1..=60).map(|n| format!("many A 198.51.100.{n}\n"));
    // Together longer than a message about them may be.
    let texts = ('a'..='e').map(|letter| format!("texts TXT \"{}\"\n", letter.to_string().repeat(200)));
    dir.write(
        "zone",
        &many.chain(texts).fold(zone.to_owned(), |zone, line| zone + &line),
    );
    let all = format!(
        "options {{\n directory \"{{dir}}\"; pid-file \"{{dir}}/pid\"; session-keyfile none; recursion no;\n \
         listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; dnssec-validation no; {options}\n}};\n\
         controls {{}};\nzone \"corp.example\" {{ type master; file \"{{dir}}/zone\"; }};\n\
         zone \"broken.example\" {{ type slave; masters {{ 127.0.0.1 port 9; }}; }};\n"
    );
    let file = dir.write("named.conf", &all);
    Server::start(dir, Command::new("named").args(["-g", "-n", "1", "-c", &file])).ready(" running\n")
}

fn question(port: u16, name: &str, record_type: RecordType, must: &[&str], must_not: &[&str]) -> Request {
    let owned = |records: &[&str]| {
        records
            .iter()
            .map(|&record| record.to_owned())
            .collect::<Vec<_>>()
    };
    let check = DnsCheck::new(name, record_type, &owned(must), &owned(must_not), Transport::Tcp).unwrap();
    request_for(
        Protocol::Dns(check),
        Tls::Off,
        "localhost".parse().unwrap(),
        port,
        &TlsClient::with_roots([]),
    )
}

#[tokio::test]
#[ignore = "needs BIND: run .ci/run"]
async fn bind_answers_refuses_and_fails() {
    let (dir, port) = (Dir::new(), free_port());
    let server = start(&dir, port, "");
    let over_udp = [
        ("www.corp.example", ["192.0.2.1", "192.0.2.2"]),
        ("many.corp.example", ["198.51.100.1", "198.51.100.60"]),
    ];
    for (name, must) in over_udp {
        let must = must.map(str::to_owned);
        let dns_check = DnsCheck::new(name, RecordType::A, &must, &[], Transport::Udp).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let summary =
            describe(&exchange_dns_over_udp(([127, 0, 0, 1], port).into(), &dns_check, deadline).await);
        let wanted = format!("healthy: {name} A: NOERROR ");
        assert!(
            summary.starts_with(&wanted) && !summary.contains("truncated"),
            "{summary}"
        );
    }
    for _ in 0..20 {
        check(&plain(Service::Dns, port), port, "healthy: . NS: REFUSED").await;
    }
    let rows = [
        (
            "www.corp.example",
            RecordType::A,
            &["192.0.2.1", "192.0.2.2"][..],
            &["192.0.2.3"][..],
        ),
        ("corp.example", RecordType::Mx, &["10 mail.corp.example"], &[]),
        ("corp.example", RecordType::Txt, &["v=spf1 -all"], &[]),
        ("corp.example", RecordType::Ns, &["ns.corp.example"], &[]),
        (
            "corp.example",
            RecordType::Soa,
            &["ns.corp.example hostmaster.corp.example 1 60 60 60 60"],
            &[],
        ),
        (
            "_sip._tcp.corp.example",
            RecordType::Srv,
            &["10 5 5060 www.corp.example."],
            &[],
        ),
        (
            "corp.example",
            RecordType::Caa,
            &["0 issue \"ca.example\""],
            &["0 issue other.example"],
        ),
        ("mail.corp.example", RecordType::Aaaa, &["2001:db8:0::1"], &[]),
        (
            "alias.corp.example",
            RecordType::Cname,
            &["www.corp.example."],
            &[],
        ),
    ];
    for (name, record_type, must, must_not) in rows {
        check(
            &question(port, name, record_type, must, must_not),
            port,
            "healthy: ",
        )
        .await;
    }
    let wrong = question(port, "mail.corp.example", RecordType::Aaaa, &["2001:db8::2"], &[]);
    let summary =
        "wrong_answer in ready: 2001:db8::2 is missing: mail.corp.example AAAA: NOERROR 2001:db8::1";
    check(&wrong, port, summary).await;
    let absent = question(port, "texts.corp.example", RecordType::Txt, &["v=spf1 -all"], &[]);
    let summary = "wrong_answer in ready: v=spf1 -all is missing: texts.corp.example TXT: NOERROR ";
    check(&absent, port, summary).await;
    let failing = question(port, "broken.example", RecordType::A, &[], &[]);
    check(
        &failing,
        port,
        "service_error in ready: broken.example A: SERVFAIL",
    )
    .await;
    server.check_log(&[
        "managed-keys",
        "built with",
        "zone broken.example",
        "couldn't add command channel",
        "transfer of 'broken.example",
    ]);
}

#[tokio::test]
#[ignore = "needs BIND: run .ci/run"]
async fn bind_at_tcp_limit_is_silent() {
    let (dir, port) = (Dir::new(), free_port());
    let server = start(&dir, port, "tcp-clients 3;");
    let request = plain(Service::Dns, port);
    let mut held = Vec::new();
    let silent = loop {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let report = exchange(stream, &request, Instant::now() + Duration::from_secs(1)).await;
        let summary = describe(&report);
        if !summary.starts_with("healthy") || held.len() == 20 {
            break summary;
        }
        held.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    };
    assert_eq!(silent, "silent in ready: sent . NS, got no answer");
    server.check_log(&[
        "TCP connection failed: quota reached",
        "managed-keys",
        "built with",
        "zone broken.example",
    ]);
}

#[tokio::test]
#[ignore = "needs dnsmasq: run .ci/run"]
async fn dnsmasq_without_servers_to_ask_warns() {
    let (dir, port) = (Dir::new(), free_port());
    let mut command = Command::new("dnsmasq");
    command
        .args([
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--log-facility=-",
        ])
        .args(["--user=root", "--no-resolv", "--no-hosts", "--pid-file="])
        .args(["--bind-interfaces", "--listen-address=127.0.0.1"])
        .args([
            format!("--port={port}"),
            "--host-record=www.corp.example,192.0.2.1".to_owned(),
        ]);
    let server = Server::start(&dir, &mut command).ready("started, version");
    let warned = "healthy: . NS: REFUSED; warning: . NS: REFUSED, although the server offers recursion";
    check(&plain(Service::Dns, port), port, warned).await;
    let good = question(port, "www.corp.example", RecordType::A, &["192.0.2.1"], &[]);
    check(&good, port, "healthy: www.corp.example A: NOERROR 192.0.2.1").await;
    server.check_log(&["no upstream servers configured"]);
}

#[tokio::test]
#[ignore = "needs unbound: run .ci/run"]
async fn unbound_answers() {
    let (dir, port) = (Dir::new(), free_port());
    let all = format!(
        "server:\n username: \"\"\n chroot: \"\"\n directory: \"{{dir}}\"\n pidfile: \"{{dir}}/pid\"\n do-daemonize: no\n \
         interface: 127.0.0.1\n port: {port}\n use-syslog: no\n module-config: \"iterator\"\n do-not-query-localhost: no\n \
         local-data: \"www.corp.example. A 192.0.2.1\"\n\
         remote-control:\n control-enable: no\n"
    );
    let file = dir.write("unbound.conf", &all);
    let server =
        Server::start(&dir, Command::new("unbound").args(["-d", "-c", &file])).ready("start of service");
    let good = question(port, "www.corp.example", RecordType::A, &["192.0.2.1"], &[]);
    for _ in 0..20 {
        check(&good, port, "healthy: www.corp.example A: NOERROR 192.0.2.1").await;
    }
    server.check_log(&[]);
}
