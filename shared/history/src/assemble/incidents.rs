//! Assembles incidents. Pure functions.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portpulse_core::control::Silence;
use portpulse_core::decide::{self, Explanation};
use portpulse_core::definition::{Monitor, Visibility};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{ClosedIncident, Incident, IncidentId, Notified, Track};
use portpulse_core::id::MonitorId;
use portpulse_core::never_notified::NeverNotified;
use portpulse_core::operator_note::OperatorNote;
use portpulse_core::outbox::Claimant;
use portpulse_core::withheld::Withheld;

use crate::shown_range::first_day;
use crate::snapshot::{GroupSnapshot, Snapshot};
use crate::view::{AdvisoryView, Audience, IncidentInside, IncidentView, IncidentsPage, LeftOut};

/// The incidents of all monitors: open ones, and those that closed within the days shown.
pub fn incidents(snapshot: &Snapshot, audience: Audience, now: Timestamp) -> IncidentsPage {
    let first = first_day(now).start();
    let mut page = all_incidents(snapshot, audience, now);
    let is_late = |incident: &IncidentView| incident.closed.is_none_or(|(closed, _)| closed >= first);
    page.closed.retain(is_late);
    page
}

/// The incidents of all monitors, including those that closed before the days shown.
pub fn all_incidents(snapshot: &Snapshot, audience: Audience, now: Timestamp) -> IncidentsPage {
    // The public does not see the incidents of a monitor that was removed or disabled, or whose definition is invalid: whether
    // the monitor is public is unknown.
    let is_shown = |id: &MonitorId| match audience {
        Audience::Private => true,
        Audience::Public => snapshot
            .definition(id)
            .is_some_and(|monitor| audience.may_see(monitor)),
    };
    let mut open = Vec::new();
    for (group, known) in &snapshot.groups {
        let mut reasons = match audience {
            Audience::Public => BTreeMap::new(),
            Audience::Private => withheld(snapshot, *group, known, now),
        };
        let incidents = known.group_state.decision.incidents.iter();
        open.extend(incidents.filter(|((monitor, _), _)| is_shown(monitor)).map(
            |((monitor, track), incident)| {
                let withheld = reasons.remove(&(monitor.clone(), *track));
                incident_view(
                    snapshot,
                    monitor,
                    *track,
                    incident,
                    Progress::Open(withheld),
                    audience,
                )
            },
        ));
    }
    open.sort_by_key(|incident| Reverse((incident.opened, incident.id.clone())));
    let mut closed: Vec<_> = closed_by_monitor(snapshot)
        .into_values()
        .flatten()
        .filter(|closed| is_shown(&closed.monitor))
        .map(|closed| {
            incident_view(
                snapshot,
                &closed.monitor,
                closed.track,
                &closed.incident,
                Progress::Closed(closed),
                audience,
            )
        })
        .collect();
    closed.sort_by_key(|incident| Reverse((incident.opened, incident.id.clone())));
    IncidentsPage {
        at: now,
        open,
        closed,
        left_out: LeftOut {
            days: false,
            hour: false,
            phases: false,
            incidents: !snapshot.all_closed,
        },
    }
}

/// Closed incidents by monitor, without duplicates, including those not yet filed.
pub(crate) fn closed_by_monitor(snapshot: &Snapshot) -> BTreeMap<&MonitorId, Vec<&ClosedIncident>> {
    let unfiled = snapshot
        .groups
        .values()
        .flat_map(|known| &known.group_state.decision.closed);
    let all: BTreeMap<_, _> = unfiled
        .chain(&snapshot.closed)
        .map(|closed| (closed.key(), closed))
        .collect();
    let mut by_monitor: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for closed in all.into_values() {
        by_monitor.entry(&closed.monitor).or_default().push(closed);
    }
    by_monitor
}

/// Why nothing is notified now about the open incidents of a group. Missing are those that the next check notifies.
pub fn withheld(
    snapshot: &Snapshot,
    group: GroupId,
    known: &GroupSnapshot,
    now: Timestamp,
) -> BTreeMap<(MonitorId, Track), Withheld> {
    let incidents = &known.group_state.decision.incidents;
    if incidents.is_empty() {
        return BTreeMap::new();
    }
    let (elsewhere, me) = (snapshot.elsewhere(group), Claimant::new("reader"));
    let input = snapshot.input(group, known, &elsewhere, now, &me);
    let withheld = incidents.keys().filter_map(|(id, track)| {
        let monitor = known.definitions.monitors.get(id)?;
        let withheld = decide::withheld(&input, monitor, *track)?;
        Some(((id.clone(), *track), withheld))
    });
    withheld.collect()
}

