//! Incidents: tracks, statuses, ids, notification state and endings.

use std::fmt;

use jiff::Timestamp;

use crate::finding::Finding;
use crate::id::MonitorId;
use crate::streak::Health;
use crate::time::Tick;

/// The aspect of a monitor that an incident concerns. Each track has its own streaks and incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Track {
    /// Whether the monitor is as expected: `down` or `exposed`.
    Health,
    /// Whether good checks are sound: `degraded`.
    Quality,
    /// Whether any location has data: `unknown`.
    Visibility,
}

impl Track {
    /// The name in keys.
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
    /// The status of a monitor across all locations.
    Status {
        /// The monitor is as expected.
        Up = "up",
        /// The monitor is as expected, but slow or with a warning.
        Degraded = "degraded",
        /// The monitor is not as expected.
        Down = "down",
        /// The port is open and should be closed.
        Exposed = "exposed",
        /// No location can tell.
        Unknown = "unknown",
    }
}

impl Status {
    /// The position in an order from bad to good: 0 is the worst.
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

/// An incident, from the time a status turns bad until it is good again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// The status, never `up`.
    pub status: Status,
    /// The latest tick in the group state when the incident opened.
    pub opened: Tick,
    /// The revision of the decision state that opened the incident. Makes the id unique even within one tick.
    pub revision: u64,
    /// The first bad tick of the streak that opened the incident.
    pub since: Tick,
    /// The last finding. Changes while the incident is open are not notified.
    pub finding: Option<Finding>,
    /// Whether and when the incident was notified.
    pub notified: Notified,
    /// The urgency of further notifications.
    pub urgency: Urgency,
    /// The stability of the monitor.
    pub stability: Stability,
}

/// The urgency of an incident's notifications.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Urgency {
    /// The severity of the monitor.
    #[default]
    Normal,
    /// Critical, because the incident was escalated.
    Escalated,
}

/// Whether the monitor of an incident is flapping.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stability {
    /// Not flapping.
    #[default]
    Steady,
    /// Changes are too frequent to notify. The incident stays open until the monitor is stable.
    Flapping {
        /// The current health.
        state: Health,
        /// The time at which the flapping was notified.
        notified: Option<Timestamp>,
    },
    /// The monitor stopped flapping and stays bad, which is not notified yet.
    StoppedFlapping,
}

/// Whether and when an incident was notified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notified {
    /// Not notified, because notifications are suppressed.
    NotYet,
    /// Notified at least once.
    At {
        /// The time of the first notification.
        first: Timestamp,
        /// The time of the last notification.
        last: Timestamp,
        /// The number of reminders.
        reminders: u32,
    },
}

/// The id of an incident: monitor, opening tick, revision that opened it, and the track unless it is health.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncidentId {
    /// The monitor.
    pub monitor: MonitorId,
    /// The tick at which the incident opened.
    pub opened: Tick,
    /// The revision of the decision state that opened the incident.
    pub revision: u64,
    /// The track. Two tracks can open in one decision.
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
    /// Whether the monitor is currently bad, as far as is known.
    pub const fn is_bad_now(&self) -> bool {
        match self.stability {
            Stability::Steady | Stability::StoppedFlapping => true,
            Stability::Flapping { state, .. } => matches!(state, Health::Failing),
        }
    }

    /// The id of the incident.
    pub fn id(&self, monitor: &MonitorId, track: Track) -> IncidentId {
        IncidentId {
            monitor: monitor.clone(),
            opened: self.opened,
            revision: self.revision,
            track,
        }
    }
}

/// A closed incident that is to be archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedIncident {
    /// The monitor.
    pub monitor: MonitorId,
    /// The track.
    pub track: Track,
    /// The incident at the time of closing.
    pub incident: Incident,
    /// The latest tick in the group state when the incident closed.
    pub closed: Tick,
    /// The reason for closing.
    pub ending: Ending,
}

impl ClosedIncident {
    /// The key in the archive: opening tick, monitor, revision that opened the incident, and track.
    pub fn key(&self) -> String {
        let Incident { opened, revision, .. } = self.incident;
        format!("{opened}#{}#{revision}#{}", self.monitor, self.track.as_str())
    }
}

/// The reason for the end of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The monitor recovered.
    Recovered,
    /// The monitor was removed or disabled.
    Removed,
}
