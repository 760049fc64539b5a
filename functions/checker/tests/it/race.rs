//! Concurrent checkers, most of them with the AWS SDK: copies of one tick, ticks out of order or too late, and decisions at the same
//! time.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use futures_util::future::join_all;
use portpulse_checker::{Checker, Error, TickEvent, TickOutcome, TickReport};
use portpulse_core::group_state::{Entry, GroupState, Health, Streak};
use portpulse_store::Store;
use portpulse_store::keys::Key;
use portpulse_store::table::{Condition, Item, Put, Read, Table, TableError};
use portpulse_testkit::embedded::EmbeddedDynamo;
use portpulse_testkit::memory_table::MemoryTable;
use serde_json::{Value, json};

use crate::rig::{
    GROUP, ProbeResult, RecordingTopic, ScriptedProbe, SkewedClock, TestTime, assert_counted, define,
    group_state, handle, invocation, location, locations, run,
};

const COPIES: usize = 8;

/// A group with one monitor in DynamoDB.
struct TestGroup {
    dynamo: EmbeddedDynamo,
    topic: RecordingTopic,
    locations: usize,
}

/// One delivery of one tick to one location, and the result there.
#[derive(Clone, Copy)]
struct Delivery {
    tick: i64,
    location: usize,
    result: ProbeResult,
}

impl TestGroup {
    async fn new(locations: usize, fields: Value) -> Self {
        let dynamo = EmbeddedDynamo::start().await.unwrap();
        let mut attributes = json!({ "host": "192.0.2.1", "port": 1000, "interval": "1m" });
        let all = attributes.as_object_mut().unwrap();
        all.extend(fields.as_object().unwrap().clone());
        let store = Store::new(dynamo.table());
        store.put_definition(GROUP, "m", all).await.unwrap();
        let topic = RecordingTopic::default();
        Self {
            dynamo,
            topic,
            locations,
        }
    }

    /// Handles all deliveries concurrently, each with its own checker, at the time of the latest tick. The tick before is then
    /// not stale yet.
    async fn handle_all(&self, deliveries: &[Delivery]) -> Vec<TickReport> {
        let time = TestTime::default();
        let latest = deliveries.iter().map(|delivery| delivery.tick).max();
        time.set(latest.unwrap() * 60_000);
        let deliveries = deliveries.iter().enumerate();
        let handled = deliveries.map(async |(number, delivery)| {
            let Delivery {
                tick,
                location: at,
                result,
            } = *delivery;
            let clock = SkewedClock::exact(time.clone());
            let checker = Checker::new(
                Store::new(self.dynamo.table()),
                ScriptedProbe(vec![result]),
                self.topic.clone(),
                clock,
                location(at),
                locations(self.locations),
            );
            let invocation = invocation(format!("{tick}/{at}/{number}"));
            let event = TickEvent::new(TestTime::of_tick(tick), GROUP);
            checker.handle(&event, &invocation).await
        });
        let reports = join_all(handled).await;
        for report in &reports {
            assert!(report.errors.is_empty(), "{report:?}");
        }
        reports
    }

    async fn group_state(&self) -> GroupState {
        let read = Store::new(self.dynamo.table()).group_state(GROUP).await.unwrap();
        assert!(read.unreadable.is_empty(), "{:?}", read.unreadable);
        read.group_state
    }

    /// The monitor's streak in a location.
    async fn streak(&self, number: usize) -> Streak<Health> {
        let group_state = self.group_state().await;
        let row = &group_state.locations[&location(number)];
        match row.entries.values().next() {
            Some(Entry::Seen(streaks)) => streaks.health,
            other => panic!("{other:?}"),
        }
    }

    /// The number of notifications published so far, by kind.
    fn notified(&self) -> BTreeMap<String, usize> {
        let mut notified = BTreeMap::new();
        for kind in self.topic.kinds() {
            *notified.entry(kind).or_default() += 1;
        }
        notified
    }
}

fn copies(tick: i64) -> Vec<Delivery> {
    let failing = Delivery {
        tick,
        location: 0,
        result: ProbeResult::Failing,
    };
    vec![failing; COPIES]
}

