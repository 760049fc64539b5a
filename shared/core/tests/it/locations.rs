//! Silent, suspect, new and removed locations.

use portpulse_core::decide::{Unlimited, decide, is_nominal};
use portpulse_core::group::GroupId;
use portpulse_core::id::MonitorId;
use portpulse_core::outbox::{Claimant, Kind};
use portpulse_core::time::Interval;
use serde_json::json;

use crate::world::{World, check};

#[test]
fn silent_location_is_notified_once_and_on_return() {
    let timeline = "1 ...\n2 ..-\n3 ..-\n4 ..-\n5 ..-\n6 ..-\n7 ...";
    check(
        3,
        json!({}),
        timeline,
        "4 a location_silent c\n7 c location_back c",
    );
}

#[test]
fn location_that_never_reported_becomes_silent() {
    check(
        2,
        json!({}),
        "1 .-\n2 .-\n3 .-\n4 .-\n5 .-",
        "5 a location_silent b",
    );
}

#[test]
fn agent_votes_only_on_monitors_that_name_it() {
    let quick = json!({ "failures_to_open": 1, "successes_to_close": 1 });
    let named = json!({ "failures_to_open": 1, "locations": ["c"] });
    let mut world = World::new(3, &[("all", quick), ("own", named)]);
    world.list("abc");
    world.group_state.agents = ["c".parse().unwrap()].into();
    world
        .definitions
        .exclude_agents(&world.group_state.agents.clone());
    // Two of two regions: with the agent, one failing region would be a third, and two a majority of three.
    let mut notified = Vec::new();
    for (tick, failing) in [(1, ""), (2, "a"), (3, "ab"), (4, "abc"), (5, "")] {
        for location in ["a", "b", "c"] {
            let symbol = if failing.contains(location) { 'x' } else { '.' };
            let seen = world.deliver(tick, location, |id| {
                assert_eq!(id.as_str() == "own", location == "c", "{location} checks {id}");
                symbol
            });
            let line = seen
                .iter()
                .map(|n| format!("{tick} {location} {} {}", n.kind, n.subject));
            notified.extend(line);
        }
    }
    let expected = [
        "2 b advisory all",
        "3 b down all",
        "3 b advisory_over all",
        "4 c down own",
        "5 b recovered all",
    ];
    assert_eq!(notified, expected);
}

#[test]
fn stale_location_does_not_vote() {
    let fields = json!({ "failures_to_open": 1 });
    // `a` alone is not a majority of three, but it is the majority of the fresh locations.
    let notified =
        "2 c advisory m\n5 a advisory_over m\n5 a down m\n5 a location_silent b\n5 a location_silent c";
    let mut world = World::new(3, &[("m", fields)]);
    let played = world.play("1 ...\n2 x..\n3 x--\n4 x--\n5 x--\n6 x--");
    let mut lines: Vec<_> = played.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines.join("\n"), notified);
}

