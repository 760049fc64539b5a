//! What readers see: the status of a monitor, the view of each location, and whether a group is nominal.

use portpulse_core::decide::{is_nominal, status, views};
use portpulse_core::group_state::LocationReporting;
use portpulse_core::outbox::Claimant;
use serde_json::{Value, json};

use crate::world::World;

fn world(locations: usize, more: &Value) -> World {
    let mut fields = json!({ "failures_to_open": 1, "successes_to_close": 1 });
    fields
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    World::new(locations, &[("m", fields)])
}

#[test]
fn status_is_that_of_the_open_incident() {
    for (more, symbol, tick, expected) in [
        (json!({}), '.', 1, "up"),
        (json!({}), 'x', 1, "down"),
        (json!({ "slow_after": "100ms" }), 's', 1, "degraded"),
        (json!({ "expect": "closed" }), '.', 1, "exposed"),
        // No location has reported for longer than the freshness limit.
        (json!({}), '.', 4, "up"),
        (json!({}), '.', 5, "unknown"),
        (json!({}), 'x', 5, "unknown"),
    ] {
        let mut world = world(1, &more);
        world.play(&format!("1 {symbol}"));
        let me = Claimant::new("reader");
        let monitor = &world.definitions.monitors[&"m".parse().unwrap()];
        let found = status(&world.input(World::time(tick, 0), &me), monitor);
        assert_eq!(found.as_str(), expected, "{more} {symbol} at {tick}");
    }
}

#[test]
fn view_of_each_location_has_its_streak() {
    let mut world = world(5, &json!({ "quorum": 5 }));
    world.play("1 .xx-x\n2 .x?-x");
    let suspect = LocationReporting::Suspect(World::time(2, 0));
    world
        .group_state
        .decision
        .locations
        .insert("e".parse().unwrap(), suspect);
    let me = Claimant::new("reader");
    let monitor = &world.definitions.monitors[&"m".parse().unwrap()];
    let found = views(monitor, &world.input(World::time(2, 30), &me));
    let lines: Vec<_> = found
        .iter()
        .map(|(location, view)| {
            let cause = view.finding.as_ref().map_or("-", |finding| finding.cause.code());
            format!("{location} {} {} {cause}", view.view, view.ticks)
        })
        .collect();
    assert_eq!(
        lines,
        [
            "a good 0 -",
            "b failing 2 refused",
            "c no_data 1 refused",
            "d silent 0 -",
            "e suspect 2 refused"
        ]
    );
}

#[test]
fn group_is_nominal_with_recent_changes_but_not_with_failures() {
    let mut world = world(1, &json!({}));
    for (tick, symbol, expected) in [(1, '.', true), (2, 'x', false), (3, '.', false), (4, '.', true)] {
        world.play(&format!("{tick} {symbol}"));
        let me = Claimant::new("me");
        assert_eq!(
            is_nominal(&world.input(World::time(tick, 30), &me)),
            expected,
            "{tick}"
        );
    }
    assert!(!world.group_state.decision.changes.is_empty());
}
