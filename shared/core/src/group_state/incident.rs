//! Incidents: their tracks, statuses and names, how they were told, and how they ended.

use std::fmt;

use jiff::Timestamp;

use super::{Finding, Health};
use crate::id::MonitorId;
use crate::time::Tick;

/// Which side of a monitor an incident concerns; each has its own streaks and opens and closes on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Track {
    /// Whether it is as expected: `down` or `exposed`.
    Health,
    /// Whether it is sound: `degraded`.
    Quality,
    /// Whether anybody can tell: `unknown`.
    Visibility,
}

impl Track {
    /// The track's name in keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Quality => "quality",
            Self::Visibility => "visibility",
        }
    }
}

impl std::str::FromStr for Track {
    type Err = crate::outcome::UnknownCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "health" => Ok(Self::Health),
            "quality" => Ok(Self::Quality),
            "visibility" => Ok(Self::Visibility),
            _ => Err(crate::outcome::UnknownCode::new(text)),
        }
    }
}

crate::choice::choice! {
    /// What all locations together say of a monitor.
    Status {
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

impl Status {
    /// Its place where what is bad comes first: 0 is the worst.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Exposed => 0,
            Self::Down => 1,
            Self::Degraded => 2,
            Self::Unknown => 3,
            Self::Up => 4,
        }
    }
}

/// The time from a status turning bad to its turning good again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// What the status is: never `up`.
    pub status: Status,
    /// The latest tick on the board when it opened.
    pub opened: Tick,
    /// The revision of the decision row that opened it: makes its id unique even within one tick.
    pub revision: u64,
    /// The first bad tick of the streak that opened it.
    pub since: Tick,
    /// What was found last; may change while it is open, silently.
    pub finding: Option<Finding>,
    /// Whether and when it was told.
    pub notified: Notified,
    /// How loudly it is told from now on.
    pub urgency: Urgency,
    /// How steady it is.
    pub pace: Stability,
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
pub enum Stability {
    /// It is bad until it is over.
    #[default]
    Steady,
    /// Its monitor changes so often that the changes are not told. It stays open until the monitor is stable.
    Flapping {
        /// How the monitor is at the moment.
        state: Health,
        /// Whether and when that was told.
        notified: Option<Timestamp>,
    },
    /// It has flapped, and is bad for good: which remains to be told.
    StoppedFlapping,
}

/// Whether an incident was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notified {
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
    /// The revision of the decision row that opened it.
    pub revision: u64,
    /// Which side of the monitor it concerns: two tracks can open in one decision.
    pub track: Track,
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}.{}", self.monitor, self.opened, self.revision)?;
        match self.track {
            Track::Health => Ok(()),
            Track::Quality | Track::Visibility => write!(f, ".{}", self.track.as_str()),
        }
    }
}

impl Incident {
    /// Whether its monitor is bad at the moment, as far as is known.
    pub const fn is_bad_now(&self) -> bool {
        match self.pace {
            Stability::Steady | Stability::StoppedFlapping => true,
            Stability::Flapping { state, .. } => matches!(state, Health::Failing),
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
