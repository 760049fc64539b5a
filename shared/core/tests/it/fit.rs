//! Decisions that do not fit into one item: the steps have the same result, in order of severity.

use std::collections::BTreeSet;

use portpulse_core::decide::{Completeness, Notification, SizeLimit, decide, is_undecided};
use portpulse_core::group_state::{
    DecisionState, Finding, FleetState, Incident, LocationReporting, MAX_BROKEN, Notified, Status, Urgency,
};
use portpulse_core::outbox::{Claim, Claimant, Kind, Outbox, Pending, Subject};
use portpulse_core::round::{MAX_BROKEN_ID_BYTES, broken_id};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::world::{PendingLimit, World};

const LOCATIONS: [&str; 3] = ["a", "b", "c"];
const MONITORS: usize = 12;

/// A world with a limit on pending notifications and closed incidents.
fn world(limit: usize) -> World {
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
        limit: PendingLimit(limit),
        ..World::new(3, &monitors)
    }
}

/// One tick: the symbol of each monitor in each location, either the same everywhere or at random.
fn tick() -> impl Strategy<Value = Vec<char>> {
    let symbols = || select(vec!['.', '.', 'x', 'x', 's', 'w', 'c', '?']);
    let alike = symbols().prop_map(|symbol| vec![symbol; MONITORS * LOCATIONS.len()]);
    prop_oneof![2 => alike, 1 => vec(symbols(), MONITORS * LOCATIONS.len())]
}

/// The state without the parts that depend on the number of writes.
fn without_revisions(state: &DecisionState) -> DecisionState {
    let plain = |incident: &Incident| Incident {
        revision: 0,
        // A cluster that does not fit is notified in parts.
        cluster: None,
        notified: match incident.notified {
            Notified::NotYet => Notified::NotYet,
            Notified::At { .. } => Notified::At {
                first: World::time(0, 0),
                last: World::time(0, 0),
                reminders: 0,
            },
        },
        // So is the evidence on which a later diagnosis depends.
        diagnosis: None,
        // Details and changes of the cause are removed if they do not fit.
        cause_changes: Vec::new(),
        finding: incident.finding.as_ref().map(|finding| Finding {
            cause: finding.cause,
            detail: None,
        }),
        ..incident.clone()
    };
    let mut state = state.clone();
    state.revision = 0;
    // A repeated decision detects earlier that the fleet state has recorded a return.
    state
        .locations
        .retain(|_, state| *state != LocationReporting::Returned);
    state.incidents = state
        .incidents
        .iter()
        .map(|(key, incident)| (key.clone(), plain(incident)))
        .collect();
    state.clusters.clear();
    for advisory in state.advisories.values_mut() {
        advisory.revision = 0;
        advisory.first = None;
    }
    state
}

proptest! {
    #[test]
    fn stepwise_decision_has_the_incidents_of_a_single_decision(ticks in vec(tick(), 1..12), limit in 6usize..14, silenced in 0..MONITORS) {
        let (mut at_once, mut in_steps) = (world(usize::MAX), world(limit));
        for world in [&mut at_once, &mut in_steps] {
            world.silence(&format!("m{silenced:02}"), 6);
        }
        let mut ids = BTreeSet::new();
        for (number, seen) in (1..).zip(&ticks) {
            for (at, location) in LOCATIONS.iter().enumerate() {
                let symbol = |id: &portpulse_core::id::MonitorId| {
                    let monitor: usize = id.as_str()[1..].parse().unwrap();
                    seen[monitor * LOCATIONS.len() + at]
                };
                let [notified_at_once, notified_in_steps] =
                    [&mut at_once, &mut in_steps].map(|world| world.deliver(number, location, symbol));
                for notification in &notified_in_steps {
                    prop_assert!(ids.insert(notification.id.clone()), "{} is published twice", notification.id);
                }
                // Incidents of one cause are notified once if they fit into one step.
                prop_assert!(notified_in_steps.len() >= notified_at_once.len(), "{:?}\n{:?}", notified_at_once, notified_in_steps);
                prop_assert_eq!(without_revisions(&at_once.group_state.decision), without_revisions(&in_steps.group_state.decision));
                prop_assert_eq!(&at_once.archive.len(), &in_steps.archive.len());
            }
        }
    }
}

