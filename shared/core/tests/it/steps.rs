//! The steps of a decision that does not fit: claims, location states, then the changes of each monitor.

use portpulse_core::decide::{Completeness, SizeLimit, decide};
use portpulse_core::group_state::{
    DecisionState, FleetProblem, FleetState, LocationProblem, LocationReporting,
};
use portpulse_core::id::MonitorId;
use portpulse_core::outbox::{Claimant, Outbox};
use serde_json::{Value, json};

use crate::fit::{FleetLimit, OneEntry, pending, texts};
use crate::world::{PendingLimit, World, with};

fn fields(more: &Value) -> Value {
    with(json!({ "failures_to_open": 1, "successes_to_close": 1 }), more)
}

/// A limit on the number of claims.
struct ClaimLimit(usize);

impl ClaimLimit {
    fn admits(&self, outbox: &Outbox) -> bool {
        let claimed = outbox.pending().iter().filter(|pending| pending.claim.is_some());
        claimed.count() <= self.0
    }
}

impl SizeLimit for ClaimLimit {
    fn decision_fits(&self, state: &DecisionState) -> bool {
        self.admits(&state.outbox)
    }

    fn fleet_fits(&self, state: &FleetState) -> bool {
        self.admits(&state.outbox)
    }
}

#[test]
fn claims_are_taken_one_by_one() {
    let mut world = World::new(1, &[("m", json!({}))]);
    world.play("1 .");
    let outbox = Outbox::new(["a", "b", "c"].map(pending).into());
    world.group_state.decision.outbox = outbox.clone();
    world.fleet.outbox = outbox;
    let me = Claimant::new("me");
    let decision = decide(&world.input(World::time(1, 30), &me), &ClaimLimit(2));
    for (outbox, completeness) in [
        (decision.state.unwrap().outbox, decision.completeness),
        (decision.fleet.unwrap().outbox, decision.fleet_completeness),
    ] {
        let claimed: Vec<_> = outbox
            .claimed_by(&me)
            .map(|pending| pending.id.as_str())
            .collect();
        assert_eq!(claimed, ["a/down", "b/down"]);
        assert_eq!(completeness, Completeness::Partial);
    }
}

#[test]
fn location_states_are_a_step_before_monitors() {
    let mut world = World::new(
        2,
        &[("m", fields(&json!({ "failures_to_open": 2, "quorum": 1 })))],
    );
    assert_eq!(world.play("1 ..\n2 .-\n3 x-"), "");
    world.define("m", &fields(&json!({ "quorum": 1 })));
    // `b` turns silent, and `m` is down.
    let me = Claimant::new("me");
    let decision = decide(&world.input(World::time(4, 5), &me), &OneEntry);
    let state = decision.state.unwrap();
    assert_eq!((state.locations.len(), state.incidents.len()), (1, 0));
    assert_eq!(decision.completeness, Completeness::Partial);
}

/// A limit that only states without details meet.
struct NoDetails;

impl SizeLimit for NoDetails {
    fn decision_fits(&self, state: &DecisionState) -> bool {
        state.incidents.values().all(|incident| {
            let finding = incident.finding.as_ref().unwrap();
            let diagnosis = incident.diagnosis.as_ref().unwrap();
            finding.detail.is_none() && diagnosis.evidence.is_none() && incident.cause_changes.is_empty()
        })
    }

    fn fleet_fits(&self, _: &FleetState) -> bool {
        true
    }
}

#[test]
fn details_are_left_out_before_changes() {
    let mut world = World::new(1, &[("m", fields(&json!({ "slower_than": "100ms" })))]);
    world.play("1 .\n2 l\n3 w\n4 l");
    let me = Claimant::new("me");
    let now = World::time(4, 30);
    world.definitions.broken.insert("No Id".to_owned(), Vec::new());
    let decision = decide(&world.input(now, &me), &NoDetails);
    let state = decision.state.unwrap();
    assert!(NoDetails.decision_fits(&state), "{state:?}");
    assert_eq!(
        (state.broken.len(), decision.completeness),
        (1, Completeness::Complete)
    );
    // Details alone are not worth a write.
    world.group_state.decision = DecisionState {
        outbox: Outbox::default(),
        ..state
    };
    let decision = decide(&world.input(now, &me), &PendingLimit(0));
    assert_eq!(decision.completeness, Completeness::Complete);
    let limit = ClaimLimit(0);
    assert_eq!(
        decide(&world.input(now, &me), &limit).completeness,
        Completeness::Complete
    );
}

