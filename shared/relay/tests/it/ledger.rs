//! Random deliveries over a ledger that fails: each notification reaches each destination, and twice only for a reason.

use std::collections::BTreeMap;

use portpulse_store::table::Operation;
use portpulse_testkit::memory_table::{Fault, MemoryTable};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::rig::{LONG, Reply, Secrets, Service, relay};
use portpulse_testkit::notification;

/// One call of the relay: how many of the first notifications it tells, and what goes wrong meanwhile.
#[derive(Debug, Clone)]
struct Call {
    notifications: usize,
    /// Requests that each destination refuses to take for now.
    refusals: [usize; 2],
    /// Whether what is noted of a delivery is lost, as when the relay dies between the two.
    forgets: bool,
}

fn call() -> impl Strategy<Value = Call> {
    let refusals = [0usize..5, 0usize..5];
    (1usize..4, refusals, prop::bool::weighted(0.3)).prop_map(|(notifications, refusals, forgets)| Call {
        notifications,
        refusals,
        forgets,
    })
}

/// How often each destination took each notification.
fn taken(service: &Service) -> BTreeMap<String, usize> {
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
    // How many times a delivery was not noted, by notification.
    let mut forgotten = BTreeMap::<String, usize>::new();
    for call in calls {
        for (service, refusals) in services.iter().zip(call.refusals) {
            service.then(std::iter::repeat_n(Reply::Status(503, Some("0"), ""), refusals));
        }
        let forgets = call.forgets;
        table.set_faults(move |call| {
            if forgets && call.operation == Operation::Put {
                Fault::Before
            } else {
                Fault::None
            }
        });
        let report = relay.deliver(&all[..call.notifications], LONG).await;
        if forgets {
            for (_, id) in &report.delivered {
                *forgotten.entry(id.clone()).or_default() += 1;
            }
        }
        services.iter().for_each(|service| service.then([]));
    }
    table.heal();
    // Whoever called and was told of troubles calls again.
    let report = relay.deliver(&all, LONG).await;
    prop_assert!(report.errors.is_empty(), "{:?}", report.errors);
    let mut twice = BTreeMap::<String, usize>::new();
    for service in &services {
        let taken = taken(service);
        for notification in &all {
            let times = taken.get(&notification.id).copied().unwrap_or(0);
            prop_assert!(times >= 1, "{} was lost: {:?}", notification.id, calls);
            *twice.entry(notification.id.clone()).or_default() += times - 1;
        }
    }
    for (id, times) in twice {
        let reasons = forgotten.get(&id).copied().unwrap_or(0);
        prop_assert!(
            times <= reasons,
            "{} was told {} times too often: {:?}",
            id,
            times,
            calls
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn each_is_delivered_everywhere_and_twice_only_where_the_note_was_lost(calls in prop::collection::vec(call(), 1..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(&calls))?;
    }
}
