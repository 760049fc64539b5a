//! The decision: computes the next decision state and the next fleet state of a group.
//!
//! A decision is a pure function of its input. Any checker in any location may make it, as often as needed: a repeated
//! decision changes nothing.

mod ancestors;
mod clusters;
mod due;
mod evidence;
mod fit;
mod flapping;
mod fleet;
mod incidents;
mod input;
mod location_view;
mod locations;
mod notification;
mod notify;
mod shared_cause;
mod votes;

use std::collections::BTreeSet;

use crate::definition::Monitor;
use crate::group_state::{DecisionState, FleetState, Notified, Status, Track};
use crate::id::MonitorId;
use crate::outbox::Claimant;
use crate::withheld::Withheld;
use due::NotDue;
use notify::Openings;
use votes::{Electorate, Votes};

pub use fit::{Completeness, SizeLimit, Unlimited};
pub use input::{Elsewhere, Input};
pub use location_view::{LocationView, View, views};
pub use notification::{AffectedMonitor, Explanation, Notification};

/// The states to write. An unchanged state is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// The next decision state. The write requires the previous revision.
    pub state: Option<DecisionState>,
    /// The next fleet state. The write requires the previous revision, and comes second: the decision state keeps a
    /// location until the fleet state has recorded its problem, so that another checker can complete an interrupted
    /// pair of writes.
    pub fleet: Option<FleetState>,
    /// Whether the decision state holds every change.
    pub completeness: Completeness,
    /// Whether `fleet` holds all location problems of this group. The next tick decides the others.
    pub fleet_completeness: Completeness,
}

/// Decides as much as fits into the states, ordered by severity and age. Each monitor gets the same decision as without
/// a size limit.
///
/// The caller decides the rest by another call, after it has published the pending notifications and archived the
/// closed incidents.
pub fn decide(input: &Input<'_>, limit: &impl SizeLimit) -> Decision {
    let mut whole = whole(input);
    let (fleet, fleet_completeness) = fleet::step(input, &whole, limit);
    if whole.is_same(&input.group_state.decision) {
        return Decision {
            fleet,
            fleet_completeness,
            ..Decision::default()
        };
    }
    flapping::forget(input.now, &mut whole);
    let (state, completeness) = fit::group(input, whole, limit);
    Decision {
        state,
        fleet,
        completeness,
        fleet_completeness,
    }
}

/// The decision state after every change, regardless of its size.
fn whole(input: &Input<'_>) -> DecisionState {
    let (before, now) = (&input.group_state.decision, input.now);
    let mut next = before.clone();
    next.revision += 1;

    let mut electorate = Electorate::new(input);
    locations::step(input, &mut electorate, &mut next);

    let all_votes: Vec<_> = input
        .definitions
        .monitors
        .values()
        .map(|monitor| (monitor, Votes::of(monitor, &electorate)))
        .collect();
    for (monitor, votes) in &all_votes {
        incidents::step(monitor, votes, &electorate, now, &mut next);
    }
    incidents::forget_removed(input.definitions, &electorate, &mut next);
    // Dependencies are evaluated after all incidents are up to date.
    evidence::diagnose_incidents(input, &electorate, &mut next);
    clusters::end(before.closed.len(), &mut next);
    let mut openings = Openings::default();
    for (monitor, votes) in &all_votes {
        notify::open_incidents(input, monitor, votes, &mut next, &mut openings);
    }
    clusters::notify_openings(input, &electorate, openings.incidents, &mut next);
    clusters::follow_up_all(input, &mut next);
    notify::advisories(input, &electorate, openings.advisories, &mut next);
    for (monitor, _) in &all_votes {
        notify::replace_advisory(monitor.id(), &mut next);
    }
    notify::broken_definitions(input, &mut next);
    next.outbox.claim(input.me, input.stamp(), usize::MAX);
    next
}

/// Whether there is nothing to decide: every expected location reports, all checks are good, and nothing is open or
/// pending.
///
/// In this case [`decide`] would change nothing, and the tick needs no further read.
pub fn is_nominal(input: &Input<'_>) -> bool {
    let decision = &input.group_state.decision;
    // Recent changes matter only together with a new change.
    let is_quiet = decision.is_same(&DecisionState {
        changes: decision.changes.clone(),
        ..DecisionState::default()
    });
    let electorate = Electorate::new(input);
    let mut reporting = input
        .expected()
        .iter()
        .filter(|location| input.definitions.checked_by(location).next().is_some());
    let has_no_location = |monitor: &Monitor| {
        let mut expected = input.expected().iter();
        !expected.any(|location| monitor.rule().locations.includes(location))
    };
    is_quiet
        && input.definitions.broken.is_empty()
        && !input.definitions.monitors.values().any(has_no_location)
        && reporting.all(|location| {
            electorate
                .fresh_state(location)
                .is_some_and(|state| state.entries.is_empty())
        })
}

