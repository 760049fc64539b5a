//! Malformed items: each is reported, kept unchanged, and does not stop the rest of the tick.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_checker::{TickOutcome, TickReport};
use portpulse_core::control::{Acknowledgement, Control, Note, Silence};
use portpulse_core::group_state::FleetState;
use portpulse_store::Store;
use portpulse_store::keys::{self, Key};
use portpulse_store::table::Item;
use portpulse_testkit::memory_table::MemoryTable;
use serde_json::json;

use crate::rig::{
    GROUP, ProbeResult, RecordingTopic, ScriptedProbe, assert_counted, define, group_state, handle,
    invocation, location, locations, run, texts,
};

/// Three monitors that open on the first failing tick, in two locations. `m0` is good in tick 0 and fails everywhere from
/// tick 1 on, `m1` is always good, `m2` fails like `m0` and is silenced.
struct TestGroup {
    table: MemoryTable,
    topic: RecordingTopic,
}

impl TestGroup {
    fn new() -> Self {
        let (table, topic) = (MemoryTable::new(), RecordingTopic::default());
        let fields = BTreeMap::from([("failures_to_open", json!(1))]);
        for monitor in 0..3 {
            define(&table, monitor, &fields);
        }
        let store = Store::new(table.clone());
        let now = "2026-11-22T00:00:00Z".parse().unwrap();
        let note = Note::new("ann", now, None).unwrap();
        let silence = Silence {
            until: "2027-01-01T00:00:00Z".parse().unwrap(),
            note: note.clone(),
        };
        // `m0` has an acknowledgement of another incident only.
        let elsewhere = Acknowledgement {
            incidents: ["another".to_owned()].into(),
            note,
        };
        for (id, control) in [
            ("m0", Control::default().acknowledged(elsewhere)),
            ("m2", Control::default().silenced(silence)),
        ] {
            run(store.put_control(&id.parse().unwrap(), &control, now)).unwrap();
        }
        let fleet = FleetState {
            revision: 1,
            ..FleetState::default()
        };
        run(store.put_fleet(&fleet)).unwrap();
        let world = Self { table, topic };
        for at in 0..2 {
            let report = world.tick(0, at);
            assert!(report.errors.is_empty(), "{report:?}");
        }
        world
    }

    fn tick(&self, tick: i64, at: usize) -> TickReport {
        let result = match tick {
            0 => ProbeResult::Good,
            _ => ProbeResult::Failing,
        };
        let store = Store::new(self.table.clone());
        let probe = ScriptedProbe(vec![result, ProbeResult::Good, result]);
        let invocation = invocation(format!("{tick}/{at}"));
        run(handle(
            store,
            probe,
            &self.topic,
            (tick, at),
            locations(2),
            &invocation,
        ))
    }

    fn item(&self, key: &Key) -> Item {
        self.table.peek(&key.pk, &key.sk).unwrap()
    }

    /// The monitors and kinds of all published notifications.
    fn notified(&self) -> Vec<String> {
        let sent = self.topic.sent.borrow();
        let short = sent.iter().map(|id| {
            let (subject, kind) = (id.split('@').next().unwrap(), id.rsplit('/').next().unwrap());
            format!("{subject} {kind}")
        });
        short.collect()
    }
}

/// An item with another value of one attribute, or without the attribute.
fn with(item: &Item, name: &str, value: Option<AttributeValue>) -> Item {
    let mut item = item.clone();
    match value {
        Some(value) => item.insert(name.to_owned(), value),
        None => item.remove(name),
    };
    item
}

/// Malformed variants of an item, each with the expected part of the error.
fn malformed_variants(item: &Item, required: &[&str], optional: &[&str]) -> Vec<(Item, String)> {
    let newer = with(item, "v", Some(AttributeValue::N("2".to_owned())));
    let mut all = vec![(newer, "layout version 2".to_owned())];
    for name in required {
        assert!(item.contains_key(*name), "{name}: {item:?}");
        all.push((with(item, name, None), format!("`{name}` is missing")));
    }
    for name in required.iter().chain(optional) {
        let wrong = with(item, name, Some(AttributeValue::Bool(true)));
        all.push((wrong, format!("`{name}` is true or false")));
    }
    all
}

