//! Why nothing is notified about an open incident now.

use std::fmt;

use jiff::Timestamp;

use crate::id::MonitorId;

/// The reason why nothing is notified about an open incident now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Withheld {
    /// A notification waits to be published, or was published and is not yet acknowledged in the table.
    Unpublished,
    /// The monitor is silenced until this time.
    Silenced(Timestamp),
    /// The monitor is in maintenance.
    Maintenance,
    /// This monitor is down, which the incident's monitor depends on.
    Dependency(MonitorId),
    /// No location has checked the monitor yet.
    AwaitingLocation,
    /// The incident was not notified when it opened, and the quorum is not met now.
    BelowQuorum,
    /// The monitor is flapping.
    Flapping,
    /// The incident, or one that is notified together with it, is acknowledged.
    Acknowledged,
    /// The next reminder or escalation is due at this time.
    NotYetDue(Timestamp),
    /// The incident was notified, and neither a reminder nor an escalation is configured.
    NoReminders,
}

impl Withheld {
    /// The code in JSON.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unpublished => "unpublished",
            Self::Silenced(_) => "silenced",
            Self::Maintenance => "maintenance",
            Self::Dependency(_) => "dependency",
            Self::AwaitingLocation => "awaiting_location",
            Self::BelowQuorum => "below_quorum",
            Self::Flapping => "flapping",
            Self::Acknowledged => "acknowledged",
            Self::NotYetDue(_) => "not_yet_due",
            Self::NoReminders => "no_reminders",
        }
    }
}

/// The reason for people, as a part of a sentence.
impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |time: &Timestamp| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        match self {
            Self::Unpublished => f.write_str("a notification waits to be published"),
            Self::Silenced(until) => write!(f, "the monitor is silenced until {}", time(until)),
            Self::Maintenance => f.write_str("the monitor is in maintenance"),
            Self::Dependency(parent) => write!(f, "{parent} is down, which the monitor depends on"),
            Self::AwaitingLocation => f.write_str("no location has checked the monitor yet"),
            Self::BelowQuorum => f.write_str("fewer locations than the quorum see the failure now"),
            Self::Flapping => f.write_str("the monitor is flapping: it changes too often"),
            Self::Acknowledged => f.write_str("the incident is acknowledged"),
            Self::NotYetDue(at) => write!(f, "the next reminder or escalation is due at {}", time(at)),
            Self::NoReminders => f.write_str("no reminder is configured"),
        }
    }
}