/// Each notification as `kind monitor`, and the monitors that it lists.
pub(crate) fn texts(notified: &[Notification]) -> Vec<String> {
    let text = |notification: &Notification| {
        let listed = notification.monitors.iter().map(|monitor| monitor.id.as_str());
        format!("{} {}", notification.kind, listed.collect::<Vec<_>>().join(" "))
    };
    notified.iter().map(text).collect()
}

#[test]
fn cluster_that_does_not_fit_is_notified_in_parts() {
    let fields = json!({
        "host": "192.0.2.1",
        "failures_to_open": 1,
        "successes_to_close": 1,
        "slow_after": "100ms",
    });
    let monitors = ["a", "b", "c", "d"].map(|id| (id, fields.clone()));
    let mut world = World::new(1, &monitors);
    world.play("1 .");
    world.deliver(2, "a", |_| 'x');
    // One outage closes and one incident of a slow monitor opens for each: only the changes of one monitor fit.
    world.limit = PendingLimit(3);
    let notified = texts(&world.deliver(3, "a", |_| 's'));
    // The other two join the cluster without a notification of their own.
    assert_eq!(notified, ["degraded a b", "recovered a c d"]);
    let incidents = &world.group_state.decision.incidents;
    assert_eq!(incidents.len(), 4);
    assert!(incidents.values().all(|incident| incident.cluster.is_some()));
    assert_eq!(world.archive.len(), 4);
}

#[test]
fn steps_are_ordered_by_severity_then_age() {
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
    world.limit = PendingLimit(1);
    // `d` has been failing for longer.
    world.deliver(1, "a", |id| if id.as_str() == "d" { 'x' } else { '.' });
    let notified = world.deliver(2, "a", |_| 'x');
    let notified: Vec<_> = notified
        .iter()
        .map(|notification| notification.subject.to_string())
        .collect();
    assert_eq!(notified, ["d", "c", "b", "a"]);
}

#[test]
fn group_is_undecided_until_every_change_is_decided() {
    let fields = json!({ "failures_to_open": 1 });
    let mut world = World::new(1, &[("a", fields.clone()), ("b", fields)]);
    world.play("1 .");
    let me = Claimant::new("me");
    let now = World::time(2, 5);
    let notified = world.deliver(2, "a", |_| 'x');
    assert_eq!(notified.len(), 2);
    assert!(!is_undecided(&world.input(now, &me)));
    // Simulates a checker that is lost after the first step.
    world.group_state.decision.incidents.pop_last();
    assert!(is_undecided(&world.input(now, &me)));
}

/// A limit of one notification or one location state.
pub(crate) struct OneEntry;

impl SizeLimit for OneEntry {
    fn decision_fits(&self, state: &DecisionState) -> bool {
        state.outbox.pending().len() + state.locations.len() <= 1
    }

    fn fleet_fits(&self, _: &FleetState) -> bool {
        true
    }
}

/// The notification of the outage of a monitor.
pub(crate) fn pending(monitor: &str) -> Pending {
    Pending {
        id: format!("{monitor}/down"),
        kind: Kind::Down,
        subject: Subject::Monitor(monitor.parse().unwrap()),
        status: Status::Down,
        cause: None,
        urgency: Urgency::Normal,
        monitors: 1,
        members: BTreeSet::new(),
        since: World::time(2, 0),
        at: World::time(2, 0),
        claim: None,
    }
}

#[test]
fn full_state_takes_over_stale_claim_while_location_is_silent() {
    let mut world = World::new(2, &[("a", json!({}))]);
    world.play("1 ..\n2 ..");
    let claim = Claim {
        by: Claimant::new("killed"),
        at: World::time(2, 10),
    };
    let pending = Pending {
        claim: Some(claim),
        ..pending("a")
    };
    world.group_state.decision.outbox = Outbox::new(vec![pending]);
    let me = Claimant::new("me");
    // Both location states are stale, and the decision state has no space for their problems.
    let decision = decide(&world.input(World::time(9, 0), &me), &OneEntry);
    let state = decision.state.unwrap();
    assert!(OneEntry.decision_fits(&state), "{state:?}");
    assert_eq!(state.outbox.claimed_by(&me).count(), 1);
    assert_eq!(decision.completeness, Completeness::Partial);
}

