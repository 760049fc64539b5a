//! The board of a group: what each region last saw, and what all of them together have said so far.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;

use crate::group::GroupId;
use crate::id::{MonitorId, Region};
use crate::outbox::Outbox;
use crate::outcome::{Detail, FailureClass};
use crate::time::Tick;

/// One region's row: its last tick, and an entry for each monitor that is not nominal there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionRow {
    /// The last tick that counted.
    pub tick: Tick,
    /// Monitors that are not nominal. A monitor without an entry was good at `tick`, or was not checked yet.
    pub entries: BTreeMap<MonitorId, Entry>,
}

/// What a region remembers of a monitor that is not nominal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Every tick since this one brought no data, and none before it is known.
    Unseen {
        /// The first of them.
        since: Tick,
    },
    /// Some tick brought data.
    Seen(Streaks),
}

/// The streaks of a monitor in a region.
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
    /// No region could tell.
    Blind,
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
            Self::Blind => "blind",
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
            "blind" => Ok(Self::Blind),
            _ => text.parse().map(Self::Failed),
        }
    }
}

/// What all regions together have said of a group; written on condition of its revision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerdictRow {
    /// Counts the writes; 0 where there is no row yet.
    pub revision: u64,
    /// Open incidents, at most one a monitor and track.
    pub incidents: BTreeMap<(MonitorId, Track), Incident>,
    /// Monitors that fewer regions than the quorum see failing.
    pub advisories: BTreeMap<MonitorId, Advisory>,
    /// Regions that are not plainly reporting.
    pub regions: BTreeMap<Region, RegionState>,
    /// Definitions that could not be read and were told.
    pub broken: BTreeSet<String>,
    /// When each monitor last changed between well and not, as far as that may show that it flaps; what its open
    /// incident says is not repeated here.
    pub changes: BTreeMap<(MonitorId, Track), Vec<Tick>>,
    /// Notifications not yet known to be published.
    pub outbox: Outbox,
    /// Closed incidents not yet known to be filed.
    pub closed: Vec<ClosedIncident>,
}

/// Which side of a monitor an incident concerns; each has its own streaks and opens and closes on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Track {
    /// Whether it is as expected: `down` or `exposed`.
    Health,
    /// Whether it is sound: `degraded`.
    Quality,
    /// Whether anybody can tell: `unknown`.
    Sight,
}

impl Track {
    /// The track's name in keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Quality => "quality",
            Self::Sight => "sight",
        }
    }
}

impl std::str::FromStr for Track {
    type Err = crate::outcome::UnknownCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "health" => Ok(Self::Health),
            "quality" => Ok(Self::Quality),
            "sight" => Ok(Self::Sight),
            _ => Err(crate::outcome::UnknownCode::new(text)),
        }
    }
}

crate::choice::choice! {
    /// What all regions together say of a monitor.
    Verdict {
        /// As expected.
        Up = "up",
        /// As expected, but slow or with a warning.
        Degraded = "degraded",
        /// Not as expected.
        Down = "down",
        /// Open where it should be closed.
        Exposed = "exposed",
        /// Nobody can tell.
        Unknown = "unknown",
    }
}

/// The time from a verdict turning bad to its turning good again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// What the verdict is: never `up`.
    pub verdict: Verdict,
    /// The latest tick on the board when it opened.
    pub opened: Tick,
    /// The revision of the verdict row that opened it: makes its id unique even within one tick.
    pub revision: u64,
    /// The first bad tick of the streak that opened it.
    pub since: Tick,
    /// What was found last; may change while it is open, silently.
    pub finding: Option<Finding>,
    /// Whether and when it was told.
    pub told: Told,
    /// How loudly it is told from now on.
    pub urgency: Urgency,
    /// How steady it is.
    pub pace: Pace,
}

/// How loudly an incident is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Urgency {
    /// As its monitor asks for.
    #[default]
    Usual,
    /// It stayed open for so long that it was escalated: as critical.
    Raised,
}

/// How steady an incident is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pace {
    /// It is bad until it is over.
    #[default]
    Steady,
    /// Its monitor changes so often that the changes are not told. It stays open until the monitor is stable.
    Flapping {
        /// How the monitor is at the moment.
        state: Health,
        /// Whether and when that was told.
        told: Option<Timestamp>,
    },
    /// It has flapped, and is bad for good: which remains to be told.
    Settled,
}

