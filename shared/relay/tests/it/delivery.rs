//! Delivery over real sockets: retries, no repeats, and destinations independent of each other.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use portpulse_core::decide::Notification;
use portpulse_core::outbox::{Kind, Stage};
use portpulse_cost::RelayedCost;
use portpulse_relay::{Client, DeliveryReport, Error, Relay, RetryPolicy, chain};
use portpulse_store::table::Operation;
use portpulse_testkit::embedded::EmbeddedDynamo;
use portpulse_testkit::memory_table::{Fault, MemoryTable};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Barrier;

use crate::harness::{LONG, Reply, Secrets, Service, config, destination, relay, relay_to, secrets_of};
use crate::services::{kinds, stand_in};
use portpulse_testkit::notification;

const OK: Reply = Reply::Status(200, None, "ok");

fn down() -> Vec<Notification> {
    vec![notification::of(Kind::Down)]
}

/// A relay with one destination at this address.
fn relay_at(address: SocketAddr) -> Relay<MemoryTable, Secrets> {
    let fields = destination("slack", Some(address));
    relay(
        &json!({ "it": fields }),
        &MemoryTable::new(),
        &secrets_of(address),
    )
}

fn outcome(report: &DeliveryReport) -> (usize, usize, usize, usize) {
    let DeliveryReport {
        delivered,
        duplicates,
        superseded,
        errors,
        warnings,
    } = report;
    assert_eq!(superseded.len(), 0);
    (delivered.len(), duplicates.len(), errors.len(), warnings.len())
}

#[tokio::test]
async fn every_service_accepts_requests_and_gets_no_repeats() {
    let mut all: Vec<_> = Kind::ALL.iter().map(|kind| notification::of(*kind)).collect();
    // Ends come last, because nothing is sent after the end of an incident.
    all.sort_by_key(|each| each.kind.stage() == Stage::Ended);
    for kind in kinds() {
        let service = Service::start(kind, []).await;
        let relay = relay_to(&service, &MemoryTable::new());
        for notifications in [&all[..2], &all[..]] {
            let report = relay.deliver(notifications, LONG).await;
            let (_, _, errors, warnings) = outcome(&report);
            assert_eq!((errors, warnings), (0, 0), "{kind}: {:?}", report.errors);
        }
        let (requests, accepted) = service.log();
        assert_eq!(requests, accepted.len());
        let report = relay.deliver(&all, LONG).await;
        assert_eq!(outcome(&report), (0, all.len(), 0, 0), "{kind}");
        assert_eq!(service.log().0, requests, "{kind} received a repeat");
    }
}

