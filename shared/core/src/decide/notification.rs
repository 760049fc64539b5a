//! Notifications: pending changes, completed with the current view of the locations.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::ancestors::down_ancestor;
use super::evidence::{FaultOf, Surroundings};
use super::input::Input;
use super::location_view::{LocationView, views};
use super::locations::suspects;
use super::notify::FOR_GOOD;
use super::votes::Electorate;
use crate::choice::Severity;
use crate::definition::Monitor;
use crate::diagnosis::Diagnosis;
use crate::group::GroupId;
use crate::group_state::{Cause, Entry, Finding, Incident, Status, Track, Urgency};
use crate::id::{Location, MonitorId};
use crate::outbox::{Kind, Pending, Subject};
use crate::outcome::Detail;
use crate::page_url::PageUrl;
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
    /// The group in which the monitor is checked; `None` for a test.
    pub check_group: Option<GroupId>,
    /// The label by which pages fold the monitor.
    pub group: Option<String>,
    /// The status; for a recovery, the status that has ended.
    pub status: Status,
    /// The severity.
    pub severity: Severity,
    /// The severities whose subscribers receive the notification: the current one, and those under which the incident
    /// was notified before.
    pub audience: BTreeSet<Severity>,
    /// The finding.
    pub finding: Option<Finding>,
    /// The layer of the fault, with its evidence in one sentence.
    pub diagnosis: Option<Explanation>,
    /// The start of the condition.
    pub since: Timestamp,
    /// The time of the change.
    pub at: Timestamp,
    /// The affected monitors, as far as they are known: the one named by the subject first. Several if they have a common
    /// cause; none if the subject is not a monitor.
    pub monitors: Vec<AffectedMonitor>,
    /// The number of affected monitors.
    pub monitor_count: u32,
    /// `host:port`, if the monitor is still defined.
    pub target: Option<String>,
    /// The monitor's tags.
    pub tags: Vec<String>,
    /// The monitor's runbook.
    pub runbook: Option<String>,
    /// The address of the monitor's page, or of the status page if the subject is not a monitor; `None` without a status page.
    pub page: Option<String>,
    /// The view of each location that checks the monitor.
    pub locations: BTreeMap<Location, LocationView>,
    /// For an invalid definition, its diagnostics.
    pub diagnostics: Vec<String>,
}

/// A monitor that a notification is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AffectedMonitor {
    /// The id.
    pub id: MonitorId,
    /// The name for people, if one is configured.
    pub name: Option<String>,
    /// `host:port`, if the monitor is still defined.
    pub target: Option<String>,
    /// The last cause of its incident; `None` without an incident.
    pub cause: Option<Cause>,
}

impl AffectedMonitor {
    fn new(id: MonitorId, monitor: Option<&Monitor>, cause: Option<Cause>) -> Self {
        Self {
            id,
            name: monitor.and_then(|monitor| monitor.about().name.clone()),
            target: monitor.map(|monitor| monitor.target().to_string()),
            cause,
        }
    }
}

/// A diagnosis, explained for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The diagnosis.
    pub diagnosis: Diagnosis,
    /// The diagnosis in one sentence.
    pub sentence: String,
}

