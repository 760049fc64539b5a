//! Full groups: how large their items become at worst, what is refused before it is sent, and how long a tick takes in
//! which everything times out.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use portpulse_alert::SnsTopic;
use portpulse_checker::{Checker, Invocation, Probe, Report, SystemClock, TickEvent, TickOutcome, chain};
use portpulse_core::definition::{DefinitionFile, NetworkAccess};
use portpulse_core::group::MONITORS_PER_SHARD;
use portpulse_core::outbox::Claimant;
use portpulse_core::outcome::{Detail, Failure, FailureClass, Opened, Outcome, Phase, Phases, Trust};
use portpulse_core::target::Target;
use portpulse_prober::Prober;
use portpulse_store::keys::Key;
use portpulse_store::table::{Condition, Item, Operation, Put, Read, Table, TableError};
use portpulse_store::{Store, size};
use portpulse_testkit::embedded::EmbeddedDynamo;
use portpulse_testkit::memory_table::{Fault, MemoryTable};
use portpulse_testkit::sns::{SnsServer, TOPIC_ARN};
use serde_json::{Map, json};

use crate::peers::BlackHole;
use crate::rig::{GROUP, InjectedTopicFault, Skewed, Time, Topic, group_state, location, locations, run};

/// DynamoDB's limit for an item.
const LIMIT: usize = 400 * 1024;
const LOCATIONS: usize = 3;

/// Finds everything failing, and says of each as much as a detail may; or everything open.
struct Verbose {
    failing: bool,
}

impl Probe for Verbose {
    async fn probe(&self, targets: &[Target], _: Duration) -> Vec<Outcome> {
        let phases = Phases {
            connect: Some(Duration::from_millis(4_321)),
            ..Phases::default()
        };
        let outcome = |target: &Target| {
            let address = ([192, 0, 2, 1], target.port).into();
            if !self.failing {
                return Outcome::Open(Opened {
                    address,
                    phases,
                    trust: Trust::Retransmitted,
                    warning: None,
                    banner: Detail::new(&"a service that has much to say ".repeat(20)),
                });
            }
            Outcome::Failed(Failure {
                class: FailureClass::WrongService,
                phase: Phase::Ready,
                phases,
                address: Some(address),
                detail: Detail::new(&"a service that has much to say ".repeat(20)),
            })
        };
        targets.iter().map(outcome).collect()
    }
}

/// The largest item of each kind that was put, whether it stayed or not.
pub(crate) type Largest = Rc<RefCell<BTreeMap<String, usize>>>;

/// A table that weighs what is put into it.
pub(crate) struct Weighed {
    pub(crate) table: MemoryTable,
    pub(crate) largest: Largest,
}

impl Weighed {
    fn weigh(&self, kind: String, bytes: usize) {
        let mut largest = self.largest.borrow_mut();
        let known = largest.entry(kind).or_insert(0);
        *known = bytes.max(*known);
    }
}

impl Table for Weighed {
    async fn query(&self, pk: &str, read: Read) -> Result<Vec<Item>, TableError> {
        self.table.query(pk, read).await
    }

    async fn get(&self, pk: &str, sk: &str, read: Read) -> Result<Option<Item>, TableError> {
        self.table.get(pk, sk, read).await
    }

    async fn get_many(&self, keys: &[Key], read: Read) -> Result<Vec<Item>, TableError> {
        self.table.get_many(keys, read).await
    }

    async fn put(&self, item: Item, condition: Condition) -> Result<Put, TableError> {
        let first = |name: &str| item[name].as_s().unwrap().split('#').next().unwrap().to_owned();
        let kind = match first("pk").as_str() {
            "group" => first("sk"),
            kind => kind.to_owned(),
        };
        self.weigh(kind, size::item(&item));
        self.table.put(item, condition).await
    }
}

fn define(table: &MemoryTable, id: &str) {
    let attributes = json!({ "host": "192.0.2.1", "port": 1000, "interval": "1m", "failures_to_open": 1, "successes_to_close": 1 });
    let store = Store::new(table.clone());
    run(store.put_definition(GROUP, id, attributes.as_object().unwrap())).unwrap();
}

fn tick(table: impl Table, topic: &Topic, tick: i64, at: usize, failing: bool) -> Report {
    let time = Time::default();
    time.set(tick * 60_000 + 5_000);
    let checker = Checker::new(
        Store::new(table),
        Verbose { failing },
        topic.clone(),
        Skewed { time, skew_ms: 0 },
        location(at),
        locations(LOCATIONS),
    );
    let invocation = Invocation {
        claimant: Claimant::new(format!("00000000-0000-0000-0000-{tick:06}{at:06}")),
        remaining: Duration::from_secs(60),
    };
    run(checker.handle(&TickEvent::new(Time::of_tick(tick), GROUP), &invocation))
}

