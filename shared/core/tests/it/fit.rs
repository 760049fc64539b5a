//! Decisions that do not fit into one write: they come to the same, the loudest first.

use portpulse_core::decide::{Rest, SizeLimit, decide, is_undecided};
use portpulse_core::group_state::{
    DecisionState, Finding, FleetState, Incident, LocationReporting, MAX_BROKEN, Status, Urgency,
};
use portpulse_core::outbox::{Claim, Claimant, Kind, Outbox, Pending, Subject};
use portpulse_core::round::{MAX_BROKEN_ID_BYTES, broken_id};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::world::{Room, World};

const LOCATIONS: [&str; 3] = ["a", "b", "c"];
const MONITORS: usize = 12;

/// A world in which at most so many notifications and closed incidents may wait.
fn world(room: usize) -> World {
    let fields = |number: usize| match number % 4 {
        0 => {
            json!({ "failures_to_open": 1, "successes_to_close": 1, "slow_after": "100ms", "flapping_after": 2 })
        }
        1 => {
            json!({ "failures_to_open": 2, "successes_to_close": 1, "remind_every": "5m", "escalate_after": "6m" })
        }
        2 => {
            json!({ "failures_to_open": 1, "successes_to_close": 2, "depends_on": ["m00"], "slow_after": "100ms" })
        }
        _ => json!({ "expect": "closed", "severity": "info" }),
    };
    let ids: Vec<_> = (0..MONITORS).map(|number| format!("m{number:02}")).collect();
    let monitors: Vec<_> = ids
        .iter()
        .enumerate()
        .map(|(number, id)| (id.as_str(), fields(number)))
        .collect();
    World {
        room: Room(room),
        ..World::new(3, &monitors)
    }
}

/// What each monitor looks like from each region: all alike, or each at random.
fn tick() -> impl Strategy<Value = Vec<char>> {
    let symbols = || select(vec!['.', '.', 'x', 'x', 's', 'w', 'c', '?']);
    let alike = symbols().prop_map(|symbol| vec![symbol; MONITORS * LOCATIONS.len()]);
    prop_oneof![2 => alike, 1 => vec(symbols(), MONITORS * LOCATIONS.len())]
}

/// The row, without what depends on how many writes it took.
fn without_revisions(row: &DecisionState) -> DecisionState {
    let plain = |incident: &Incident| Incident {
        revision: 0,
        // Details are left out where they do not fit.
        finding: incident.finding.as_ref().map(|finding| Finding {
            cause: finding.cause,
            detail: None,
        }),
        ..incident.clone()
    };
    let mut row = row.clone();
    row.revision = 0;
    // Deciding again shows sooner that the fleet row has told of a return.
    row.locations
        .retain(|_, state| *state != LocationReporting::Returned);
    row.incidents = row
        .incidents
        .iter()
        .map(|(key, incident)| (key.clone(), plain(incident)))
        .collect();
    for advisory in row.advisories.values_mut() {
        advisory.revision = 0;
    }
    row
}

proptest! {
    #[test]
    fn a_decision_in_steps_comes_to_the_same(ticks in vec(tick(), 1..12), room in 6usize..14, silenced in 0..MONITORS) {
        let (mut at_once, mut in_steps) = (world(usize::MAX), world(room));
        for world in [&mut at_once, &mut in_steps] {
            world.silence(&format!("m{silenced:02}"), 6);
        }
        for (number, seen) in (1..).zip(&ticks) {
            for (at, location) in LOCATIONS.iter().enumerate() {
                let symbol = |id: &portpulse_core::id::MonitorId| {
                    let monitor: usize = id.as_str()[1..].parse().unwrap();
                    seen[monitor * LOCATIONS.len() + at]
                };
                let mut notified = [&mut at_once, &mut in_steps].map(|world| {
                    let notified = world.deliver(number, location, symbol);
                    let mut notified: Vec<_> = notified.iter().map(|n| (n.subject.clone(), n.kind, n.since, n.at)).collect();
                    notified.sort_by_key(|(subject, kind, ..)| (subject.clone(), *kind));
                    notified
                });
                let [notified_at_once, notified_in_steps] = &mut notified;
                prop_assert_eq!(notified_at_once, notified_in_steps);
                prop_assert_eq!(without_revisions(&at_once.group_state.status), without_revisions(&in_steps.group_state.status));
                prop_assert_eq!(&at_once.archive.len(), &in_steps.archive.len());
            }
        }
    }
}

