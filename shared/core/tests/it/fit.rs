//! Decisions that do not fit into one item: the steps have the same result, in order of severity.

use portpulse_core::decide::{Completeness, SizeLimit, decide, is_undecided};
use portpulse_core::group_state::{
    DecisionState, Finding, FleetState, Incident, LocationReporting, Status, Urgency,
};
use portpulse_core::outbox::{Claim, Claimant, Kind, Outbox, Pending, Subject};
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
        // Details are removed if they do not fit.
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
    for advisory in state.advisories.values_mut() {
        advisory.revision = 0;
    }
    state
}

proptest! {
    #[test]
    fn stepwise_decision_equals_single_decision(ticks in vec(tick(), 1..12), limit in 6usize..14, silenced in 0..MONITORS) {
        let (mut at_once, mut in_steps) = (world(usize::MAX), world(limit));
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
                prop_assert_eq!(without_revisions(&at_once.group_state.decision), without_revisions(&in_steps.group_state.decision));
                prop_assert_eq!(&at_once.archive.len(), &in_steps.archive.len());
            }
        }
    }
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
struct OneEntry;

impl SizeLimit for OneEntry {
    fn decision_fits(&self, state: &DecisionState) -> bool {
        state.outbox.pending().len() + state.locations.len() <= 1
    }

    fn fleet_fits(&self, _: &FleetState) -> bool {
        true
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
        id: "down".to_owned(),
        kind: Kind::Down,
        subject: Subject::Monitor("a".parse().unwrap()),
        status: Status::Down,
        cause: None,
        urgency: Urgency::Normal,
        since: World::time(2, 0),
        at: World::time(2, 0),
        claim: Some(claim),
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
