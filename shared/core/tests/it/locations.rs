//! Locations that are silent, suspect, new or gone.

use portpulse_core::decide::{Unlimited, decide, is_nominal};
use portpulse_core::group::GroupId;
use portpulse_core::outbox::{Claimant, Kind};
use portpulse_core::time::Interval;
use serde_json::json;

use crate::world::{World, check};

#[test]
fn a_location_that_stops_reporting_is_told_once_and_when_it_is_back() {
    let timeline = "1 ...\n2 ..-\n3 ..-\n4 ..-\n5 ..-\n6 ..-\n7 ...";
    check(
        3,
        json!({}),
        timeline,
        "4 a location_silent c\n7 c location_back c",
    );
}

#[test]
fn a_location_that_never_reported_is_missed_after_the_same_time() {
    check(
        2,
        json!({}),
        "1 .-\n2 .-\n3 .-\n4 .-\n5 .-",
        "5 a location_silent b",
    );
}

#[test]
fn a_stale_location_does_not_vote() {
    let fields = json!({ "failures_to_open": 1 });
    // Alone, a is no majority of three; of the fresh ones it is.
    let notified =
        "2 c advisory m\n5 a advisory_over m\n5 a down m\n5 a location_silent b\n5 a location_silent c";
    let mut world = World::new(3, &[("m", fields)]);
    let played = world.play("1 ...\n2 x..\n3 x--\n4 x--\n5 x--\n6 x--");
    let mut lines: Vec<_> = played.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines.join("\n"), notified);
}

#[test]
fn a_location_in_which_most_of_ten_fails_alone_is_suspect_and_tells_nothing_else() {
    let ids: Vec<_> = (0..12).map(|n| format!("m{n:02}")).collect();
    let monitors: Vec<_> = ids
        .iter()
        .map(|id| (id.as_str(), json!({ "failures_to_open": 1, "quorum": 1 })))
        .collect();
    let mut world = World::new(3, &monitors);
    let mut notified = Vec::new();
    for tick in 1..=4 {
        for location in ["a", "b", "c"] {
            let failing = location == "a" && (2..=3).contains(&tick);
            let seen = world.deliver(tick, location, |id| {
                if failing && id.as_str() != "m11" { 'x' } else { '.' }
            });
            notified.extend(
                seen.iter()
                    .map(|n| format!("{tick} {location} {} {}", n.kind, n.subject)),
            );
        }
    }
    assert_eq!(notified, ["2 c location_suspect a", "4 c location_trusted a"]);
}

#[test]
fn nine_monitors_are_too_few_to_suspect_a_location() {
    let ids: Vec<_> = (0..9).map(|n| format!("m{n}")).collect();
    let monitors: Vec<_> = ids
        .iter()
        .map(|id| (id.as_str(), json!({ "failures_to_open": 1 })))
        .collect();
    let mut world = World::new(3, &monitors);
    let mut kinds = Vec::new();
    for tick in 1..=2 {
        for location in ["a", "b", "c"] {
            let seen = world.deliver(tick, location, |_| {
                if location == "a" && tick == 2 { 'x' } else { '.' }
            });
            kinds.extend(seen.iter().map(|n| n.kind.to_string()));
        }
    }
    assert_eq!(kinds, ["advisory"; 9]);
}

#[test]
fn a_location_is_told_once_for_all_groups() {
    let mut one = World::new(2, &[("m", json!({}))]);
    assert_eq!(one.play("1 ..\n2 .-\n3 .-\n4 .-\n5 .-"), "4 a location_silent b");
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
    assert_eq!(two.play("7 .."), "7 b location_back b");
}

#[test]
fn a_location_that_is_no_longer_expected_is_forgotten_without_a_word() {
    let mut world = World::new(2, &[("m", json!({}))]);
    assert_eq!(
        world.play("1 ..\n2 .-\n3 .-\n4 .-\n5 .-"),
        "4 a location_silent b"
    );
    world.expected.retain(|location| location.as_str() == "a");
    assert_eq!(world.play("6 .\n7 ."), "");
    assert!(world.fleet.problems.is_empty() && world.group_state.status.locations.is_empty());
}

