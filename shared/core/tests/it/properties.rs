//! Properties over any timeline: replays change nothing, order within a tick does not matter, nothing is lost.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_core::board::{Entry, Health};
use portpulse_core::decide::Notification;
use portpulse_core::outbox::{Kind, Stage};
use proptest::prelude::*;
use serde_json::json;

use crate::world::World;

fn symbols(len: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof![4 => Just('.'), 3 => Just('x'), 1 => Just('t'), 1 => Just('?'), 1 => Just('s'), 1 => Just('-')], len)
        .prop_map(|symbols| symbols.into_iter().collect())
}

fn timeline(ticks: usize, regions: usize) -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(symbols(regions), ticks)
}

fn numbered(lines: &[String]) -> String {
    let numbered: Vec<_> = lines
        .iter()
        .enumerate()
        .map(|(tick, line)| format!("{} {line}", tick + 1))
        .collect();
    numbered.join("\n")
}

fn play(world: &mut World, lines: &[String]) -> String {
    world.play(&numbered(lines))
}

fn world(failures: u32, successes: u32) -> World {
    restless_world(failures, successes, 6)
}

/// More than so many changes are flapping; an incident is told again, and escalated, within a timeline's length.
fn restless_world(failures: u32, successes: u32, changes: u32) -> World {
    let fields = json!({
        "failures_to_open": failures, "successes_to_close": successes, "slow_after": "100ms",
        "flapping_after": changes, "remind_every": "5m", "escalate_after": "7m",
    });
    World::new(3, &[("m", fields)])
}

/// What was told of each incident and advisory, in order.
fn stories(told: &[(i64, &'static str, Notification)]) -> BTreeMap<String, Vec<(Kind, String)>> {
    let mut stories = BTreeMap::<_, Vec<_>>::new();
    for (_, _, notification) in told {
        let (story, word) = notification.id.rsplit_once('/').unwrap();
        let told = (notification.kind, word.to_owned());
        stories.entry(story.to_owned()).or_default().push(told);
    }
    stories
}

proptest! {
    #[test]
    fn replaying_ticks_adds_nothing(lines in timeline(12, 3), failures in 1u32..4, successes in 1u32..4) {
        let (mut once, mut twice) = (world(failures, successes), world(failures, successes));
        let mut told = Vec::new();
        for (tick, line) in lines.iter().enumerate() {
            told.push((once.play(&format!("{} {line}", tick + 1)), twice.play(&format!("{} {line}", tick + 1))));
            let replayed = twice.play(&format!("{} {line}", tick + 1));
            prop_assert_eq!(replayed, "");
        }
        for (first, second) in told {
            prop_assert_eq!(first, second);
        }
        prop_assert_eq!(&once.board.rows, &twice.board.rows);
        prop_assert_eq!(&once.archive.len(), &twice.archive.len());
    }

    #[test]
    fn each_id_is_told_once_and_an_end_only_after_its_beginning(
        lines in timeline(20, 3), failures in 1u32..4, successes in 1u32..4, changes in 0u32..7,
    ) {
        let told = restless_world(failures, successes, changes).told(&numbered(&lines));
        let ids: BTreeSet<_> = told.iter().map(|(_, _, notification)| &notification.id).collect();
        prop_assert_eq!(ids.len(), told.len());
        for (story, told) in stories(&told) {
            let ends = told.iter().position(|(kind, _)| kind.stage() == Stage::Over);
            prop_assert!(ends != Some(0) && ends.is_none_or(|at| at + 1 == told.len()), "{} {:?}", story, told);
            for (at, (kind, word)) in told.iter().enumerate() {
                let may_be_first = matches!(kind, Kind::Down | Kind::Degraded | Kind::Unknown | Kind::Advisory | Kind::RegionSilent);
                let may_follow = matches!(kind, Kind::Flapping | Kind::Reminder | Kind::Escalated | Kind::Recovered | Kind::AdvisoryOver | Kind::RegionBack);
                let for_good = word.ends_with("-for-good");
                let fits = if at == 0 { may_be_first || *kind == Kind::Flapping } else { may_follow || for_good };
                prop_assert!(fits, "{} {:?}", story, told);
            }
        }
    }

    #[test]
    fn all_well_for_long_enough_leaves_nothing_open_and_no_recovery_untold(
        lines in timeline(15, 3), failures in 1u32..4, successes in 1u32..4, changes in 0u32..7,
    ) {
        let mut world = restless_world(failures, successes, changes);
        let mut lines = lines;
        lines.extend(std::iter::repeat_n("...".to_owned(), 70));
        let told = world.told(&numbered(&lines));
        for (story, told) in stories(&told) {
            prop_assert!(told.last().unwrap().0.stage() == Stage::Over, "{} {:?}", story, told);
        }
        let verdict = &world.board.verdict;
        prop_assert!(verdict.incidents.is_empty() && verdict.advisories.is_empty(), "{:?}", verdict);
        prop_assert!(verdict.outbox.is_empty() && verdict.closed.is_empty() && verdict.regions.is_empty());
        prop_assert!(world.board.rows.values().all(|row| row.entries.is_empty()));
    }

    #[test]
    fn an_outage_in_all_regions_is_told(lines in timeline(10, 3), failures in 1u32..4) {
        let mut world = world(failures, 2);
        let mut lines = lines;
        lines.extend(std::iter::repeat_n("xxx".to_owned(), 5));
        let told = play(&mut world, &lines);
        let open = world.board.verdict.incidents.values().filter(|i| i.verdict.as_str() == "down").count();
        prop_assert_eq!(open, 1);
        prop_assert!(told.contains(" down m"));
    }

    #[test]
    fn the_order_within_a_tick_changes_nothing_but_the_moment(line in symbols(3)) {
        let mut orders = Vec::new();
        for order in [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]] {
            let mut world = world(1, 2);
            world.play("1 ...");
            let mut told = Vec::new();
            for region in order {
                let symbol = line.chars().nth(usize::from(region.as_bytes()[0] - b'a')).unwrap();
                if symbol != '-' {
                    told.extend(world.deliver(2, region, |_| symbol).iter().map(|n| (n.kind, n.subject.clone())));
                }
            }
            told.sort();
            let failing = world.board.rows.values().flat_map(|row| row.entries.values());
            let failing = failing.filter(|entry| matches!(entry, Entry::Seen(s) if s.health.state == Health::Failing)).count();
            orders.push((told, failing));
        }
        prop_assert_eq!(&orders[0], &orders[1]);
        prop_assert_eq!(&orders[0], &orders[2]);
    }
}
