//! Flapping monitors: notified once as flapping, then again when stable.

use std::fmt::Write;

use portpulse_core::group_state::Stability;
use portpulse_core::outbox::Kind;
use serde_json::{Value, json};

use crate::world::World;

fn fields(more: Value) -> Value {
    let mut all = json!({ "failures_to_open": 1, "successes_to_close": 1, "flapping_after": 3 });
    all.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    all
}

fn world(more: Value) -> World {
    World::new(1, &[("m", fields(more))])
}

/// The ticks `from..=to`, all with the same symbol.
fn all(symbol: char, from: i64, to: i64) -> String {
    let mut timeline = String::new();
    for tick in from..=to {
        writeln!(timeline, "{tick} {symbol}").unwrap();
    }
    timeline
}

/// The ticks `from..=to`, alternating between down and up.
fn alternating(from: i64, to: i64) -> String {
    let mut timeline = String::new();
    for tick in from..=to {
        let symbol = if (tick - from) % 2 == 0 { 'x' } else { '.' };
        writeln!(timeline, "{tick} {symbol}").unwrap();
    }
    timeline
}

#[test]
fn flapping_is_notified_once_and_recovers_when_stable() {
    let mut world = world(json!({}));
    // The fourth change is the second recovery: more than three within the hour.
    let notified = "1 a down m\n2 a recovered m\n3 a down m\n4 a flapping m";
    assert_eq!(world.play(&alternating(1, 4)), notified);
    assert_eq!(world.play(&alternating(5, 30)), "");
    // The last change, at tick 30, was to good. It counts for an hour.
    assert_eq!(world.play(&all('.', 31, 89)), "");
    assert_eq!(world.decide_and_publish(World::time(89, 59)), []);
    assert_eq!(
        world.decide_and_publish(World::time(90, 0))[0].kind,
        Kind::Recovered
    );
    assert!(world.group_state.decision.incidents.is_empty());
}

#[test]
fn stable_bad_monitor_is_notified_again_and_recovers() {
    let mut world = world(json!({ "remind_every": "1h" }));
    world.play(&alternating(1, 5));
    assert_eq!(world.play(&all('x', 6, 64)), "");
    let notified: Vec<_> = world
        .notified(&all('x', 65, 66))
        .iter()
        .map(|(tick, _, n)| format!("{tick} {}", n.id))
        .collect();
    assert_eq!(notified.len(), 1, "{notified:?}");
    assert!(
        notified[0].starts_with("65 m@") && notified[0].ends_with("/down-for-good"),
        "{notified:?}"
    );
    let incident = world.group_state.decision.incidents.values().next().unwrap();
    assert_eq!(incident.flapped_until, Some(World::tick(5)));
    // It is a regular incident now: reminders are sent, and the first good tick closes it.
    assert_eq!(world.play(&all('x', 67, 126)), "125 a reminder m");
    assert_eq!(world.play(&all('.', 127, 128)), "127 a recovered m");
}

#[test]
fn incident_opened_as_flapping_is_notified_only_as_flapping() {
    let mut world = world(json!({ "flapping_after": 2 }));
    let notified = "1 a down m\n2 a recovered m\n3 a flapping m";
    assert_eq!(world.play(&alternating(1, 40)), notified);
    // Tick 40 was good.
    assert_eq!(world.play(&all('.', 41, 110)), "100 a recovered m");
}

#[test]
fn changes_within_limit_are_notified_individually() {
    let mut world = world(json!({}));
    let mut timeline = String::new();
    for start in [1, 62, 123, 184] {
        timeline += &format!("{start} x\n{} .\n", start + 20);
        timeline += &all('.', start + 21, start + 60);
    }
    let notified = world.play(&timeline);
    assert!(!notified.contains("flapping"), "{notified}");
    assert_eq!(notified.matches("down").count(), 4, "{notified}");
    assert_eq!(notified.matches("recovered").count(), 4, "{notified}");
}

#[test]
fn zero_disables_flapping_and_releases_flapping_incident() {
    let mut off = world(json!({ "flapping_after": 0 }));
    let notified = off.play(&alternating(1, 40));
    assert_eq!(
        (
            notified.matches("down").count(),
            notified.matches("recovered").count()
        ),
        (20, 20)
    );
    assert!(off.group_state.decision.changes.is_empty());

    let mut world = world(json!({}));
    world.play(&alternating(1, 10));
    world.define("m", &fields(json!({ "flapping_after": 0 })));
    assert_eq!(world.play("11 ."), "11 a recovered m");
}

