//! Why nothing is notified about an open incident.

use portpulse_core::decide::{Unlimited, decide, withheld, withheld_advisory};
use portpulse_core::group_state::Track;
use portpulse_core::id::MonitorId;
use portpulse_core::outbox::Claimant;
use serde_json::{Value, json};

use crate::world::{World, with};

/// The reason at `seconds` after a tick, by its code and its text; `due` if the next tick notifies the incident.
fn reason(world: &World, id: &str, track: Track, tick: i64, seconds: i64) -> String {
    let id: MonitorId = id.parse().unwrap();
    let monitor = &world.definitions.monitors[&id];
    let incidents = &world.group_state.decision.incidents;
    assert!(incidents.contains_key(&(id, track)), "there is an incident");
    let me = Claimant::new("reader");
    let found = withheld(&world.input(World::time(tick, seconds), &me), monitor, track);
    found.map_or("due".to_owned(), |found| format!("{}: {found}", found.code()))
}

fn fields(more: &Value) -> Value {
    with(json!({ "failures_to_open": 1, "successes_to_close": 2 }), more)
}

#[test]
fn each_reason_is_named() {
    let window = json!([{ "from": World::time(1, 0).to_string(), "until": World::time(9, 0).to_string() }]);
    for (more, silent_until, timeline, expected) in [
        (
            json!({}),
            None,
            "1 xxx\n2 xxx",
            "no_reminders: no reminder is configured",
        ),
        (
            json!({}),
            Some(9),
            "1 xxx\n2 xxx",
            "silenced: the monitor is silenced until 2026-11-22 00:09:00 UTC",
        ),
        // The silence ends before the next tick, which has not decided yet.
        (json!({}), Some(3), "1 xxx\n2 xxx", "due"),
        (
            json!({ "maintenance": window }),
            None,
            "1 xxx\n2 xxx",
            "maintenance: the monitor is in maintenance",
        ),
        (
            json!({}),
            Some(3),
            "1 xxx\n2 ..x",
            "below_quorum: fewer locations than the quorum see the failure now",
        ),
        (
            json!({ "remind_every": "10m" }),
            None,
            "1 xxx\n2 xxx",
            "not_yet_due: the next reminder or escalation is due at 2026-11-22 00:11:05 UTC",
        ),
        (
            json!({ "remind_every": "10m", "escalate_after": "5m" }),
            None,
            "1 xxx\n2 xxx",
            "not_yet_due: the next reminder or escalation is due at 2026-11-22 00:06:05 UTC",
        ),
        (
            json!({ "successes_to_close": 1, "flapping_after": 3 }),
            None,
            "-2 xxx\n-1 ...\n0 xxx\n1 ...\n2 xxx",
            "flapping: the monitor is flapping: it changes too often",
        ),
    ] {
        let mut world = World::new(3, &[("m", fields(&more))]);
        if let Some(until) = silent_until {
            world.silence("m", until);
        }
        world.play(timeline);
        assert_eq!(
            reason(&world, "m", Track::Health, 3, 0),
            expected,
            "{more} {silent_until:?}"
        );
    }
}

#[test]
fn acknowledged_incident_and_its_cluster_are_not_reminded() {
    let of_host = |port: u16| fields(&json!({ "host": "db.example", "port": port, "remind_every": "10m" }));
    let mut world = World::new(1, &[("m", of_host(1)), ("n", of_host(2))]);
    assert_eq!(world.play("1 x"), "1 a down m");
    for id in ["m", "n"] {
        let expected = "not_yet_due: the next reminder or escalation is due at 2026-11-22 00:11:05 UTC";
        assert_eq!(reason(&world, id, Track::Health, 2, 0), expected, "{id}");
        assert_eq!(reason(&world, id, Track::Health, 12, 0), "due", "{id}");
    }
    world.acknowledge();
    for id in ["m", "n"] {
        let expected = "acknowledged: the incident is acknowledged";
        assert_eq!(reason(&world, id, Track::Health, 12, 0), expected, "{id}");
    }
    let mut alone = World::new(1, &[("m", of_host(1))]);
    alone.play("1 x");
    alone.acknowledge();
    let expected = "acknowledged: the incident is acknowledged";
    assert_eq!(reason(&alone, "m", Track::Health, 12, 0), expected);
}

