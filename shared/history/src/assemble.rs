//! From what was read to what is shown: pure, and the one place where what is not for the public is left out.

mod past;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portpulse_core::board::{ClosedIncident, Incident, RegionRow, Told, Track, Verdict};
use portpulse_core::decide::{self, Input};
use portpulse_core::definition::Monitor;
use portpulse_core::group::GroupId;
use portpulse_core::id::{MonitorId, Region};
use portpulse_core::outbox::Claimant;
use portpulse_core::period::{Grain, Period};

use crate::read::DAYS;
use crate::snapshot::{GroupSnapshot, Snapshot};
use crate::view::{
    Ahead, Audience, IncidentInside, IncidentView, IncidentsPage, LeftOut, Maintenance, MonitorInside,
    MonitorPage, MonitorView, Overview, OverviewInside, RegionStanding,
};
use past::Past;

/// What is shown, and to whom.
struct Shown {
    audience: Audience,
    ahead: Ahead,
    extent: Extent,
    now: Timestamp,
}

/// How much of a monitor's past is shown to those within: of a thousand at once all of it would take 100 MB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// What an overview has room for.
    Glance,
    /// All of it.
    Page,
}

/// All monitors at a glance.
pub fn overview(snapshot: &Snapshot, audience: Audience, ahead: Ahead, now: Timestamp) -> Overview {
    let shown = Shown {
        audience,
        ahead,
        extent: Extent::Glance,
        now,
    };
    let closed = closed_by_monitor(snapshot);
    let mut monitors = Vec::new();
    for (group, known) in &snapshot.groups {
        for monitor in known.definitions.monitors.values() {
            let closed = closed.get(monitor.id()).map_or(&[][..], Vec::as_slice);
            monitors.push(monitor_view(snapshot, *group, known, monitor, closed, &shown));
        }
    }
    monitors.sort_by(|one, other| (one.verdict.rank(), &one.id).cmp(&(other.verdict.rank(), &other.id)));
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
            hour: snapshot.groups.values().any(|known| !known.running.whole),
            ..left_out
        },
        inside: match audience {
            Audience::Public => None,
            Audience::Private => Some(overview_inside(snapshot)),
        },
    }
}

/// One monitor with its incidents; `None` if none of that id is defined.
pub fn monitor(
    snapshot: &Snapshot,
    id: &MonitorId,
    audience: Audience,
    ahead: Ahead,
    now: Timestamp,
) -> Option<MonitorPage> {
    let shown = Shown {
        audience,
        ahead,
        extent: Extent::Page,
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
        monitor: monitor_view(snapshot, group, known, monitor, own, &shown),
        incidents: all.filter(|incident| incident.id.monitor == *id).collect(),
        left_out: LeftOut {
            days: lacks_days(known, now),
            hour: !known.running.whole,
            phases: known.lacks_phases,
            ..incidents.left_out
        },
    })
}

/// The incidents of all monitors: those that are open, and those that closed within the days that are shown.
pub fn incidents(snapshot: &Snapshot, audience: Audience, now: Timestamp) -> IncidentsPage {
    let first = first_day(now).start();
    let mut page = all_incidents(snapshot, audience, now);
    let is_late = |incident: &IncidentView| incident.closed.is_none_or(|(closed, _)| closed >= first);
    page.closed.retain(is_late);
    page
}

/// The incidents of all monitors, however long ago they closed.
pub fn all_incidents(snapshot: &Snapshot, audience: Audience, now: Timestamp) -> IncidentsPage {
    let mut open: Vec<_> = snapshot
        .groups
        .values()
        .flat_map(|known| &known.board.verdict.incidents)
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

/// The first of the days that are shown.
pub(crate) fn first_day(now: Timestamp) -> Period {
    Period::containing(now, Grain::Day).later(1 - DAYS)
}

fn lacks_days(known: &GroupSnapshot, now: Timestamp) -> bool {
    known.days.since.is_none_or(|since| since > first_day(now))
}

/// Closed incidents of each monitor, those not yet filed among them, each once.
fn closed_by_monitor(snapshot: &Snapshot) -> BTreeMap<&MonitorId, Vec<&ClosedIncident>> {
    let unfiled = snapshot
        .groups
        .values()
        .flat_map(|known| &known.board.verdict.closed);
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
        verdict: told(incident.verdict, audience),
        since: incident.since.timestamp(),
        opened: incident.opened.timestamp(),
        closed: closed.map(|closed| (closed.closed.timestamp(), closed.ending)),
        inside: match audience {
            Audience::Public => None,
            Audience::Private => {
                let (told, reminders) = match incident.told {
                    Told::NotYet => (None, 0),
                    Told::At { last, reminders, .. } => (Some(last), reminders),
                };
                Some(IncidentInside {
                    finding: incident.finding.clone(),
                    told,
                    reminders,
                })
            }
        },
    }
}

