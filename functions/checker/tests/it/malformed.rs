//! Items of another version, cut short or of wrong types: each is named, left as it is, and keeps nothing else from going
//! on.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_checker::{Checker, Invocation, Report, TickEvent, TickOutcome, chain};
use portpulse_core::control::{Acknowledgement, Control, Note, Silence};
use portpulse_core::group_state::FleetState;
use portpulse_core::outbox::Claimant;
use portpulse_store::Store;
use portpulse_store::keys::{self, Key};
use portpulse_store::table::Item;
use portpulse_testkit::memory_table::MemoryTable;
use serde_json::json;

use crate::rig::{
    GROUP, Scripted, Skewed, Time, Topic, Visibility, define, group_state, location, locations, run,
};

/// Three monitors that alert on the first failing tick, in two locations. `m0` is good in tick 0 and fails everywhere from
/// tick 1 on, `m1` is always good, `m2` fails as `m0` does and is silenced.
struct World {
    table: MemoryTable,
    topic: Topic,
}

impl World {
    fn new() -> Self {
        let (table, topic) = (MemoryTable::new(), Topic::default());
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
        // Of `m0` somebody has only said that they are at work on something else.
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

    fn tick(&self, tick: i64, at: usize) -> Report {
        let time = Time::default();
        time.set(tick * 60_000 + 5_000);
        let visibility = if tick == 0 {
            Visibility::Good
        } else {
            Visibility::Failing
        };
        let checker = Checker::new(
            Store::new(self.table.clone()),
            Scripted(vec![visibility, Visibility::Good, visibility]),
            self.topic.clone(),
            Skewed { time, skew_ms: 0 },
            location(at),
            locations(2),
        );
        let invocation = Invocation {
            claimant: Claimant::new(format!("{tick}/{at}")),
            remaining: Duration::from_secs(60),
        };
        run(checker.handle(&TickEvent::new(Time::of_tick(tick), GROUP), &invocation))
    }

    fn item(&self, key: &Key) -> Item {
        self.table.peek(&key.pk, &key.sk).unwrap()
    }

    /// What was told, as monitor and kind.
    fn notified(&self) -> Vec<String> {
        let sent = self.topic.sent.borrow();
        let short = sent.iter().map(|id| {
            let (subject, kind) = (id.split('@').next().unwrap(), id.rsplit('/').next().unwrap());
            format!("{subject} {kind}")
        });
        short.collect()
    }
}

/// Every way in which an item is spoilt here, with what the error must say of it.
fn spoilt(item: &Item, required: &[&str], optional: &[&str]) -> Vec<(Item, String)> {
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

/// What a tick of each location comes to while an item is malformed.
struct Expected {
    /// Which locations count the tick.
    counted: [bool; 2],
    notified: &'static [&'static str],
}

/// Spoils the item at `key` in every way, and runs the next tick in both locations.
fn check(key: &Key, (required, optional): (&[&str], &[&str]), expected: &Expected) {
    for (item, what) in spoilt(&World::new().item(key), required, optional) {
        let world = World::new();
        world.table.overwrite(item.clone());
        let mut named = false;
        for at in 0..2 {
            let report = world.tick(1, at);
            let counted = matches!(&report.outcome_of_tick, TickOutcome::Counted(seen) if seen.len() == 3);
            assert_eq!(counted, expected.counted[at], "{key}, {what}: {report:?}");
            for error in report.errors.iter().map(|error| chain(error)) {
                assert!(
                    error.contains(&format!("`{key}`")),
                    "{key}, {what}: says where: {error}"
                );
                assert!(error.contains(&what), "{key}, {what}: says what: {error}");
                assert!(
                    error.contains("delete the item"),
                    "{key}, {what}: says how to mend it: {error}"
                );
                named = true;
            }
        }
        assert!(named, "{key}, {what}: no trouble names it");
        assert_eq!(world.notified(), expected.notified, "{key}, {what}");
        assert_eq!(world.item(key), item, "{key}, {what}: left as it is");
    }
}

#[test]
fn a_location_row_stops_its_own_location_alone() {
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
fn a_status_row_stops_decisions_and_no_counting() {
    let names = ["v", "revision", "monitors", "locations", "outbox", "closed"];
    let expected = Expected {
        counted: [true, true],
        notified: &[],
    };
    check(&keys::decision_state(GROUP), (&names, &[]), &expected);
}

#[test]
fn a_fleet_row_stops_nothing_of_a_monitor() {
    let expected = Expected {
        counted: [true, true],
        notified: &["m0 down"],
    };
    let names = ["v", "revision", "locations", "outbox"];
    check(&keys::fleet_state(), (&names, &[]), &expected);
}

#[test]
fn a_control_that_cannot_be_read_silences_nobody_and_hides_no_other() {
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
fn what_stands_among_the_rows_and_is_none_is_named() {
    let world = World::new();
    let mut item = world.item(&keys::decision_state(GROUP));
    item.insert("sk".to_owned(), AttributeValue::S("weather".to_owned()));
    world.table.overwrite(item);
    let report = world.tick(1, 0);
    assert!(
        matches!(report.outcome_of_tick, TickOutcome::Counted(_)),
        "{report:?}"
    );
    let errors: Vec<_> = report.errors.iter().map(|error| chain(error)).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("`group#1m#0/weather`"), "{errors:?}");
}

#[test]
fn results_that_cannot_be_read_are_left_and_the_tick_counts() {
    let key = keys::results(GROUP, "2026-11-22T00:01:00Z".parse().unwrap(), &location(0));
    let done = World::new();
    done.tick(1, 0);
    for (item, what) in spoilt(&done.item(&key), &["v", "seen"], &[]) {
        let world = World::new();
        world.table.overwrite(item.clone());
        let report = world.tick(1, 0);
        assert!(
            matches!(report.outcome_of_tick, TickOutcome::Counted(_)),
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
fn a_definition_that_cannot_be_read_is_told_once_and_the_others_are_checked() {
    let key = keys::definition(GROUP, "m1");
    let good = World::new().item(&key);
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
        let world = World::new();
        // Twice, so that every read sees it.
        world.table.overwrite(item.clone());
        for tick in 1..4 {
            for at in 0..2 {
                let report = world.tick(tick, at);
                let TickOutcome::Counted(seen) = &report.outcome_of_tick else {
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
        let row = group_state(&world.table).group_state.status;
        assert!(row.broken.contains("m1") && row.outbox.is_empty(), "{row:?}");
    }
}
