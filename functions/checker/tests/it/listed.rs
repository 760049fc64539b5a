//! The locations that a board lists: who counts, who is missed, and what is said to one that is not on the list.

use std::collections::BTreeMap;
use std::time::Duration;

use portpulse_checker::{Checker, Error, Invocation, Report, TickEvent, TickOutcome, chain};
use portpulse_core::outbox::Claimant;
use portpulse_store::Store;
use portpulse_store::keys::{self, Key};
use portpulse_testkit::memory_table::MemoryTable;
use serde_json::json;

use crate::rig::{GROUP, Scripted, Skewed, Time, Topic, Visibility, define, group_state, location, run};

/// One monitor that alerts on the first failing tick, and checkers that would each take themselves for all there are.
struct World {
    table: MemoryTable,
    topic: Topic,
}

impl World {
    fn new(listed: &[usize]) -> Self {
        let (table, topic) = (MemoryTable::new(), Topic::default());
        define(&table, 0, &BTreeMap::from([("failures_to_open", json!(1))]));
        let world = Self { table, topic };
        for number in listed {
            let listing = Store::new(world.table.clone());
            run(listing.list_location(GROUP, &location(*number))).unwrap();
        }
        world
    }

    fn place(number: usize) -> Key {
        keys::expectation(GROUP, &location(number))
    }

    fn tick(&self, tick: i64, at: usize, visibility: Visibility) -> Report {
        let time = Time::default();
        time.set(tick * 60_000 + 5_000);
        let checker = Checker::new(
            Store::new(self.table.clone()),
            Scripted(vec![visibility]),
            self.topic.clone(),
            Skewed { time, skew_ms: 0 },
            location(at),
            [location(at)].into(),
        );
        let event = TickEvent::new(Time::of_tick(tick), GROUP);
        let invocation = Invocation {
            claimant: Claimant::new(format!("{tick}/{at}")),
            remaining: Duration::from_secs(60),
        };
        run(checker.handle(&event, &invocation))
    }

    /// What was told, by kind.
    fn notified(&self) -> Vec<String> {
        let sent = self.topic.sent.borrow();
        let kinds = sent.iter().filter_map(|id| id.rsplit('/').next());
        kinds.map(str::to_owned).collect()
    }
}

#[test]
fn one_of_the_listed_locations_is_no_majority_though_it_knows_of_no_other() {
    let world = World::new(&[0, 1, 2]);
    for at in 0..3 {
        world.tick(1, at, Visibility::Good);
    }
    world.tick(2, 0, Visibility::Failing);
    assert_eq!(world.notified(), [""; 0]);
    world.tick(2, 1, Visibility::Failing);
    assert_eq!(world.notified(), ["down"]);

    let alone = World::new(&[]);
    alone.tick(1, 0, Visibility::Failing);
    assert_eq!(
        alone.notified(),
        ["down"],
        "where no location is listed, it is all there are"
    );
}

#[test]
fn the_last_tick_of_a_location_that_went_counts_for_nothing_and_says_so() {
    let world = World::new(&[0, 1, 2]);
    for at in 0..3 {
        world.tick(1, at, Visibility::Good);
    }
    let Key { pk, sk } = World::place(2);
    world.table.remove(&pk, &sk);
    let report = world.tick(2, 2, Visibility::Failing);
    assert!(
        matches!(report.outcome_of_tick, TickOutcome::Counted(_)),
        "{report:?}"
    );
    let [error @ Error::NotExpected { .. }] = &report.errors[..] else {
        panic!("{report:?}")
    };
    assert_eq!(
        chain(error),
        "c is not listed among the locations that should report to 1m#0, so what it sees does not count: list it \
         (`terraform apply`, or `portpulse seed --locations`), or check from there no more"
    );
    for tick in 2..8 {
        for at in 0..2 {
            let report = world.tick(tick, at, Visibility::Good);
            assert!(report.errors.is_empty(), "{report:?}");
        }
    }
    assert_eq!(world.notified(), [""; 0], "neither its failure nor its silence");
    assert!(group_state(&world.table).group_state.status.locations.is_empty());
}

#[test]
fn a_place_on_the_list_that_names_no_location_is_named_and_stops_nothing() {
    let world = World::new(&[0, 1]);
    let Key { pk, sk } = World::place(0);
    let mut item = world.table.peek(&pk, &sk).unwrap();
    let name = aws_sdk_dynamodb::types::AttributeValue::S("expects#EU".to_owned());
    item.insert(keys::SK.to_owned(), name);
    world.table.overwrite(item.clone());
    for at in 0..2 {
        let report = world.tick(1, at, Visibility::Good);
        assert!(
            matches!(report.outcome_of_tick, TickOutcome::Counted(_)),
            "{report:?}"
        );
        let errors: Vec<_> = report.errors.iter().map(|error| chain(error)).collect();
        assert!(
            matches!(&errors[..], [only] if only.contains("`group#1m#0/expects#EU` cannot be read")),
            "{errors:?}"
        );
        world.tick(2, at, Visibility::Failing);
    }
    assert_eq!(world.notified(), ["down"]);
    assert_eq!(world.table.peek(&pk, "expects#EU"), Some(item));
}
