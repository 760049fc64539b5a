//! The board of a group: what each location last saw, and what all of them together have said so far.

mod incident;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::group::GroupId;
use crate::id::{Location, MonitorId};
use crate::outbox::Outbox;
use crate::outcome::{Detail, FailureClass};
use crate::time::Tick;

pub use incident::{
    ClosedIncident, Ending, Incident, IncidentId, Notified, Stability, Status, Track, Urgency,
};

/// One location's row: its last tick, and an entry for each monitor that is not nominal there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationState {
    /// The last tick that counted.
    pub tick: Tick,
    /// Monitors that are not nominal. A monitor without an entry was good at `tick`, or was not checked yet.
    pub entries: BTreeMap<MonitorId, Entry>,
}

/// What a location remembers of a monitor that is not nominal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Every tick since this one brought no data, and none before it is known.
    NoData {
        /// The first of them.
        since: Tick,
    },
    /// Some tick brought data.
    Seen(Streaks),
}

/// The streaks of a monitor in a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Streaks {
    /// The last tick that brought data.
    pub seen: Tick,
    /// Whether that tick and those before it were good or failing.
    pub health: Streak<Health>,
    /// Whether the last good ticks were sound or impaired; absent while nothing is known.
    pub quality: Option<Streak<Impairment>>,
    /// What the last failing or impaired tick found.
    pub finding: Option<Finding>,
}

/// Consecutive distinct ticks of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streak<S> {
    /// Their kind.
    pub state: S,
    /// How many; 0 where the kind is known only from before counting began.
    pub ticks: u32,
    /// The first of them.
    pub since: Tick,
}

/// Good or failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// As expected.
    Good,
    /// Not as expected.
    Failing,
}

/// Whether good ticks are sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Impairment {
    /// As they should be.
    Sound,
    /// Slow, or with a warning.
    Impaired,
}

/// What a bad tick found, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of trouble.
    pub cause: Cause,
    /// In the service's or the system's own words.
    pub detail: Option<Detail>,
}

/// A kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The check failed.
    Failed(FailureClass),
    /// The port is open and should be closed.
    Open,
    /// The connect took longer than `slow_after`.
    Slow,
    /// The service gave cause for a warning.
    Warned,
    /// The server's certificate is about to expire.
    Certificate,
    /// No location could tell.
    NoData,
}

impl Cause {
    /// The code that stands for it in items, output and messages.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Failed(class) => class.code(),
            Self::Open => "open",
            Self::Slow => "slow",
            Self::Warned => "warned",
            Self::Certificate => "certificate",
            Self::NoData => "no_data",
        }
    }
}

impl std::str::FromStr for Cause {
    type Err = crate::outcome::UnknownCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "open" => Ok(Self::Open),
            "slow" => Ok(Self::Slow),
            "warned" => Ok(Self::Warned),
            "certificate" => Ok(Self::Certificate),
            "no_data" => Ok(Self::NoData),
            _ => text.parse().map(Self::Failed),
        }
    }
}

/// The maximum number of broken definitions that a decision row names; the others are counted.
pub const MAX_BROKEN: usize = 100;

/// What all locations together have said of a group; written on condition of its revision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecisionState {
    /// Counts the writes; 0 where there is no row yet.
    pub revision: u64,
    /// Open incidents, at most one a monitor and track.
    pub incidents: BTreeMap<(MonitorId, Track), Incident>,
    /// Monitors that fewer locations than the quorum see failing.
    pub advisories: BTreeMap<MonitorId, Advisory>,
    /// Locations that are not plainly reporting.
    pub locations: BTreeMap<Location, LocationReporting>,
    /// Definitions that could not be read and were told.
    pub broken: BTreeSet<String>,
    /// The number of broken definitions that are not in `broken`, which has at most [`MAX_BROKEN`] ids.
    pub more_broken: usize,
    /// When each monitor last changed between well and not, as far as that may show that it flaps; what its open
    /// incident says is not repeated here.
    pub changes: BTreeMap<(MonitorId, Track), Vec<Tick>>,
    /// Notifications not yet known to be published.
    pub outbox: Outbox,
    /// Closed incidents not yet known to be filed.
    pub closed: Vec<ClosedIncident>,
}

impl DecisionState {
    /// Whether another row says the same, whatever its revision.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let Self {
            revision: _,
            incidents,
            advisories,
            locations,
            broken,
            more_broken,
            changes,
            outbox,
            closed,
        } = self;
        *incidents == other.incidents
            && *advisories == other.advisories
            && *locations == other.locations
            && *broken == other.broken
            && *more_broken == other.more_broken
            && *changes == other.changes
            && *outbox == other.outbox
            && *closed == other.closed
    }
}

/// A difference between locations that does not make an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advisory {
    /// The latest tick on the board when it was seen.
    pub opened: Tick,
    /// The revision of the decision row that opened it.
    pub revision: u64,
    /// Whether and when it was told.
    pub notified: Notified,
}

impl Advisory {
    /// What its notifications' ids begin with.
    pub fn id(&self, monitor: &MonitorId) -> String {
        format!("{monitor}@{}.{}.advisory", self.opened, self.revision)
    }
}

/// The state of an expected location that is not plainly reporting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocationReporting {
    /// It has never reported; waited for since this time.
    Awaited(Timestamp),
    /// Its row is stale, seen so at this time.
    Silent(Timestamp),
    /// It sees most of its monitors failing, alone, since this time.
    Suspect(Timestamp),
    /// It is well again, which remains to be said to the fleet.
    Returned,
}

/// What all groups together know of the locations, so that a location is told once and not once a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FleetState {
    /// Counts the writes; 0 where there is no row yet.
    pub revision: u64,
    /// Locations in trouble.
    pub problems: BTreeMap<(Location, LocationProblem), FleetProblem>,
    /// Notifications not yet known to be published.
    pub outbox: Outbox,
}

impl FleetState {
    /// Whether another row says the same, whatever its revision.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let Self {
            revision: _,
            problems,
            outbox,
        } = self;
        *problems == other.problems && *outbox == other.outbox
    }
}

/// What can be wrong with a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LocationProblem {
    /// It does not report.
    Silent,
    /// It sees most of its monitors failing, alone.
    Suspect,
}

impl LocationProblem {
    /// The word for it in keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Suspect => "suspect",
        }
    }
}

/// A location's trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetProblem {
    /// Since when.
    pub since: Timestamp,
    /// The revision of the fleet row that opened it.
    pub revision: u64,
    /// The groups that see it, and when each confirmed it last.
    pub groups: BTreeMap<GroupId, Timestamp>,
}

/// Everything a decision looks at that is stored for one group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupState {
    /// The locations that should report, as the board itself lists them; empty where it lists none.
    pub listed: BTreeSet<Location>,
    /// The rows of the locations, expected or not.
    pub rows: BTreeMap<Location, LocationState>,
    /// The decision row.
    pub status: DecisionState,
}
