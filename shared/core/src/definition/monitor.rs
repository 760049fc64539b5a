//! A monitor: a definition that has passed every rule.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use crate::choice::{Expect, Severity};
use crate::group::GroupId;
use crate::id::{Location, MonitorId};
use crate::maintenance::Window;
use crate::target::{Service, Target};
use crate::time::Interval;

/// One host and port to watch, with how and how often. Only validation makes one.
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
    /// Its id.
    pub fn id(&self) -> &MonitorId {
        &self.id
    }

    /// The service it was said to be, if any.
    pub fn service(&self) -> Option<Service> {
        self.service
    }

    /// Whether it is checked at all.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// What a check is aimed at.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// How outcomes become a status.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// How a status is told.
    pub fn alert_policy(&self) -> &AlertPolicy {
        &self.alert_policy
    }
}

/// How a monitor's outcomes become its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// How often it is checked.
    pub interval: Interval,
    /// What a healthy one looks like.
    pub expect: Expect,
    /// The connect time above which a tick counts as slow.
    pub slow_after: Option<Duration>,
    /// Consecutive failing ticks, 1 to 10, that make a location's vote.
    pub failures_to_open: u32,
    /// Consecutive good ticks, 1 to 10, that end it.
    pub successes_to_close: u32,
    /// How many locations must agree.
    pub quorum: Quorum,
    /// Which locations check it.
    pub locations: LocationSelector,
}

/// How many failing locations open an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quorum {
    /// More than half of the locations that vote.
    Majority,
    /// This many, at least 1.
    AtLeast(u32),
}

/// Which locations check a monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocationSelector {
    /// All of them.
    Everywhere,
    /// These alone.
    Only(BTreeSet<Location>),
}

impl LocationSelector {
    /// Whether `location` is one of them.
    pub fn includes(&self, location: &Location) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Only(locations) => locations.contains(location),
        }
    }
}

/// How a monitor's incidents are told.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertPolicy {
    /// How loudly.
    pub severity: Severity,
    /// Words to filter and group by.
    pub tags: Vec<String>,
    /// A link to what to do about it.
    pub runbook: Option<String>,
    /// Monitors whose outage explains this one's, with the group of each; `None` where it is not known yet.
    pub depends_on: BTreeMap<MonitorId, Option<GroupId>>,
    /// How often an open incident is told again; never if absent.
    pub remind_every: Option<Duration>,
    /// After how long an open incident is told as critical, once; never if absent.
    pub escalate_after: Option<Duration>,
    /// More changes than this within an hour are told as flapping; never if absent.
    pub flapping_after: Option<NonZeroU32>,
    /// When its notifications are held back.
    pub maintenance: Vec<Window>,
}

impl AlertPolicy {
    /// Whether a maintenance window covers `now`.
    pub fn in_maintenance(&self, now: jiff::Timestamp) -> bool {
        self.maintenance.iter().any(|window| window.covers(now))
    }
}
