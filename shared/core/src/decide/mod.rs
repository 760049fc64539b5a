//! The decision: from definitions, board and time to the next decision row, the next fleet row and nothing else.
//!
//! It is a pure function of its input, so any checker in any location may make it, as often as it likes: deciding
//! again on what was already decided changes nothing.

mod fit;
mod flapping;
mod fleet;
mod incidents;
mod locations;
mod notification;
mod notify;
mod votes;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::control::Control;
use crate::definition::Monitor;
use crate::group::GroupId;
use crate::group_state::{DecisionState, FleetState, GroupState, Status, Track};
use crate::id::{Location, MonitorId};
use crate::outbox::Claimant;
use crate::round::Definitions;
use votes::{Electorate, Votes};

pub use fit::{Rest, SizeLimit, Unlimited};
pub use notification::{LocationView, Notification, View, views};

/// All that a decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The group decided on.
    pub group: GroupId,
    /// Its definitions.
    pub definitions: &'a Definitions,
    /// Its board, read strongly consistent after this location's own row was written.
    pub group_state: &'a GroupState,
    /// What the groups together know of the locations; `None` where it could not be read, and so must not be written.
    pub fleet: Option<&'a FleetState>,
    /// The locations that should report where the board lists none.
    pub fallback_locations: &'a BTreeSet<Location>,
    /// What people have said of the monitors.
    pub controls: &'a BTreeMap<MonitorId, Control>,
    /// Monitors of other groups that are down, as far as one of this group depends on them.
    pub down_elsewhere: &'a BTreeSet<MonitorId>,
    /// The time.
    pub now: Timestamp,
    /// In whose name notifications are claimed.
    pub me: &'a Claimant,
}

impl<'a> Input<'a> {
    /// The locations that should report: those that this very board lists, so that a decision never rests on the rows of
    /// one read and the locations of another.
    pub fn expected(&self) -> &'a BTreeSet<Location> {
        if self.group_state.listed.is_empty() {
            self.fallback_locations
        } else {
            &self.group_state.listed
        }
    }

    /// The time as it is kept in rows: in whole seconds, rounded down.
    fn stamp(&self) -> Timestamp {
        Timestamp::from_second(self.now.as_second()).unwrap_or(self.now)
    }
}

/// What to write. A row that would not change is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// The next decision row, to be written on condition that the revision before it still stands.
    pub status: Option<DecisionState>,
    /// The next fleet row, likewise. Written second: the decision row keeps a location in mind until the fleet row shows
    /// that all is said of it, so a writer lost in between is made good.
    pub fleet: Option<FleetState>,
    /// Whether `status` holds all that is to be decided on the monitors.
    pub rest: Rest,
    /// Whether `fleet` holds all that this group knows of the locations. What it leaves is decided in the next tick.
    pub fleet_rest: Rest,
}

/// Decides as much as fits into the rows, the loudest and oldest first, each monitor as if all were decided at once.
///
/// What is left is decided by deciding again once what waits in the row is published and filed.
pub fn decide(input: &Input<'_>, limit: &impl SizeLimit) -> Decision {
    let mut whole = whole(input);
    let (fleet, fleet_rest) = fleet::step(input, &whole, limit);
    if whole.is_same(&input.group_state.status) {
        return Decision {
            fleet,
            fleet_rest,
            ..Decision::default()
        };
    }
    flapping::forget(input.now, &mut whole);
    let (status, rest) = fit::status(input, whole, limit);
    Decision {
        status,
        fleet,
        rest,
        fleet_rest,
    }
}

/// The decision row after everything is decided, however large it is.
fn whole(input: &Input<'_>) -> DecisionState {
    let (before, now) = (&input.group_state.status, input.now);
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
    // Only now is it known which monitors are down, and so which others wait for them.
    for (monitor, votes) in &all_votes {
        notify::open_incidents(input, monitor, votes, &mut next);
    }
    notify::broken_definitions(input, &mut next);
    next.outbox.claim(input.me, input.stamp(), usize::MAX);
    next
}

/// Whether there is nothing to decide: every expected location reports, sees all well, and nothing is open or waits.
///
/// Then [`decide`] would change nothing, and a tick needs no further read.
pub fn is_nominal(input: &Input<'_>) -> bool {
    let status = &input.group_state.status;
    // What has changed of late matters only when something changes again.
    let quiet = status.is_same(&DecisionState {
        changes: status.changes.clone(),
        ..DecisionState::default()
    });
    let electorate = Electorate::new(input);
    let mut reporting = input
        .expected()
        .iter()
        .filter(|location| input.definitions.checked_by(location).next().is_some());
    let nobody = |monitor: &Monitor| {
        let mut expected = input.expected().iter();
        !expected.any(|location| monitor.rule().locations.includes(location))
    };
    quiet
        && input.definitions.broken.is_empty()
        && !input.definitions.monitors.values().any(nobody)
        && reporting.all(|location| {
            electorate
                .fresh_row(location)
                .is_some_and(|row| row.entries.is_empty())
        })
}

/// Whether the board shows an incident or an advisory beginning or ending that its decision row does not have yet.
///
/// So it stands when a checker was lost between its commit and its decision. It must be decided before a location
/// replaces the row that shows it, or the change would never be told.
pub fn is_undecided(input: &Input<'_>) -> bool {
    let before = &input.group_state.status;
    let next = whole(input);
    let incidents =
        next.incidents.keys().eq(before.incidents.keys()) && next.closed.len() == before.closed.len();
    // When one ends that has become an incident depends on what is not read here: whether that may be told.
    let advisories = |row: &DecisionState| -> BTreeSet<MonitorId> {
        let ids = row.advisories.keys();
        let alone = ids.filter(|id| !row.incidents.contains_key(&((*id).clone(), Track::Health)));
        alone.cloned().collect()
    };
    !incidents || advisories(&next) != advisories(before)
}

/// The row that follows once `me` has published `published`, and the incidents in `filed` are in the archive.
///
/// What was claimed and not published is free for the next tick. `None` if nothing changes.
pub fn acknowledge_published(
    row: &DecisionState,
    me: &Claimant,
    published: &BTreeSet<String>,
    filed: &[String],
) -> Option<DecisionState> {
    let mut next = DecisionState {
        revision: row.revision + 1,
        ..row.clone()
    };
    next.outbox.acknowledge_published(me, published);
    next.closed.retain(|closed| !filed.contains(&closed.key()));
    (!next.is_same(row)).then_some(next)
}

/// The same for the fleet row.
pub fn acknowledge_fleet_published(
    row: &FleetState,
    me: &Claimant,
    published: &BTreeSet<String>,
) -> Option<FleetState> {
    let mut next = FleetState {
        revision: row.revision + 1,
        ..row.clone()
    };
    next.outbox.acknowledge_published(me, published);
    (!next.is_same(row)).then_some(next)
}

/// What all locations together say of a monitor now.
pub fn status(input: &Input<'_>, monitor: &Monitor) -> Status {
    let mut electorate = Electorate::new(input);
    electorate.suspects = locations::suspects(&input.group_state.status);
    let open = |track| {
        input
            .group_state
            .status
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
