//! Notifications: pending changes, completed with the current view of the locations.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::input::Input;
use super::locations::suspects;
use super::votes::Electorate;
use crate::choice::Severity;
use crate::definition::Monitor;
use crate::group::GroupId;
use crate::group_state::{Cause, Entry, Finding, Health, Status, Urgency};
use crate::id::Location;
use crate::outbox::{Kind, Pending, Subject};
use crate::outcome::Detail;
use crate::time::Tick;

/// A notification: a decided change, with the current view of the locations.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// The id, identical for repeated sends of the same notification.
    pub id: String,
    /// The kind of change.
    pub kind: Kind,
    /// The subject.
    pub subject: Subject,
    /// The group of the monitor; `None` for a test.
    pub group: Option<GroupId>,
    /// The status; for a recovery, the status that has ended.
    pub status: Status,
    /// The severity.
    pub severity: Severity,
    /// The severities whose subscribers receive the notification: the current one, and those under which the incident
    /// was notified before.
    pub audience: BTreeSet<Severity>,
    /// The finding.
    pub finding: Option<Finding>,
    /// The start of the condition.
    pub since: Timestamp,
    /// The time of the change.
    pub at: Timestamp,
    /// `host:port`, if the monitor is still defined.
    pub target: Option<String>,
    /// The monitor's tags.
    pub tags: Vec<String>,
    /// The monitor's runbook.
    pub runbook: Option<String>,
    /// The view of each location that checks the monitor.
    pub locations: BTreeMap<Location, LocationView>,
    /// For an invalid definition, its diagnostics.
    pub diagnostics: Vec<String>,
}

/// The view of one location on a monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationView {
    /// The state of the monitor in this location.
    pub view: View,
    /// The number of consecutive counted ticks in this state.
    pub ticks: u32,
    /// The first of those ticks, if known.
    pub since: Option<Tick>,
    /// The last finding, unless the monitor is good.
    pub finding: Option<Finding>,
}

crate::choice::choice! {
    /// The state of a monitor as seen from one location.
    View {
        /// The monitor is as expected.
        Good = "good",
        /// The monitor is not as expected.
        Failing = "failing",
        /// The location reports, but could not tell.
        NoData = "no_data",
        /// The location does not report.
        Silent = "silent",
        /// The location alone sees most monitors failing, and does not count.
        Suspect = "suspect",
    }
}

impl Notification {
    /// Completes a pending notification with the current state.
    pub fn compose(pending: &Pending, input: &Input<'_>) -> Self {
        let monitor = match &pending.subject {
            Subject::Monitor(id) => input.definitions.monitors.get(id),
            Subject::Location(_) | Subject::Definition(_) | Subject::Portpulse => None,
        };
        let diagnostics = match &pending.subject {
            Subject::Definition(id) => input.definitions.broken.get(id),
            Subject::Location(_) | Subject::Monitor(_) | Subject::Portpulse => None,
        };
        let finding = pending.cause.map(|cause| Finding {
            cause,
            detail: monitor.and_then(|m| detail(m, cause, input)),
        });
        let default = severity(pending.kind, pending.status, monitor);
        let severity = severity_of(pending, input);
        Self {
            id: pending.id.clone(),
            kind: pending.kind,
            subject: pending.subject.clone(),
            group: Some(input.group),
            status: pending.status,
            severity,
            audience: BTreeSet::from([default, severity]),
            finding,
            since: pending.since,
            at: pending.at,
            target: monitor.map(|monitor| monitor.target().to_string()),
            tags: monitor
                .map(|monitor| monitor.alert_policy().tags.clone())
                .unwrap_or_default(),
            runbook: monitor.and_then(|monitor| monitor.alert_policy().runbook.clone()),
            locations: monitor.map(|monitor| views(monitor, input)).unwrap_or_default(),
            diagnostics: diagnostics
                .into_iter()
                .flatten()
                .map(ToString::to_string)
                .collect(),
        }
    }

    /// A test message. Every subscriber receives it, regardless of severity; with a monitor, only subscribers that
    /// match the monitor.
    ///
    /// The id contains the time, so that tests at different times are distinct.
    pub fn test(monitor: Option<&Monitor>, now: Timestamp) -> Self {
        let subject = monitor.map_or(Subject::Portpulse, |monitor| {
            Subject::Monitor(monitor.id().clone())
        });
        Self {
            id: format!("{subject}@{now}/{}", Kind::Test),
            kind: Kind::Test,
            subject,
            group: None,
            status: Status::Up,
            severity: Severity::Info,
            audience: Severity::ALL.iter().copied().collect(),
            finding: None,
            since: now,
            at: now,
            target: monitor.map(|monitor| monitor.target().to_string()),
            tags: monitor
                .map(|monitor| monitor.alert_policy().tags.clone())
                .unwrap_or_default(),
            runbook: monitor.and_then(|monitor| monitor.alert_policy().runbook.clone()),
            locations: BTreeMap::new(),
            diagnostics: Vec::new(),
        }
    }
}