/// Whether the location states show the start or end of an incident or advisory that the decision state does not have
/// yet.
///
/// This happens when a checker was lost between its commit and its decision. The change must be decided before a
/// location replaces the state that shows it, or it would never be notified.
pub fn is_undecided(input: &Input<'_>) -> bool {
    let before = &input.group_state.decision;
    let next = whole(input);
    let incidents =
        next.incidents.keys().eq(before.incidents.keys()) && next.closed.len() == before.closed.len();
    // The end of an advisory that became an incident depends on whether the incident may be notified, which is not read
    // here.
    let advisories = |state: &DecisionState| -> BTreeSet<MonitorId> {
        let ids = state.advisories.keys();
        let alone = ids.filter(|id| !state.incidents.contains_key(&((*id).clone(), Track::Health)));
        alone.cloned().collect()
    };
    !incidents || advisories(&next) != advisories(before)
}

/// The decision state after `me` has published `published` and archived the incidents in `filed`; `None` if it does not
/// change.
///
/// Claimed notifications that were not published become available to the next tick.
pub fn acknowledge_published(
    state: &DecisionState,
    me: &Claimant,
    published: &BTreeSet<String>,
    filed: &[String],
) -> Option<DecisionState> {
    let mut next = DecisionState {
        revision: state.revision + 1,
        ..state.clone()
    };
    next.outbox.acknowledge_published(me, published);
    next.closed.retain(|closed| !filed.contains(&closed.key()));
    (!next.is_same(state)).then_some(next)
}

/// The fleet state after `me` has published `published`; `None` if it does not change.
pub fn acknowledge_fleet_published(
    state: &FleetState,
    me: &Claimant,
    published: &BTreeSet<String>,
) -> Option<FleetState> {
    let mut next = FleetState {
        revision: state.revision + 1,
        ..state.clone()
    };
    next.outbox.acknowledge_published(me, published);
    (!next.is_same(state)).then_some(next)
}

/// The current status of a monitor across all locations.
pub fn status(input: &Input<'_>, monitor: &Monitor) -> Status {
    let mut electorate = Electorate::new(input);
    electorate.suspects = locations::suspects(&input.group_state.decision);
    let open = |track| {
        input
            .group_state
            .decision
            .incidents
            .get(&(monitor.id().clone(), track))
            .map(|incident| incident.status)
    };
    if Votes::of(monitor, &electorate).voters == 0 {
        return Status::Unknown;
    }
    open(Track::Health)
        .or_else(|| open(Track::Quality))
        .unwrap_or(Status::Up)
}

/// Why nothing is notified now about an open incident of a monitor, as [`decide`] sees it; `None` if there is no such incident,
/// or if the next tick notifies it.
pub fn withheld(input: &Input<'_>, monitor: &Monitor, track: Track) -> Option<Withheld> {
    let decision = &input.group_state.decision;
    let incident = decision.incidents.get(&(monitor.id().clone(), track))?;
    let own = incident.id(monitor.id(), track);
    let about = incident.cluster.as_ref().unwrap_or(&own).to_string();
    if is_unpublished(decision, &about) {
        return Some(Withheld::Unpublished);
    }
    let mut electorate = Electorate::new(input);
    electorate.suspects = locations::suspects(decision);
    let votes = Votes::of(monitor, &electorate);
    match due::due(input, monitor, track, &votes, decision)? {
        Ok(_) => None,
        Err(NotDue::Withheld(withheld)) => Some(withheld),
        Err(NotDue::Cluster(id)) => clusters::due(input, decision, &id).err(),
    }
}

/// Why nothing is notified now about an open advisory of a monitor, as [`decide`] sees it; `None` if there is no such advisory,
/// if it was notified, or if the next tick notifies it.
pub fn withheld_advisory(input: &Input<'_>, monitor: &Monitor) -> Option<Withheld> {
    let decision = &input.group_state.decision;
    let advisory = decision.advisories.get(monitor.id())?;
    if is_unpublished(decision, &advisory.id(monitor.id())) {
        return Some(Withheld::Unpublished);
    }
    match advisory.notified {
        Notified::NotYet => due::withheld_advisory(input, decision, monitor),
        Notified::At { .. } => None,
    }
}

/// Whether a notification waits whose id begins with `about`.
fn is_unpublished(decision: &DecisionState, about: &str) -> bool {
    let is_own = |id: &str| id.rsplit_once('/').is_some_and(|(of, _)| of == about);
    let mut pending = decision.outbox.pending().iter();
    pending.any(|pending| is_own(&pending.id))
}