#[test]
fn the_loudest_is_decided_first_and_then_the_oldest() {
    let fields = |severity, failures| json!({ "failures_to_open": failures, "severity": severity });
    let mut world = World::new(
        1,
        &[
            ("a", fields("info", 1)),
            ("b", fields("warning", 1)),
            ("c", fields("critical", 1)),
            ("d", fields("critical", 2)),
        ],
    );
    world.room = Room(1);
    // `d` has failed for longer.
    world.deliver(1, "a", |id| if id.as_str() == "d" { 'x' } else { '.' });
    let notified = world.deliver(2, "a", |_| 'x');
    let notified: Vec<_> = notified
        .iter()
        .map(|notification| notification.subject.to_string())
        .collect();
    assert_eq!(notified, ["d", "c", "b", "a"]);
}

#[test]
fn a_row_is_undecided_until_all_of_it_is_decided() {
    let fields = json!({ "failures_to_open": 1 });
    let mut world = World::new(1, &[("a", fields.clone()), ("b", fields)]);
    world.play("1 .");
    let me = Claimant::new("me");
    let now = World::time(2, 5);
    let notified = world.deliver(2, "a", |_| 'x');
    assert_eq!(notified.len(), 2);
    assert!(!is_undecided(&world.input(now, &me)));
    // As it is when a checker is lost after the first step.
    world.group_state.status.incidents.pop_last();
    assert!(is_undecided(&world.input(now, &me)));
}

/// One notification or one location fits into the row.
struct OnePlace;

impl SizeLimit for OnePlace {
    fn decision_fits(&self, row: &DecisionState) -> bool {
        row.outbox.pending().len() + row.locations.len() <= 1
    }

    fn fits_fleet(&self, _: &FleetState) -> bool {
        true
    }
}

#[test]
fn stale_claim_in_full_row_is_taken_over_while_a_location_is_silent() {
    let mut world = World::new(2, &[("a", json!({}))]);
    world.play("1 ..\n2 ..");
    let claim = Claim {
        by: Claimant::new("killed"),
        at: World::time(2, 10),
    };
    let pending = Pending {
        id: "down".to_owned(),
        kind: Kind::Down,
        subject: Subject::Monitor("a".parse().unwrap()),
        status: Status::Down,
        cause: None,
        urgency: Urgency::Usual,
        since: World::time(2, 0),
        at: World::time(2, 0),
        claim: Some(claim),
    };
    world.group_state.status.outbox = Outbox::new(vec![pending]);
    let me = Claimant::new("me");
    // Both locations' rows are stale, and the row has no place for their state.
    let decision = decide(&world.input(World::time(9, 0), &me), &OnePlace);
    let row = decision.status.unwrap();
    assert!(OnePlace.decision_fits(&row), "{row:?}");
    assert_eq!(row.outbox.claimed_by(&me).count(), 1);
    assert_eq!(decision.rest, Rest::More);
}

/// So many notes of groups and notifications fit into the fleet row.
struct FleetRoom(usize);

impl SizeLimit for FleetRoom {
    fn decision_fits(&self, _: &DecisionState) -> bool {
        true
    }

    fn fits_fleet(&self, row: &FleetState) -> bool {
        let notes = row.problems.values().map(|problem| problem.groups.len());
        notes.sum::<usize>() + row.outbox.pending().len() <= self.0
    }
}