/// The severity of a pending notification.
pub(super) fn severity_of(pending: &Pending, input: &Input<'_>) -> Severity {
    let monitor = match &pending.subject {
        Subject::Monitor(id) => input.definitions.monitors.get(id),
        Subject::Location(_) | Subject::Definition(_) | Subject::Portpulse => None,
    };
    match pending.urgency {
        Urgency::Normal => severity(pending.kind, pending.status, monitor),
        Urgency::Escalated => Severity::Critical,
    }
}

/// Only `down` and `exposed`, and their follow-ups, have the severity of the monitor; other notifications are at most
/// warnings. A follow-up has the severity of its incident, so that it reaches the same subscribers.
fn severity(kind: Kind, status: Status, monitor: Option<&Monitor>) -> Severity {
    let own = monitor.map_or(Severity::Warning, |monitor| monitor.alert_policy().severity);
    match (kind, status) {
        (Kind::Down | Kind::Exposed, _)
        | (
            Kind::Recovered | Kind::Reminder | Kind::Flapping | Kind::Escalated,
            Status::Down | Status::Exposed | Status::Up,
        ) => own,
        (
            Kind::Recovered | Kind::Reminder | Kind::Flapping | Kind::Escalated,
            Status::Degraded | Status::Unknown,
        )
        | (
            Kind::Degraded
            | Kind::CertificateExpiring
            | Kind::Unknown
            | Kind::BrokenDefinition
            | Kind::LocationSilent
            | Kind::LocationBack
            | Kind::LocationSuspect
            | Kind::LocationTrusted,
            _,
        ) => own.max(Severity::Warning),
        (Kind::Advisory | Kind::AdvisoryOver | Kind::Test, _) => Severity::Info,
    }
}

/// The detail of this cause, from the open incident or from any location state.
fn detail(monitor: &Monitor, cause: Cause, input: &Input<'_>) -> Option<Detail> {
    let of = |finding: &Finding| (finding.cause == cause).then(|| finding.detail.clone()).flatten();
    let incidents = input.group_state.decision.incidents.iter();
    let mine = incidents
        .filter(|((id, _), _)| id == monitor.id())
        .filter_map(|(_, incident)| incident.finding.as_ref());
    let states =
        input
            .group_state
            .locations
            .values()
            .filter_map(|state| match state.entries.get(monitor.id()) {
                Some(Entry::Seen(streaks)) => streaks.finding.as_ref(),
                Some(Entry::NoData { .. }) | None => None,
            });
    mine.chain(states).find_map(of)
}

/// The current view of each location that checks the monitor.
pub fn views(monitor: &Monitor, input: &Input<'_>) -> BTreeMap<Location, LocationView> {
    let electorate = Electorate::new(input);
    let suspects = suspects(&input.group_state.decision);
    let locations = input
        .expected()
        .iter()
        .filter(|location| monitor.rule().locations.includes(location));
    let plain = |view| LocationView {
        view,
        ticks: 0,
        since: None,
        finding: None,
    };
    let view = |location: &Location| {
        let Some(state) = electorate.fresh_state(location) else {
            return plain(View::Silent);
        };
        match state.entries.get(monitor.id()) {
            None => plain(View::Good),
            Some(Entry::NoData { .. }) => plain(View::NoData),
            Some(Entry::Seen(streaks)) => {
                let bad = streaks.health.state == Health::Failing;
                let view = match (suspects.contains(location), streaks.seen < state.tick, bad) {
                    (true, _, _) => View::Suspect,
                    (_, true, _) => View::NoData,
                    (_, _, true) => View::Failing,
                    (_, _, false) => View::Good,
                };
                let (ticks, since) = (streaks.health.ticks, Some(streaks.health.since));
                LocationView {
                    view,
                    ticks,
                    since,
                    finding: streaks.finding.clone().filter(|_| view != View::Good),
                }
            }
        }
    };
    locations
        .map(|location| (location.clone(), view(location)))
        .collect()
}