#[tokio::test]
async fn temporary_failure_is_retried() {
    let retries = [
        ("slack", Reply::Status(429, Some("0"), "rate_limited")),
        ("slack", Reply::Status(503, None, "")),
        (
            "discord",
            Reply::Status(429, None, r#"{"retry_after":0.002,"global":false}"#),
        ),
        (
            "telegram",
            Reply::Status(429, None, r#"{"ok":false,"parameters":{"retry_after":0}}"#),
        ),
        ("pagerduty", Reply::Status(500, None, "")),
        ("opsgenie", Reply::Status(422, Some("0"), "")),
        ("webhook", Reply::Silence),
    ];
    for (kind, reply) in retries {
        let is_final = matches!(reply, Reply::Status(422, ..));
        let service = Service::start(kind, [reply]).await;
        let mut configured = destination(kind, Some(service.address));
        configured["timeout"] = json!("200ms");
        let relay = relay(
            &json!({ "it": configured }),
            &MemoryTable::new(),
            &secrets_of(service.address),
        );
        let report = relay.deliver(&down(), LONG).await;
        let (requests, accepted) = service.log();
        if is_final {
            assert_eq!(
                (requests, accepted.len(), report.errors.len()),
                (1, 0, 1),
                "{kind}"
            );
        } else {
            assert_eq!((requests, accepted.len()), (2, 1), "{kind}: {:?}", report.errors);
            assert_eq!(outcome(&report), (1, 0, 0, 0), "{kind}");
        }
    }
}

#[tokio::test]
async fn error_has_the_start_of_a_long_answer() {
    let body: &str = "no such channel ".repeat(100).leak();
    for (status, expected) in [(404, "`it` refused "), (503, "`it` was unavailable for ")] {
        let service = Service::start("slack", vec![Reply::Status(status, Some("600"), body); 3]).await;
        let report = relay_to(&service, &MemoryTable::new())
            .deliver(&down(), LONG)
            .await;
        let [error] = &report.errors[..] else {
            panic!("{:?}", report.errors)
        };
        let message = error.to_string();
        let (before, answer) = message.split_once(": ").unwrap();
        assert!(before.starts_with(expected), "{message}");
        assert!(
            answer.starts_with("no such channel no such channel "),
            "{message}"
        );
        assert!(answer.ends_with('…') && answer.len() <= 200, "{message}");
    }
}

#[tokio::test]
async fn requested_pause_is_respected() {
    let service = Service::start("slack", [Reply::Status(429, Some("0.3"), "")]).await;
    let relay = relay_to(&service, &MemoryTable::new());
    let began = std::time::Instant::now();
    let report = relay.deliver(&down(), LONG).await;
    assert_eq!(outcome(&report), (1, 0, 0, 0));
    assert!(began.elapsed() >= Duration::from_millis(300));

    // A pause longer than the remaining time fails at once, and the next call retries.
    for (header, body) in [
        (None, r#"{"retry_after":600}"#),
        // Beyond the range of timestamps.
        (None, r#"{"retry_after":1e19}"#),
        (Some("10000000000000000000"), ""),
    ] {
        let service = Service::start("discord", [Reply::Status(429, header, body)]).await;
        let relay = relay_to(&service, &MemoryTable::new());
        let report = relay.deliver(&down(), LONG).await;
        assert!(
            matches!(&report.errors[..], [Error::Unavailable { attempts: 1, .. }]),
            "{:?}",
            report.errors
        );
        assert_eq!(outcome(&relay.deliver(&down(), LONG).await), (1, 0, 0, 0));
    }
}

/// A server that closes the first connections without an answer, and accepts later requests.
async fn closes_first(times: usize) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 64 * 1024];
            let _ = socket.read(&mut buffer).await.unwrap();
            if number >= times {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                socket.write_all(answer).await.unwrap();
            }
        }
    });
    address
}

#[tokio::test]
async fn closed_connection_is_retried_then_reported() {
    let relay = relay_at(closes_first(2).await);
    assert_eq!(outcome(&relay.deliver(&down(), LONG).await), (1, 0, 0, 0));

    let relay = relay_at(closes_first(3).await);
    let report = relay.deliver(&down(), LONG).await;
    assert!(matches!(
        &report.errors[..],
        [Error::NoAnswer { attempts: 3, .. }]
    ));
    assert_eq!(outcome(&relay.deliver(&down(), LONG).await), (1, 0, 0, 0));
}

#[tokio::test]
async fn destinations_do_not_delay_each_other() {
    // Each service answers only after all of them have received a request.
    let together = Arc::new(Barrier::new(3));
    let wait = || [Reply::Together(Arc::clone(&together))];
    let services = [
        Service::start("slack", wait()).await,
        Service::start("slack", wait()).await,
        Service::start("slack", wait()).await,
    ];
    let black_hole = Service::start("slack", std::iter::repeat_n(Reply::Silence, 9)).await;
    let secrets = Secrets::default();
    let mut destinations = serde_json::Map::new();
    let all = [&black_hole].into_iter().chain(&services);
    for (number, service) in all.enumerate() {
        let name = format!("ssm:/{number}");
        secrets.set(&name, &format!("http://{}/services/x", service.address));
        destinations.insert(
            format!("d{number}"),
            json!({ "kind": "slack", "url": name, "timeout": "30s" }),
        );
    }
    let relay = relay(&Value::Object(destinations), &MemoryTable::new(), &secrets);
    let report = relay.deliver(&down(), Duration::from_secs(2)).await;
    assert_eq!(outcome(&report), (3, 0, 1, 0));
    assert_eq!(report.errors[0].ids(), ["orders-db@2026-11-22T05:40:00Z.7/down"]);
    assert!(
        matches!(&report.errors[0], Error::OutOfTime { destination, .. } if destination.as_str() == "d0"),
        "{:?}",
        report.errors
    );
}

