//! Monitors: valid definitions.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use crate::choice::{Expect, Severity, Tier};
use crate::group::GroupId;
use crate::id::{Location, MonitorId};
use crate::maintenance::Window;
use crate::retry::RetryPolicy;
use crate::service::Service;
use crate::target::Target;
use crate::time::Interval;
use crate::uptime::Objective;

/// One monitored host and port. Created only by validation.
#[derive(Debug, Clone, PartialEq)]
pub struct Monitor {
    pub(super) id: MonitorId,
    pub(super) about: About,
    pub(super) tier: Option<Tier>,
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

    /// The name for people; the id if none is configured.
    pub fn title(&self) -> &str {
        self.about.name.as_deref().unwrap_or(self.id.as_str())
    }

    /// How the monitor is shown.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The configured tier, if any.
    pub fn tier(&self) -> Option<Tier> {
        self.tier
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

    /// Whether the monitor names this location among those that check it.
    pub fn names(&self, location: &Location) -> bool {
        match &self.rule.locations {
            LocationSelector::AllExcept(_) => false,
            LocationSelector::Only(locations) => locations.contains(location),
        }
    }

    /// Excludes agents, which check only monitors that name them.
    pub(crate) fn exclude_agents(&mut self, agents: &BTreeSet<Location>) {
        match &mut self.rule.locations {
            LocationSelector::AllExcept(excluded) => excluded.clone_from(agents),
            LocationSelector::Only(_) => {}
        }
    }
}

/// How a monitor is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The name for people, 1 to 100 characters.
    pub name: Option<String>,
    /// What the monitor is for, 1 to 500 characters on one line.
    pub description: Option<String>,
    /// The label by which pages fold monitors, 1 to 64 characters.
    pub group: Option<String>,
    /// Who may see the monitor.
    pub visibility: Visibility,
    /// The uptime that reports compare the monitor with.
    pub objective: Option<Objective>,
}

/// Who may see a monitor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody who may read the page.
    #[default]
    Public,
    /// Only readers who may see the inside of the page.
    Internal,
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
    /// The response time, all phases together, above which a check counts as slow.
    pub slower_than: Option<Duration>,
    /// How often a failed check is made again within its tick.
    pub retry: RetryPolicy,
    /// Consecutive failures, 1 to 10, that count as a location's vote.
    pub failures_to_open: u32,
    /// Consecutive good checks, 1 to 10, that close an incident.
    pub successes_to_close: u32,
    /// The number of locations that must agree.
    pub quorum: Quorum,
    /// The locations that check the monitor.
    pub locations: LocationSelector,
}

impl Rule {
    /// The number of consecutive slow or impaired checks that count as a location's vote. Such checks are not retried, so a
    /// monitor with retries needs at least two of them: one slow answer is no incident.
    pub fn impairments_to_open(&self) -> u32 {
        if self.retry.count > 0 {
            self.failures_to_open.max(2)
        } else {
            self.failures_to_open
        }
    }
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
    /// All locations except these, which are agents: the default. A definition names no exceptions;
    /// [`Definitions::exclude_agents`](crate::round::Definitions::exclude_agents) adds the agents of its group.
    AllExcept(BTreeSet<Location>),
    /// Only these locations.
    Only(BTreeSet<Location>),
}

impl LocationSelector {
    /// Whether `location` is selected.
    pub fn includes(&self, location: &Location) -> bool {
        match self {
            Self::AllExcept(agents) => !agents.contains(location),
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
