//! Full groups: maximum item sizes, refusal of too large items, and the duration of a tick in which all checks time out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use portpulse_alert::SnsTopic;
use portpulse_checker::{Checker, Probe, SystemClock, TickEvent, TickOutcome, TickReport, chain};
use portpulse_core::definition::{DefinitionFile, NetworkAccess};
use portpulse_core::group::MONITORS_PER_SHARD;
use portpulse_core::outcome::{Detail, Failure, FailureClass, Opened, Outcome, Phase, Phases, Trust};
use portpulse_core::target::Target;
use portpulse_core::time::Tick;
use portpulse_prober::Prober;
use portpulse_store::table::Operation;
use portpulse_store::{Store, size};
use portpulse_testkit::embedded::EmbeddedDynamo;
use portpulse_testkit::memory_table::{Fault, MemoryTable};
use portpulse_testkit::sns::{SnsServer, TOPIC_ARN};
use serde_json::{Map, json};

use crate::peers::BlackHole;
use crate::rig::{
    GROUP, RecordingTopic, TopicFault, failure, group_state, handle, invocation, location, locations, open,
    run,
};

/// DynamoDB's limit for an item in bytes.
const MAX_ITEM_BYTES: usize = 400 * 1024;
const LOCATIONS: usize = 3;

/// Returns failures with details of the maximum length, or open outcomes with such banners.
struct VerboseProbe {
    failing: bool,
}

impl Probe for VerboseProbe {
    async fn probe(&self, _: Tick, targets: &[Target], _: Duration) -> Vec<Outcome> {
        let phases = Phases {
            connect: Some(Duration::from_millis(4_321)),
            ..Phases::default()
        };
        let text = Detail::new(&"a service with a long message ".repeat(20));
        let outcome = |target: &Target| {
            // Each host has its own address.
            let host = target.host.to_string();
            let digits = host.bytes().filter(u8::is_ascii_digit);
            let number = digits.fold(0, |sum: u32, digit| sum * 10 + u32::from(digit - b'0'));
            let address = (Ipv4Addr::from(0x0a00_0000 + number), target.port.unwrap()).into();
            match self.failing {
                true => Outcome::Failed(Failure {
                    phases,
                    address: Some(address),
                    detail: text.clone(),
                    ..failure(FailureClass::WrongService, Phase::Ready)
                }),
                false => Outcome::Open(Opened {
                    address,
                    trust: Trust::Retransmitted,
                    banner: text.clone(),
                    ..open(phases)
                }),
            }
        };
        targets.iter().map(outcome).collect()
    }
}

/// The size of the largest item of each kind that was put.
pub(crate) type LargestItems = Arc<Mutex<BTreeMap<String, usize>>>;

/// Records the sizes of all items put from now on.
pub(crate) fn measure(table: &MemoryTable) -> LargestItems {
    let largest = LargestItems::default();
    let shared = Arc::clone(&largest);
    table.set_faults(move |call| {
        if let Some(item) = call.item {
            let first = |name: &str| item[name].as_s().unwrap().split('#').next().unwrap().to_owned();
            let kind = match first("pk").as_str() {
                "group" => first("sk"),
                kind => kind.to_owned(),
            };
            let mut largest = shared.lock().unwrap();
            let known = largest.entry(kind).or_insert(0);
            *known = size::item(item).max(*known);
        }
        Fault::None
    });
    largest
}

fn define(table: &MemoryTable, id: &str) {
    let attributes = json!({ "host": format!("{}.example", id.get(..40).unwrap_or(id)), "port": 1000, "interval": "1m", "failures_to_open": 1, "successes_to_close": 1 });
    let store = Store::new(table.clone());
    run(store.put_definition(GROUP, id, attributes.as_object().unwrap())).unwrap();
}

fn tick(table: &MemoryTable, topic: &RecordingTopic, tick: i64, at: usize, failing: bool) -> TickReport {
    let (store, probe) = (Store::new(table.clone()), VerboseProbe { failing });
    let invocation = invocation(request_id(tick, at));
    run(handle(
        store,
        probe,
        topic,
        (tick, at),
        locations(LOCATIONS),
        &invocation,
    ))
}

/// A claimant as long as a request id of Lambda.
pub(crate) fn request_id(tick: i64, at: usize) -> String {
    format!("00000000-0000-0000-0000-{tick:06}{at:06}")
}

/// Whether the topic works while the monitors fail and recover.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TopicState {
    Works,
    /// The topic fails until the last tick, so that the outbox fills.
    Fails,
}

/// The size of the largest item of each kind while all monitors fail and recover. Asserts that each monitor is notified.
fn largest_items(ids: &[String], topic_state: TopicState) -> BTreeMap<String, usize> {
    let (table, topic) = (MemoryTable::new(), RecordingTopic::default());
    for id in ids {
        define(&table, id);
    }
    if topic_state == TopicState::Fails {
        *topic.faults.borrow_mut() = Some(Box::new(|| TopicFault::Before));
    }
    let largest = measure(&table);
    // The first tick stores the banners of open services.
    for (number, failing) in (0..).zip([false, true, true, false, false, false]) {
        if number == 5 {
            topic.faults.borrow_mut().take();
        }
        for at in 0..LOCATIONS {
            tick(&table, &topic, number, at, failing);
        }
    }
    let sent = topic.sent.borrow();
    let expected: BTreeSet<_> = ["down", "recovered"]
        .into_iter()
        .flat_map(|kind| ids.iter().map(move |id| (id.as_str(), kind)))
        .collect();
    let notified: Vec<_> = sent
        .iter()
        .map(|id| (id.split('@').next().unwrap(), id.rsplit('/').next().unwrap()))
        // Locations without decided ticks count as silent, which is notified too.
        .filter(|(_, kind)| !kind.starts_with("location_"))
        .collect();
    assert_eq!(notified.len(), expected.len(), "each once");
    assert_eq!(BTreeSet::from_iter(notified), expected);
    let left = group_state(&table).group_state.decision;
    assert!(
        left.outbox.is_empty() && left.closed.is_empty() && left.incidents.is_empty(),
        "{left:?}"
    );
    std::mem::take(&mut *largest.lock().unwrap())
}