impl Explanation {
    /// The diagnosis of an incident; `None` if it has none. The sentence names host and port if the monitor is still defined.
    pub fn of(id: &MonitorId, monitor: Option<&Monitor>, incident: &Incident) -> Option<Self> {
        let diagnosis = incident.diagnosis.clone()?;
        let cause = incident.finding.as_ref().map(|finding| finding.cause);
        let sentence = diagnosis.sentence(id, monitor.map(Monitor::target), cause);
        Some(Self { diagnosis, sentence })
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
        let affected = affected(pending, input);
        let defined = |id: &MonitorId| input.definitions.monitors.get(id);
        // The end is notified to all to whom the beginning was.
        let definitions = affected.iter().map(|(id, _)| *id).chain(&pending.members);
        let definitions = definitions.filter_map(defined);
        let severity = severity_of(pending, input);
        let mut audience: BTreeSet<_> = definitions
            .clone()
            .map(|monitor| self::severity(pending.kind, pending.status, Some(monitor)))
            .collect();
        audience.extend([severity, self::severity(pending.kind, pending.status, monitor)]);
        let mut tags: Vec<String> = Vec::new();
        for tag in definitions.flat_map(|monitor| &monitor.alert_policy().tags) {
            if !tags.contains(tag) {
                tags.push(tag.clone());
            }
        }
        let monitor_count = u32::try_from(affected.len()).unwrap_or(u32::MAX);
        Self {
            id: pending.id.clone(),
            kind: pending.kind,
            subject: pending.subject.clone(),
            check_group: Some(input.group),
            group: monitor.and_then(|monitor| monitor.about().group.clone()),
            status: pending.status,
            severity,
            audience,
            diagnosis: monitor.and_then(|monitor| explanation(pending, monitor, input)),
            finding,
            since: pending.since,
            at: pending.at,
            monitor_count: if affected.is_empty() {
                0
            } else {
                pending.monitors.max(monitor_count)
            },
            monitors: affected
                .into_iter()
                .map(|(id, cause)| AffectedMonitor::new(id.clone(), defined(id), cause))
                .collect(),
            target: monitor.map(|monitor| monitor.target().to_string()),
            tags,
            runbook: monitor.and_then(|monitor| monitor.alert_policy().runbook.clone()),
            page: None,
            locations: monitor.map(|monitor| views(monitor, input)).unwrap_or_default(),
            diagnostics: diagnostics
                .into_iter()
                .flatten()
                .map(ToString::to_string)
                .collect(),
        }
    }

    /// The notification with a link to the status page, if there is one.
    #[must_use]
    pub fn with_page(self, page: Option<&PageUrl>) -> Self {
        let link = page.map(|page| match &self.subject {
            Subject::Monitor(id) => page.of_monitor(id),
            Subject::Location(_) | Subject::Definition(_) | Subject::Portpulse => page.to_string(),
        });
        Self { page: link, ..self }
    }

    /// A test message. Every subscriber receives it, regardless of severity; with a monitor, only subscribers that
    /// match the monitor.
    ///
    /// The id contains the time, so that tests at different times are distinct.
    pub fn test(monitor: Option<&Monitor>, now: Timestamp) -> Self {
        let subject = monitor.map_or(Subject::Portpulse, |monitor| {
            Subject::Monitor(monitor.id().clone())
        });
        let monitors: Vec<_> = monitor
            .map(|monitor| AffectedMonitor::new(monitor.id().clone(), Some(monitor), None))
            .into_iter()
            .collect();
        Self {
            id: format!("{subject}@{now}/{}", Kind::Test),
            monitor_count: u32::from(!monitors.is_empty()),
            monitors,
            kind: Kind::Test,
            subject,
            check_group: None,
            group: monitor.and_then(|monitor| monitor.about().group.clone()),
            status: Status::Up,
            severity: Severity::Info,
            audience: Severity::ALL.iter().copied().collect(),
            finding: None,
            diagnosis: None,
            since: now,
            at: now,
            target: monitor.map(|monitor| monitor.target().to_string()),
            tags: monitor
                .map(|monitor| monitor.alert_policy().tags.clone())
                .unwrap_or_default(),
            runbook: monitor.and_then(|monitor| monitor.alert_policy().runbook.clone()),
            page: None,
            locations: BTreeMap::new(),
            diagnostics: Vec::new(),
        }
    }
}

/// The monitors that a notification is about, with the causes of their incidents: the named one, then the others of its
/// cluster or advisory as far as they are known.
fn affected<'a>(pending: &'a Pending, input: &'a Input<'_>) -> Vec<(&'a MonitorId, Option<Cause>)> {
    let Subject::Monitor(named) = &pending.subject else {
        return Vec::new();
    };
    let (about, word) = pending.id.rsplit_once('/').unwrap_or_default();
    let decision = &input.group_state.decision;
    let cause = |incident: &Incident| incident.finding.as_ref().map(|finding| finding.cause);
    let open = decision.incidents.iter();
    let open = open.filter(|(_, incident)| is_member_of(incident, about));
    let open = open.map(|((id, _), incident)| (id, cause(incident)));
    let closed = decision
        .closed
        .iter()
        .filter(|closed| is_member_of(&closed.incident, about))
        .map(|closed| (&closed.monitor, cause(&closed.incident)));
    let advisories = decision.advisories.iter();
    let advisories = advisories
        .filter(|(id, advisory)| advisory.first.is_some() && advisory.id(id) == about)
        .map(|(id, _)| (id, None));
    // A monitor that failed again is not among those that recovered.
    let is_bad = |of: &MonitorId| {
        let mut keys = decision.incidents.keys();
        keys.any(|(id, track)| id == of && *track != Track::Quality)
    };
    let ended = pending
        .members
        .iter()
        .filter(|of| !is_bad(of))
        .map(|id| (id, None));
    let mut members: BTreeMap<_, _> = match Scope::of(pending, word) {
        Scope::Named => BTreeMap::new(),
        Scope::Open => open.collect(),
        Scope::Ended => {
            let closed = closed.filter(|(id, _)| !is_bad(id));
            ended.chain(closed).collect()
        }
        Scope::All => advisories.chain(closed).chain(open).collect(),
    };
    let own = members.remove(named).flatten().or(pending.cause);
    [(named, own)].into_iter().chain(members).collect()
}

