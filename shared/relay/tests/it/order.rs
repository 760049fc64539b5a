//! Concurrent calls about one incident: they wait for each other, and the end is delivered last.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::FutureExt as _;
use portpulse_core::decide::Notification;
use portpulse_core::outbox::Kind;
use portpulse_relay::{DeliveryReport, Error, Relay};
use portpulse_store::keys::Key;
use portpulse_store::table::{Condition, Item, Operation, Put, Read, Table, TableError};
use portpulse_testkit::embedded::EmbeddedDynamo;
use portpulse_testkit::memory_table::{Fault, MemoryTable};
use portpulse_testkit::notification;
use serde_json::json;
use tokio::sync::Barrier;

use crate::harness::{LONG, Reply, Secrets, Service, destination, relay, relay_to, secrets_of};

/// Too short to wait for another call.
pub(crate) const SHORT: Duration = Duration::from_secs(5);

/// Kinds of notifications that start or continue an incident, each with the kind that ends it.
pub(crate) const PAIRS: [(Kind, Kind); 9] = [
    (Kind::Down, Kind::Recovered),
    (Kind::Escalated, Kind::Recovered),
    (Kind::Reminder, Kind::Recovered),
    (Kind::Degraded, Kind::Recovered),
    (Kind::Exposed, Kind::Recovered),
    (Kind::Advisory, Kind::AdvisoryOver),
    (Kind::LocationSilent, Kind::LocationBack),
    (Kind::LocationSuspect, Kind::LocationTrusted),
    (Kind::HomeUnreachable, Kind::HomeReachable),
];

/// The numbers of notifications delivered, skipped as duplicates, skipped as superseded, and left to another call.
pub(crate) fn outcome(report: &DeliveryReport) -> [usize; 4] {
    let is_claimed = |error: &Error| matches!(error, Error::ClaimedElsewhere { .. });
    assert!(report.errors.iter().all(is_claimed), "{:?}", report.errors);
    assert_eq!(report.warnings.len(), 0, "{:?}", report.warnings);
    [
        report.delivered.len(),
        report.duplicates.len(),
        report.superseded.len(),
        report.errors.len(),
    ]
}

#[tokio::test]
async fn call_during_delivery_waits_or_fails() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    for kind in ["slack", "pagerduty", "opsgenie"] {
        let service = Service::start(kind, []).await;
        let destinations = json!({ kind: destination(kind, Some(service.address)) });
        let relay = relay(&destinations, &dynamo.table(), &secrets_of(service.address));
        for (beginning, end) in PAIRS {
            for (first, second) in [(beginning, end), (end, beginning)] {
                let of = |kind| {
                    let base = notification::of(kind);
                    let id = base.id.replace('/', &format!(".{beginning}.{first}/"));
                    [Notification { id, ..base }]
                };
                let (first, second, began) = (of(first), of(second), service.log().1.len());
                let barrier = Arc::new(Barrier::new(2));
                service.then([Reply::Held(Arc::clone(&barrier))]);
                let meanwhile = async {
                    barrier.wait().await;
                    // Lambda retries the first notification, and SNS delivers the second.
                    for other in [&first, &second] {
                        let report = relay.deliver(other, SHORT).await;
                        assert_eq!(outcome(&report), [0, 0, 0, 1], "{kind}");
                        assert_eq!(report.errors[0].ids(), [other[0].id.clone()]);
                    }
                    let (other, _) = tokio::join!(relay.deliver(&second, LONG), barrier.wait());
                    other
                };
                let (notified, other) = tokio::join!(relay.deliver(&first, LONG), meanwhile);
                assert_eq!(outcome(&notified), [1, 0, 0, 0], "{kind}");
                let is_end = second[0].kind == end;
                let expected = if is_end { [1, 0, 0, 0] } else { [0, 0, 1, 0] };
                assert_eq!(outcome(&other), expected, "{kind} {beginning} {is_end}");
                let again = relay.deliver(&first, LONG).await;
                assert_eq!(outcome(&again), [0, 1, 0, 0]);
                let parts = if kind == "opsgenie" && beginning == Kind::Escalated && is_end {
                    3
                } else {
                    1 + usize::from(is_end)
                };
                assert_eq!(service.log().1.len() - began, parts, "{kind} {beginning}");
                assert_eq!(service.alerts().len(), 0, "{kind} {beginning}");
            }
        }
    }
}

/// The report of a call that runs while the service withholds its answer to another call.
async fn meanwhile<T: Table>(
    barrier: &Barrier,
    relay: &Relay<T, Secrets>,
    notifications: &[Notification],
) -> DeliveryReport {
    barrier.wait().await;
    let report = relay.deliver(notifications, SHORT).await;
    barrier.wait().await;
    report
}

