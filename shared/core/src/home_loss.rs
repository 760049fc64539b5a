//! The loss of the home region, as locations record it in the standby region: who cannot reach home since when, and one
//! notification for all of them.
//!
//! Nothing is decided here about monitors: a location says what it sees of them, and opens no incident.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::assess::{Assessment, assess};
use crate::choice::Severity;
use crate::decide::Notification;
use crate::definition::Monitor;
use crate::group::GroupId;
use crate::id::{Location, MonitorId};
use crate::incident::{Status, Urgency};
use crate::outbox::{Claimant, Kind, Outbox, Pending, Subject};
use crate::outcome::Outcome;
use crate::round::Definitions;
use crate::time::{Interval, Tick};

/// The number of consecutive ticks after which a location says that it cannot reach home.
pub const TICKS_UNTIL_LOST: u32 = 3;
/// A location that cannot reach home so long after the last notification is notified too: perhaps the first one had a fault of its own.
const NOTIFY_OTHERS_AFTER: Duration = Duration::from_secs(600);

/// Consecutive ticks of a group at which a location could not reach home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HomeFailures {
    /// The first of the ticks.
    pub first: Tick,
    /// The last of the ticks.
    pub latest: Tick,
    /// The number of ticks.
    pub ticks: u32,
}

impl HomeFailures {
    /// Counts a tick. A repeated tick changes nothing. After a gap, a tick of which was perhaps counted at home, counting starts again.
    #[must_use]
    pub fn count(before: Option<Self>, tick: Tick, interval: Interval) -> Self {
        match before {
            Some(before) if before.latest >= tick => before,
            Some(before) if before.latest.later(interval, 1) >= tick => Self {
                latest: tick,
                ticks: before.ticks.saturating_add(1),
                ..before
            },
            Some(_) | None => Self {
                first: tick,
                latest: tick,
                ticks: 1,
            },
        }
    }

    /// Whether the location has failed to reach home for so long that people are notified.
    pub fn is_loss(&self) -> bool {
        self.ticks >= TICKS_UNTIL_LOST
    }
}

/// Why a location that has read home also reads the standby table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandbyRead {
    /// So many ticks are missing that the location may have recorded the loss of home, which is over.
    AfterMissingTicks,
    /// A new hour has begun: a notification may be left whose publisher was lost.
    Hourly,
}

impl StandbyRead {
    /// The reason at `tick`; `None` for most ticks. `before` is the tick counted before; `None` for the first one.
    pub fn at(before: Option<Tick>, tick: Tick, interval: Interval) -> Option<Self> {
        let Some(before) = before else {
            return Some(Self::AfterMissingTicks);
        };
        let hour = |tick: Tick| tick.as_second().div_euclid(3600);
        if before.later(interval, TICKS_UNTIL_LOST) < tick {
            Some(Self::AfterMissingTicks)
        } else if hour(before) < hour(tick) {
            Some(Self::Hourly)
        } else {
            None
        }
    }
}

/// The loss of home, as all locations record it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HomeLoss {
    /// The number of writes; 0 if nothing is stored.
    pub revision: u64,
    /// The revision at which the loss began; identifies the loss.
    pub began: u64,
    /// The locations that cannot reach home, and their first failed ticks. Empty while home is not lost.
    pub locations: BTreeMap<Location, Timestamp>,
    /// The time of the last notification of the loss.
    pub notified: Option<Timestamp>,
    /// Notifications that are not confirmed as published.
    pub outbox: Outbox,
}

impl HomeLoss {
    /// The next state after `location` could not reach home since `since`, or `None` if it would not change. The first location is
    /// notified, and later ones after ten minutes.
    pub fn unreachable(
        &self,
        location: &Location,
        since: Timestamp,
        now: Timestamp,
        me: &Claimant,
    ) -> Option<Self> {
        let mut next = self.next();
        if next.locations.is_empty() {
            next.began = next.revision;
            next.notified = None;
        }
        let is_new = next.locations.insert(location.clone(), since).is_none();
        let is_due = next.notified.is_none_or(|at| age(at, now) >= NOTIFY_OTHERS_AFTER);
        if is_new && is_due {
            next.notified = Some(now);
            next.push(Kind::HomeUnreachable, location, since, now);
        }
        next.outbox.claim(me, now, usize::MAX);
        next.changed_from(self)
    }

    /// The next state after `location` reached home, or `None` if it would not change. The first location that returns ends the loss; one that
    /// still cannot reach home is notified again.
    pub fn reachable(
        &self,
        location: &Location,
        read: StandbyRead,
        now: Timestamp,
        me: &Claimant,
    ) -> Option<Self> {
        let mut next = self.next();
        let since = next.locations.values().min().copied();
        if let Some(since) = since.filter(|_| read == StandbyRead::AfterMissingTicks) {
            next.push(Kind::HomeReachable, location, since, now);
            next.locations.clear();
            next.notified = None;
        }
        next.outbox.claim(me, now, usize::MAX);
        next.changed_from(self)
    }