/// Runs the next tick in both locations for each malformed variant of the item at `key`. `counted`: whether each location
/// counts the tick.
fn check(key: &Key, required: &[&str], optional: &[&str], counted: [bool; 2], notified: &[&str]) {
    for (item, what) in malformed_variants(&TestGroup::new().item(key), required, optional) {
        let (world, of) = (TestGroup::new(), format!("{key}, {what}"));
        world.table.overwrite(item.clone());
        let mut reported = false;
        for (at, expected) in counted.into_iter().enumerate() {
            let report = world.tick(1, at);
            let counted = matches!(&report.outcome, TickOutcome::Counted(seen) if seen.len() == 3);
            assert_eq!(counted, expected, "{of}: {report:?}");
            for error in texts(&report.errors) {
                for part in [format!("`{key}`").as_str(), &what, "delete the item"] {
                    assert!(error.contains(part), "{of}: {part} in {error}");
                }
                reported = true;
            }
        }
        assert!(reported, "{of}: not reported");
        assert_eq!(world.notified(), notified, "{of}");
        assert_eq!(world.item(key), item, "{of}: unchanged");
    }
}

#[test]
fn malformed_location_state_stops_only_its_location() {
    for (at, counted) in [(0, [false, true]), (1, [true, false])] {
        let key = keys::location_state(GROUP, &location(at));
        check(&key, &["v", "tick", "entries"], &[], counted, &["m0 down"]);
    }
}

#[test]
fn malformed_decision_state_stops_decisions_only() {
    let names = ["v", "revision", "monitors", "locations", "outbox", "closed"];
    check(&keys::decision_state(GROUP), &names, &[], [true; 2], &[]);
}

#[test]
fn malformed_fleet_state_and_control_stop_nothing() {
    let names = ["v", "revision", "locations", "outbox"];
    check(&keys::fleet_state(), &names, &[], [true; 2], &["m0 down"]);
    let key = keys::control(&"m0".parse().unwrap());
    let optional = ["acknowledgement", "silence"];
    check(&key, &["v", "revision"], &optional, [true; 2], &["m0 down"]);
}

#[test]
fn unknown_item_in_group_state_is_reported() {
    let world = TestGroup::new();
    let mut item = world.item(&keys::decision_state(GROUP));
    item.insert("sk".to_owned(), AttributeValue::S("unknown".to_owned()));
    world.table.overwrite(item);
    let report = world.tick(1, 0);
    assert_counted(&report);
    let errors = texts(&report.errors);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("`group#1m#0/unknown`"), "{errors:?}");
}

#[test]
fn tick_counts_despite_malformed_results() {
    let key = keys::results(GROUP, "2026-11-22T00:01:00Z".parse().unwrap(), &location(0));
    let done = TestGroup::new();
    done.tick(1, 0);
    for (item, what) in malformed_variants(&done.item(&key), &["v", "seen"], &[]) {
        let world = TestGroup::new();
        world.table.overwrite(item.clone());
        let report = world.tick(1, 0);
        assert_counted(&report);
        let errors = texts(&report.errors);
        assert_eq!(errors.len(), 1, "{what}: {errors:?}");
        assert!(
            errors[0].contains(&format!("`{key}`")) && errors[0].contains(&what),
            "{what}: {errors:?}"
        );
        world.tick(1, 1);
        assert_eq!(world.notified(), ["m0 down"], "{what}");
        assert_eq!(world.item(&key), item, "{what}");
    }
}

#[test]
fn broken_definition_is_notified_once_and_others_are_checked() {
    let key = keys::definition(GROUP, "m1");
    let good = TestGroup::new().item(&key);
    let wrong = |name, value| with(&good, name, value);
    for item in [
        wrong("host", None),
        wrong("port", None),
        wrong("port", Some(AttributeValue::S("many".to_owned()))),
        wrong("failures_to_open", Some(AttributeValue::Bool(true))),
        wrong("interval", Some(AttributeValue::S("5m".to_owned()))),
        wrong("of_a_later_version", Some(AttributeValue::N("1".to_owned()))),
        wrong("host", Some(AttributeValue::B(b"x".to_vec().into()))),
    ] {
        let world = TestGroup::new();
        world.table.overwrite(item.clone());
        for tick in 1..4 {
            for at in 0..2 {
                let report = world.tick(tick, at);
                let TickOutcome::Counted(seen) = &report.outcome else {
                    panic!("{report:?}")
                };
                let checked: Vec<_> = seen.keys().map(|id| id.as_str()).collect();
                assert_eq!(checked, ["m0", "m2"], "{item:?}");
                assert!(report.errors.is_empty(), "{report:?}");
            }
        }
        let mut notified = world.notified();
        notified.sort();
        assert_eq!(notified, ["m0 down", "m1 broken_definition"], "{item:?}");
        assert_eq!(world.item(&key), item);
        let row = group_state(&world.table).group_state.decision;
        assert!(row.broken.contains("m1") && row.outbox.is_empty(), "{row:?}");
    }
}