/// Whether the topic takes anything while the monitors fail and come back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AlertPolicy {
    Works,
    /// All that can pile up does; in the end the topic works again.
    Fails,
}

/// The largest item of each kind, while these monitors all fail and come back; each of which must be told.
fn largest_items(ids: &[String], alert_policy: AlertPolicy) -> BTreeMap<String, usize> {
    let (table, topic) = (MemoryTable::new(), Topic::default());
    for id in ids {
        define(&table, id);
    }
    if alert_policy == AlertPolicy::Fails {
        *topic.faults.borrow_mut() = Some(Box::new(|| InjectedTopicFault::Before));
    }
    let largest = Largest::default();
    // The first tick of all keeps what open services say.
    for (number, failing) in [
        (0, false),
        (1, true),
        (2, true),
        (3, false),
        (4, false),
        (5, false),
    ] {
        if number == 5 {
            topic.faults.borrow_mut().take();
        }
        for at in 0..LOCATIONS {
            let weighed = Weighed {
                table: table.clone(),
                largest: Rc::clone(&largest),
            };
            tick(weighed, &topic, number, at, failing);
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
        // Locations whose ticks could not be decided were silent meanwhile, which is told as well.
        .filter(|(_, kind)| !kind.starts_with("location_"))
        .collect();
    assert_eq!(notified.len(), expected.len(), "each once");
    assert_eq!(BTreeSet::from_iter(notified), expected);
    let left = group_state(&table).group_state.status;
    assert!(
        left.outbox.is_empty() && left.closed.is_empty() && left.incidents.is_empty(),
        "{left:?}"
    );
    largest.take()
}

fn long_id(number: usize) -> String {
    format!("orders-database-primary-{number:05}")
}

#[test]
fn four_hundred_monitors_that_all_fail_at_length_stay_far_below_the_limit() {
    let ids: Vec<_> = (0..MONITORS_PER_SHARD).map(long_id).collect();
    let largest = largest_items(&ids, AlertPolicy::Works);
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
        largest.values().all(|bytes| *bytes < LIMIT * 4 / 5),
        "{largest:?}"
    );
}

#[test]
fn a_decision_that_does_not_fit_beside_what_waits_to_be_told_is_made_once_that_is_told() {
    let ids: Vec<_> = (0..MONITORS_PER_SHARD).map(long_id).collect();
    let status = largest_items(&ids, AlertPolicy::Fails)["decision"];
    assert!(status < size::MAX_BYTES, "{status}");
}

#[test]
fn the_largest_of_the_groups_of_ten_thousand_monitors_stays_below_the_limit() {
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
    let largest = largest_items(ids, AlertPolicy::Works);
    let below = largest.values().all(|bytes| *bytes < size::MAX_BYTES);
    assert!(below, "{largest:?} with {} monitors", ids.len());
}

#[test]
fn an_item_that_would_be_too_large_is_refused_by_name_and_not_sent() {
    let (table, topic) = (MemoryTable::new(), Topic::default());
    for number in 0..1_500 {
        define(&table, &long_id(number));
    }
    let sent = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&sent);
    table.set_faults(move |call| {
        if call.operation == Operation::Put {
            noted.lock().unwrap().push(call.sk.unwrap_or_default().to_owned());
        }
        Fault::None
    });
    let report = tick(table, &topic, 0, 0, true);
    assert_eq!(report.outcome_of_tick, TickOutcome::Failed);
    assert_eq!(report.errors.len(), 1, "{:?}", report.errors);
    let error = chain(&report.errors[0]);
    assert!(
        error.starts_with(
            "cannot commit tick 2026-11-22T00:00:00Z of 1m#0: the item `group#1m#0/location#a` would have "
        ) && error.ends_with(
            "more than the 399360 that Portpulse puts into one (spread its monitors over more groups)"
        ),
        "{error}"
    );
    let sent = sent.lock().unwrap();
    assert!(
        sent.contains(&"00:00:00#a".to_owned()),
        "the results fit: {sent:?}"
    );
    assert!(
        !sent.contains(&"location#a".to_owned()),
        "the row does not: {sent:?}"
    );
}

#[tokio::test]
async fn four_hundred_timeouts_are_waited_for_at_once() {
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
    let invocation = Invocation {
        claimant: Claimant::new("only"),
        remaining: Duration::from_secs(60),
    };
    let began = Instant::now();
    let report = checker
        .handle(&TickEvent::new(Timestamp::now(), GROUP), &invocation)
        .await;
    let took = began.elapsed();
    let TickOutcome::Counted(outcomes) = &report.outcome_of_tick else {
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
    assert_eq!(report.published.len(), MONITORS_PER_SHARD);
    assert!(topic.try_recv().is_ok(), "told, together");
    // One after the other they would take 400 s.
    assert!(took < Duration::from_secs(30), "{took:?}");
}
