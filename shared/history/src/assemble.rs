//! Assembles views from a snapshot. Pure functions; private data is removed from public views here and nowhere else.

mod monitor_history;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portpulse_core::decide::{self, Input};
use portpulse_core::definition::Monitor;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{ClosedIncident, Incident, Notified, Status, Track};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::outbox::Claimant;
use portpulse_core::period::Grain;

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
        for monitor in known.definitions.monitors.values() {
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

/// Assembles one monitor with its incidents; `None` if the id is not defined.
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
        Some((*group, known, monitor))
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
    let mut open: Vec<_> = snapshot
        .groups
        .values()
        .flat_map(|known| &known.group_state.decision.incidents)
        .map(|((monitor, track), incident)| incident_view(monitor, *track, incident, None, audience))
        .collect();
    open.sort_by_key(|incident| Reverse((incident.opened, incident.id.clone())));
    let mut closed: Vec<_> = closed_by_monitor(snapshot)
        .into_values()
        .flatten()
        .map(|closed| {
            incident_view(
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
fn closed_by_monitor(snapshot: &Snapshot) -> BTreeMap<&MonitorId, Vec<&ClosedIncident>> {
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
    monitor: &MonitorId,
    track: Track,
    incident: &Incident,
    closed: Option<&ClosedIncident>,
    audience: Audience,
) -> IncidentView {
    IncidentView {
        id: incident.id(monitor, track),
        status: visible_status(incident.status, audience),
        since: incident.since.timestamp(),
        opened: incident.opened.timestamp(),
        closed: closed.map(|closed| (closed.closed.timestamp(), closed.ending)),
        inside: match audience {
            Audience::Public => None,
            Audience::Private => {
                let (notified, reminders) = match incident.notified {
                    Notified::NotYet => (None, 0),
                    Notified::At { last, reminders, .. } => (Some(last), reminders),
                };
                Some(IncidentInside {
                    finding: incident.finding.clone(),
                    notified,
                    reminders,
                })
            }
        },
    }
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
    let incident = |track| known.group_state.decision.incidents.get(&(id.clone(), track));
    let is_down = incident(Track::Health).is_some();
    let status = status(snapshot, group, known, monitor, now);
    let incident = match status {
        Status::Up => None,
        // Without data it is unknown whether the monitor is still down.
        Status::Unknown => incident(Track::Visibility),
        Status::Degraded | Status::Down | Status::Exposed => {
            incident(Track::Health).or_else(|| incident(Track::Quality))
        }
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
            advisory: !is_down && known.group_state.decision.advisories.contains_key(id),
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
        status: visible_status(status, audience),
        since: incident.map(|incident| incident.since.timestamp()),
        in_maintenance: monitor.alert_policy().in_maintenance(now),
        maintenance: maintenance(monitor, audience, options.upcoming, now),
        uptime: past.uptime(&hours, &days),
        hours,
        days,
        inside,
    }
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
    const NO_MONITORS: &BTreeSet<MonitorId> = &BTreeSet::new();
    let input = Input {
        group,
        definitions: &known.definitions,
        group_state: &known.group_state,
        fleet: Some(&snapshot.fleet),
        fallback_locations: &known.expected,
        controls: &snapshot.controls,
        down_elsewhere: NO_MONITORS,
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