/// Whether an incident was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Not yet: held back.
    NotYet,
    /// Told, and possibly told again.
    At {
        /// When for the first time.
        first: Timestamp,
        /// When last.
        last: Timestamp,
        /// How many reminders followed the first message.
        reminders: u32,
    },
}

/// The name of an incident: monitor, opening tick, and the revision that opened it; and its track, unless that is
/// its health.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncidentId {
    /// Whose incident it is.
    pub monitor: MonitorId,
    /// The tick at which it opened.
    pub opened: Tick,
    /// The revision of the verdict row that opened it.
    pub revision: u64,
    /// Which side of the monitor it concerns: two tracks can open in one decision.
    pub track: Track,
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}.{}", self.monitor, self.opened, self.revision)?;
        match self.track {
            Track::Health => Ok(()),
            Track::Quality | Track::Sight => write!(f, ".{}", self.track.as_str()),
        }
    }
}

impl Incident {
    /// Whether its monitor is bad at the moment, as far as is known.
    pub const fn is_bad_now(&self) -> bool {
        match self.pace {
            Pace::Steady | Pace::Settled => true,
            Pace::Flapping { state, .. } => matches!(state, Health::Failing),
        }
    }

    /// Its id.
    pub fn id(&self, monitor: &MonitorId, track: Track) -> IncidentId {
        IncidentId {
            monitor: monitor.clone(),
            opened: self.opened,
            revision: self.revision,
            track,
        }
    }
}

/// A difference between regions that does not make an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advisory {
    /// The latest tick on the board when it was seen.
    pub opened: Tick,
    /// The revision of the verdict row that opened it.
    pub revision: u64,
    /// Whether and when it was told.
    pub told: Told,
}

impl Advisory {
    /// What its notifications' ids begin with.
    pub fn id(&self, monitor: &MonitorId) -> String {
        format!("{monitor}@{}.{}.advisory", self.opened, self.revision)
    }
}

/// The state of an expected region that is not plainly reporting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionState {
    /// It has never reported; waited for since this time.
    Awaited(Timestamp),
    /// Its row is stale, seen so at this time.
    Silent(Timestamp),
    /// It sees most of its monitors failing, alone, since this time.
    Suspect(Timestamp),
    /// It is well again, which remains to be said to the fleet.
    Returned,
}

/// A closed incident on its way to the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedIncident {
    /// Whose it was.
    pub monitor: MonitorId,
    /// Which side of the monitor it concerned.
    pub track: Track,
    /// The incident as it was when it closed.
    pub incident: Incident,
    /// The latest tick on the board when it closed.
    pub closed: Tick,
    /// Why.
    pub ending: Ending,
}

impl ClosedIncident {
    /// What names it in the archive: opening tick, monitor, the revision that opened it, and its track.
    pub fn key(&self) -> String {
        let Incident { opened, revision, .. } = self.incident;
        format!("{opened}#{}#{revision}#{}", self.monitor, self.track.as_str())
    }
}

/// How an incident ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The monitor is well again.
    Recovered,
    /// The monitor was removed or disabled.
    Removed,
}

/// What all groups together know of the regions, so that a region is told once and not once a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FleetRow {
    /// Counts the writes; 0 where there is no row yet.
    pub revision: u64,
    /// Regions in trouble.
    pub troubles: BTreeMap<(Region, Trouble), FleetTrouble>,
    /// Notifications not yet known to be published.
    pub outbox: Outbox,
}

/// What can be wrong with a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// It does not report.
    Silent,
    /// It sees most of its monitors failing, alone.
    Suspect,
}

impl Trouble {
    /// The word for it in keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Suspect => "suspect",
        }
    }
}

/// A region's trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetTrouble {
    /// Since when.
    pub since: Timestamp,
    /// The revision of the fleet row that opened it.
    pub revision: u64,
    /// The groups that see it, and when each confirmed it last.
    pub groups: BTreeMap<GroupId, Timestamp>,
}

/// Everything a decision looks at that is stored for one group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Board {
    /// The regions that should report, as the board itself lists them; empty where it lists none.
    pub listed: BTreeSet<Region>,
    /// The rows of the regions, expected or not.
    pub rows: BTreeMap<Region, RegionRow>,
    /// The verdict row.
    pub verdict: VerdictRow,
}
