//! Assembles views from a snapshot. Pure functions; private data is removed from public views here and nowhere else.

pub(crate) mod monitor_history;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portpulse_core::control::Silence;
use portpulse_core::decide::{self, Elsewhere, Explanation, Input};
use portpulse_core::definition::{About, Monitor, Visibility};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{ClosedIncident, Incident, IncidentId, Notified, Stability, Status, Track};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::operator_note::OperatorNote;
use portpulse_core::outbox::Claimant;
use portpulse_core::period::Grain;

use crate::location_kinds::LocationKinds;
use crate::shown_range::first_day;
use crate::snapshot::{GroupSnapshot, Snapshot};
use crate::view::{
    Audience, IncidentInside, IncidentView, IncidentsPage, LeftOut, LocationStanding, Maintenance,
    MonitorInside, MonitorPage, MonitorView, Overview, OverviewInside, UpcomingMaintenance,
};
use monitor_history::{DetailLevel, MonitorHistory};

/// Who sees a view, and how detailed it is.
struct ViewOptions {
    audience: Audience,
    upcoming: UpcomingMaintenance,
    detail_level: DetailLevel,
    now: Timestamp,
}

/// Assembles the overview of all monitors.
pub fn overview(
    snapshot: &Snapshot,
    audience: Audience,
    upcoming: UpcomingMaintenance,
    now: Timestamp,
) -> Overview {
    let options = ViewOptions {
        audience,
        upcoming,
        detail_level: DetailLevel::Overview,
        now,
    };
    let closed = closed_by_monitor(snapshot);
    let mut monitors = Vec::new();
    for (group, known) in &snapshot.groups {
        let defined = known.definitions.monitors.values();
        for monitor in defined.filter(|monitor| is_visible(monitor, audience)) {
            let closed = closed.get(monitor.id()).map_or(&[][..], Vec::as_slice);
            monitors.push(monitor_view(snapshot, *group, known, monitor, closed, &options));
        }
    }
    monitors.sort_by(|one, other| (one.status.rank(), &one.id).cmp(&(other.status.rank(), &other.id)));
    let IncidentsPage {
        open,
        closed,
        left_out,
        ..
    } = incidents(snapshot, audience, now);
    Overview {
        at: now,
        monitors,
        open,
        closed,
        left_out: LeftOut {
            days: snapshot.groups.values().any(|known| lacks_days(known, now)),
            hour: snapshot.groups.values().any(|known| !known.running.is_complete),
            ..left_out
        },
        inside: match audience {
            Audience::Public => None,
            Audience::Private => Some(overview_inside(snapshot)),
        },
    }
}

/// Assembles one monitor with its incidents; `None` if the id is not defined, or not visible to the audience.
pub fn monitor(
    snapshot: &Snapshot,
    id: &MonitorId,
    audience: Audience,
    upcoming: UpcomingMaintenance,
    now: Timestamp,
) -> Option<MonitorPage> {
    let options = ViewOptions {
        audience,
        upcoming,
        detail_level: DetailLevel::MonitorPage,
        now,
    };
    let defined = snapshot.groups.iter().find_map(|(group, known)| {
        let monitor = known.definitions.monitors.get(id)?;
        is_visible(monitor, audience).then_some((*group, known, monitor))
    });
    let (group, known, monitor) = defined?;
    let closed = closed_by_monitor(snapshot);
    let own = closed.get(id).map_or(&[][..], Vec::as_slice);
    let incidents = incidents(snapshot, audience, now);
    let all = incidents.open.into_iter().chain(incidents.closed);
    Some(MonitorPage {
        at: now,
        monitor: monitor_view(snapshot, group, known, monitor, own, &options),
        incidents: all.filter(|incident| incident.id.monitor == *id).collect(),
        left_out: LeftOut {
            days: lacks_days(known, now),
            hour: !known.running.is_complete,
            phases: known.lacks_phases,
            ..incidents.left_out
        },
    })
}

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
        Audience::Public => definition(snapshot, id).is_some_and(|monitor| is_visible(monitor, audience)),
    };
    let mut open: Vec<_> = snapshot
        .groups
        .values()
        .flat_map(|known| &known.group_state.decision.incidents)
        .filter(|((monitor, _), _)| is_shown(monitor))
        .map(|((monitor, track), incident)| {
            incident_view(snapshot, monitor, *track, incident, None, audience)
        })
        .collect();
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
                Some(closed),
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