#[test]
fn cluster_opens_in_one_step() {
    let of = |host: &str| fields(&json!({ "host": host }));
    let monitors = [("a", of("h")), ("b", of("h")), ("c", of("g")), ("d", of("g"))];
    let mut world = World::new(1, &monitors);
    world.play("1 .");
    world.limit = PendingLimit(1);
    assert_eq!(texts(&world.deliver(2, "a", |_| 'x')), ["down a b", "down c d"]);
}

#[test]
fn end_of_advisories_follows_the_last_of_them() {
    let monitors = ["a", "b", "c", "d", "e"].map(|id| (id, fields(&json!({}))));
    let mut world = World::new(3, &monitors);
    world.play("1 ...");
    world.limit = PendingLimit(1);
    let mut sent = Vec::new();
    // `a` and `b` recover while `c` and `e` go down and `d` stays. That of `e` is the last change, without a notification.
    world.silence("e", 9);
    for (tick, failing) in [(2, ["ab", "d", ""]), (3, ["", "cde", "ce"])] {
        for (location, failing) in ["a", "b", "c"].iter().zip(failing) {
            let symbol = |id: &MonitorId| if failing.contains(id.as_str()) { 'x' } else { '.' };
            let notified = world.deliver(tick, location, symbol);
            sent.extend(texts(&notified));
        }
    }
    assert_eq!(
        sent,
        ["advisory a b", "advisory d", "down c", "advisory_over a b"]
    );
}

#[test]
fn fleet_takes_locations_that_free_space_first() {
    let mut world = World::new(3, &[("m", json!({}))]);
    world.play("1 ...");
    let (now, before) = (World::time(30, 0), World::time(29, 0));
    let [a, b, c] = ["a", "b", "c"].map(|name| name.parse().unwrap());
    // `a` is newly silent, the record of `b` is to be renewed, and `c` is back.
    world.group_state.locations.get_mut(&c).unwrap().tick = World::tick(30);
    let silent = [&a, &b].map(|location| (location.clone(), LocationReporting::Silent(before)));
    world.group_state.decision.locations = silent.into();
    let half_a_day_ago = World::time(30 - 12 * 60, 0);
    let record = |at| FleetProblem {
        since: at,
        revision: 0,
        groups: [(world.group, at)].into(),
    };
    let silent = |location| (location, LocationProblem::Silent);
    world.fleet.problems = [
        (silent(b.clone()), record(half_a_day_ago)),
        (silent(c), record(before)),
    ]
    .into();
    let me = Claimant::new("me");
    let decision = decide(&world.input(now, &me), &FleetLimit(3));
    assert_eq!(decision.fleet_completeness, Completeness::Partial);
    let fleet = decision.fleet.unwrap();
    let records: Vec<_> = fleet
        .problems
        .iter()
        .map(|((of, _), problem)| (of, problem.groups[&world.group]))
        .collect();
    assert_eq!(records, [(&b, now)]);
    let subjects: Vec<_> = fleet
        .outbox
        .claimed_by(&me)
        .map(|pending| pending.id.as_str())
        .collect();
    assert_eq!(subjects, ["c.0/location_back"]);
}

/// A limit that only states without recovered monitors meet.
struct NobodyRecovered;

impl SizeLimit for NobodyRecovered {
    fn decision_fits(&self, state: &DecisionState) -> bool {
        let mut clusters = state.clusters.values();
        let mut advisories = state.advisories.values();
        clusters.all(|cluster| cluster.recovered.is_empty())
            && advisories.all(|advisory| advisory.ended.is_empty())
    }

    fn fleet_fits(&self, _: &FleetState) -> bool {
        true
    }
}

#[test]
fn recovered_monitors_are_left_out_only_if_nothing_else_fits() {
    let of = |host: &str| fields(&json!({ "host": host }));
    let monitors = [("a", of("h")), ("b", of("h")), ("c", of("g")), ("d", of("f"))];
    let mut world = World::new(3, &monitors);
    for (tick, failing) in [(1, ["", ""]), (2, ["abcd", "ab"]), (3, ["bd", "b"])] {
        for (location, failing) in ["a", "b", "c"].iter().zip([failing[0], failing[1], ""]) {
            world.deliver(tick, location, |id| {
                if failing.contains(id.as_str()) { 'x' } else { '.' }
            });
        }
    }
    let decided = &world.group_state.decision;
    assert!(!NobodyRecovered.decision_fits(decided));
    world.definitions.broken.insert("No Id".to_owned(), Vec::new());
    let me = Claimant::new("me");
    let state = decide(&world.input(World::time(3, 30), &me), &NobodyRecovered)
        .state
        .unwrap();
    assert!(NobodyRecovered.decision_fits(&state), "{state:?}");
    assert_eq!(
        (state.broken.len(), state.clusters.len(), state.advisories.len()),
        (1, 1, 1)
    );
}