#[test]
fn location_failing_alone_on_most_monitors_is_suspect() {
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
fn last_location_to_see_a_recovery_is_not_suspect() {
    let ids: Vec<_> = (0..12).map(|n| format!("m{n:02}")).collect();
    let monitors: Vec<_> = ids
        .iter()
        .map(|id| (id.as_str(), json!({ "failures_to_open": 1 })))
        .collect();
    let mut world = World::new(3, &monitors);
    let mut kinds = std::collections::BTreeSet::new();
    for tick in 1..=5 {
        for location in ["a", "b", "c"] {
            let symbol = if (2..=3).contains(&tick) { 'x' } else { '.' };
            let seen = world.deliver(tick, location, |_| symbol);
            kinds.extend(seen.iter().map(|n| n.kind.to_string()));
        }
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["down", "recovered"]);
}

#[test]
fn location_is_suspect_if_it_alone_sees_most_failing() {
    // The number of monitors with the symbol in each location, of twelve.
    for (symbol, in_locations, expected) in [
        ('x', [6, 0, 0], "advisory"),
        ('x', [7, 0, 0], "location_suspect"),
        // One of the two others sees the same.
        ('x', [12, 12, 0], "down"),
        ('s', [12, 0, 0], ""),
    ] {
        let ids: Vec<_> = (10..22).map(|n| format!("m{n}")).collect();
        let fields = json!({ "failures_to_open": 1, "slow_after": "100ms" });
        let monitors: Vec<_> = ids.iter().map(|id| (id.as_str(), fields.clone())).collect();
        let mut world = World::new(3, &monitors);
        world.play("1 ...");
        let mut kinds = std::collections::BTreeSet::new();
        for (location, count) in ["a", "b", "c"].iter().zip(in_locations) {
            let seen = |id: &MonitorId| {
                if *id.as_str() < *format!("m{}", 10 + count) {
                    symbol
                } else {
                    '.'
                }
            };
            kinds.extend(
                world
                    .deliver(2, location, seen)
                    .iter()
                    .map(|sent| sent.kind.as_str()),
            );
        }
        let kinds: Vec<_> = kinds.into_iter().collect();
        assert_eq!(kinds.join(" "), expected, "{symbol} {in_locations:?}");
    }
}

#[test]
fn nine_monitors_cannot_make_location_suspect() {
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
            kinds.extend(
                seen.iter()
                    .map(|n| format!("{} of {} monitors", n.kind, n.monitor_count)),
            );
        }
    }
    assert_eq!(kinds, ["advisory of 9 monitors"]);
}

#[test]
fn silent_location_is_notified_once_for_all_groups() {
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
        "the first group has notified it"
    );
    one.fleet = two.fleet.clone();
    assert_eq!(one.play("6 .."), "", "the second group still sees it as silent");
    two.fleet = one.fleet.clone();
    assert_eq!(two.play("7 .."), "7 b location_back b");
}

#[test]
fn unexpected_location_is_removed_without_notification() {
    let mut world = World::new(2, &[("m", json!({}))]);
    assert_eq!(
        world.play("1 ..\n2 .-\n3 .-\n4 .-\n5 .-"),
        "4 a location_silent b"
    );
    world.expected.retain(|location| location.as_str() == "a");
    assert_eq!(world.play("6 .\n7 ."), "");
    assert!(world.fleet.problems.is_empty() && world.group_state.decision.locations.is_empty());
}

#[test]
fn location_silent_again_keeps_its_unnotified_return() {
    let mut world = World::new(1, &[("m", json!({}))]);
    world.play("1 .");
    let location = "a".parse().unwrap();
    let set_tick = |tick, world: &mut World| {
        world.group_state.locations.get_mut(&location).unwrap().tick = World::tick(tick);
    };
    // Two checkers decide, one on the silence and one on its end, and are lost before they publish.
    let lost = Claimant::new("lost");
    for (tick, now) in [(1, World::time(5, 5)), (5, World::time(5, 30))] {
        set_tick(tick, &mut world);
        let decision = decide(&world.input(now, &lost), &Unlimited);
        world.group_state.decision = decision.state.unwrap();
        world.fleet = decision.fleet.unwrap();
    }
    // No checker decides until the location state is older than one that has just gone stale. The location is awaited,
    // and reports. The fleet decisions of these two checkers are lost as well.
    for (tick, now) in [(5, World::time(15, 0)), (15, World::time(15, 5))] {
        set_tick(tick, &mut world);
        let decision = decide(&world.input(now, &lost), &Unlimited);
        world.group_state.decision = decision.state.unwrap_or(world.group_state.decision);
    }
    assert!(!is_nominal(&world.input(World::time(15, 10), &lost)));
    let notified = world.decide_and_publish(World::time(15, 10));
    let kinds: Vec<_> = notified.iter().map(|notification| notification.kind).collect();
    assert_eq!(kinds, [Kind::LocationSilent, Kind::LocationBack]);
}

