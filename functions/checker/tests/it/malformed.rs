//! Malformed items: each is reported, kept unchanged, and does not stop the rest of the tick.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_checker::{Checker, Invocation, TickEvent, TickOutcome, TickReport, chain};
use portpulse_core::control::{Acknowledgement, Control, Note, Silence};
use portpulse_core::group_state::FleetState;
use portpulse_core::outbox::Claimant;
use portpulse_store::Store;
use portpulse_store::keys::{self, Key};
use portpulse_store::table::Item;
use portpulse_testkit::memory_table::MemoryTable;
use serde_json::json;

use crate::rig::{
    GROUP, ProbeResult, RecordingTopic, ScriptedProbe, SkewedClock, TestTime, define, group_state, location,
    locations, run,
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
        let time = TestTime::default();
        time.set(tick * 60_000 + 5_000);
        let result = if tick == 0 {
            ProbeResult::Good
        } else {
            ProbeResult::Failing
        };
        let checker = Checker::new(
            Store::new(self.table.clone()),
            ScriptedProbe(vec![result, ProbeResult::Good, result]),
            self.topic.clone(),
            SkewedClock { time, skew_ms: 0 },
            location(at),
            locations(2),
        );
        let invocation = Invocation {
            claimant: Claimant::new(format!("{tick}/{at}")),
            remaining: Duration::from_secs(60),
        };
        run(checker.handle(&TickEvent::new(TestTime::of_tick(tick), GROUP), &invocation))
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

/// Malformed variants of an item, each with the expected part of the error.
fn malformed_variants(item: &Item, required: &[&str], optional: &[&str]) -> Vec<(Item, String)> {
    let with = |name: &str, value: Option<AttributeValue>| {
        let mut item = item.clone();
        match value {
            Some(value) => item.insert(name.to_owned(), value),
            None => item.remove(name),
        };
        item
    };
    let mut all = vec![(
        with("v", Some(AttributeValue::N("2".to_owned()))),
        "layout version 2".to_owned(),
    )];
    for name in required {
        assert!(item.contains_key(*name), "{name}: {item:?}");
        all.push((with(name, None), format!("`{name}` is missing")));
    }
    for name in required.iter().chain(optional) {
        all.push((
            with(name, Some(AttributeValue::Bool(true))),
            format!("`{name}` is true or false"),
        ));
    }
    all
}

/// The expected outcome of a tick with a malformed item.
struct Expected {
    /// Whether each location counts the tick.
    counted: [bool; 2],
    notified: &'static [&'static str],
}

/// Runs the next tick in both locations for each malformed variant of the item at `key`.
fn check(key: &Key, (required, optional): (&[&str], &[&str]), expected: &Expected) {
    for (item, what) in malformed_variants(&TestGroup::new().item(key), required, optional) {
        let world = TestGroup::new();
        world.table.overwrite(item.clone());
        let mut reported = false;
        for at in 0..2 {
            let report = world.tick(1, at);
            let counted = matches!(&report.outcome, TickOutcome::Counted(seen) if seen.len() == 3);
            assert_eq!(counted, expected.counted[at], "{key}, {what}: {report:?}");
            for error in report.errors.iter().map(|error| chain(error)) {
                assert!(
                    error.contains(&format!("`{key}`")),
                    "{key}, {what}: names the key: {error}"
                );
                assert!(error.contains(&what), "{key}, {what}: names the defect: {error}");
                assert!(
                    error.contains("delete the item"),
                    "{key}, {what}: has help: {error}"
                );
                reported = true;
            }
        }
        assert!(reported, "{key}, {what}: not reported");
        assert_eq!(world.notified(), expected.notified, "{key}, {what}");
        assert_eq!(world.item(key), item, "{key}, {what}: unchanged");
    }
}

#[test]
fn malformed_location_state_stops_only_its_location() {
    for at in 0..2 {
        let expected = Expected {
            counted: [at != 0, at != 1],
            notified: &["m0 down"],
        };
        let key = keys::location_state(GROUP, &location(at));
        check(&key, (&["v", "tick", "entries"], &[]), &expected);
    }
}

#[test]
fn malformed_decision_state_stops_decisions_only() {
    let names = ["v", "revision", "monitors", "locations", "outbox", "closed"];
    let expected = Expected {
        counted: [true, true],
        notified: &[],
    };
    check(&keys::decision_state(GROUP), (&names, &[]), &expected);
}

#[test]
fn malformed_fleet_state_does_not_affect_monitors() {
    let expected = Expected {
        counted: [true, true],
        notified: &["m0 down"],
    };
    let names = ["v", "revision", "locations", "outbox"];
    check(&keys::fleet_state(), (&names, &[]), &expected);
}

#[test]
fn malformed_control_silences_nothing_and_hides_no_other() {
    let key = keys::control(&"m0".parse().unwrap());
    let expected = Expected {
        counted: [true, true],
        notified: &["m0 down"],
    };
    check(
        &key,
        (&["v", "revision"], &["acknowledgement", "silence"]),
        &expected,
    );
}

#[test]
fn unknown_item_in_group_state_is_reported() {
    let world = TestGroup::new();
    let mut item = world.item(&keys::decision_state(GROUP));
    item.insert("sk".to_owned(), AttributeValue::S("unknown".to_owned()));
    world.table.overwrite(item);
    let report = world.tick(1, 0);
    assert!(matches!(report.outcome, TickOutcome::Counted(_)), "{report:?}");
    let errors: Vec<_> = report.errors.iter().map(|error| chain(error)).collect();
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
        assert!(
            matches!(report.outcome, TickOutcome::Counted(_)),
            "{what}: {report:?}"
        );
        let errors: Vec<_> = report.errors.iter().map(|error| chain(error)).collect();
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
    let wrong = |name: &str, value: Option<AttributeValue>| {
        let mut item = good.clone();
        match value {
            Some(value) => item.insert(name.to_owned(), value),
            None => item.remove(name),
        };
        item
    };
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