#[tokio::test]
async fn other_incident_is_not_delayed() {
    let service = Service::start("slack", []).await;
    let relay = relay_to(&service, &MemoryTable::new());
    let barrier = Arc::new(Barrier::new(2));
    service.then([Reply::Held(Arc::clone(&barrier))]);
    let both = [notification::down("a"), notification::down("b")];
    let meanwhile = meanwhile(&barrier, &relay, &both);
    let (notified, other) = tokio::join!(relay.deliver(&both[..1], LONG), meanwhile);
    assert_eq!(outcome(&notified), [1, 0, 0, 0]);
    assert_eq!(outcome(&other), [1, 0, 0, 1]);
    assert_eq!(other.delivered[0].1, both[1].id);
}

#[tokio::test]
async fn waiting_notification_is_reported_with_failed_one() {
    let service = Service::start("slack", []).await;
    let relay = relay_to(&service, &MemoryTable::new());
    let barrier = Arc::new(Barrier::new(2));
    let unavailable = std::iter::repeat_n(Reply::Status(503, None, ""), 3);
    service.then([Reply::Held(Arc::clone(&barrier))].into_iter().chain(unavailable));
    let both = [notification::down("a"), notification::down("b")];
    let meanwhile = meanwhile(&barrier, &relay, &both);
    let (_, other) = tokio::join!(relay.deliver(&both[..1], LONG), meanwhile);
    assert_eq!(other.errors.len(), 1);
    assert_eq!(other.errors[0].ids(), [both[1].id.clone(), both[0].id.clone()]);
}

#[tokio::test]
async fn start_after_end_in_one_call_depends_on_end() {
    let service = Service::start("webhook", []).await;
    let relay = relay_to(&service, &MemoryTable::new());
    let both = [Kind::Recovered, Kind::Down].map(notification::of);
    service.then([Reply::Status(400, None, "")]);
    let report = relay.deliver(&both, LONG).await;
    assert_eq!(report.errors[0].ids(), [both[0].id.clone()]);
    assert_eq!((report.delivered.len(), report.superseded.len()), (1, 0));
    let both = both.map(|each| Notification {
        id: format!("x{}", each.id),
        ..each
    });
    assert_eq!(outcome(&relay.deliver(&both, LONG).await), [1, 0, 1, 0]);
}

/// A table that answers at once; its writes may be repeated or hang.
#[derive(Clone)]
struct Eager(MemoryTable, Writes);

#[derive(Clone, Copy)]
enum Writes {
    /// Each write is repeated, as if the SDK retried after a lost answer.
    Times(usize),
    /// The first write succeeds, later ones never answer.
    Once,
}

impl Table for Eager {
    async fn query(&self, pk: &str, read: Read) -> Result<Vec<Item>, TableError> {
        self.0.query(pk, read).await
    }

    async fn get(&self, pk: &str, sk: &str, read: Read) -> Result<Option<Item>, TableError> {
        self.0.get(pk, sk, read).await
    }

    async fn get_many(&self, keys: &[Key], read: Read) -> Result<Vec<Item>, TableError> {
        self.0.get_many(keys, read).await
    }

    async fn put(&self, item: Item, condition: Condition) -> Result<Put, TableError> {
        let put = || {
            let mut put = pin!(self.0.put(item.clone(), condition));
            loop {
                if let Some(done) = put.as_mut().now_or_never() {
                    return done;
                }
            }
        };
        match self.1 {
            Writes::Once if self.0.writes() > 0 => std::future::pending::<()>().await,
            Writes::Once => {}
            Writes::Times(times) => {
                for _ in 1..times {
                    put()?;
                }
            }
        }
        put()
    }
}

#[tokio::test]
async fn repeated_claim_write_does_not_block_its_own_call() {
    let service = Service::start("slack", []).await;
    let table = Eager(MemoryTable::new(), Writes::Times(2));
    let relay = relay_to(&service, &table);
    for kind in [Kind::Down, Kind::Recovered] {
        let report = relay.deliver(&[notification::of(kind)], SHORT).await;
        assert_eq!(outcome(&report), [1, 0, 0, 0]);
    }
}

#[tokio::test]
async fn failed_delivery_releases_its_claim() {
    let service = Service::start("webhook", []).await;
    let relay = relay_to(&service, &MemoryTable::new());
    let refused = Reply::Status(400, None, "");
    let unavailable = || std::iter::repeat_n(Reply::Status(503, None, ""), 3);
    let both = [Kind::Down, Kind::Recovered].map(notification::of);
    for script in [vec![refused.clone()], unavailable().collect()] {
        service.then(script);
        assert_eq!(relay.deliver(&both[..1], SHORT).await.errors.len(), 1);
    }
    // The start is accepted, and the end fails temporarily.
    service.then([Reply::Status(200, None, "")].into_iter().chain(unavailable()));
    assert_eq!(
        relay.deliver(&both, SHORT).await.errors[0].ids(),
        [both[1].id.clone()]
    );
    assert_eq!(outcome(&relay.deliver(&both, SHORT).await), [1, 1, 0, 0]);
}