#[test]
fn monitor_without_checking_location_is_unknown_if_none_awaited() {
    let elsewhere = json!({ "locations": ["elsewhere"] });
    check(1, elsewhere, "1 .\n2 .\n3 .\n4 .\n5 .", "4 a unknown m");
    // First the definition exists, then the location is listed, and then it reports.
    let mut world = World::new(1, &[("m", json!({ "locations": ["c"] }))]);
    world.list("ab");
    assert_eq!(world.play("1 ..\n2 .."), "");
    world.list("abc");
    assert_eq!(world.play("3 ..\n4 ...\n5 ...\n6 ...\n7 ...\n8 ..."), "");
    assert!(world.group_state.decision.incidents.is_empty());
    // If the listed location never reports, both problems are notified.
    let mut silent = World::new(1, &[("m", json!({ "locations": ["c"] }))]);
    silent.list("ab");
    assert_eq!(silent.play("1 ..\n2 .."), "");
    silent.list("abc");
    assert_eq!(
        silent.play("3 ..\n4 ..\n5 ..\n6 ..\n7 .."),
        "7 a location_silent c\n7 a unknown m"
    );
    // First the location is removed, and then the definition selects another.
    world.list("ab");
    assert_eq!(world.play("9 ..\n10 .."), "");
    world.define("m", &json!({ "locations": ["a"] }));
    assert_eq!(world.play("11 ..\n12 ..\n13 ..\n14 ..\n15 .."), "");
    assert!(world.group_state.decision.incidents.is_empty());
}

/// Compares the notifications while the list of locations changes: each step has the listed locations, a timeline and
/// the expected notifications.
#[track_caller]
fn check_lists(fields: serde_json::Value, steps: &[(&str, &str, &str)]) {
    let mut world = World::new(1, &[("m", fields)]);
    for (listed, timeline, notified) in steps {
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
fn listed_locations_override_fallback_locations() {
    // One of three listed locations is an advisory. Without a list, only `a` is expected.
    check_lists(at_once(), &[("abc", "1 ...\n2 x..", "2 c advisory m")]);
    check_lists(at_once(), &[("", "1 ...\n2 x..", "2 a down m")]);
}

#[test]
fn newly_listed_location_is_awaited_until_first_report() {
    check_lists(
        at_once(),
        &[
            ("ab", "1 ..\n2 ..\n3 ..\n4 ..\n5 ..\n6 ..", ""),
            // Two of two see the outage, and do not wait for the third.
            ("abc", "7 xx", "7 b down m"),
            ("abc", "8 ..", "8 b recovered m"),
            ("abc", "9 ...\n10 x.x", "10 c down m"),
        ],
    );
    // A location that never reports becomes silent after the usual time.
    check_lists(
        at_once(),
        &[
            ("ab", "1 ..\n2 ..\n3 ..\n4 ..\n5 ..\n6 ..", ""),
            ("abc", "7 ..\n8 ..\n9 ..\n10 ..\n11 ..", "11 a location_silent c"),
        ],
    );
}

#[test]
fn unlisted_location_is_removed_at_once() {
    // Neither the vote, nor the silence, nor the last running tick of the location has an effect.
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
            // When listed again, the location is treated as new.
            ("abc", "8 ..-\n9 ...\n10 ...", ""),
        ],
    );
}

#[test]
fn outage_continues_while_locations_change() {
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
    // One of the two failing locations is removed. One of the remaining two is neither a majority nor a recovery.
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
fn unlisted_location_decides_for_listed_locations() {
    let mut world = World::new(1, &[("m", at_once())]);
    world.list("abc");
    assert_eq!(world.play("1 ...\n2 x.."), "2 c advisory m");
    // The last tick of `c` arrives after `c` was removed. One of the remaining two fails, which is not a majority.
    world.list("ab");
    assert_eq!(world.play("3 x.x"), "");
    // The states of both show an outage that is not decided yet: `c` decides.
    let state = |symbol| {
        let monitor = "m".parse().unwrap();
        let definitions = &world.definitions;
        let seen = [(monitor, crate::symbols::observation(symbol))].into();
        let before = &world.group_state.locations[&"b".parse().unwrap()];
        portpulse_core::round::advance(Some(before), World::tick(4), definitions, &seen, |_| false).unwrap()
    };
    let failing = state('x');
    for location in ["a", "b"] {
        world
            .group_state
            .locations
            .insert(location.parse().unwrap(), failing.clone());
    }
    assert_eq!(world.play("4 --."), "4 c down m\n4 c advisory_over m");
}
