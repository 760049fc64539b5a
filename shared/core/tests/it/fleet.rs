//! The records of location problems in the fleet state, which all groups share.

use portpulse_core::decide::{Unlimited, decide};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{FleetProblem, LocationProblem, LocationReporting};
use portpulse_core::outbox::Claimant;
use portpulse_core::time::Interval;
use serde_json::json;

use crate::world::World;

#[test]
fn record_is_renewed_after_12_hours_and_outdated_after_25() {
    const HOUR: i64 = 3_600;
    let other = GroupId {
        interval: Interval::OneMinute,
        shard: 1,
    };
    let now = World::time(0, 0);
    for (own_age, other_age, expected) in [
        (12 * HOUR - 1, 25 * HOUR - 1, Some((12 * HOUR - 1, true))),
        (12 * HOUR, 25 * HOUR - 1, Some((0, true))),
        (12 * HOUR - 1, 25 * HOUR, Some((12 * HOUR - 1, false))),
    ] {
        let mut world = World::new(1, &[("m", json!({}))]);
        let location: portpulse_core::id::Location = "a".parse().unwrap();
        let silent = LocationReporting::Silent(now);
        world.group_state.decision.locations = [(location.clone(), silent)].into();
        let key = (location, LocationProblem::Silent);
        let problem = FleetProblem {
            since: now,
            revision: 1,
            groups: [
                (world.group, World::time(0, -own_age)),
                (other, World::time(0, -other_age)),
            ]
            .into(),
        };
        world.fleet.problems = [(key.clone(), problem)].into();
        let me = Claimant::new("me");
        let fleet = decide(&world.input(now, &me), &Unlimited).fleet;
        let found = fleet.unwrap_or_else(|| world.fleet.clone());
        let groups = found.problems.get(&key).map(|problem| &problem.groups);
        let found = groups.map(|groups| (groups[&world.group], groups.contains_key(&other)));
        let expected = expected.map(|(age, is_kept)| (World::time(0, -age), is_kept));
        assert_eq!(found, expected, "{own_age} {other_age}");
    }
}

#[test]
fn returned_location_does_not_wait_for_records_of_others() {
    let mut world = World::new(3, &[("m", json!({}))]);
    world.play("1 ...\n2 .--\n3 .--\n4 .--");
    assert_eq!(world.play("5 ..-\n6 ..-"), "5 b location_back b");
    let locations: Vec<_> = world.group_state.decision.locations.keys().collect();
    assert_eq!(locations, [&"c".parse().unwrap()]);
}