fn long_id(number: usize) -> String {
    format!("orders-database-primary-{number:05}")
}

#[test]
fn items_of_400_failing_monitors_stay_below_limit() {
    let ids: Vec<_> = (0..MONITORS_PER_SHARD).map(long_id).collect();
    let largest = largest_items(&ids, TopicState::Works);
    for (kind, most) in [
        ("location", 160),
        ("decision", 310),
        ("results", 25),
        ("banners", 160),
    ] {
        let bytes = largest[kind];
        assert!(bytes < most * 1024 && bytes > most * 512, "{kind}: {largest:?}");
    }
    assert!(
        largest.values().all(|bytes| *bytes < MAX_ITEM_BYTES * 4 / 5),
        "{largest:?}"
    );
}

#[test]
fn decision_without_room_is_made_after_outbox_is_published() {
    let ids: Vec<_> = (0..MONITORS_PER_SHARD).map(long_id).collect();
    let status = largest_items(&ids, TopicState::Fails)["decision"];
    assert!(status < size::MAX_BYTES, "{status}");
}

#[test]
fn largest_group_of_10000_monitors_stays_below_limit() {
    let monitor = json!({ "host": "192.0.2.1", "port": 7, "interval": "1m" });
    let monitors: Map<_, _> = (0..10_000)
        .map(|number| (long_id(number), monitor.clone()))
        .collect();
    let file = DefinitionFile::validate(&json!({ "monitors": monitors }), NetworkAccess::OwnNetwork).unwrap();
    let mut groups: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for defined in file.monitors() {
        let id = defined.monitor.id().to_string();
        groups.entry(defined.group).or_default().push(id);
    }
    assert_eq!(groups.len(), 25);
    let ids = groups.values().max_by_key(|ids| ids.len()).unwrap();
    assert!(ids.len() > MONITORS_PER_SHARD, "{}", ids.len());
    let largest = largest_items(ids, TopicState::Works);
    let below = largest.values().all(|bytes| *bytes < size::MAX_BYTES);
    assert!(below, "{largest:?} with {} monitors", ids.len());
}

#[test]
fn too_large_item_is_reported_and_not_sent() {
    let (table, topic) = (MemoryTable::new(), RecordingTopic::default());
    for number in 0..1_500 {
        define(&table, &long_id(number));
    }
    let sent = Arc::new(Mutex::new(Vec::new()));
    let sent_by_plan = Arc::clone(&sent);
    table.set_faults(move |call| {
        if call.operation == Operation::Put {
            sent_by_plan
                .lock()
                .unwrap()
                .push(call.sk.unwrap_or_default().to_owned());
        }
        Fault::None
    });
    let report = tick(&table, &topic, 0, 0, true);
    assert_eq!(report.outcome, TickOutcome::Failed);
    assert_eq!(report.errors.len(), 1, "{:?}", report.errors);
    let error = chain(&report.errors[0]);
    assert!(
        error.starts_with(
            "cannot commit tick 2026-11-22T00:00:00Z of 1m#0: the item `group#1m#0/location#a` has "
        ) && error.ends_with("more than the maximum of 399360 (move monitors of the group to other groups)"),
        "{error}"
    );
    let sent = sent.lock().unwrap();
    assert!(
        sent.contains(&"00:00:00#a".to_owned()),
        "the results fit: {sent:?}"
    );
    assert!(
        !sent.contains(&"location#a".to_owned()),
        "the location state does not: {sent:?}"
    );
}

#[tokio::test]
async fn checks_of_400_monitors_time_out_concurrently() {
    let hole = BlackHole::new();
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let (sns, mut topic) = SnsServer::start().await.unwrap();
    let store = Store::new(dynamo.table());
    let attributes = json!({ "host": "127.0.0.1", "port": hole.port, "interval": "1m", "timeout": "1s", "failures_to_open": 1 });
    for number in 0..MONITORS_PER_SHARD {
        let attributes = attributes.as_object().unwrap();
        store
            .put_definition(GROUP, &long_id(number), attributes)
            .await
            .unwrap();
    }
    let checker = Checker::new(
        store,
        Prober::new(portpulse_prober::Settings::default()).unwrap(),
        SnsTopic::new(sns.client(), TOPIC_ARN),
        SystemClock,
        location(0),
        locations(1),
    );
    let began = Instant::now();
    let event = TickEvent::new(Timestamp::now(), GROUP);
    let report = checker.handle(&event, &invocation("only")).await;
    let took = began.elapsed();
    let TickOutcome::Counted(outcomes) = &report.outcome else {
        panic!("{report:?}")
    };
    assert_eq!(outcomes.len(), MONITORS_PER_SHARD);
    for outcome in outcomes.values() {
        assert!(
            matches!(outcome, Outcome::Failed(failure) if failure.class == FailureClass::Timeout),
            "{outcome:?}"
        );
    }
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    let notified = report.published.iter().map(|each| each.monitor_count as usize);
    assert_eq!(
        notified.collect::<Vec<_>>(),
        [MONITORS_PER_SHARD],
        "one cause, one notification"
    );
    assert!(topic.try_recv().is_ok(), "one message for all");
    // Sequential checks would take 400 s.
    assert!(took < Duration::from_secs(100), "{took:?}");
}
