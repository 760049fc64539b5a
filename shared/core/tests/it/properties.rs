//! Properties of any timeline: replays have no effect, order within a tick does not matter, and no notification is
//! lost.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_core::decide::Notification;
use portpulse_core::group_state::{Entry, Health};
use portpulse_core::outbox::{Kind, Stage};
use proptest::prelude::*;
use serde_json::json;

use crate::world::World;

fn symbols(len: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof![4 => Just('.'), 3 => Just('x'), 1 => Just('t'), 1 => Just('?'), 1 => Just('s'), 1 => Just('-')], len)
        .prop_map(|symbols| symbols.into_iter().collect())
}

fn timeline(ticks: usize, locations: usize) -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(symbols(locations), ticks)
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
    flapping_world(failures, successes, 6)
}

/// A world with a limit of changes for flapping, and with reminders and escalation within the length of a timeline.
fn flapping_world(failures: u32, successes: u32, changes: u32) -> World {
    let fields = json!({
        "failures_to_open": failures, "successes_to_close": successes, "slow_after": "100ms",
        "flapping_after": changes, "remind_every": "5m", "escalate_after": "7m",
    });
    World::new(3, &[("m", fields)])
}

/// The notifications of each incident and advisory, in order.
fn notifications_by_incident(
    notified: &[(i64, &'static str, Notification)],
) -> BTreeMap<String, Vec<(Kind, String)>> {
    let mut notifications_by_incident = BTreeMap::<_, Vec<_>>::new();
    for (_, _, notification) in notified {
        let (incident, word) = notification.id.rsplit_once('/').unwrap();
        let notified = (notification.kind, word.to_owned());
        notifications_by_incident
            .entry(incident.to_owned())
            .or_default()
            .push(notified);
    }
    notifications_by_incident
}

proptest! {
    #[test]
    fn replayed_ticks_change_nothing(lines in timeline(12, 3), failures in 1u32..4, successes in 1u32..4) {
        let (mut once, mut twice) = (world(failures, successes), world(failures, successes));
        let mut notified = Vec::new();
        for (tick, line) in lines.iter().enumerate() {
            notified.push((once.play(&format!("{} {line}", tick + 1)), twice.play(&format!("{} {line}", tick + 1))));
            let replayed = twice.play(&format!("{} {line}", tick + 1));
            prop_assert_eq!(replayed, "");
        }
        for (first, second) in notified {
            prop_assert_eq!(first, second);
        }
        prop_assert_eq!(&once.group_state.locations, &twice.group_state.locations);
        prop_assert_eq!(&once.archive.len(), &twice.archive.len());
    }

    #[test]
    fn ids_are_unique_and_endings_follow_beginnings(
        lines in timeline(20, 3), failures in 1u32..4, successes in 1u32..4, changes in 0u32..7,
    ) {
        let notified = flapping_world(failures, successes, changes).notified(&numbered(&lines));
        let ids: BTreeSet<_> = notified.iter().map(|(_, _, notification)| &notification.id).collect();
        prop_assert_eq!(ids.len(), notified.len());
        for (incident, notified) in notifications_by_incident(&notified) {
            let ends = notified.iter().position(|(kind, _)| kind.stage() == Stage::Ended);
            prop_assert!(ends != Some(0) && ends.is_none_or(|at| at + 1 == notified.len()), "{} {:?}", incident, notified);
            for (at, (kind, word)) in notified.iter().enumerate() {
                let may_be_first = matches!(kind, Kind::Down | Kind::Degraded | Kind::Unknown | Kind::Advisory | Kind::LocationSilent);
                let may_follow = matches!(kind, Kind::Flapping | Kind::Reminder | Kind::Escalated | Kind::Recovered | Kind::AdvisoryOver | Kind::LocationBack);
                let for_good = word.ends_with("-for-good");
                let fits = if at == 0 { may_be_first || *kind == Kind::Flapping } else { may_follow || for_good };
                prop_assert!(fits, "{} {:?}", incident, notified);
            }
        }
    }

    #[test]
    fn recovery_leaves_nothing_open_or_unnotified(
        lines in timeline(15, 3), failures in 1u32..4, successes in 1u32..4, changes in 0u32..7,
    ) {
        let mut world = flapping_world(failures, successes, changes);
        let mut lines = lines;
        lines.extend(std::iter::repeat_n("...".to_owned(), 70));
        let notified = world.notified(&numbered(&lines));
        for (incident, notified) in notifications_by_incident(&notified) {
            prop_assert!(notified.last().unwrap().0.stage() == Stage::Ended, "{} {:?}", incident, notified);
        }
        let status = &world.group_state.decision;
        prop_assert!(status.incidents.is_empty() && status.advisories.is_empty(), "{:?}", status);
        prop_assert!(status.outbox.is_empty() && status.closed.is_empty() && status.locations.is_empty());
        prop_assert!(world.group_state.locations.values().all(|row| row.entries.is_empty()));
    }

    #[test]
    fn outage_in_all_locations_is_notified(lines in timeline(10, 3), failures in 1u32..4) {
        let mut world = world(failures, 2);
        let mut lines = lines;
        lines.extend(std::iter::repeat_n("xxx".to_owned(), 5));
        let notified = play(&mut world, &lines);
        let open = world.group_state.decision.incidents.values().filter(|i| i.status.as_str() == "down").count();
        prop_assert_eq!(open, 1);
        prop_assert!(notified.contains(" down m"));
    }

    #[test]
    fn order_within_tick_does_not_change_the_result(line in symbols(3)) {
        let mut orders = Vec::new();
        for order in [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]] {
            let mut world = world(1, 2);
            world.play("1 ...");
            let mut notified = Vec::new();
            for location in order {
                let symbol = line.chars().nth(usize::from(location.as_bytes()[0] - b'a')).unwrap();
                if symbol != '-' {
                    notified.extend(world.deliver(2, location, |_| symbol).iter().map(|n| (n.kind, n.subject.clone())));
                }
            }
            notified.sort();
            let failing = world.group_state.locations.values().flat_map(|row| row.entries.values());
            let failing = failing.filter(|entry| matches!(entry, Entry::Seen(s) if s.health.state == Health::Failing)).count();
            orders.push((notified, failing));
        }
        prop_assert_eq!(&orders[0], &orders[1]);
        prop_assert_eq!(&orders[0], &orders[2]);
    }
}