#[tokio::test]
async fn claim_is_held_until_last_notification_is_sent() {
    let service = Service::start("webhook", []).await;
    let relay = relay_to(&service, &MemoryTable::new());
    let [down, escalated, recovered] = [Kind::Down, Kind::Escalated, Kind::Recovered].map(notification::of);
    let recovered = [recovered];
    let barrier = Arc::new(Barrier::new(2));
    service.then([Reply::Status(200, None, ""), Reply::Held(Arc::clone(&barrier))]);
    let both = [down, escalated];
    let meanwhile = meanwhile(&barrier, &relay, &recovered);
    let (notified, other) = tokio::join!(relay.deliver(&both, LONG), meanwhile);
    assert_eq!(outcome(&notified), [2, 0, 0, 0]);
    assert_eq!(outcome(&other), [0, 0, 0, 1]);
}

#[tokio::test]
async fn claim_outlives_call_that_ran_out_of_time() {
    let service = Service::start("webhook", [Reply::Silence]).await;
    let table = Eager(MemoryTable::new(), Writes::Times(1));
    let relay = relay_to(&service, &table);
    let both = [Kind::Down, Kind::Recovered].map(notification::of);
    let report = relay.deliver(&both[..1], Duration::from_millis(300)).await;
    assert!(matches!(&report.errors[..], [Error::OutOfTime { .. }]));
    assert_eq!(outcome(&relay.deliver(&both[1..], SHORT).await), [0, 0, 0, 1]);
    // An exclusive relay takes over its own claims.
    let relay = relay.exclusive();
    assert_eq!(outcome(&relay.deliver(&both[1..], SHORT).await), [0, 0, 0, 1]);
    service.then([Reply::Silence]);
    let others = [Kind::LocationSilent, Kind::LocationBack].map(notification::of);
    let report = relay.deliver(&others[..1], Duration::from_millis(300)).await;
    assert!(matches!(&report.errors[..], [Error::OutOfTime { .. }]));
    assert_eq!(outcome(&relay.deliver(&others[1..], SHORT).await), [1, 0, 0, 0]);
}

#[tokio::test]
async fn entry_of_unknown_version_is_not_overwritten() {
    let service = Service::start("slack", []).await;
    let table = MemoryTable::new();
    let relay = relay_to(&service, &table);
    relay.deliver(&[notification::of(Kind::Down)], LONG).await;
    let mut item = table.snapshot().into_values().next().unwrap();
    item.insert("v".to_owned(), AttributeValue::N("2".to_owned()));
    table.overwrite(item.clone());
    for _ in 0..2 {
        let report = relay.deliver(&[notification::of(Kind::Down)], LONG).await;
        assert_eq!((report.delivered.len(), report.warnings.len()), (1, 3));
    }
    assert_eq!(table.snapshot().into_values().collect::<Vec<_>>(), [item]);
}

#[tokio::test]
async fn accepted_post_is_delivered_even_if_record_hangs() {
    let service = Service::start("slack", []).await;
    let table = Eager(MemoryTable::new(), Writes::Once);
    let relay = relay_to(&service, &table);
    let down = [notification::of(Kind::Down)];
    let report = relay.deliver(&down, Duration::from_secs(1)).await;
    assert_eq!((report.delivered.len(), report.errors.len()), (1, 0));
    assert!(!report.warnings.is_empty());
}

#[tokio::test]
async fn call_that_saw_a_claim_sends_nothing_without_ledger() {
    let service = Service::start("webhook", [Reply::Silence]).await;
    let mut hook = destination("webhook", Some(service.address));
    hook["timeout"] = json!("100ms");
    let table = MemoryTable::new();
    let both = [Kind::Down, Kind::Recovered].map(notification::of);
    let relay = relay(
        &json!({ "it": hook }),
        &Eager(table.clone(), Writes::Times(1)),
        &secrets_of(service.address),
    );
    let report = relay.deliver(&both[..1], Duration::from_millis(50)).await;
    assert!(matches!(&report.errors[..], [Error::OutOfTime { .. }]));
    let mut reads = 0;
    table.set_faults(move |call| {
        reads += u32::from(call.operation == Operation::Get);
        if reads > 1 { Fault::Before } else { Fault::None }
    });
    let report = relay.deliver(&both[1..], Duration::from_millis(500)).await;
    assert!(matches!(&report.errors[..], [Error::ClaimedElsewhere { .. }]));
    assert!(!report.warnings.is_empty());
    assert_eq!(service.log().0, 1);
}