#[tokio::test]
async fn retry_reaches_only_failed_destinations() {
    let good = Service::start("slack", []).await;
    let bad = Service::start("slack", std::iter::repeat_n(Reply::Status(500, None, "down"), 3)).await;
    let secrets = Secrets::default();
    secrets.set("ssm:/good", &format!("http://{}/services/x", good.address));
    secrets.set("ssm:/bad", &format!("http://{}/services/x", bad.address));
    let destinations = json!({
        "good": { "kind": "slack", "url": "ssm:/good" },
        "bad": { "kind": "slack", "url": "ssm:/bad" },
    });
    let relay = relay(&destinations, &MemoryTable::new(), &secrets);
    let notifications = [notification::down("a"), notification::down("b")];
    let report = relay.deliver(&notifications, LONG).await;
    assert_eq!(outcome(&report), (2, 0, 1, 0));
    // The notification after the failed one is not attempted: 3 attempts in total.
    assert_eq!(report.errors[0].ids().len(), 2);
    assert_eq!(bad.log().0, 3);
    let report = relay.deliver(&notifications, LONG).await;
    assert_eq!(outcome(&report), (2, 2, 0, 0));
    assert_eq!((good.log().0, bad.log().0), (2, 5));
}

#[tokio::test]
async fn refused_notification_does_not_block_the_next() {
    let service = Service::start("slack", [Reply::Status(400, None, "invalid_blocks")]).await;
    let relay = relay_to(&service, &MemoryTable::new());
    let report = relay
        .deliver(&[notification::down("a"), notification::down("b")], LONG)
        .await;
    assert_eq!(outcome(&report), (1, 0, 1, 0));
    let error = chain(&report.errors[0]);
    let expected = "`it` refused a@2026-11-22T05:40:00Z.7/down with 400 Bad Request: invalid_blocks";
    assert_eq!(error, expected);
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let service = Service::start("slack", [Reply::Status(302, None, "")]).await;
    let relay = relay_to(&service, &MemoryTable::new());
    assert!(matches!(
        &relay.deliver(&down(), LONG).await.errors[..],
        [Error::Refused { .. }]
    ));
    assert_eq!(service.log().0, 1);
}

#[tokio::test]
async fn failing_ledger_repeats_but_loses_nothing() {
    let service = Service::start("slack", []).await;
    let table = MemoryTable::new();
    let relay = relay_to(&service, &table);
    table.set_faults(|_| Fault::Before);
    assert_eq!(outcome(&relay.deliver(&down(), LONG).await), (1, 0, 0, 3));
    table.clear_faults();
    // As after a crash before the delivery was recorded.
    assert_eq!(outcome(&relay.deliver(&down(), LONG).await), (1, 0, 0, 0));
    assert_eq!(outcome(&relay.deliver(&down(), LONG).await), (0, 1, 0, 0));
    // A record counts even if its acknowledgement was lost.
    table.set_faults(|call| {
        if call.operation == Operation::Put {
            Fault::After
        } else {
            Fault::None
        }
    });
    let other = [notification::down("other")];
    assert_eq!(outcome(&relay.deliver(&other, LONG).await), (1, 0, 0, 2));
    assert_eq!(outcome(&relay.deliver(&other, LONG).await), (0, 1, 0, 0));
    assert_eq!(service.log().0, 3);
}