#[test]
fn incident_behind_outage_names_the_first_cause() {
    let child = |parent: &str| fields(&json!({ "depends_on": [parent] }));
    let monitors = [
        ("m", child("n")),
        ("n", child("switch")),
        ("switch", fields(&json!({}))),
    ];
    let mut world = World::new(1, &monitors);
    assert_eq!(world.play("1 x"), "1 a down switch");
    for id in ["m", "n"] {
        let expected = "dependency: switch is down, which the monitor depends on";
        assert_eq!(reason(&world, id, Track::Health, 2, 0), expected, "{id}");
    }
    // Of another group.
    let mut world = World::new(1, &[("m", child("far"))]);
    world.elsewhere.down.insert("far".parse().unwrap());
    assert_eq!(world.play("1 x"), "");
    let expected = "dependency: far is down, which the monitor depends on";
    assert_eq!(reason(&world, "m", Track::Health, 2, 0), expected);
}

#[test]
fn monitor_without_location_is_awaited_at_first() {
    let of_agent = fields(&json!({ "locations": ["office"] }));
    let mut world = World::new(1, &[("m", of_agent), ("n", fields(&json!({})))]);
    assert_eq!(world.play("1 .\n2 ."), "");
    let expected = "awaiting_location: no location has checked the monitor yet";
    assert_eq!(reason(&world, "m", Track::Visibility, 3, 0), expected);
    assert_eq!(world.play("3 .\n4 ."), "4 a unknown m");
}

#[test]
fn claimed_notification_waits_to_be_published() {
    let mut world = World::new(1, &[("m", fields(&json!({})))]);
    world.play("1 .");
    world.silence("m", 3);
    world.play("2 x");
    // A checker decides, and stops before it publishes.
    let me = Claimant::new("me");
    let decision = decide(&world.input(World::time(3, 5), &me), &Unlimited);
    world.group_state.decision = decision.state.unwrap();
    let expected = "unpublished: a notification waits to be published";
    assert_eq!(reason(&world, "m", Track::Health, 3, 10), expected);
}

/// The reason for the advisory of `m`, by its code; `due` if there is none.
fn advisory_reason(world: &World, tick: i64) -> &'static str {
    let (m, me) = ("m".parse().unwrap(), Claimant::new("reader"));
    assert!(world.group_state.decision.advisories.contains_key(&m));
    let input = world.input(World::time(tick, 0), &me);
    withheld_advisory(&input, &world.definitions.monitors[&m]).map_or("due", |found| found.code())
}

#[test]
fn claimed_advisory_waits_to_be_published() {
    let mut world = World::new(3, &[("m", fields(&json!({})))]);
    world.silence("m", 3);
    world.play("1 ...\n2 x..");
    let me = Claimant::new("me");
    let decision = decide(&world.input(World::time(3, 5), &me), &Unlimited);
    world.group_state.decision = decision.state.unwrap();
    assert_eq!(advisory_reason(&world, 3), "unpublished");
}

#[test]
fn advisory_names_what_suppresses_it() {
    let window = json!([{ "from": World::time(1, 0).to_string(), "until": World::time(4, 0).to_string() }]);
    let behind = json!({ "depends_on": ["far"] });
    for (more, silent_until, expected) in [
        (json!({}), Some(4), "silenced"),
        (json!({ "maintenance": window }), None, "maintenance"),
        (behind.clone(), None, "dependency"),
    ] {
        let mut world = World::new(3, &[("m", fields(&more))]);
        if more == behind {
            world.elsewhere.down.insert("far".parse().unwrap());
        }
        if let Some(until) = silent_until {
            world.silence("m", until);
        }
        assert_eq!(world.play("1 ...\n2 x..\n3 x.."), "", "{more}");
        assert_eq!(advisory_reason(&world, 3), expected, "{more}");
        world.elsewhere.down.clear();
        assert_eq!(advisory_reason(&world, 4), "due", "{more}");
        let notified = world.play("4 x..");
        assert!(notified.ends_with(" advisory m"), "{more}: {notified}");
        assert_eq!(advisory_reason(&world, 5), "due", "a notified advisory");
    }
}

#[test]
fn only_missing_data_awaits_a_location() {
    let mut world = World::new(1, &[("m", fields(&json!({})))]);
    world.silence("m", 3);
    world.play("1 x");
    // No location has reported for long: all are awaited again.
    world.decide_and_publish(World::time(20, 0));
    let expected = "below_quorum: fewer locations than the quorum see the failure now";
    assert_eq!(reason(&world, "m", Track::Health, 20, 0), expected);
}
