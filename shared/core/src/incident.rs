//! Incidents: tracks, statuses, ids, notification state and endings.

use std::fmt;

use jiff::Timestamp;

use crate::diagnosis::Diagnosis;
use crate::finding::{Cause, Finding};
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
    /// The first bad tick after the monitor stopped flapping; `None` if it never flapped, or still does.
    pub flapped_until: Option<Tick>,
    /// The last finding. Changes while the incident is open are not notified.
    pub finding: Option<Finding>,
    /// The latest changes of the cause, oldest first, at most [`MAX_CAUSE_CHANGES`]. Left out of a state that is too large.
    pub cause_changes: Vec<CauseChange>,
    /// The layer of the fault; `None` only between the steps of a decision.
    pub diagnosis: Option<Diagnosis>,
    /// The cluster that the incident is notified with; `None` if it is notified by itself.
    pub cluster: Option<IncidentId>,
    /// Whether and when the incident was notified.
    pub notified: Notified,
    /// The urgency of further notifications.
    pub urgency: Urgency,
    /// The stability of the monitor.
    pub stability: Stability,
}

/// The maximum number of changes of the cause that an incident keeps.
pub const MAX_CAUSE_CHANGES: usize = 8;

/// A change of the cause of an open incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CauseChange {
    /// The latest tick in the group state when the cause changed.
    pub at: Tick,
    /// The cause until then.
    pub before: Cause,
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

/// A text that is not the id of an incident.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not the id of an incident, such as orders-db@2026-11-22T05:40:00Z.7")]
pub struct InvalidIncidentId {
    found: String,
}

impl std::str::FromStr for IncidentId {
    type Err = InvalidIncidentId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (monitor, rest) = text.split_once('@')?;
            let mut parts = rest.split('.');
            let id = Self {
                monitor: monitor.parse().ok()?,
                opened: parts.next()?.parse().ok()?,
                revision: parts.next()?.parse().ok()?,
                track: match parts.next() {
                    None => Track::Health,
                    Some(track) => track.parse().ok()?,
                },
            };
            // Only the text form itself is an id.
            (id.to_string() == text).then_some(id)
        };
        parse().ok_or_else(|| InvalidIncidentId {
            found: crate::text::quoted(text),
        })
    }
}

impl Incident {
    /// Replaces the finding, and keeps the change of the cause.
    pub(crate) fn update_finding(&mut self, finding: &Finding, at: Tick) {
        let before = self.finding.as_ref().map(|finding| finding.cause);
        if let Some(before) = before.filter(|before| *before != finding.cause) {
            let oldest = (self.cause_changes.len() + 1).saturating_sub(MAX_CAUSE_CHANGES);
            self.cause_changes.drain(..oldest);
            self.cause_changes.push(CauseChange { at, before });
        }
        self.finding = Some(finding.clone());
    }

    /// The changes of the cause with both causes, oldest first.
    pub fn causes(&self) -> impl Iterator<Item = (Tick, Cause, Cause)> {
        let last = self.finding.as_ref().map(|finding| finding.cause);
        let next = self
            .cause_changes
            .iter()
            .skip(1)
            .map(|change| change.before)
            .chain(last);
        let changes = self.cause_changes.iter().zip(next);
        changes.map(|(change, after)| (change.at, change.before, after))
    }

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