    /// The next state after these notifications were published, without the other claims of `me`; `None` if it would not change.
    pub fn acknowledge_published(&self, me: &Claimant, published: &BTreeSet<String>) -> Option<Self> {
        let mut next = self.next();
        next.outbox.acknowledge_published(me, published);
        next.changed_from(self)
    }

    fn next(&self) -> Self {
        Self {
            revision: self.revision + 1,
            ..self.clone()
        }
    }

    fn changed_from(self, before: &Self) -> Option<Self> {
        let same = Self {
            revision: before.revision,
            began: before.began,
            ..self.clone()
        };
        (same != *before).then_some(self)
    }

    fn push(&mut self, kind: Kind, location: &Location, since: Timestamp, at: Timestamp) {
        // One incident for a pager; its parts differ by location and revision.
        let id = if kind == Kind::HomeReachable {
            format!("home.{}/{kind}", self.began)
        } else {
            format!("home.{}/{kind}.{location}.{}", self.began, self.revision)
        };
        self.outbox.push(Pending {
            id,
            kind,
            subject: Subject::Portpulse,
            status: Status::Unknown,
            cause: None,
            urgency: Urgency::Normal,
            monitors: 0,
            members: BTreeSet::new(),
            since,
            at,
            claim: None,
        });
    }
}

fn age(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(at)).unwrap_or_default()
}

/// The checks that a location makes of its own monitors while it cannot reach home.
#[derive(Debug, Clone, PartialEq)]
pub enum OwnChecks {
    /// Each monitor was checked once, without retries.
    Made(BTreeMap<MonitorId, Outcome>),
    /// No monitor was checked, for this reason, such as "no time was left".
    NotMade(&'static str),
}

/// A notification of the loss of home or of its end, with the checks that `location` made of its monitors in `group`.
pub fn notification(
    pending: &Pending,
    location: &Location,
    group: GroupId,
    definitions: &Definitions,
    checks: &OwnChecks,
) -> Notification {
    let (mut lines, mut severity) = (Vec::new(), Severity::Warning);
    match (pending.kind, checks) {
        (Kind::HomeReachable, _) => {}
        (_, OwnChecks::NotMade(why)) => {
            lines.push(format!("from {location}, whose monitors were not checked: {why}"));
        }
        (_, OwnChecks::Made(outcomes)) => {
            let of = |assessment| monitors_with(assessment, definitions, outcomes);
            let (failing, unclear) = (of(Assessment::Failing), of(Assessment::NoData));
            lines.push(format!(
                "from {location}, checked once: {} of {} monitors fail, {} could not be checked",
                failing.len(),
                outcomes.len(),
                unclear.len()
            ));
            if !definitions.broken.is_empty() {
                let count = definitions.broken.len();
                lines.push(format!(
                    "invalid definitions, whose monitors are not checked: {count}"
                ));
            }
            let failing_lines = failing
                .iter()
                .map(|monitor| format!("{} ({}) fails", monitor.id(), monitor.target()));
            lines.extend(failing_lines);
            // The most severe is the first choice.
            let severities = failing.iter().map(|monitor| monitor.alert_policy().severity);
            severity = severities.fold(severity, Severity::min);
        }
    }
    Notification {
        id: pending.id.clone(),
        kind: pending.kind,
        subject: pending.subject.clone(),
        check_group: Some(group),
        group: None,
        status: pending.status,
        severity,
        audience: BTreeSet::from([severity]),
        finding: None,
        diagnosis: None,
        since: pending.since,
        at: pending.at,
        monitors: Vec::new(),
        monitor_count: 0,
        target: None,
        tags: Vec::new(),
        runbook: None,
        page: None,
        locations: BTreeMap::new(),
        diagnostics: lines,
    }
}

/// The monitors whose outcome has this assessment, ordered by id.
fn monitors_with<'a>(
    assessment: Assessment,
    definitions: &'a Definitions,
    outcomes: &BTreeMap<MonitorId, Outcome>,
) -> Vec<&'a Monitor> {
    let monitors = outcomes
        .iter()
        .filter_map(|(id, outcome)| Some((definitions.monitors.get(id)?, outcome)));
    monitors
        .filter(|(monitor, outcome)| assess(monitor.rule().expect, outcome) == assessment)
        .map(|(monitor, _)| monitor)
        .collect()
}

#[cfg(test)]
mod tests;
