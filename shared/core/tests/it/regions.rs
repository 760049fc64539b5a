//! Regions that are silent, suspect, new or gone.

use portpulse_core::group::GroupId;
use portpulse_core::time::Interval;
use serde_json::json;

use crate::world::{World, check};

#[test]
fn a_region_that_stops_reporting_is_told_once_and_when_it_is_back() {
    let timeline = "1 ...\n2 ..-\n3 ..-\n4 ..-\n5 ..-\n6 ..-\n7 ...";
    check(3, json!({}), timeline, "4 a region_silent c\n7 c region_back c");
}

#[test]
fn a_region_that_never_reported_is_missed_after_the_same_time() {
    check(
        2,
        json!({}),
        "1 .-\n2 .-\n3 .-\n4 .-\n5 .-",
        "5 a region_silent b",
    );
}

#[test]
fn a_stale_region_does_not_vote() {
    let fields = json!({ "failures_to_open": 1 });
    // Alone, a is no majority of three; of the fresh ones it is.
    let told = "2 c advisory m\n5 a advisory_over m\n5 a down m\n5 a region_silent b\n5 a region_silent c";
    let mut world = World::new(3, &[("m", fields)]);
    let played = world.play("1 ...\n2 x..\n3 x--\n4 x--\n5 x--\n6 x--");
    let mut lines: Vec<_> = played.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines.join("\n"), told);
}

#[test]
fn a_region_in_which_most_of_ten_fails_alone_is_suspect_and_tells_nothing_else() {
    let ids: Vec<_> = (0..12).map(|n| format!("m{n:02}")).collect();
    let monitors: Vec<_> = ids
        .iter()
        .map(|id| (id.as_str(), json!({ "failures_to_open": 1, "quorum": 1 })))
        .collect();
    let mut world = World::new(3, &monitors);
    let mut told = Vec::new();
    for tick in 1..=4 {
        for region in ["a", "b", "c"] {
            let failing = region == "a" && (2..=3).contains(&tick);
            let seen = world.deliver(tick, region, |id| {
                if failing && id.as_str() != "m11" { 'x' } else { '.' }
            });
            told.extend(
                seen.iter()
                    .map(|n| format!("{tick} {region} {} {}", n.kind, n.subject)),
            );
        }
    }
    assert_eq!(told, ["2 c region_suspect a", "4 c region_trusted a"]);
}

#[test]
fn nine_monitors_are_too_few_to_suspect_a_region() {
    let ids: Vec<_> = (0..9).map(|n| format!("m{n}")).collect();
    let monitors: Vec<_> = ids
        .iter()
        .map(|id| (id.as_str(), json!({ "failures_to_open": 1 })))
        .collect();
    let mut world = World::new(3, &monitors);
    let mut kinds = Vec::new();
    for tick in 1..=2 {
        for region in ["a", "b", "c"] {
            let seen = world.deliver(
                tick,
                region,
                |_| if region == "a" && tick == 2 { 'x' } else { '.' },
            );
            kinds.extend(seen.iter().map(|n| n.kind.to_string()));
        }
    }
    assert_eq!(kinds, ["advisory"; 9]);
}

#[test]
fn a_region_is_told_once_for_all_groups() {
    let mut one = World::new(2, &[("m", json!({}))]);
    assert_eq!(one.play("1 ..\n2 .-\n3 .-\n4 .-\n5 .-"), "4 a region_silent b");
    let mut two = World::new(2, &[("n", json!({}))]);
    two.group = GroupId {
        interval: Interval::OneMinute,
        shard: 1,
    };
    two.play("1 ..");
    two.fleet = one.fleet.clone();
    assert_eq!(
        two.play("2 .-\n3 .-\n4 .-\n5 .-\n6 .-"),
        "",
        "the first group has told it"
    );
    one.fleet = two.fleet.clone();
    assert_eq!(one.play("6 .."), "", "the second group still misses it");
    two.fleet = one.fleet.clone();
    assert_eq!(two.play("7 .."), "7 b region_back b");
}

#[test]
fn a_region_that_is_no_longer_expected_is_forgotten_without_a_word() {
    let mut world = World::new(2, &[("m", json!({}))]);
    assert_eq!(world.play("1 ..\n2 .-\n3 .-\n4 .-\n5 .-"), "4 a region_silent b");
    world.expected.retain(|region| region.as_str() == "a");
    assert_eq!(world.play("6 .\n7 ."), "");
    assert!(world.fleet.troubles.is_empty() && world.board.verdict.regions.is_empty());
}

#[test]
fn a_monitor_that_no_expected_region_checks_is_unknown() {
    check(1, json!({ "regions": ["elsewhere"] }), "1 .", "1 a unknown m");
}
