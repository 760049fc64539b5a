//! Monitors: valid definitions.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use crate::choice::{Expect, Severity};
use crate::group::GroupId;
use crate::id::{Location, MonitorId};
use crate::maintenance::Window;
use crate::service::Service;
use crate::target::Target;
use crate::time::Interval;

/// One monitored host and port. Created only by validation.
#[derive(Debug, Clone, PartialEq)]
pub struct Monitor {
    pub(super) id: MonitorId,
    pub(super) service: Option<Service>,
    pub(super) enabled: bool,
    pub(super) target: Target,
    pub(super) rule: Rule,
    pub(super) alert_policy: AlertPolicy,
}

impl Monitor {
    /// The id.
    pub fn id(&self) -> &MonitorId {
        &self.id
    }

    /// The configured service, if any.
    pub fn service(&self) -> Option<Service> {
        self.service
    }

    /// Whether the monitor is checked.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// The target of the checks.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The rule that turns outcomes into a status.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// The alert policy.
    pub fn alert_policy(&self) -> &AlertPolicy {
        &self.alert_policy
    }
}

/// The rule that turns the outcomes of a monitor into its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The interval between checks.
    pub interval: Interval,
    /// The expected state.
    pub expect: Expect,
    /// The connect time above which a check counts as slow.
    pub slow_after: Option<Duration>,
    /// Consecutive failures, 1 to 10, that count as a location's vote.
    pub failures_to_open: u32,
    /// Consecutive good checks, 1 to 10, that close an incident.
    pub successes_to_close: u32,
    /// The number of locations that must agree.
    pub quorum: Quorum,
    /// The locations that check the monitor.
    pub locations: LocationSelector,
}

/// The number of failing locations that opens an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quorum {
    /// More than half of the locations that vote.
    Majority,
    /// A fixed number, at least 1.
    AtLeast(u32),
}

/// Selects the locations that check a monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocationSelector {
    /// All locations.
    Everywhere,
    /// Only these locations.
    Only(BTreeSet<Location>),
}

impl LocationSelector {
    /// Whether `location` is selected.
    pub fn includes(&self, location: &Location) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Only(locations) => locations.contains(location),
        }
    }
}

/// When and how loudly a monitor's incidents are notified.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertPolicy {
    /// The severity of notifications.
    pub severity: Severity,
    /// Tags to filter and group by.
    pub tags: Vec<String>,
    /// The URL of the runbook.
    pub runbook: Option<String>,
    /// Monitors whose outage explains an outage of this one, with their groups; `None` if a group is not known yet.
    pub depends_on: BTreeMap<MonitorId, Option<GroupId>>,
    /// The period of reminders of an open incident; `None` disables reminders.
    pub remind_every: Option<Duration>,
    /// The time after which an open incident is escalated to critical, once; `None` disables escalation.
    pub escalate_after: Option<Duration>,
    /// The maximum number of changes within an hour before the monitor is flapping; `None` disables flapping detection.
    pub flapping_after: Option<NonZeroU32>,
    /// The maintenance windows.
    pub maintenance: Vec<Window>,
}

impl AlertPolicy {
    /// Whether a maintenance window covers `now`.
    pub fn in_maintenance(&self, now: jiff::Timestamp) -> bool {
        self.maintenance.iter().any(|window| window.covers(now))
    }
}