#[test]
fn a_location_that_goes_again_before_its_return_was_told_is_kept_in_mind() {
    let mut world = World::new(1, &[("m", json!({}))]);
    world.play("1 .");
    let location = "a".parse().unwrap();
    let row_of =
        |tick, world: &mut World| world.group_state.rows.get_mut(&location).unwrap().tick = World::tick(tick);
    // Two checkers decide, on its silence and on its end, and are lost before they tell.
    let lost = Claimant::new("lost");
    for (tick, now) in [(1, World::time(5, 5)), (5, World::time(5, 30))] {
        row_of(tick, &mut world);
        let decision = decide(&world.input(now, &lost), &Unlimited);
        world.group_state.status = decision.status.unwrap();
        world.fleet = decision.fleet.unwrap();
    }
    // Nobody looks until its row is older than one that has just gone stale; it is awaited, and reports. What these two
    // decide on the fleet is lost as well.
    for (tick, now) in [(5, World::time(15, 0)), (15, World::time(15, 5))] {
        row_of(tick, &mut world);
        let decision = decide(&world.input(now, &lost), &Unlimited);
        world.group_state.status = decision.status.unwrap_or(world.group_state.status);
    }
    assert!(!is_nominal(&world.input(World::time(15, 10), &lost)));
    let notified = world.acknowledge_published(World::time(15, 10));
    let kinds: Vec<_> = notified.iter().map(|notification| notification.kind).collect();
    assert_eq!(kinds, [Kind::LocationSilent, Kind::LocationBack]);
}

#[test]
fn a_monitor_that_no_expected_location_checks_is_unknown_unless_one_is_about_to() {
    let elsewhere = json!({ "locations": ["elsewhere"] });
    check(1, elsewhere, "1 .\n2 .\n3 .\n4 .\n5 .", "4 a unknown m");
    // The definition is there first, then the location is listed, and then it reports.
    let mut world = World::new(1, &[("m", json!({ "locations": ["c"] }))]);
    world.list("ab");
    assert_eq!(world.play("1 ..\n2 .."), "");
    world.list("abc");
    assert_eq!(world.play("3 ..\n4 ...\n5 ...\n6 ...\n7 ...\n8 ..."), "");
    assert!(world.group_state.status.incidents.is_empty());
    // Where the location is listed and never comes, that is told after all.
    let mut silent = World::new(1, &[("m", json!({ "locations": ["c"] }))]);
    silent.list("ab");
    assert_eq!(silent.play("1 ..\n2 .."), "");
    silent.list("abc");
    assert_eq!(
        silent.play("3 ..\n4 ..\n5 ..\n6 ..\n7 .."),
        "7 a location_silent c\n7 a unknown m"
    );
    // The location is gone first, and then the definition names another.
    world.list("ab");
    assert_eq!(world.play("9 ..\n10 .."), "");
    world.define("m", &json!({ "locations": ["a"] }));
    assert_eq!(world.play("11 ..\n12 ..\n13 ..\n14 ..\n15 .."), "");
    assert!(world.group_state.status.incidents.is_empty());
}

/// What is told while the list of locations changes: each stretch of a timeline with the locations that are listed then.
#[track_caller]
fn check_lists(fields: serde_json::Value, key_ranges: &[(&str, &str, &str)]) {
    let mut world = World::new(1, &[("m", fields)]);
    for (listed, timeline, notified) in key_ranges {
        world.list(listed);
        let played = world.play(timeline);
        let mut lines: Vec<_> = played.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines.join("\n"), *notified, "of {listed} in {timeline}");
    }
}

fn at_once() -> serde_json::Value {
    json!({ "failures_to_open": 1, "successes_to_close": 1 })
}