/// Which monitors of a cluster or advisory a notification is about.
enum Scope {
    /// Only the named one: several incidents of a cluster can flap, each by itself.
    Named,
    /// Those that are still bad.
    Open,
    /// Those that are good again.
    Ended,
    /// All.
    All,
}

impl Scope {
    fn of(pending: &Pending, word: &str) -> Self {
        match (pending.kind, pending.status) {
            (Kind::Flapping, _) => Self::Named,
            (Kind::Reminder | Kind::Escalated, _) => Self::Open,
            (Kind::Recovered, _) | (Kind::AdvisoryOver, Status::Up) => Self::Ended,
            (Kind::AdvisoryOver, _) => Self::Named,
            _ if word.contains(FOR_GOOD) => Self::Named,
            _ => Self::All,
        }
    }
}

/// Whether an incident belongs to the cluster with this id.
fn is_member_of(incident: &Incident, about: &str) -> bool {
    let cluster = incident.cluster.as_ref();
    cluster.is_some_and(|cluster| cluster.to_string() == about)
}

/// The diagnosis of the incident that a notification is about. An advisory is diagnosed now.
fn explanation<'a>(pending: &Pending, monitor: &'a Monitor, input: &Input<'a>) -> Option<Explanation> {
    let decision = &input.group_state.decision;
    let about = pending.id.rsplit_once('/').map_or("", |(about, _)| about);
    let open = decision.incidents.iter();
    let open = open.map(|((of, track), incident)| (of, *track, incident));
    let closed = decision.closed.iter();
    let closed = closed.map(|closed| (&closed.monitor, closed.track, &closed.incident));
    let all = open.chain(closed);
    let is_own =
        |(of, track, incident): &(&MonitorId, Track, &Incident)| incident.id(of, *track).to_string() == about;
    let is_member = |(_, _, incident): &(&MonitorId, Track, &Incident)| is_member_of(incident, about);
    let is_named = |of: &(&MonitorId, Track, &Incident)| of.0 == monitor.id() && is_member(of);
    // Without its first incident, a cluster has the diagnosis of another one.
    let found = all.clone().find(is_named).or_else(|| all.clone().find(is_own));
    let found = found.or_else(|| all.clone().find(is_member));
    let (id, diagnosis) = match found {
        Some((of, _, incident)) => (of, incident.diagnosis.clone()?),
        None if pending.kind == Kind::Advisory => (monitor.id(), diagnose_now(pending, monitor, input)),
        None => return None,
    };
    let target = input.definitions.monitors.get(id).map(Monitor::target);
    let sentence = diagnosis.sentence(id, target, pending.cause);
    Some(Explanation { diagnosis, sentence })
}

/// The diagnosis of a failure without an incident.
fn diagnose_now<'a>(pending: &Pending, monitor: &'a Monitor, input: &Input<'a>) -> Diagnosis {
    let decision = &input.group_state.decision;
    let mut electorate = Electorate::new(input);
    electorate.suspects = suspects(decision);
    let fault = FaultOf {
        monitor,
        track: Track::Health,
        status: Status::Down,
        cause: pending.cause,
        since: Tick::containing(pending.since, monitor.rule().interval),
    };
    let parent = down_ancestor(input, decision, monitor.id());
    Surroundings::new(input, &electorate).diagnose(&fault, parent)
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
pub(super) fn severity(kind: Kind, status: Status, monitor: Option<&Monitor>) -> Severity {
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
            | Kind::LocationTrusted
            | Kind::HomeUnreachable
            | Kind::HomeReachable,
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
