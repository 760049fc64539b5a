//! What follows the notification of a cluster: reminders, escalation, acknowledgement, silences and the end.

use portpulse_core::decide::{Unlimited, decide};
use portpulse_core::outbox::Claimant;
use serde_json::json;

use crate::clusters::{check, fields, play};
use crate::world::{World, with};

#[test]
fn cluster_is_reminded_and_escalated_once() {
    let policy = |host: &str, port| {
        with(
            fields(host, port),
            &json!({ "remind_every": "5m", "escalate_after": "7m" }),
        )
    };
    let lines: Vec<_> = (2..15).map(|tick| format!("{tick} xx")).collect();
    check(
        &[("a", policy("h", 1)), ("b", policy("h", 2))],
        &format!("1 ..\n{}\n15 ..", lines.join("\n")),
        &[
            "2 down a b",
            "7 reminder a b",
            "9 escalated a b",
            "14 reminder a b",
            "15 recovered a b",
        ],
    );
}

#[test]
fn acknowledged_cluster_is_not_reminded() {
    let policy = |port| with(fields("h", port), &json!({ "remind_every": "5m" }));
    let mut world = World::new(3, &[("a", policy(1)), ("b", policy(2))]);
    assert_eq!(play(&mut world, 3, "1 ..\n2 xx"), ["2 down a b"]);
    world.acknowledge();
    let lines: Vec<_> = (3..15).map(|tick| format!("{tick} xx")).collect();
    assert_eq!(play(&mut world, 3, &lines.join("\n")), [""; 0]);
}

#[test]
fn silenced_monitor_of_a_failing_host_is_notified_when_the_silence_ends() {
    let mut world = World::new(
        3,
        &[
            ("a", fields("h", 1)),
            ("b", fields("h", 2)),
            ("c", fields("h", 3)),
        ],
    );
    world.silence("c", 5);
    assert_eq!(play(&mut world, 3, "1 ...\n2 xxx\n3 xxx"), ["2 down a b"]);
    assert_eq!(play(&mut world, 3, "5 xxx"), ["5 down c"]);
}

#[test]
fn late_notification_counts_the_recovered_monitors_of_its_cluster() {
    let mut world = World::new(1, &[("a", fields("h", 1)), ("b", fields("h", 2))]);
    for id in ["a", "b"] {
        world.silence(id, 3);
    }
    assert_eq!(play(&mut world, 1, "1 ..\n2 xx"), [""; 0]);
    // The checker that decides is lost. Another one takes over when the incidents are in the archive.
    let lost = Claimant::new("lost");
    let decision = decide(&world.input(World::time(3, 5), &lost), &Unlimited);
    world.group_state.decision = decision.state.unwrap();
    assert_eq!(
        play(&mut world, 1, "4 ..\n5 .."),
        ["5 down a of 2", "5 recovered a b"]
    );
}

#[test]
fn cluster_of_removed_monitors_ends_without_a_notification() {
    let monitors = [
        ("a", fields("h", 1)),
        ("b", fields("h", 2)),
        ("c", fields("g", 3)),
    ];
    let mut world = World::new(1, &monitors);
    assert_eq!(play(&mut world, 1, "1 ...\n2 xxx"), ["2 down a b", "2 down c"]);
    world.definitions.monitors.retain(|id, _| id.as_str() == "c");
    assert_eq!(play(&mut world, 1, "3 ."), ["3 recovered c"]);
}

#[test]
fn acknowledgement_of_any_incident_stops_reminders_of_its_cluster_only() {
    let policy = |host, port| with(fields(host, port), &json!({ "remind_every": "5m" }));
    let monitors = [
        ("a", policy("h", 1)),
        ("b", policy("h", 2)),
        ("c", policy("g", 3)),
    ];
    let mut world = World::new(1, &monitors);
    assert_eq!(play(&mut world, 1, "1 ...\n2 xxx"), ["2 down a b", "2 down c"]);
    for (id, expected) in [("c", &["7 reminder a b"][..]), ("b", &[])] {
        world.acknowledge_first_of(&id.parse().unwrap());
        let from = if id == "c" { 3 } else { 8 };
        let lines: Vec<_> = (from..from + 5).map(|tick| format!("{tick} xxx")).collect();
        assert_eq!(play(&mut world, 1, &lines.join("\n")), expected, "{id}");
    }
}

#[test]
fn incident_does_not_join_one_that_nobody_is_reminded_of() {
    let late = || with(fields("h", 2), &json!({ "failures_to_open": 3 }));
    let suppress: [fn(&mut World); 2] = [World::acknowledge, |world| world.silence("a", 60)];
    for suppress in suppress {
        let mut world = World::new(3, &[("a", fields("h", 1)), ("b", late())]);
        assert_eq!(play(&mut world, 3, "1 ..\n2 xx"), ["2 down a"]);
        suppress(&mut world);
        assert_eq!(play(&mut world, 3, "3 xx\n4 xx"), ["4 down b"]);
    }
    // One of two in a cluster is silenced: the other keeps the reminders.
    let monitors = [("a", fields("h", 1)), ("b", late()), ("c", fields("h", 3))];
    let mut world = World::new(3, &monitors);
    assert_eq!(play(&mut world, 3, "1 ...\n2 xxx"), ["2 down a c"]);
    world.silence("c", 60);
    assert_eq!(play(&mut world, 3, "3 xxx\n4 xxx"), [""; 0]);
}
