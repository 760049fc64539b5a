//! Checkers at the same time, over the real SDK: copies of one tick, ticks that overtake each other, locations that decide
//! at once.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use portpulse_checker::{Checker, Invocation, Report, TickEvent, TickOutcome};
use portpulse_core::group_state::{Entry, GroupState, Health, Streak};
use portpulse_core::outbox::Claimant;
use portpulse_store::Store;
use portpulse_testkit::embedded::EmbeddedDynamo;
use serde_json::{Value, json};

use crate::rig::{GROUP, Scripted, Skewed, Time, Topic, Visibility, location, locations};

const COPIES: usize = 8;

/// A group of one monitor in DynamoDB, checked from some locations.
struct World {
    dynamo: EmbeddedDynamo,
    topic: Topic,
    locations: usize,
}

/// One delivery of one tick to one location, and what it sees there.
#[derive(Clone, Copy)]
struct Delivery {
    tick: i64,
    location: usize,
    visibility: Visibility,
}

impl World {
    async fn new(locations: usize, fields: Value) -> Self {
        let dynamo = EmbeddedDynamo::start().await.unwrap();
        let mut attributes = json!({ "host": "192.0.2.1", "port": 1000, "interval": "1m" });
        let all = attributes.as_object_mut().unwrap();
        all.extend(fields.as_object().unwrap().clone());
        let store = Store::new(dynamo.table());
        store.put_definition(GROUP, "m", all).await.unwrap();
        let topic = Topic::default();
        Self {
            dynamo,
            topic,
            locations,
        }
    }

    /// Handles all deliveries at once, at the time of the latest tick among them, when the one before is just not stale;
    /// every one by a checker of its own.
    async fn at_once(&self, deliveries: &[Delivery]) -> Vec<Report> {
        let time = Time::default();
        let latest = deliveries.iter().map(|delivery| delivery.tick).max();
        time.set(latest.unwrap() * 60_000);
        let deliveries = deliveries.iter().enumerate();
        let handled = deliveries.map(async |(number, delivery)| {
            let Delivery {
                tick,
                location: at,
                visibility,
            } = *delivery;
            let clock = Skewed {
                time: time.clone(),
                skew_ms: 0,
            };
            let checker = Checker::new(
                Store::new(self.dynamo.table()),
                Scripted(vec![visibility]),
                self.topic.clone(),
                clock,
                location(at),
                locations(self.locations),
            );
            let invocation = Invocation {
                claimant: Claimant::new(format!("{tick}/{at}/{number}")),
                remaining: Duration::from_secs(60),
            };
            let event = TickEvent::new(Time::of_tick(tick), GROUP);
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
        let row = &group_state.rows[&location(number)];
        match row.entries.values().next() {
            Some(Entry::Seen(streaks)) => streaks.health,
            other => panic!("{other:?}"),
        }
    }

    /// What came to the topic so far, by kind: how often each.
    fn notified(&self) -> BTreeMap<String, usize> {
        let mut notified = BTreeMap::new();
        for id in self.topic.sent.borrow().iter() {
            *notified
                .entry(id.rsplit('/').next().unwrap().to_owned())
                .or_default() += 1;
        }
        notified
    }
}

fn copies(tick: i64) -> Vec<Delivery> {
    let failing = Delivery {
        tick,
        location: 0,
        visibility: Visibility::Failing,
    };
    vec![failing; COPIES]
}

fn counted(reports: &[Report]) -> usize {
    let counted = reports
        .iter()
        .filter(|report| matches!(report.outcome_of_tick, TickOutcome::Counted(_)));
    counted.count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tick_delivered_eight_times_at_once_counts_once() {
    let world = World::new(1, json!({ "failures_to_open": 3 })).await;
    for tick in 1..=2 {
        let reports = world.at_once(&copies(tick)).await;
        assert_eq!(counted(&reports), 1, "tick {tick}");
        assert_eq!(i64::from(world.streak(0).await.ticks), tick);
    }
    // Late copies of what has counted, among the copies of what has not.
    let mixed: Vec<_> = (0..COPIES).map(|n| copies([2, 3, 2, 1][n % 4])[0]).collect();
    assert_eq!(counted(&world.at_once(&mixed).await), 1);
    assert_eq!(world.streak(0).await.ticks, 3);
    assert_eq!(world.notified(), BTreeMap::from([("down".to_owned(), 1)]));
    for tick in [3, 2] {
        assert_eq!(
            counted(&world.at_once(&copies(tick)).await),
            0,
            "tick {tick} again"
        );
    }
    assert_eq!(world.notified(), BTreeMap::from([("down".to_owned(), 1)]));
    assert!(world.group_state().await.status.outbox.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ticks_that_overtake_each_other_the_last_always_counts_and_none_is_lost_that_did() {
    let world = World::new(1, json!({ "failures_to_open": 10 })).await;
    let mut expected = 0;
    for first in [1, 3, 5, 7] {
        // A delayed tick and the next one at the same time: the later must not be counted from a row that lacks the
        // earlier, if that was committed.
        let reports = world.at_once(&[copies(first)[0], copies(first + 1)[0]]).await;
        assert!(
            matches!(reports[1].outcome_of_tick, TickOutcome::Counted(_)),
            "{:?}",
            reports[1]
        );
        expected += counted(&reports);
        assert_eq!(world.streak(0).await.ticks as usize, expected, "tick {first}");
    }
    // A good tick ends the streak, if it was committed before the failing one that follows it.
    let good = Delivery {
        visibility: Visibility::Good,
        ..copies(9)[0]
    };
    let reports = world.at_once(&[good, copies(10)[0]]).await;
    let ticks = match counted(&reports) {
        2 => 1,
        _ => expected + 1,
    };
    assert_eq!(world.streak(0).await.ticks as usize, ticks);
}

#[tokio::test]
async fn a_tick_more_than_its_interval_late_is_not_counted() {
    let world = World::new(1, json!({ "failures_to_open": 10 })).await;
    let reports = world.at_once(&[copies(1)[0], copies(3)[0]]).await;
    assert_eq!(reports[0].outcome_of_tick, TickOutcome::Repeated);
    assert!(
        matches!(reports[1].outcome_of_tick, TickOutcome::Counted(_)),
        "{:?}",
        reports[1]
    );
    assert_eq!(world.streak(0).await.ticks, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locations_that_decide_at_once_tell_it_once() {
    let world = World::new(4, json!({ "failures_to_open": 1, "successes_to_close": 1 })).await;
    let everywhere = |tick, visibility| {
        (0..4).map(move |location| Delivery {
            tick,
            location,
            visibility,
        })
    };
    let all_twice = |tick, visibility| -> Vec<_> {
        everywhere(tick, visibility)
            .chain(everywhere(tick, visibility))
            .collect()
    };
    let mut expected = BTreeMap::new();
    for round in 0..3 {
        let tick = 1 + 2 * round;
        assert_eq!(
            counted(&world.at_once(&all_twice(tick, Visibility::Failing)).await),
            4
        );
        *expected.entry("down".to_owned()).or_default() += 1;
        assert_eq!(world.notified(), expected, "tick {tick}");
        assert_eq!(
            counted(&world.at_once(&all_twice(tick + 1, Visibility::Good)).await),
            4
        );
        *expected.entry("recovered".to_owned()).or_default() += 1;
        assert_eq!(world.notified(), expected, "tick {}", tick + 1);
    }
    let status = world.group_state().await.status;
    assert!(
        status.incidents.is_empty() && status.outbox.is_empty() && status.closed.is_empty(),
        "{status:?}"
    );
}