fn lacks_days(known: &GroupSnapshot, now: Timestamp) -> bool {
    known.days.since.is_none_or(|since| since > first_day(now))
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

fn incident_view(
    snapshot: &Snapshot,
    monitor: &MonitorId,
    track: Track,
    incident: &Incident,
    closed: Option<&ClosedIncident>,
    audience: Audience,
) -> IncidentView {
    let id = incident.id(monitor, track);
    let notes = snapshot.notes.get(&id.to_string()).into_iter().flatten();
    let is_shown =
        |note: &&OperatorNote| audience == Audience::Private || note.visibility == Visibility::Public;
    IncidentView {
        title: definition(snapshot, monitor)
            .and_then(|monitor| monitor.about().name.clone())
            .unwrap_or_else(|| monitor.to_string()),
        notes: notes.filter(is_shown).cloned().collect(),
        status: visible_status(incident.status, audience),
        since: incident.since.timestamp(),
        opened: incident.opened.timestamp(),
        closed: closed.map(|closed| (closed.closed.timestamp(), closed.ending)),
        inside: match audience {
            Audience::Public => None,
            Audience::Private => Some(incident_inside(snapshot, &id, incident, closed)),
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
        diagnosis: Explanation::of(&id.monitor, definition(snapshot, &id.monitor), incident),
        cluster: incident.cluster.clone(),
        finding: incident.finding.clone(),
        cause_changes: incident
            .causes()
            .map(|(at, before, after)| (at.timestamp(), before, after))
            .collect(),
        notified,
        reminders,
        urgency: incident.urgency,
        stability: incident.stability,
        acknowledged: acknowledged
            .and_then(|control| control.acknowledgement.as_ref())
            .map(|acknowledgement| acknowledgement.note.clone()),
        silenced: silence.filter(is_during).cloned(),
        dependencies: match closed {
            Some(_) => BTreeSet::new(),
            None => open_dependencies(snapshot, &id.monitor),
        },
    }
}

fn definition<'a>(snapshot: &'a Snapshot, id: &MonitorId) -> Option<&'a Monitor> {
    let mut groups = snapshot.groups.values();
    groups.find_map(|known| known.definitions.monitors.get(id))
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
        let parents = definition(snapshot, id).map(|monitor| monitor.alert_policy().depends_on.keys());
        for parent in parents.into_iter().flatten() {
            if seen.insert(parent.clone()) {
                left.push(parent);
            }
        }
    }
    seen.into_iter().filter(is_open).collect()
}

fn overview_inside(snapshot: &Snapshot) -> OverviewInside {
    let standing = |location: &Location| {
        let rows = snapshot
            .groups
            .values()
            .filter_map(|known| known.group_state.locations.get(location));
        let problems = snapshot.fleet.problems.iter();
        let problem = problems
            .filter(|((of, _), _)| of == location)
            .map(|((_, what), problem)| (*what, problem.since));
        LocationStanding {
            last: rows.map(|row| row.tick).max(),
            problem: problem.min_by_key(|(_, since)| *since),
        }
    };
    let groups = || snapshot.groups.values();
    let expected = groups().flat_map(|known| &known.expected);
    let broken = groups().flat_map(|known| &known.definitions.broken);
    OverviewInside {
        locations: expected
            .map(|location| (location.clone(), standing(location)))
            .collect(),
        kinds: LocationKinds::of(snapshot),
        broken: broken
            .map(|(id, diagnostics)| (id.clone(), diagnostics.iter().map(ToString::to_string).collect()))
            .collect(),
        unreadable: snapshot.unreadable.clone(),
    }
}