#[tokio::test]
async fn ledger_survives_restart_of_relay() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let service = Service::start("slack", []).await;
    let relay = || {
        let config = config(&json!({ "it": destination("slack", None) }));
        let client = Client::new().unwrap();
        Relay::new(
            config,
            dynamo.table(),
            secrets_of(service.address),
            client,
            RetryPolicy::default(),
        )
    };
    assert_eq!(outcome(&relay().deliver(&down(), LONG).await), (1, 0, 0, 0));
    assert_eq!(outcome(&relay().deliver(&down(), LONG).await), (0, 1, 0, 0));
    // A hostile id works as a key too.
    let hostile = [Notification {
        id: "ü\n".repeat(2_000),
        ..notification::of(Kind::Down)
    }];
    assert_eq!(outcome(&relay().deliver(&hostile, LONG).await), (1, 0, 0, 0));
    assert_eq!(outcome(&relay().deliver(&hostile, LONG).await), (0, 1, 0, 0));
}

#[tokio::test]
async fn incident_consumes_the_planned_table_units() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let service = Service::start("slack", []).await;
    let (table, meter) = dynamo.metered_table();
    let relay = Relay::new(
        config(&json!({ "it": destination("slack", None) })),
        table,
        secrets_of(service.address),
        Client::new().unwrap(),
        RetryPolicy::default(),
    );
    for kind in [Kind::Down, Kind::Recovered] {
        assert_eq!(
            outcome(&relay.deliver(&[notification::of(kind)], LONG).await),
            (1, 0, 0, 0)
        );
    }
    let consumed = meter.take();
    assert_eq!(consumed.read_units, RelayedCost::READ_UNITS);
    assert_eq!(consumed.write_units, RelayedCost::WRITE_UNITS);
}

#[tokio::test]
async fn refused_secret_is_read_again() {
    let service = Service::start("slack", [OK, Reply::Status(403, None, "invalid_token")]).await;
    let secrets = secrets_of(service.address);
    let relay = relay(
        &json!({ "it": destination("slack", None) }),
        &MemoryTable::new(),
        &secrets,
    );
    for monitor in ["a", "b", "b", "c"] {
        relay.deliver(&[notification::down(monitor)], LONG).await;
    }
    assert_eq!(secrets.reads(), ["ssm:/slack", "ssm:/slack"]);
    assert_eq!(service.log().0, 4);
}

#[tokio::test]
async fn errors_never_show_secrets() {
    // A bound socket that does not listen: connections are refused, and the port stays reserved.
    let reserved = TcpSocket::new_v4().unwrap();
    reserved.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = reserved.local_addr().unwrap();
    for kind in kinds() {
        let broken = Secrets::default();
        let secrets = (stand_in(kind).secrets)("");
        secrets.iter().for_each(|(name, _)| broken.set(name, "no fit"));
        // The part of the first secret that a service might echo.
        let (_, secret) = secrets.into_iter().next().unwrap();
        let start = secret.find("secret").unwrap();
        let secret: &'static str = secret[start..].to_owned().leak();
        let echo = Service::start(kind, std::iter::repeat_n(Reply::Status(400, None, secret), 2)).await;
        for (address, secrets) in [
            (address, secrets_of(address)),
            (echo.address, secrets_of(echo.address)),
            (echo.address, broken),
            (echo.address, Secrets::default()),
        ] {
            let destinations = json!({ "it": destination(kind, Some(address)) });
            let relay = relay(&destinations, &MemoryTable::new(), &secrets);
            let report = relay.deliver(&down(), LONG).await;
            assert_eq!(report.errors.len(), 1, "{kind}");
            for error in &report.errors {
                let shown = format!("{} {error:?}", chain(error));
                assert!(!shown.contains(secret), "{kind}: {shown}");
            }
        }
    }
}
