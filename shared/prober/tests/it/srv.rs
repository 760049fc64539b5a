//! Hosts and ports from SRV records, which are looked up at each check.

use std::net::SocketAddr;

use portpulse_core::outcome::Outcome;
use portpulse_core::readiness::{HttpCheck, Method, Protocol, Readiness, Tls};
use portpulse_core::target::{Check, Target};
use portpulse_prober::{OwnAddresses, Settings};

use crate::http::server;
use crate::name_server::{Zone, has, serve};
use crate::{code, codes, peers, probe, target, with_name_server};

/// The name of the records.
const NAME: &str = "_shop._tcp.example.test";

/// The port of a target is never used: the records name the ports.
fn srv_target() -> Target {
    target(NAME, 1)
}

fn records(records: &[(u16, u16, u16, &str)]) -> Zone {
    let owned = records
        .iter()
        .map(|(priority, weight, port, host)| (*priority, *weight, *port, (*host).to_owned()));
    Zone::Srv(owned.collect())
}

fn address(outcome: &Outcome) -> SocketAddr {
    match outcome {
        Outcome::Open(opened) => opened.address,
        Outcome::Failed(_) | Outcome::NoData(_) => panic!("{outcome:?}"),
    }
}

#[tokio::test]
async fn records_are_tried_in_the_order_of_their_priorities() {
    let first = peers::open_at("127.0.0.2:0".parse().unwrap());
    let second = peers::open_at("127.0.0.3:0".parse().unwrap());
    let refused = peers::refused_at("127.0.0.4:0".parse().unwrap());
    let (one, two) = (first.address.port(), second.address.port());
    let hosts = [
        ("one.test", has(&["127.0.0.2"])),
        ("two.test", has(&["127.0.0.3"])),
        ("shut.test", has(&["127.0.0.4"])),
    ];
    for (written, expected) in [
        (
            vec![(20, 0, two, "two.test"), (10, 0, one, "one.test")],
            first.address,
        ),
        (
            vec![(10, 1, one, "one.test"), (10, 9, two, "two.test")],
            second.address,
        ),
        // A server that refuses, and one without an address, leave the others.
        (
            vec![
                (1, 0, refused.address.port(), "shut.test"),
                (2, 0, 1, "gone.test"),
                (3, 0, two, "two.test"),
            ],
            second.address,
        ),
    ] {
        let zones = hosts.clone().into_iter().chain([(NAME, records(&written))]);
        let names = serve(zones);
        let outcomes = probe(with_name_server(names.address), &[srv_target()]).await;
        assert_eq!(address(&outcomes[0]), expected, "{written:?}");
    }
}

#[tokio::test]
async fn only_the_first_eight_records_are_tried() {
    let open = peers::open_at("127.0.0.2:0".parse().unwrap());
    let refused = peers::refused_at("127.0.0.4:0".parse().unwrap());
    for (refusing, expected) in [(7, "open"), (8, "refused")] {
        let mut written: Vec<_> = (0..refusing)
            .map(|priority| (priority, 0, refused.address.port(), "shut.test"))
            .collect();
        written.push((9, 0, open.address.port(), "one.test"));
        let names = serve([
            ("one.test", has(&["127.0.0.2"])),
            ("shut.test", has(&["127.0.0.4"])),
            (NAME, records(&written)),
        ]);
        let outcomes = probe(with_name_server(names.address), &[srv_target()]).await;
        assert_eq!(code(&outcomes[0]), expected, "{refusing}");
    }
}

#[tokio::test]
async fn failure_of_all_servers_or_names_is_named() {
    let refused = peers::refused_at("127.0.0.4:0".parse().unwrap());
    let port = refused.address.port();
    for (zones, expected) in [
        (vec![], "dns_not_found"),
        (vec![(NAME, records(&[(0, 0, 1, ".")]))], "dns_not_found"),
        (vec![(NAME, records(&[(0, 0, 1, "gone.test")]))], "dns_not_found"),
        (vec![(NAME, Zone::Fails)], "dns_server_failure"),
        (
            vec![
                (NAME, records(&[(0, 0, 1, "failing.test")])),
                ("failing.test", Zone::Fails),
            ],
            "dns_server_failure",
        ),
        (
            vec![
                (NAME, records(&[(0, 0, port, "shut.test")])),
                ("shut.test", has(&["127.0.0.4"])),
            ],
            "refused",
        ),
    ] {
        let shown = format!("{zones:?}");
        // The resolver works: another name resolves.
        let names = serve(zones.into_iter().chain([("known.test", has(&["127.0.0.4"]))]));
        let targets = [srv_target(), target("known.test", port)];
        let outcomes = probe(with_name_server(names.address), &targets).await;
        assert_eq!(code(&outcomes[0]), expected, "{shown}");
    }
}

#[tokio::test]
async fn records_are_asked_at_each_check_and_never_lead_to_the_machine_itself() {
    let open = peers::open_at("127.0.0.2:0".parse().unwrap());
    let zones = [
        (NAME, records(&[(0, 0, open.address.port(), "one.test")])),
        ("one.test", has(&["127.0.0.2"])),
    ];
    let names = serve(zones);
    for round in 1..=2 {
        let outcomes = probe(with_name_server(names.address), &[srv_target()]).await;
        assert_eq!(codes(&outcomes), ["open"]);
        assert_eq!(names.asked(NAME), round);
    }
    let settings = Settings {
        own_addresses: OwnAddresses::Skip,
        ..with_name_server(names.address)
    };
    let outcomes = probe(settings, &[srv_target()]).await;
    assert_eq!(codes(&outcomes), ["no_data_own_address"]);
}

#[tokio::test]
async fn request_names_the_host_and_the_port_of_the_record() {
    let (address, received) = server("HTTP/1.1 200 OK\r\n\r\n", std::time::Duration::ZERO);
    let names = serve([
        (NAME, records(&[(0, 0, address.port(), "one.test")])),
        ("one.test", has(&["127.0.0.1"])),
    ]);
    let check = HttpCheck::new(Method::Get, "/", vec![200..=200], None, false).unwrap();
    let readiness = Readiness::new(Protocol::Http(check), Tls::Off, 14).unwrap();
    let target = Target {
        check: Check::Ready(readiness),
        ..srv_target()
    };
    let outcomes = probe(with_name_server(names.address), &[target]).await;
    assert_eq!(codes(&outcomes), ["open"]);
    let request = received.recv().unwrap();
    let expected = format!("Host: one.test:{}\r\n", address.port());
    assert!(request.contains(&expected), "{request}");
}