fn monitor_view(
    snapshot: &Snapshot,
    group: GroupId,
    known: &GroupSnapshot,
    monitor: &Monitor,
    closed: &[&ClosedIncident],
    options: &ViewOptions,
) -> MonitorView {
    let (audience, now) = (options.audience, options.now);
    let id = monitor.id();
    let past = MonitorHistory::new(snapshot, group, known, monitor, closed, now);
    let open = |track| known.group_state.decision.incidents.get(&(id.clone(), track));
    let health = open(Track::Health);
    let status = status(snapshot, group, known, monitor, now);
    let incident = match status {
        Status::Up => None,
        // Without data it is unknown whether the monitor is still down.
        Status::Unknown => open(Track::Visibility),
        Status::Degraded | Status::Down | Status::Exposed => health.or_else(|| open(Track::Quality)),
    };
    let hours = past.hours();
    let days = past.days(&hours);
    let inside = match audience {
        Audience::Public => None,
        Audience::Private => Some(Box::new(MonitorInside {
            group,
            definition: monitor.clone(),
            finding: incident.and_then(|incident| incident.finding.clone()),
            // An advisory that became an outage is not shown beside it.
            advisory: health.is_none() && known.group_state.decision.advisories.contains_key(id),
            control: snapshot.controls.get(id).cloned(),
            locations: past.visibilities(options.detail_level),
            hours: past.points(Grain::Hour, None),
            days: match options.detail_level {
                DetailLevel::Overview => Vec::new(),
                DetailLevel::MonitorPage => past.points(Grain::Day, None),
            },
        })),
    };
    MonitorView {
        id: id.clone(),
        about: about(monitor, audience),
        status: visible_status(status, audience),
        since: incident.map(|incident| incident.since.timestamp()),
        is_flapping: health.is_some_and(|health| matches!(health.stability, Stability::Flapping { .. })),
        in_maintenance: monitor.alert_policy().in_maintenance(now),
        maintenance: maintenance(monitor, audience, options.upcoming, now),
        uptime: past.uptime(&hours, &days),
        hours,
        days,
        inside,
    }
}

/// The name, the description and the group as shown to an audience: a description may say what a public page must not.
fn about(monitor: &Monitor, audience: Audience) -> About {
    let about = monitor.about().clone();
    match audience {
        Audience::Public => About {
            description: None,
            ..about
        },
        Audience::Private => about,
    }
}

/// Whether an audience may see a monitor.
pub(crate) fn is_visible(monitor: &Monitor, audience: Audience) -> bool {
    audience == Audience::Private || monitor.about().visibility == Visibility::Public
}

/// The status as shown to an audience. The public sees `down` instead of `exposed`, because a port that is open by
/// mistake invites attackers.
const fn visible_status(status: Status, audience: Audience) -> Status {
    match (audience, status) {
        (Audience::Public, Status::Exposed) => Status::Down,
        (Audience::Public | Audience::Private, status) => status,
    }
}

/// The status that a decision would make now.
fn status(
    snapshot: &Snapshot,
    group: GroupId,
    known: &GroupSnapshot,
    monitor: &Monitor,
    now: Timestamp,
) -> Status {
    let input = Input {
        group,
        definitions: &known.definitions,
        group_state: &known.group_state,
        fleet: Some(&snapshot.fleet),
        fallback_locations: &known.expected,
        controls: &snapshot.controls,
        elsewhere: Elsewhere::NOTHING,
        now,
        me: &Claimant::new("reader"),
    };
    decide::status(&input, monitor)
}

/// The current or next occurrence of each maintenance window of a monitor, earliest first. The public sees upcoming
/// windows only if they are announced.
pub fn maintenance(
    monitor: &Monitor,
    audience: Audience,
    upcoming: UpcomingMaintenance,
    now: Timestamp,
) -> Vec<Maintenance> {
    let windows = monitor.alert_policy().maintenance.iter();
    let next = windows.filter_map(|window| {
        let (from, until) = window.next(now)?;
        match (audience, upcoming) {
            (Audience::Public, UpcomingMaintenance::Withheld) if from > now => return None,
            (Audience::Public, _) | (Audience::Private, _) => {}
        }
        let why = match audience {
            Audience::Public => None,
            Audience::Private => window.why().map(str::to_owned),
        };
        Some(Maintenance { from, until, why })
    });
    let all: BTreeSet<_> = next.collect();
    all.into_iter().collect()
}