fn counted(reports: &[TickReport]) -> usize {
    let counted = reports
        .iter()
        .filter(|report| matches!(report.outcome, TickOutcome::Counted(_)));
    counted.count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_copies_of_tick_count_once() {
    let world = TestGroup::new(1, json!({ "failures_to_open": 3 })).await;
    for tick in 1..=2 {
        let reports = world.handle_all(&copies(tick)).await;
        assert_eq!(counted(&reports), 1, "tick {tick}");
        assert_eq!(i64::from(world.streak(0).await.ticks), tick);
    }
    // Late copies of counted ticks, together with copies of an uncounted tick.
    let mixed: Vec<_> = (0..COPIES).map(|n| copies([2, 3, 2, 1][n % 4])[0]).collect();
    assert_eq!(counted(&world.handle_all(&mixed).await), 1);
    assert_eq!(world.streak(0).await.ticks, 3);
    assert_eq!(world.notified(), BTreeMap::from([("down".to_owned(), 1)]));
    for tick in [3, 2] {
        assert_eq!(
            counted(&world.handle_all(&copies(tick)).await),
            0,
            "tick {tick} again"
        );
    }
    assert_eq!(world.notified(), BTreeMap::from([("down".to_owned(), 1)]));
    assert!(world.group_state().await.decision.outbox.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn last_of_reordered_ticks_counts_and_no_commit_is_lost() {
    let world = TestGroup::new(1, json!({ "failures_to_open": 10 })).await;
    let mut expected = 0;
    for first in [1, 3, 5, 7] {
        // A delayed tick together with the next one: if the earlier tick was committed, the later one must be counted
        // from its state.
        let reports = world.handle_all(&[copies(first)[0], copies(first + 1)[0]]).await;
        assert_counted(&reports[1]);
        expected += counted(&reports);
        assert_eq!(world.streak(0).await.ticks as usize, expected, "tick {first}");
    }
    // A good tick ends the streak if it is committed before the next failing tick.
    let good = Delivery {
        result: ProbeResult::Good,
        ..copies(9)[0]
    };
    let reports = world.handle_all(&[good, copies(10)[0]]).await;
    let ticks = match counted(&reports) {
        2 => 1,
        _ => expected + 1,
    };
    assert_eq!(world.streak(0).await.ticks as usize, ticks);
}

#[tokio::test]
async fn tick_later_than_its_interval_is_not_counted() {
    let world = TestGroup::new(1, json!({ "failures_to_open": 10 })).await;
    let reports = world.handle_all(&[copies(1)[0], copies(3)[0]]).await;
    assert_eq!(reports[0].outcome, TickOutcome::Repeated);
    assert_counted(&reports[1]);
    assert_eq!(world.streak(0).await.ticks, 1);
}

/// A table in which another checker always writes the decision state first.
struct Contended {
    table: MemoryTable,
    attempts: Rc<Cell<u32>>,
}

impl Table for Contended {
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
        if item
            .get("sk")
            .and_then(|sk| sk.as_s().ok())
            .is_some_and(|sk| sk == "decision")
        {
            self.attempts.set(self.attempts.get() + 1);
            let mut other = group_state(&self.table).group_state.decision;
            other.revision += 1;
            run(Store::new(self.table.clone()).put_decision(GROUP, &other)).unwrap();
        }
        self.table.put(item, condition).await
    }
}

#[test]
fn decision_that_is_always_overtaken_ends() {
    let (table, attempts) = (MemoryTable::new(), Rc::new(Cell::new(0)));
    define(&table, 0, &BTreeMap::from([("failures_to_open", json!(1))]));
    let store = Store::new(Contended {
        table,
        attempts: Rc::clone(&attempts),
    });
    let probe = ScriptedProbe(vec![ProbeResult::Failing]);
    let topic = RecordingTopic::default();
    let report = run(handle(
        store,
        probe,
        &topic,
        (0, 0),
        locations(1),
        &invocation("one"),
    ));
    assert_counted(&report);
    assert!(
        matches!(report.errors[..], [Error::TooManyConflicts { attempts: 40, .. }]),
        "{report:?}"
    );
    assert_eq!(attempts.get(), 40);
    assert_eq!(topic.sent.take(), [""; 0]);
}

#[test]
fn tick_counts_within_an_interval_of_the_clock() {
    for (ms, expected) in [
        (-60_001, "refused"),
        (-60_000, "counted"),
        (60_000, "counted"),
        (60_001, "not counted"),
    ] {
        let table = MemoryTable::new();
        define(&table, 0, &BTreeMap::new());
        let time = TestTime::default();
        time.set(ms);
        let checker = Checker::new(
            Store::new(table),
            ScriptedProbe(vec![ProbeResult::Good]),
            RecordingTopic::default(),
            SkewedClock::exact(time),
            location(0),
            locations(1),
        );
        let event = TickEvent::new(TestTime::of_tick(0), GROUP);
        let report = run(checker.handle(&event, &invocation("one")));
        let found = match (&report.outcome, &report.errors[..]) {
            (TickOutcome::Counted(_), []) => "counted",
            (TickOutcome::Repeated, []) => "not counted",
            (_, [Error::FutureTick { .. }]) => "refused",
            _ => panic!("{report:?}"),
        };
        assert_eq!(found, expected, "{ms} ms after the tick");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_decisions_notify_once() {
    let world = TestGroup::new(4, json!({ "failures_to_open": 1, "successes_to_close": 1 })).await;
    let everywhere = |tick, result| {
        (0..4).map(move |location| Delivery {
            tick,
            location,
            result,
        })
    };
    let all_twice =
        |tick, result| -> Vec<_> { everywhere(tick, result).chain(everywhere(tick, result)).collect() };
    let mut expected = BTreeMap::new();
    for round in 0..3 {
        let tick = 1 + 2 * round;
        assert_eq!(
            counted(&world.handle_all(&all_twice(tick, ProbeResult::Failing)).await),
            4
        );
        *expected.entry("down".to_owned()).or_default() += 1;
        assert_eq!(world.notified(), expected, "tick {tick}");
        assert_eq!(
            counted(&world.handle_all(&all_twice(tick + 1, ProbeResult::Good)).await),
            4
        );
        *expected.entry("recovered".to_owned()).or_default() += 1;
        assert_eq!(world.notified(), expected, "tick {}", tick + 1);
    }
    let status = world.group_state().await.decision;
    assert!(
        status.incidents.is_empty() && status.outbox.is_empty() && status.closed.is_empty(),
        "{status:?}"
    );
}
