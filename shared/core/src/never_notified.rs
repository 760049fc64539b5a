//! Why a closed incident was never notified, as far as the stored state tells.

use std::fmt;

use jiff::Timestamp;

use crate::control::Control;
use crate::definition::Monitor;
use crate::diagnosis::{Diagnosis, Layer};
use crate::group_state::{ClosedIncident, Incident, Notified, Stability, Status};
use crate::id::MonitorId;

/// The reason why a closed incident was never notified.
///
/// No reason is stored with an incident. It follows from what is: the incident itself, the latest silence of its monitor, and the
/// current definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NeverNotified {
    /// The monitor was silenced when the incident opened, until this time.
    Silenced(Timestamp),
    /// A maintenance window of the current definition covers the time at which the incident opened.
    Maintenance,
    /// This monitor was down, which the incident's monitor depends on.
    Dependency(MonitorId),
    /// The monitor was flapping until the incident closed.
    Flapping,
    /// The stored state does not tell.
    NotRecorded,
}

impl NeverNotified {
    /// The reason, in the order in which a decision looks for one; `None` if the incident was notified.
    pub fn of(closed: &ClosedIncident, monitor: Option<&Monitor>, control: Option<&Control>) -> Option<Self> {
        let incident = &closed.incident;
        let Notified::NotYet = incident.notified else {
            return None;
        };
        let opened = incident.opened.timestamp();
        let silence = control.and_then(|control| control.silence.as_ref());
        if let Some(silence) = silence.filter(|silence| silence.note.at() <= opened && opened < silence.until)
        {
            return Some(Self::Silenced(silence.until));
        }
        if monitor.is_some_and(|monitor| monitor.alert_policy().in_maintenance(opened)) {
            return Some(Self::Maintenance);
        }
        if let Some(parent) = down_parent(incident) {
            return Some(Self::Dependency(parent.clone()));
        }
        Some(match incident.stability {
            Stability::Flapping { .. } => Self::Flapping,
            Stability::Steady | Stability::StoppedFlapping => Self::NotRecorded,
        })
    }

    /// The code in JSON.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Silenced(_) => "silenced",
            Self::Maintenance => "maintenance",
            Self::Dependency(_) => "dependency",
            Self::Flapping => "flapping",
            Self::NotRecorded => "not_recorded",
        }
    }
}

/// The monitor whose outage explains the incident. It withholds every notification except that of an exposed port.
fn down_parent(incident: &Incident) -> Option<&MonitorId> {
    let Diagnosis { layer, evidence } = incident.diagnosis.as_ref()?;
    let explains = *layer == Layer::Dependency && incident.status != Status::Exposed;
    evidence.as_ref().filter(|_| explains)?.parent.as_ref()
}

/// The reason for people, as a part of a sentence.
impl fmt::Display for NeverNotified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silenced(until) => {
                let until = until.strftime("%Y-%m-%d %H:%M:%S UTC");
                write!(f, "the monitor was silenced until {until}")
            }
            Self::Maintenance => {
                f.write_str("the monitor was in maintenance, according to its current definition")
            }
            Self::Dependency(parent) => write!(f, "{parent} was down, which the monitor depends on"),
            Self::Flapping => f.write_str("the monitor was flapping: it changed too often"),
            Self::NotRecorded => f.write_str("the reason is not recorded"),
        }
    }
}