#[test]
fn tracks_flap_independently() {
    let mut world = world(json!({ "slow_after": "100ms" }));
    let mut timeline = String::new();
    for tick in 1..=9 {
        writeln!(timeline, "{tick} {}", if tick % 2 == 1 { 's' } else { '.' }).unwrap();
    }
    let notified = "1 a degraded m\n2 a recovered m\n3 a degraded m\n4 a flapping m";
    assert_eq!(world.play(&timeline), notified);
    // Flapping slowness does not suppress an outage.
    assert_eq!(world.play("10 x\n11 ."), "10 a down m\n11 a recovered m");
}

#[test]
fn silenced_flapping_is_notified_only_if_bad_afterwards() {
    let mut good_at_the_end = world(json!({}));
    good_at_the_end.silence("m", 8);
    assert_eq!(good_at_the_end.play(&alternating(1, 7)), "", "silenced");
    // The monitor is good when the silence ends, and stays good: there is nothing to notify.
    assert_eq!(good_at_the_end.play(&all('.', 8, 80)), "");
    assert!(good_at_the_end.group_state.decision.incidents.is_empty());

    let mut bad_at_the_end = world(json!({}));
    bad_at_the_end.silence("m", 8);
    assert_eq!(bad_at_the_end.play(&alternating(1, 7)), "", "silenced");
    assert_eq!(bad_at_the_end.play("8 .\n9 x\n10 ."), "9 a flapping m");
    assert_eq!(bad_at_the_end.play(&all('.', 11, 72)), "70 a recovered m");
}

#[test]
fn flapping_after_silence_is_notified_if_outage_was() {
    let mut world = world(json!({}));
    assert_eq!(
        world.play("1 x\n2 .\n3 x"),
        "1 a down m\n2 a recovered m\n3 a down m"
    );
    world.silence("m", 10);
    assert_eq!(world.play(&all('.', 4, 9)), "", "silenced");
    assert!(matches!(
        world
            .group_state
            .decision
            .incidents
            .values()
            .next()
            .unwrap()
            .stability,
        Stability::Flapping { notified: None, .. }
    ));
    assert_eq!(world.play(&all('.', 10, 64)), "10 a flapping m\n64 a recovered m");
}

#[test]
fn flapping_parent_suppresses_children_only_while_down() {
    let parent = fields(json!({}));
    let child = json!({ "failures_to_open": 1, "successes_to_close": 1, "depends_on": ["parent"] });
    let mut world = World::new(1, &[("parent", parent), ("m", child)]);
    for tick in 1..=4 {
        world.deliver(tick, "a", |id| {
            if id.as_str() == "parent" && tick % 2 == 1 {
                'x'
            } else {
                '.'
            }
        });
    }
    let notified = |world: &mut World, tick, seen: fn(&str) -> char| -> Vec<String> {
        let notified = world.deliver(tick, "a", |id| seen(id.as_str()));
        notified
            .iter()
            .map(|n| format!("{} {}", n.kind, n.subject))
            .collect()
    };
    assert_eq!(
        notified(&mut world, 5, |_| 'x'),
        [""; 0],
        "the parent flaps and is down"
    );
    let child_alone = |id: &str| if id == "m" { 'x' } else { '.' };
    assert_eq!(
        notified(&mut world, 6, child_alone),
        ["down m"],
        "the parent flaps and is up"
    );
}

#[test]
fn outdated_changes_are_removed_with_next_change() {
    let mut world = world(json!({}));
    world.play("1 x\n2 .");
    assert_eq!(world.group_state.decision.changes.len(), 1);
    let revision = world.group_state.decision.revision;
    world.play(&all('.', 3, 70));
    assert_eq!(
        world.group_state.decision.revision, revision,
        "no write of its own"
    );
    world.play("71 x\n72 .");
    let changes: Vec<_> = world.group_state.decision.changes.values().flatten().collect();
    assert_eq!(changes, [&World::tick(71), &World::tick(72)]);
    // Those of another monitor as well.
    world.define("n", &fields(json!({})));
    world.play(&all('.', 73, 140));
    world.deliver(141, "a", |id| if id.as_str() == "n" { 'x' } else { '.' });
    assert!(world.group_state.decision.changes.is_empty());
}
