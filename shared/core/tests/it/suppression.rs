//! Suppression of notifications by silences, maintenance windows and dependencies.

use portpulse_core::decide::is_undecided;
use portpulse_core::definition::{Diagnostic, FieldPath};
use portpulse_core::outbox::Claimant;
use serde_json::json;

use crate::world::{World, check};

fn fast() -> serde_json::Value {
    json!({ "failures_to_open": 1, "successes_to_close": 1 })
}

#[test]
fn maintenance_delays_notification_until_its_end() {
    let window = json!([{ "from": World::time(2, 0).to_string(), "until": World::time(4, 0).to_string() }]);
    let fields = json!({ "failures_to_open": 1, "successes_to_close": 1, "maintenance": window });
    check(
        1,
        fields.clone(),
        "1 .\n2 x\n3 x\n4 x\n5 .",
        "4 a down m\n5 a recovered m",
    );
    check(1, fields.clone(), "1 .\n2 x\n3 .\n4 .", "");
    check(1, fields, "1 x\n2 x\n3 .", "1 a down m\n3 a recovered m");
}

#[test]
fn silence_delays_notification_but_not_recovery() {
    let mut world = World::new(1, &[("m", fast())]);
    assert_eq!(world.play("1 x"), "1 a down m");
    world.silence("m", 5);
    assert_eq!(world.play("2 .\n3 x\n4 x\n5 x"), "2 a recovered m\n5 a down m");
}

#[test]
fn notified_advisory_stays_while_its_incident_is_silenced() {
    let advised = || {
        let mut world = World::new(3, &[("m", fast())]);
        assert_eq!(world.play("1 ...\n2 x.."), "2 c advisory m");
        world.silence("m", 6);
        assert_eq!(world.play("3 xx.\n4 xx."), "");
        world
    };
    // Silences are read only if something is to be decided, and this state is decided.
    let mut unread = advised();
    unread.controls.clear();
    let me = Claimant::new("me");
    assert!(!is_undecided(&unread.input(World::time(4, 30), &me)));
    assert_eq!(advised().play("5 ..."), "5 c advisory_over m");
    assert_eq!(
        advised().play("5 xx.\n6 xx.\n7 ..."),
        "6 a down m\n6 a advisory_over m\n7 a recovered m"
    );
}

#[test]
fn advisory_that_was_not_notified_ends_with_its_incident() {
    let mut world = World::new(3, &[("m", fast())]);
    world.silence("m", 6);
    assert_eq!(world.play("1 ...\n2 x.."), "");
    assert_eq!(world.group_state.decision.advisories.len(), 1);
    assert_eq!(world.play("3 xx."), "");
    assert!(world.group_state.decision.advisories.is_empty());
}

#[test]
fn child_of_down_parent_is_suppressed() {
    let child = json!({ "failures_to_open": 1, "successes_to_close": 2, "depends_on": ["parent"] });
    let mut world = World::new(1, &[("parent", fast()), ("m", child)]);
    assert_eq!(world.play("1 x\n2 x"), "1 a down parent");
    // The parent recovers first. The child is still counting its good ticks, and is not notified as down.
    assert_eq!(world.play("3 .\n4 ."), "3 a recovered parent");
    let still_down = world.deliver(5, "a", |id| if id.as_str() == "m" { 'x' } else { '.' });
    assert_eq!(still_down.len(), 1, "its own outage is notified");
}

#[test]
fn child_still_down_is_notified_when_parent_recovers() {
    let child = json!({ "failures_to_open": 1, "successes_to_close": 1, "depends_on": ["parent"] });
    let mut world = World::new(1, &[("parent", fast()), ("m", child)]);
    assert_eq!(world.play("1 x"), "1 a down parent");
    let kinds: Vec<_> = world
        .deliver(2, "a", |id| if id.as_str() == "m" { 'x' } else { '.' })
        .iter()
        .map(|n| format!("{} {}", n.kind, n.subject))
        .collect();
    assert_eq!(kinds, ["recovered parent", "down m"]);
}

#[test]
fn parent_in_other_group_suppresses_down_but_not_exposed() {
    let child = |expect| json!({ "failures_to_open": 1, "expect": expect, "depends_on": ["parent"], "depends_on_groups": { "parent": "5m#0" } });
    let mut world = World::new(1, &[("m", child("open"))]);
    world.elsewhere.down.insert("parent".parse().unwrap());
    assert_eq!(world.play("1 x\n2 x"), "");
    let mut world = World::new(1, &[("m", child("closed"))]);
    world.elsewhere.down.insert("parent".parse().unwrap());
    assert_eq!(world.play("1 ."), "1 a exposed m");
}

#[test]
fn reminders_stop_when_incident_is_acknowledged() {
    let fields = json!({ "failures_to_open": 1, "successes_to_close": 1, "remind_every": "5m" });
    let mut world = World::new(1, &[("m", fields)]);
    let timeline = |from: i64, to: i64| {
        (from..=to)
            .map(|tick| format!("{tick} x"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let notified = "1 a down m\n6 a reminder m\n11 a reminder m";
    assert_eq!(world.play(&timeline(1, 12)), notified);
    world.acknowledge();
    assert_eq!(world.play(&timeline(13, 30)), "");
    assert_eq!(world.play("31 ."), "31 a recovered m");
    // The next outage is a new incident, which is not acknowledged.
    assert_eq!(world.play(&timeline(32, 37)), "32 a down m\n37 a reminder m");
}

#[test]
fn broken_definition_is_notified_once_and_keeps_incident() {
    let mut world = World::new(1, &[("m", fast()), ("n", fast())]);
    assert_eq!(world.play("1 x"), "1 a down m\n1 a down n");
    let broken = world.definitions.monitors.remove(&"m".parse().unwrap()).unwrap();
    let diagnostic = Diagnostic::new(FieldPath::root().field("port"), "is missing", "write a port");
    world.definitions.broken.insert("m".to_owned(), vec![diagnostic]);
    assert_eq!(
        world.play("2 x\n3 x"),
        "2 a broken_definition m",
        "n continues, and m is notified once"
    );
    world.definitions.broken.clear();
    world.definitions.monitors.insert(broken.id().clone(), broken);
    assert_eq!(world.play("4 ."), "4 a recovered m\n4 a recovered n");
}

#[test]
fn recovery_has_severity_of_its_incident() {
    let fields = json!({ "failures_to_open": 1, "successes_to_close": 1, "slow_after": "100ms", "severity": "critical" });
    let mut world = World::new(1, &[("m", fields)]);
    let loudness: Vec<_> = world
        .notified("1 s\n2 .\n3 x\n4 .")
        .iter()
        .map(|(_, _, n)| format!("{} {}", n.kind, n.severity))
        .collect();
    assert_eq!(
        loudness,
        [
            "degraded warning",
            "recovered warning",
            "down critical",
            "recovered critical"
        ]
    );
}
