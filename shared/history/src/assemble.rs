//! Assembles views from a snapshot. Pure functions; private data is removed from public views here and nowhere else.

mod incidents;
pub(crate) mod monitor_history;

use std::collections::BTreeSet;

use jiff::Timestamp;
use portpulse_core::decide::{self, Elsewhere};
use portpulse_core::definition::{About, Monitor};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{ClosedIncident, Stability, Status, Track};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::outbox::Claimant;
use portpulse_core::period::Grain;

pub(crate) use incidents::closed_by_monitor;
pub use incidents::{advisory, all_incidents, incidents, withheld};
use monitor_history::{DetailLevel, MonitorHistory};

use crate::location_kinds::LocationKinds;
use crate::shown_range::first_day;
use crate::snapshot::{GroupSnapshot, Snapshot};
use crate::view::{
    Audience, IncidentsPage, LeftOut, LocationStanding, Maintenance, MonitorInside, MonitorPage, MonitorView,
    Overview, OverviewInside, UpcomingMaintenance,
};

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
        for monitor in defined.filter(|monitor| audience.may_see(monitor)) {
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
        audience.may_see(monitor).then_some((*group, known, monitor))
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

fn lacks_days(known: &GroupSnapshot, now: Timestamp) -> bool {
    known.days.since.is_none_or(|since| since > first_day(now))
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
    let mut status = status(snapshot, group, known, monitor, now);
    // Locations that have not checked the monitor yet vote as if it was nominal.
    if status == Status::Up && past.is_unchecked() {
        status = Status::Unknown;
    }
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
            advisory: advisory(snapshot, group, known, monitor, now),
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
        status: audience.shown(status),
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

fn status(
    snapshot: &Snapshot,
    group: GroupId,
    known: &GroupSnapshot,
    monitor: &Monitor,
    now: Timestamp,
) -> Status {
    let me = Claimant::new("reader");
    decide::status(
        &snapshot.input(group, known, Elsewhere::NOTHING, now, &me),
        monitor,
    )
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