#[test]
fn the_locations_that_the_board_lists_go_before_any_others() {
    // One of three is an advisory, though `a` alone is expected where none is listed.
    check_lists(at_once(), &[("abc", "1 ...\n2 x..", "2 c advisory m")]);
    check_lists(at_once(), &[("", "1 ...\n2 x..", "2 a down m")]);
}

#[test]
fn a_location_that_was_just_listed_is_awaited_and_does_not_vote_before_it_reports() {
    check_lists(
        at_once(),
        &[
            ("ab", "1 ..\n2 ..\n3 ..\n4 ..\n5 ..\n6 ..", ""),
            // Two of two see it, and wait for nobody.
            ("abc", "7 xx", "7 b down m"),
            ("abc", "8 ..", "8 b recovered m"),
            ("abc", "9 ...\n10 x.x", "10 c down m"),
        ],
    );
    // One that never comes is silent as late as any other.
    check_lists(
        at_once(),
        &[
            ("ab", "1 ..\n2 ..\n3 ..\n4 ..\n5 ..\n6 ..", ""),
            ("abc", "7 ..\n8 ..\n9 ..\n10 ..\n11 ..", "11 a location_silent c"),
        ],
    );
}

#[test]
fn a_location_that_is_no_longer_listed_is_forgotten_at_once() {
    // Neither its vote, nor its silence, nor its last tick, which was under way, has an effect.
    check_lists(
        at_once(),
        &[
            ("abc", "1 ...\n2 ..x", "2 c advisory m"),
            ("ab", "3 ..", "3 b advisory_over m"),
            ("ab", "4 ..x\n5 ..\n6 ..\n7 ..\n8 ..\n9 ..", ""),
        ],
    );
    check_lists(
        at_once(),
        &[
            ("abc", "1 ...\n2 ..-\n3 ..-\n4 ..-", "4 a location_silent c"),
            ("ab", "5 ..\n6 ..\n7 ..", ""),
            // Back again, it is a location like a new one.
            ("abc", "8 ..-\n9 ...\n10 ...", ""),
        ],
    );
}

#[test]
fn an_outage_goes_on_while_locations_come_and_go() {
    check_lists(
        json!({ "failures_to_open": 2, "successes_to_close": 2 }),
        &[
            ("abc", "1 ...\n2 xxx\n3 xxx", "3 b down m"),
            ("ab", "4 xx\n5 xx", ""),
            ("abd", "6 xx-x\n7 xx-x", ""),
            ("ad", "8 .--.", ""),
            ("ad", "9 .--.", "9 d recovered m"),
        ],
    );
    // One of two that fail goes: one of two that are left is no majority, and no end either.
    check_lists(
        at_once(),
        &[
            ("abc", "1 ...\n2 x.x", "2 c down m"),
            ("ab", "3 x.\n4 x.", ""),
            ("ab", "5 ..", "5 a recovered m"),
        ],
    );
}

#[test]
fn a_location_that_is_not_listed_decides_for_those_that_are() {
    let mut world = World::new(1, &[("m", at_once())]);
    world.list("abc");
    assert_eq!(world.play("1 ...\n2 x.."), "2 c advisory m");
    // Its last tick comes after it was taken off: of the two that are left, one fails, which is no majority.
    world.list("ab");
    assert_eq!(world.play("3 x.x"), "");
    // The rows of both show an outage that nobody has decided on: it does.
    let row = |symbol| {
        let monitor = "m".parse().unwrap();
        let definitions = &world.definitions;
        let seen = [(monitor, crate::world::observation(symbol))].into();
        let before = &world.group_state.rows[&"b".parse().unwrap()];
        portpulse_core::round::advance(Some(before), World::tick(4), definitions, &seen, |_| false).unwrap()
    };
    let failing = row('x');
    for location in ["a", "b"] {
        world
            .group_state
            .rows
            .insert(location.parse().unwrap(), failing.clone());
    }
    assert_eq!(world.play("4 --."), "4 c down m\n4 c advisory_over m");
}