/// The open advisory of a monitor; `None` if its incident is open too.
pub fn advisory(
    snapshot: &Snapshot,
    group: GroupId,
    known: &GroupSnapshot,
    monitor: &Monitor,
    now: Timestamp,
) -> Option<AdvisoryView> {
    let decision = &known.group_state.decision;
    let advisory = decision.advisories.get(monitor.id())?;
    // An advisory can still exist after its incident has opened.
    if decision
        .incidents
        .contains_key(&(monitor.id().clone(), Track::Health))
    {
        return None;
    }
    let (elsewhere, me) = (snapshot.elsewhere(group), Claimant::new("reader"));
    let input = snapshot.input(group, known, &elsewhere, now, &me);
    Some(AdvisoryView {
        is_notified: advisory.notified != Notified::NotYet,
        withheld: decide::withheld_advisory(&input, monitor),
    })
}

/// Whether an incident is open.
enum Progress<'a> {
    /// Open, with the reason why nothing is notified now.
    Open(Option<Withheld>),
    Closed(&'a ClosedIncident),
}

fn incident_view(
    snapshot: &Snapshot,
    monitor: &MonitorId,
    track: Track,
    incident: &Incident,
    progress: Progress<'_>,
    audience: Audience,
) -> IncidentView {
    let (closed, withheld) = match progress {
        Progress::Open(withheld) => (None, withheld),
        Progress::Closed(closed) => (Some(closed), None),
    };
    let id = incident.id(monitor, track);
    let notes = snapshot.notes.get(&id.to_string()).into_iter().flatten();
    let is_shown =
        |note: &&OperatorNote| audience == Audience::Private || note.visibility == Visibility::Public;
    IncidentView {
        title: snapshot
            .definition(monitor)
            .and_then(|monitor| monitor.about().name.clone())
            .unwrap_or_else(|| monitor.to_string()),
        notes: notes.filter(is_shown).cloned().collect(),
        status: audience.shown(incident.status),
        since: incident.since.timestamp(),
        opened: incident.opened.timestamp(),
        closed: closed.map(|closed| (closed.closed.timestamp(), closed.ending)),
        inside: match audience {
            Audience::Public => None,
            Audience::Private => Some(IncidentInside {
                withheld,
                ..incident_inside(snapshot, &id, incident, closed)
            }),
        },
        id,
    }
}

fn incident_inside(
    snapshot: &Snapshot,
    id: &IncidentId,
    incident: &Incident,
    closed: Option<&ClosedIncident>,
) -> IncidentInside {
    let (notified, reminders) = match incident.notified {
        Notified::NotYet => (None, 0),
        Notified::At {
            first,
            last,
            reminders,
        } => (Some((first, last)), reminders),
    };
    let control = snapshot.controls.get(&id.monitor);
    let acknowledged = control.filter(|control| control.has_acknowledged(id));
    let silence = control.and_then(|control| control.silence.as_ref());
    let is_during = |silence: &&Silence| {
        let at = silence.note.at();
        at >= incident.since.timestamp() && closed.is_none_or(|closed| at < closed.closed.timestamp())
    };
    IncidentInside {
        diagnosis: Explanation::of(&id.monitor, snapshot.definition(&id.monitor), incident),
        cluster: incident.cluster.clone(),
        finding: incident.finding.clone(),
        cause_changes: incident
            .causes()
            .map(|(at, before, after)| (at.timestamp(), before, after))
            .collect(),
        notified,
        reminders,
        withheld: None,
        urgency: incident.urgency,
        stability: incident.stability,
        acknowledged: acknowledged
            .and_then(|control| control.acknowledgement.as_ref())
            .map(|acknowledgement| acknowledgement.note.clone()),
        never_notified: closed
            .and_then(|closed| NeverNotified::of(closed, snapshot.definition(&id.monitor), control)),
        silenced: silence.filter(is_during).cloned(),
        dependencies: match closed {
            Some(_) => BTreeSet::new(),
            None => open_dependencies(snapshot, &id.monitor),
        },
    }
}

/// The monitors that a monitor depends on, at any depth, and that have an open incident.
fn open_dependencies(snapshot: &Snapshot, id: &MonitorId) -> BTreeSet<MonitorId> {
    let is_open = |id: &MonitorId| {
        let incidents = snapshot
            .groups
            .values()
            .map(|known| &known.group_state.decision.incidents);
        incidents
            .into_iter()
            .any(|incidents| incidents.contains_key(&(id.clone(), Track::Health)))
    };
    let (mut seen, mut left) = (BTreeSet::new(), vec![id]);
    while let Some(id) = left.pop() {
        let parents = snapshot
            .definition(id)
            .map(|monitor| monitor.alert_policy().depends_on.keys());
        for parent in parents.into_iter().flatten() {
            if seen.insert(parent.clone()) {
                left.push(parent);
            }
        }
    }
    seen.into_iter().filter(is_open).collect()
}
