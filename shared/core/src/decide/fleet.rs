//! Location problems across groups. All groups record them in one fleet state, so that each problem is notified once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::fit::{self, Completeness, SizeLimit};
use super::input::Input;
use super::votes::elapsed;
use crate::group_state::{
    DecisionState, FleetProblem, FleetState, LocationProblem, LocationReporting, Status, Urgency,
};
use crate::id::Location;
use crate::outbox::{Kind, Pending, Subject};

/// The period after which a group renews its record of an ongoing problem.
const CONFIRM_EVERY: Duration = Duration::from_secs(12 * 3600);
/// The age from which a record belongs to a group that no longer exists.
const NOTE_LIFETIME: Duration = Duration::from_secs(25 * 3600);

/// Returns the next fleet state, or `None` if it would not change, and whether it holds everything.
pub(super) fn step(
    input: &Input<'_>,
    status: &DecisionState,
    limit: &impl SizeLimit,
) -> (Option<FleetState>, Completeness) {
    let Some(before) = input.fleet else {
        return (None, Completeness::Complete);
    };
    let now = input.stamp();
    let mut next = FleetState {
        revision: before.revision + 1,
        ..before.clone()
    };
    let mine: BTreeMap<(Location, LocationProblem), Timestamp> = status
        .locations
        .iter()
        .filter_map(|(location, state)| match state {
            LocationReporting::Silent(since) => Some(((location.clone(), LocationProblem::Silent), *since)),
            LocationReporting::Suspect(since) => Some(((location.clone(), LocationProblem::Suspect), *since)),
            LocationReporting::Awaited(_) | LocationReporting::Returned => None,
        })
        .collect();

    let revision = next.revision;
    for (key, since) in &mine {
        let problem = next.problems.entry(key.clone()).or_insert_with(|| {
            next.outbox
                .push(pending(key, Change::Begins, *since, revision, now));
            FleetProblem {
                since: *since,
                revision,
                groups: BTreeMap::new(),
            }
        });
        let note = problem.groups.entry(input.group).or_insert(now);
        if elapsed(*note, now) >= CONFIRM_EVERY {
            *note = now;
        }
    }
    let mut over = Vec::new();
    for (key, problem) in &mut next.problems {
        if !mine.contains_key(key) {
            problem.groups.remove(&input.group);
        }
        problem
            .groups
            .retain(|_, note| elapsed(*note, now) < NOTE_LIFETIME);
        if problem.groups.is_empty() {
            over.push((key.clone(), problem.clone()));
        }
    }
    for (key, problem) in over {
        next.problems.remove(&key);
        // A location that is no longer expected is removed without a notification.
        if input.expected().contains(&key.0) {
            next.outbox
                .push(pending(&key, Change::Ends, problem.since, problem.revision, now));
        }
    }
    next.outbox.claim(input.me, now, usize::MAX);
    if next.is_same(before) {
        return (None, Completeness::Complete);
    }
    let (next, completeness) = fit::fleet(input, before, next, limit);
    ((!next.is_same(before)).then_some(next), completeness)
}

#[derive(Clone, Copy)]
enum Change {
    Begins,
    Ends,
}

fn pending(
    (location, problem): &(Location, LocationProblem),
    change: Change,
    since: Timestamp,
    revision: u64,
    now: Timestamp,
) -> Pending {
    let kind = match (problem, change) {
        (LocationProblem::Silent, Change::Begins) => Kind::LocationSilent,
        (LocationProblem::Silent, Change::Ends) => Kind::LocationBack,
        (LocationProblem::Suspect, Change::Begins) => Kind::LocationSuspect,
        (LocationProblem::Suspect, Change::Ends) => Kind::LocationTrusted,
    };
    Pending {
        id: format!("{location}.{revision}/{kind}"),
        kind,
        subject: Subject::Location(location.clone()),
        status: Status::Unknown,
        cause: None,
        urgency: Urgency::Normal,
        monitors: 1,
        members: BTreeSet::new(),
        since,
        at: now,
        claim: None,
    }
}
