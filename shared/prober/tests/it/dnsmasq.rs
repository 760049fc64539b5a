//! Names as a real resolver answers for them: dnsmasq, as many networks have it.
//!
//! Packages: dnsmasq-base

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use portpulse_prober::Prober;
use tokio::time::Instant;

use crate::resolver_files::Files;
use crate::{codes, peers, probe, target};

/// A running dnsmasq, which answers REFUSED for names that no option mentions.
struct Dnsmasq {
    child: Child,
    address: SocketAddr,
}

impl Dnsmasq {
    fn start(options: &[&str]) -> Self {
        Self::start_at(free_address(), options)
    }

    fn start_at(address: SocketAddr, options: &[&str]) -> Self {
        let mut child = Command::new("dnsmasq")
            .args([
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--log-facility=-",
            ])
            .args(["--user=root", "--no-resolv", "--no-hosts", "--pid-file="])
            .args(["--bind-interfaces", "--listen-address=127.0.0.1"])
            .arg(format!("--port={}", address.port()))
            .args(options)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("dnsmasq: {error}: run .ci/servers"));
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let started = log.any(|line| line.unwrap().contains("started"));
        assert!(started, "dnsmasq ended");
        std::thread::spawn(move || log.for_each(drop));
        Self { child, address }
    }
}

impl Drop for Dnsmasq {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that is free for both transports, below the range of Linux's ephemeral ports.
pub(crate) fn free_address() -> SocketAddr {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id().wrapping_add(ASKED.fetch_add(1, Ordering::Relaxed));
        let port = 12_000 + u16::try_from(number % 20_000).unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

#[tokio::test]
#[ignore = "needs dnsmasq: run .ci/run"]
async fn search_lists_and_final_dots_are_followed_as_in_glibc() {
    let open = peers::open();
    let port = open.address.port();
    let _refused = peers::refused_at(([127, 0, 0, 9], port).into());
    // `wild.test` has every name; `good.test` has one; for `broken.test` this server may not be asked.
    let dnsmasq = Dnsmasq::start(&[
        "--host-record=db.example.test,127.0.0.1",
        "--host-record=db.good.test,127.0.0.1",
        "--local=/good.test/",
        "--local=/example.test/",
        "--address=/wild.test/127.0.0.9",
    ]);
    let rows = [
        ("search broken.test\noptions ndots:5", "db.example.test", "open"),
        ("search broken.test good.test\noptions ndots:5", "db", "open"),
        ("search wild.test\noptions ndots:5", "db.example.test", "refused"),
        ("search wild.test\noptions ndots:5", "db.example.test.", "open"),
        ("search good.test", "absent.good.test", "dns_not_found"),
        // The server knows no other one to ask, not even for the root.
        ("search broken.test", "db", "no_data_resolver_down"),
    ];
    for (resolv_conf, name, expected) in rows {
        let files = Files::new();
        files.write("resolv.conf", &format!("{resolv_conf}\nnameserver 127.0.0.1\n"));
        let outcomes = probe(files.settings(dnsmasq.address), &[target(name, port)]).await;
        assert_eq!(codes(&outcomes), [expected], "{resolv_conf}: {name}");
    }
}

#[tokio::test]
#[ignore = "needs dnsmasq: run .ci/run"]
async fn resolver_that_appears_later_is_used_without_restart() {
    let open = peers::open();
    let files = Files::new();
    let address = free_address();
    files.write("resolv.conf", "nameserver 127.0.0.1\n");
    let prober = Prober::new(files.settings(address)).unwrap();
    let check = async |expected: &str| {
        let targets = [target("db.example.test", open.address.port())];
        let deadline = Instant::now() + Duration::from_secs(60);
        assert_eq!(codes(&prober.probe(&targets, deadline).await), [expected]);
    };
    check("no_data_resolver_down").await;
    let dnsmasq = Dnsmasq::start_at(address, &["--host-record=db.example.test,127.0.0.1"]);
    check("open").await;
    drop(dnsmasq);
    check("no_data_resolver_down").await;
}
