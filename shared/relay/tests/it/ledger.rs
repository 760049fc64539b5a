//! Random deliveries with a failing ledger: each notification reaches each destination, and is repeated only if its
//! delivery was not recorded.

use std::collections::BTreeMap;

use portpulse_relay::is_delivered;
use portpulse_store::table::Operation;
use portpulse_testkit::memory_table::{Fault, MemoryTable};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::{LONG, Reply, Secrets, Service, relay};
use portpulse_testkit::notification;

/// One call of the relay: the number of notifications, and the failures during the call.
#[derive(Debug, Clone)]
struct Call {
    notifications: usize,
    /// The number of requests that each destination answers with a temporary failure.
    refusals: [usize; 2],
    /// Whether records of deliveries are lost, as if the relay crashed before writing them.
    loses_records: bool,
}

fn call() -> impl Strategy<Value = Call> {
    let refusals = [0usize..5, 0usize..5];
    (1usize..4, refusals, prop::bool::weighted(0.3)).prop_map(|(notifications, refusals, loses_records)| {
        Call {
            notifications,
            refusals,
            loses_records,
        }
    })
}

/// How often the destination accepted each notification.
fn accepted(service: &Service) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for body in service.log().1 {
        *counts.entry(body["id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

async fn play(calls: &[Call]) -> Result<(), TestCaseError> {
    let services = [
        Service::start("webhook", []).await,
        Service::start("webhook", []).await,
    ];
    let secrets = Secrets::default();
    secrets.set("ssm:/key", "secret-signing-key");
    let destinations: serde_json::Map<_, _> = services
        .iter()
        .enumerate()
        .map(|(number, service)| {
            let url = format!("http://{}/hook", service.address);
            (
                format!("d{number}"),
                json!({ "kind": "webhook", "url": url, "key": "ssm:/key" }),
            )
        })
        .collect();
    let table = MemoryTable::new();
    let relay = relay(&Value::Object(destinations), &table, &secrets);
    let all: Vec<_> = ["m1", "m2", "m3"].map(notification::down).into();
    // The number of deliveries without a record, by notification.
    let mut unrecorded = BTreeMap::<String, usize>::new();
    for call in calls {
        for (service, refusals) in services.iter().zip(call.refusals) {
            service.then(std::iter::repeat_n(Reply::Status(503, Some("0"), ""), refusals));
        }
        let loses_records = call.loses_records;
        table.set_faults(move |call| {
            if loses_records && call.operation == Operation::Put {
                Fault::Before
            } else {
                Fault::None
            }
        });
        let report = relay.deliver(&all[..call.notifications], LONG).await;
        if loses_records {
            for (_, id) in &report.delivered {
                *unrecorded.entry(id.clone()).or_default() += 1;
            }
        }
        services.iter().for_each(|service| service.then([]));
    }
    table.clear_faults();
    // A failed call is repeated.
    let report = relay.deliver(&all, LONG).await;
    prop_assert!(report.errors.is_empty(), "{:?}", report.errors);
    let mut repeats = BTreeMap::<String, usize>::new();
    for service in &services {
        let accepted = accepted(service);
        for notification in &all {
            let times = accepted.get(&notification.id).copied().unwrap_or(0);
            prop_assert!(times >= 1, "{} was lost: {:?}", notification.id, calls);
            *repeats.entry(notification.id.clone()).or_default() += times - 1;
        }
    }
    for (id, times) in repeats {
        let allowed = unrecorded.get(&id).copied().unwrap_or(0);
        prop_assert!(
            times <= allowed,
            "{} was repeated {} times: {:?}",
            id,
            times,
            calls
        );
    }
    Ok(())
}

#[tokio::test]
async fn ledger_has_what_was_delivered() {
    let service = Service::start("webhook", []).await;
    let secrets = Secrets::default();
    secrets.set("ssm:/key", "secret-signing-key");
    let url = format!("http://{}/hook", service.address);
    let destinations = json!({ "hook": { "kind": "webhook", "url": url, "key": "ssm:/key" } });
    let table = MemoryTable::new();
    let notification = notification::down("m");
    let hook = "hook".parse().unwrap();
    for expected in [false, true] {
        let found = is_delivered(&table, &hook, &notification.id).await.unwrap();
        assert_eq!(found, expected);
        relay(&destinations, &table, &secrets)
            .deliver(std::slice::from_ref(&notification), LONG)
            .await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn notification_is_repeated_only_if_record_was_lost(calls in prop::collection::vec(call(), 1..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(&calls))?;
    }
}
