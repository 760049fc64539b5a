//! The state of a group: what each location last saw, and what was decided.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::definition::AWS_REGIONS;
use crate::group::GroupId;
use crate::id::{Location, MonitorId};
use crate::outbox::Outbox;
use crate::time::Tick;

pub use crate::cluster::{Cluster, MAX_CLUSTERS, MAX_ENDED_BYTES, MAX_TAGS};
pub use crate::finding::{Cause, Finding};
pub use crate::incident::{
    CauseChange, ClosedIncident, Ending, Incident, IncidentId, MAX_CAUSE_CHANGES, Notified, Stability,
    Status, Track, Urgency,
};
pub use crate::streak::{Health, Impairment, Streak, Streaks};

/// The state of one location: its last tick, and an entry for each monitor that is not nominal there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationState {
    /// The last counted tick.
    pub tick: Tick,
    /// The monitors that are not nominal. A monitor without an entry was good at `tick`, or has not been checked yet.
    pub entries: BTreeMap<MonitorId, Entry>,
}

/// The state of a monitor that is not nominal in a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// No check since `since` had data, and nothing is known from before.
    NoData {
        /// The first tick without data.
        since: Tick,
    },
    /// At least one check had data.
    Seen(Streaks),
}

/// The maximum number of invalid definitions that a decision state lists.
pub const MAX_BROKEN: usize = 100;

/// What was decided on a group. Writes require the expected revision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecisionState {
    /// The number of writes; 0 if nothing is stored.
    pub revision: u64,
    /// Open incidents, at most one for each monitor and track.
    pub incidents: BTreeMap<(MonitorId, Track), Incident>,
    /// Open incidents that are notified together, by the id of the first, at most [`MAX_CLUSTERS`].
    pub clusters: BTreeMap<IncidentId, Cluster>,
    /// Monitors that fewer locations than the quorum see failing.
    pub advisories: BTreeMap<MonitorId, Advisory>,
    /// Locations that are not reporting normally.
    pub locations: BTreeMap<Location, LocationReporting>,
    /// Invalid definitions that were notified.
    pub broken: BTreeSet<String>,
    /// The number of other invalid definitions, since `broken` has at most [`MAX_BROKEN`] ids.
    pub more_broken: usize,
    /// The times of recent changes between good and bad, for the detection of flapping. The start of an open incident
    /// is not repeated here.
    pub changes: BTreeMap<(MonitorId, Track), Vec<Tick>>,
    /// Notifications that are not confirmed as published.
    pub outbox: Outbox,
    /// Closed incidents that are not confirmed as archived.
    pub closed: Vec<ClosedIncident>,
}

impl DecisionState {
    /// Whether two states are equal, apart from their revisions.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let Self {
            revision: _,
            incidents,
            clusters,
            advisories,
            locations,
            broken,
            more_broken,
            changes,
            outbox,
            closed,
        } = self;
        *incidents == other.incidents
            && *clusters == other.clusters
            && *advisories == other.advisories
            && *locations == other.locations
            && *broken == other.broken
            && *more_broken == other.more_broken
            && *changes == other.changes
            && *outbox == other.outbox
            && *closed == other.closed
    }
}

/// A failure that fewer locations than the quorum see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advisory {
    /// The latest tick in the group state when the advisory opened.
    pub opened: Tick,
    /// The revision of the decision state that opened the advisory.
    pub revision: u64,
    /// Whether and when the advisory was notified.
    pub notified: Notified,
    /// The monitor that names the notification, if the same locations saw several monitors failing at once; `None` if the
    /// advisory is notified by itself.
    pub first: Option<MonitorId>,
    /// The monitors whose advisories had the same notification, and have ended without one: the last to end names them.
    pub ended: BTreeSet<MonitorId>,
}

impl Advisory {
    /// The monitor that names the notifications.
    pub fn named_by<'a>(&'a self, monitor: &'a MonitorId) -> &'a MonitorId {
        self.first.as_ref().unwrap_or(monitor)
    }

    /// The prefix of the ids of the advisory's notifications.
    pub fn id(&self, monitor: &MonitorId) -> String {
        format!(
            "{}@{}.{}.advisory",
            self.named_by(monitor),
            self.opened,
            self.revision
        )
    }
}

/// The state of an expected location that is not reporting normally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocationReporting {
    /// The location has never reported. It is awaited since this time.
    Awaited(Timestamp),
    /// The location has stopped reporting. Detected at this time.
    Silent(Timestamp),
    /// The location alone sees most of its monitors failing, since this time.
    Suspect(Timestamp),
    /// The problem has ended, but the fleet state does not record its end yet.
    Returned,
}

/// The location problems of all groups, so that each is notified once and not once a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FleetState {
    /// The number of writes; 0 if nothing is stored.
    pub revision: u64,
    /// Locations with a problem.
    pub problems: BTreeMap<(Location, LocationProblem), FleetProblem>,
    /// Notifications that are not confirmed as published.
    pub outbox: Outbox,
}

impl FleetState {
    /// Whether two states are equal, apart from their revisions.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let Self {
            revision: _,
            problems,
            outbox,
        } = self;
        *problems == other.problems && *outbox == other.outbox
    }
}

/// The problem of a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LocationProblem {
    /// The location does not report.
    Silent,
    /// The location alone sees most of its monitors failing.
    Suspect,
}

impl LocationProblem {
    /// The name in keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Suspect => "suspect",
        }
    }
}

/// The record of a location's problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetProblem {
    /// The start of the problem.
    pub since: Timestamp,
    /// The revision of the fleet state that added the problem.
    pub revision: u64,
    /// The groups that see the problem, and the time of each one's last confirmation.
    pub groups: BTreeMap<GroupId, Timestamp>,
}

/// The kind of an expected location.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LocationKind {
    /// An AWS region, or a location of `portpulse local`: checks every monitor that does not name other locations.
    #[default]
    Region,
    /// An agent on a network of the user: checks only monitors that name it.
    Agent,
}

/// What an agent can check and a region cannot, for people.
pub const AGENT_REACH: &str =
    "An agent can also check private addresses, port 25, IPv6 and pings, as far as its network allows.";

impl LocationKind {
    /// The name in outputs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::Agent => "agent",
        }
    }
}

/// The stored state of one group, as the input of a decision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupState {
    /// The expected locations as listed in the table; empty if none are listed.
    pub listed: BTreeSet<Location>,
    /// Those of the listed locations that are agents.
    pub agents: BTreeSet<Location>,
    /// The states of the locations, expected or not.
    pub locations: BTreeMap<Location, LocationState>,
    /// The decision state.
    pub decision: DecisionState,
}

impl GroupState {
    /// The expected locations: those that are listed, or `fallback` where none are.
    pub fn expected<'a>(&'a self, fallback: &'a BTreeSet<Location>) -> &'a BTreeSet<Location> {
        if self.listed.is_empty() {
            fallback
        } else {
            &self.listed
        }
    }

    /// The kind of a location: an agent if the table lists it as one, a region if it has the name of an AWS region. Otherwise
    /// `None`, such as a location of `portpulse local`.
    pub fn kind(&self, location: &Location) -> Option<LocationKind> {
        if self.agents.contains(location) {
            return Some(LocationKind::Agent);
        }
        AWS_REGIONS
            .contains(&location.as_str())
            .then_some(LocationKind::Region)
    }
}