fn overview_inside(snapshot: &Snapshot) -> OverviewInside {
    let standing = |region: &Region| {
        let rows = snapshot
            .groups
            .values()
            .filter_map(|known| known.board.rows.get(region));
        let troubles = snapshot.fleet.troubles.iter();
        let trouble = troubles
            .filter(|((of, _), _)| of == region)
            .map(|((_, what), trouble)| (*what, trouble.since));
        RegionStanding {
            last: rows.map(|row| row.tick).max(),
            trouble: trouble.min_by_key(|(_, since)| *since),
        }
    };
    let groups = || snapshot.groups.values();
    let expected = groups().flat_map(|known| &known.expected);
    let broken = groups().flat_map(|known| &known.definitions.broken);
    OverviewInside {
        regions: expected
            .map(|region| (region.clone(), standing(region)))
            .collect(),
        broken: broken
            .map(|(id, faults)| (id.clone(), faults.iter().map(ToString::to_string).collect()))
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
    shown: &Shown,
) -> MonitorView {
    let (audience, now) = (shown.audience, shown.now);
    let id = monitor.id();
    let past = Past::new(snapshot, group, known, monitor, closed, now);
    let incident = |track| known.board.verdict.incidents.get(&(id.clone(), track));
    let is_down = incident(Track::Health).is_some();
    let verdict = verdict(snapshot, group, known, monitor, now);
    let incident = match verdict {
        Verdict::Up => None,
        // That it was down is no longer known.
        Verdict::Unknown => incident(Track::Sight),
        Verdict::Degraded | Verdict::Down | Verdict::Exposed => {
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
            // What became an outage is no longer a difference between regions.
            advisory: !is_down && known.board.verdict.advisories.contains_key(id),
            control: snapshot.controls.get(id).cloned(),
            regions: past.sights(shown.extent),
            hours: past.points(Grain::Hour, None),
            days: match shown.extent {
                Extent::Glance => Vec::new(),
                Extent::Page => past.points(Grain::Day, None),
            },
        })),
    };
    MonitorView {
        id: id.clone(),
        verdict: told(verdict, audience),
        since: incident.map(|incident| incident.since.timestamp()),
        in_maintenance: monitor.telling().in_maintenance(now),
        maintenance: maintenance(monitor, audience, shown.ahead, now),
        uptime: past.uptime(&hours, &days),
        hours,
        days,
        inside,
    }
}

/// The verdict as an audience is told it. That a port is open which should be closed invites whoever reads it to come in.
const fn told(verdict: Verdict, audience: Audience) -> Verdict {
    match (audience, verdict) {
        (Audience::Public, Verdict::Exposed) => Verdict::Down,
        (Audience::Public | Audience::Private, verdict) => verdict,
    }
}

/// The verdict as a decision would have it now.
fn verdict(
    snapshot: &Snapshot,
    group: GroupId,
    known: &GroupSnapshot,
    monitor: &Monitor,
    now: Timestamp,
) -> Verdict {
    const NOBODY: &BTreeSet<MonitorId> = &BTreeSet::new();
    let input = Input {
        group,
        definitions: &known.definitions,
        board: &known.board,
        fleet: Some(&snapshot.fleet),
        otherwise: &known.expected,
        controls: &snapshot.controls,
        down_elsewhere: NOBODY,
        now,
        me: &Claimant::new("reader"),
    };
    decide::verdict(&input, monitor)
}

/// Of each of a monitor's maintenance windows the time that is on now or next, the earliest first.
/// The public is told of what is ahead only where that is announced.
pub fn maintenance(monitor: &Monitor, audience: Audience, ahead: Ahead, now: Timestamp) -> Vec<Maintenance> {
    let windows = monitor.telling().maintenance.iter();
    let next = windows.filter_map(|window| {
        let (from, until) = window.next(now)?;
        match (audience, ahead) {
            (Audience::Public, Ahead::Withheld) if from > now => return None,
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

fn is_fresh(row: &RegionRow, group: GroupId, now: Timestamp) -> bool {
    row.tick.age(now) <= group.interval.freshness()
}
