//! A notification as it goes out: what was decided, completed with what the locations see at that moment.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Input;
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

/// A notification as it goes out: what was decided, with what the locations see at that moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// Its id: the same however often it is sent.
    pub id: String,
    /// What it tells.
    pub kind: Kind,
    /// What it is about.
    pub subject: Subject,
    /// The group it comes from; a test comes from none.
    pub group: Option<GroupId>,
    /// The status that it tells of; for a recovery, the one that is over.
    pub status: Status,
    /// How loudly it is to be told.
    pub severity: Severity,
    /// The severities whose subscribers hear it: its own, and those under which its incident was told before.
    pub audience: BTreeSet<Severity>,
    /// What was found.
    pub finding: Option<Finding>,
    /// Since when it has been so.
    pub since: Timestamp,
    /// When the change happened.
    pub at: Timestamp,
    /// `host:port`, for a monitor that is still defined.
    pub target: Option<String>,
    /// The monitor's tags.
    pub tags: Vec<String>,
    /// The monitor's runbook.
    pub runbook: Option<String>,
    /// What each location that checks the monitor sees.
    pub locations: BTreeMap<Location, LocationView>,
    /// For a broken definition, what is wrong with it.
    pub diagnostics: Vec<String>,
}

/// What one location sees of a monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationView {
    /// How it looks from there.
    pub view: View,
    /// For how many counted ticks.
    pub ticks: u32,
    /// Since which tick, where that is known.
    pub since: Option<Tick>,
    /// What was found there last, if it is bad.
    pub finding: Option<Finding>,
}

crate::choice::choice! {
    /// How a monitor looks from one location.
    View {
        /// As expected.
        Good = "good",
        /// Not as expected.
        Failing = "failing",
        /// It reports, but could not tell.
        NoData = "no_data",
        /// It does not report.
        Silent = "silent",
        /// It sees most monitors failing, alone, and is not counted.
        Suspect = "suspect",
    }
}

impl Notification {
    /// Completes what waits in an outbox with what is known now.
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
        let usual = severity(pending.kind, pending.status, monitor);
        let severity = severity_of(pending, input);
        Self {
            id: pending.id.clone(),
            kind: pending.kind,
            subject: pending.subject.clone(),
            group: Some(input.group),
            status: pending.status,
            severity,
            audience: BTreeSet::from([usual, severity]),
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

    /// A message that tells of nothing, to see whom it reaches: whoever hears of any severity hears it, and where a
    /// monitor is given, whoever hears of that one.
    ///
    /// Its id holds the time: two tests are told apart if they are not of the same moment.
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

/// How loudly what waits in an outbox is told.
pub(super) fn severity_of(pending: &Pending, input: &Input<'_>) -> Severity {
    let monitor = match &pending.subject {
        Subject::Monitor(id) => input.definitions.monitors.get(id),
        Subject::Location(_) | Subject::Definition(_) | Subject::Portpulse => None,
    };
    match pending.urgency {
        Urgency::Usual => severity(pending.kind, pending.status, monitor),
        Urgency::Raised => Severity::Critical,
    }
}

/// Only what is down or exposed is as loud as the monitor asks for, with what follows from it; the rest is told, not
/// paged. So whoever hears of an incident hears of its end.
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

/// The service's own words about this cause, from the open incident or from any location's row.
fn detail(monitor: &Monitor, cause: Cause, input: &Input<'_>) -> Option<Detail> {
    let of = |finding: &Finding| (finding.cause == cause).then(|| finding.detail.clone()).flatten();
    let incidents = input.group_state.status.incidents.iter();
    let mine = incidents
        .filter(|((id, _), _)| id == monitor.id())
        .filter_map(|(_, incident)| incident.finding.as_ref());
    let rows = input
        .group_state
        .rows
        .values()
        .filter_map(|row| match row.entries.get(monitor.id()) {
            Some(Entry::Seen(streaks)) => streaks.finding.as_ref(),
            Some(Entry::NoData { .. }) | None => None,
        });
    mine.chain(rows).find_map(of)
}

/// How a monitor looks now from each of the locations that check it.
pub fn views(monitor: &Monitor, input: &Input<'_>) -> BTreeMap<Location, LocationView> {
    let electorate = Electorate::new(input);
    let suspects = suspects(&input.group_state.status);
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
        let Some(row) = electorate.fresh_row(location) else {
            return plain(View::Silent);
        };
        match row.entries.get(monitor.id()) {
            None => plain(View::Good),
            Some(Entry::NoData { .. }) => plain(View::NoData),
            Some(Entry::Seen(streaks)) => {
                let bad = streaks.health.state == Health::Failing;
                let view = match (suspects.contains(location), streaks.seen < row.tick, bad) {
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
