//! Listed locations: which locations count, and the error of a location that is not listed.

use std::collections::BTreeMap;

use portpulse_checker::{Error, TickReport, chain};
use portpulse_store::Store;
use portpulse_store::keys::{self, Key};
use portpulse_testkit::memory_table::MemoryTable;
use serde_json::json;

use crate::rig::{
    GROUP, ProbeResult, RecordingTopic, ScriptedProbe, assert_counted, define, group_state, handle,
    invocation, location, run, texts,
};

/// A group with one monitor that opens on the first failing tick. Each checker has only itself as a fallback location.
struct TestGroup {
    table: MemoryTable,
    topic: RecordingTopic,
}

impl TestGroup {
    fn new(listed: &[usize]) -> Self {
        let (table, topic) = (MemoryTable::new(), RecordingTopic::default());
        define(&table, 0, &BTreeMap::from([("failures_to_open", json!(1))]));
        let world = Self { table, topic };
        for number in listed {
            let listing = Store::new(world.table.clone());
            run(listing.list_location(GROUP, &location(*number))).unwrap();
        }
        world
    }

    fn list_key(number: usize) -> Key {
        keys::expectation(GROUP, &location(number))
    }

    fn tick(&self, tick: i64, at: usize, result: ProbeResult) -> TickReport {
        let (store, probe) = (Store::new(self.table.clone()), ScriptedProbe(vec![result]));
        let invocation = invocation(format!("{tick}/{at}"));
        let fallback = [location(at)].into();
        run(handle(
            store,
            probe,
            &self.topic,
            (tick, at),
            fallback,
            &invocation,
        ))
    }
}

#[test]
fn quorum_counts_listed_locations() {
    let world = TestGroup::new(&[0, 1, 2]);
    for at in 0..3 {
        world.tick(1, at, ProbeResult::Good);
    }
    world.tick(2, 0, ProbeResult::Failing);
    assert_eq!(world.topic.kinds(), [""; 0]);
    world.tick(2, 1, ProbeResult::Failing);
    assert_eq!(world.topic.kinds(), ["down"]);

    let alone = TestGroup::new(&[]);
    alone.tick(1, 0, ProbeResult::Failing);
    assert_eq!(
        alone.topic.kinds(),
        ["down"],
        "without a list, the location itself is the quorum"
    );
}

#[test]
fn unlisted_location_does_not_count_and_reports_error() {
    let world = TestGroup::new(&[0, 1, 2]);
    for at in 0..3 {
        world.tick(1, at, ProbeResult::Good);
    }
    let Key { pk, sk } = TestGroup::list_key(2);
    world.table.remove(&pk, &sk);
    let report = world.tick(2, 2, ProbeResult::Failing);
    assert_counted(&report);
    let [error @ Error::LocationNotListed { .. }] = &report.errors[..] else {
        panic!("{report:?}")
    };
    assert_eq!(
        chain(error),
        "the location c is not listed for 1m#0, so its results do not count (add it with `terraform apply` or \
         `portpulse seed --locations`, or stop this checker)"
    );
    for tick in 2..8 {
        for at in 0..2 {
            let report = world.tick(tick, at, ProbeResult::Good);
            assert!(report.errors.is_empty(), "{report:?}");
        }
    }
    assert_eq!(
        world.topic.kinds(),
        [""; 0],
        "neither its failure nor its silence is notified"
    );
    assert!(
        group_state(&world.table)
            .group_state
            .decision
            .locations
            .is_empty()
    );
}

#[test]
fn invalid_listed_location_is_reported_and_ignored() {
    let world = TestGroup::new(&[0, 1]);
    let Key { pk, sk } = TestGroup::list_key(0);
    let mut item = world.table.peek(&pk, &sk).unwrap();
    let name = aws_sdk_dynamodb::types::AttributeValue::S("expects#EU".to_owned());
    item.insert(keys::SK.to_owned(), name);
    world.table.overwrite(item.clone());
    for at in 0..2 {
        let report = world.tick(1, at, ProbeResult::Good);
        assert_counted(&report);
        let errors = texts(&report.errors);
        assert!(
            matches!(&errors[..], [only] if only.contains("cannot read the item `group#1m#0/expects#EU`")),
            "{errors:?}"
        );
        world.tick(2, at, ProbeResult::Failing);
    }
    assert_eq!(world.topic.kinds(), ["down"]);
    assert_eq!(world.table.peek(&pk, "expects#EU"), Some(item));
}