#[test]
fn fleet_row_without_room_takes_what_fits_and_the_rest_is_reported() {
    let mut world = World::new(3, &[("a", json!({}))]);
    world.play("1 ...\n2 ...");
    let me = Claimant::new("me");
    // All three locations are silent: a note and a notification of each.
    let now = World::time(9, 0);
    let silent = |location: &str| (location.parse().unwrap(), LocationReporting::Silent(now));
    world.group_state.status.locations = LOCATIONS.map(silent).into();
    let decision = decide(&world.input(now, &me), &FleetRoom(usize::MAX));
    assert_eq!(decision.fleet_rest, Rest::Nothing);
    assert_eq!(decision.fleet.unwrap().outbox.claimed_by(&me).count(), 3);
    let limit = FleetRoom(4);
    let decision = decide(&world.input(now, &me), &limit);
    assert_eq!(decision.fleet_rest, Rest::More);
    let row = decision.fleet.unwrap();
    assert!(limit.fits_fleet(&row), "{row:?}");
    assert_eq!((row.problems.len(), row.outbox.claimed_by(&me).count()), (2, 2));
    // Nothing fits, which is no reason to be silent about it.
    let decision = decide(&world.input(now, &me), &FleetRoom(0));
    assert_eq!((decision.fleet, decision.fleet_rest), (None, Rest::More));
    // Once the two are published, the next tick brings the third.
    world.fleet = FleetState {
        outbox: Outbox::default(),
        ..row
    };
    let row = decide(&world.input(now, &me), &limit).fleet.unwrap();
    assert_eq!((row.problems.len(), row.outbox.claimed_by(&me).count()), (3, 1));
}

#[test]
fn broken_definitions_beyond_the_maximum_are_counted() {
    let mut world = World::new(1, &[("a", json!({}))]);
    world.play("1 .");
    let ids = (0..1_000).map(|number| broken_id(&format!("{number:01024}")));
    world.definitions.broken = ids.map(|id| (id, Vec::new())).collect();
    assert_eq!(world.definitions.broken.len(), 1_000, "each has an id of its own");
    let notified = world.deliver(2, "a", |_| '.');
    assert_eq!(notified.len(), MAX_BROKEN + 1);
    let last = notified.last().unwrap().subject.to_string();
    assert_eq!(last, "each of 900 more monitors");
    let row = &world.group_state.status;
    assert_eq!((row.broken.len(), row.more_broken), (MAX_BROKEN, 900));
    let longest = row.broken.iter().map(String::len).max();
    assert_eq!(longest, Some(MAX_BROKEN_ID_BYTES));
    assert!(world.deliver(3, "a", |_| '.').is_empty(), "once");
    // One is repaired: another takes its place.
    world.definitions.broken.pop_first();
    let notified = world.deliver(4, "a", |_| '.');
    assert_eq!(notified.len(), 1);
    assert_eq!(world.group_state.status.more_broken, 899);
    world.definitions.broken.clear();
    assert!(world.deliver(5, "a", |_| '.').is_empty());
    let row = &world.group_state.status;
    assert_eq!((row.broken.len(), row.more_broken), (0, 0));
}

#[test]
fn broken_definitions_are_decided_in_steps() {
    let mut world = World::new(1, &[("a", json!({}))]);
    world.play("1 .");
    world.room = Room(7);
    let ids = (0..150).map(|number| format!("No {number}"));
    world.definitions.broken = ids.map(|id| (id, Vec::new())).collect();
    let notified = world.deliver(2, "a", |_| '.');
    assert_eq!(notified.len(), MAX_BROKEN + 1);
    assert_eq!(world.group_state.status.more_broken, 50);
}

#[test]
fn broken_id_of_any_text_is_short_stable_and_distinct() {
    assert_eq!(broken_id("No Id"), "No Id");
    let whole = "é".repeat(32);
    assert_eq!(broken_id(&whole), whole);
    let long = "é".repeat(500);
    let id = broken_id(&long);
    assert_eq!(id, broken_id(&long));
    assert!(
        id.len() <= MAX_BROKEN_ID_BYTES && id.starts_with(&"é".repeat(23)),
        "{id}"
    );
    assert_ne!(id, broken_id(&format!("{long}é")));
}