/// The maximum number of records and notifications in the fleet state.
pub(crate) struct FleetLimit(pub(crate) usize);

impl SizeLimit for FleetLimit {
    fn decision_fits(&self, _: &DecisionState) -> bool {
        true
    }

    fn fleet_fits(&self, row: &FleetState) -> bool {
        let notes = row.problems.values().map(|problem| problem.groups.len());
        notes.sum::<usize>() + row.outbox.pending().len() <= self.0
    }
}

#[test]
fn fleet_state_without_room_takes_what_fits_and_is_partial() {
    let mut world = World::new(3, &[("a", json!({}))]);
    world.play("1 ...\n2 ...");
    let me = Claimant::new("me");
    // Three silent locations, each with a record and a notification.
    let now = World::time(9, 0);
    let silent = |location: &str| (location.parse().unwrap(), LocationReporting::Silent(now));
    world.group_state.decision.locations = LOCATIONS.map(silent).into();
    let decision = decide(&world.input(now, &me), &FleetLimit(usize::MAX));
    assert_eq!(decision.fleet_completeness, Completeness::Complete);
    assert_eq!(decision.fleet.unwrap().outbox.claimed_by(&me).count(), 3);
    let limit = FleetLimit(4);
    let decision = decide(&world.input(now, &me), &limit);
    assert_eq!(decision.fleet_completeness, Completeness::Partial);
    let row = decision.fleet.unwrap();
    assert!(limit.fleet_fits(&row), "{row:?}");
    assert_eq!((row.problems.len(), row.outbox.claimed_by(&me).count()), (2, 2));
    // Nothing fits; the decision is still reported as partial.
    let decision = decide(&world.input(now, &me), &FleetLimit(0));
    assert_eq!(
        (decision.fleet, decision.fleet_completeness),
        (None, Completeness::Partial)
    );
    // After the two are published, the next tick records the third.
    world.fleet = FleetState {
        outbox: Outbox::default(),
        ..row
    };
    let row = decide(&world.input(now, &me), &limit).fleet.unwrap();
    assert_eq!((row.problems.len(), row.outbox.claimed_by(&me).count()), (3, 1));
}

#[test]
fn invalid_definitions_beyond_maximum_are_counted() {
    let mut world = World::new(1, &[("a", json!({}))]);
    world.play("1 .");
    let ids = (0..1_000).map(|number| broken_id(&format!("{number:01024}")));
    world.definitions.broken = ids.map(|id| (id, Vec::new())).collect();
    assert_eq!(world.definitions.broken.len(), 1_000, "ids are distinct");
    let notified = world.deliver(2, "a", |_| '.');
    assert_eq!(notified.len(), MAX_BROKEN + 1);
    let last = notified.last().unwrap().subject.to_string();
    assert_eq!(last, "each of 900 more monitors");
    let row = &world.group_state.decision;
    assert_eq!((row.broken.len(), row.more_broken), (MAX_BROKEN, 900));
    let longest = row.broken.iter().map(String::len).max();
    assert_eq!(longest, Some(MAX_BROKEN_ID_BYTES));
    assert!(world.deliver(3, "a", |_| '.').is_empty(), "once");
    // Another definition takes the place of a corrected one.
    world.definitions.broken.pop_first();
    let notified = world.deliver(4, "a", |_| '.');
    assert_eq!(notified.len(), 1);
    assert_eq!(world.group_state.decision.more_broken, 899);
    world.definitions.broken.clear();
    assert!(world.deliver(5, "a", |_| '.').is_empty());
    let row = &world.group_state.decision;
    assert_eq!((row.broken.len(), row.more_broken), (0, 0));
}

#[test]
fn invalid_definitions_are_decided_in_steps() {
    let mut world = World::new(1, &[("a", json!({}))]);
    world.play("1 .");
    world.limit = PendingLimit(7);
    let ids = (0..150).map(|number| format!("No {number}"));
    world.definitions.broken = ids.map(|id| (id, Vec::new())).collect();
    let notified = world.deliver(2, "a", |_| '.');
    assert_eq!(notified.len(), MAX_BROKEN + 1);
    assert_eq!(world.group_state.decision.more_broken, 50);
}

#[test]
fn id_of_invalid_definition_is_short_stable_and_distinct() {
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
