//! From what was read to what is shown: pure, and the one place where what is not for the public is left out.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portpulse_core::board::{
    ClosedIncident, Entry, Health, Impairment, Incident, RegionRow, Told, Track, Verdict,
};
use portpulse_core::connect_times::ConnectTimes;
use portpulse_core::definition::Monitor;
use portpulse_core::group::GroupId;
use portpulse_core::id::{MonitorId, Region};
use portpulse_core::period::{Grain, Period};
use portpulse_core::rollup::Tally;
use portpulse_core::time::Tick;
use portpulse_core::uptime::{Outages, Watched};

use crate::read::{DAYS, HOURS};
use crate::snapshot::{GroupSnapshot, Snapshot};
use crate::view::{
    Audience, Bar, Connect, IncidentInside, IncidentView, IncidentsPage, LeftOut, MonitorInside, MonitorPage,
    MonitorView, Overview, OverviewInside, Point, RegionSight, RegionStanding, SightState, Uptime,
};

/// All monitors at a glance.
pub fn overview(snapshot: &Snapshot, audience: Audience, now: Timestamp) -> Overview {
    let closed = closed_by_monitor(snapshot);
    let mut monitors = Vec::new();
    for (group, known) in &snapshot.groups {
        for monitor in known.definitions.monitors.values() {
            let closed = closed.get(monitor.id()).map_or(&[][..], Vec::as_slice);
            monitors.push(monitor_view(
                snapshot, *group, known, monitor, closed, audience, now,
            ));
        }
    }
    monitors.sort_by(|one, other| (rank(one.verdict), &one.id).cmp(&(rank(other.verdict), &other.id)));
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
    now: Timestamp,
) -> Option<MonitorPage> {
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
        monitor: monitor_view(snapshot, group, known, monitor, own, audience, now),
        incidents: all.filter(|incident| incident.id.monitor == *id).collect(),
        left_out: LeftOut {
            days: lacks_days(known, now),
            ..incidents.left_out
        },
    })
}

/// The incidents of all monitors.
pub fn incidents(snapshot: &Snapshot, audience: Audience, now: Timestamp) -> IncidentsPage {
    let mut open: Vec<_> = snapshot
        .groups
        .values()
        .flat_map(|known| &known.board.verdict.incidents)
        .map(|((monitor, track), incident)| incident_view(monitor, *track, incident, None, audience))
        .collect();
    open.sort_by_key(|incident| Reverse((incident.opened, incident.id.clone())));
    let first = first_day(now).start();
    let mut closed: Vec<_> = closed_by_monitor(snapshot)
        .into_values()
        .flatten()
        .filter(|closed| closed.closed.timestamp() >= first)
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
            incidents: !snapshot.all_closed,
        },
    }
}

fn first_day(now: Timestamp) -> Period {
    Period::containing(now, Grain::Day).later(1 - DAYS)
}

fn lacks_days(known: &GroupSnapshot, now: Timestamp) -> bool {
    known.days.since.is_none_or(|since| since > first_day(now))
}

/// What is bad comes first.
const fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Exposed => 0,
        Verdict::Down => 1,
        Verdict::Degraded => 2,
        Verdict::Unknown => 3,
        Verdict::Up => 4,
    }
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
        verdict: incident.verdict,
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
    let broken = snapshot
        .groups
        .values()
        .flat_map(|known| &known.definitions.broken);
    OverviewInside {
        regions: snapshot
            .expected
            .iter()
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
    audience: Audience,
    now: Timestamp,
) -> MonitorView {
    let id = monitor.id();
    let past = Past::new(snapshot, group, known, monitor, closed, now);
    let incident = |track| known.board.verdict.incidents.get(&(id.clone(), track));
    let fresh = past.regions.iter().any(|region| {
        let row = known.board.rows.get(*region);
        row.is_some_and(|row| is_fresh(row, group, now))
    });
    let tracks = [Track::Sight, Track::Health, Track::Quality];
    let incident = tracks.into_iter().find_map(incident);
    let (verdict, since) = match incident {
        // Nobody can tell: that it was down is no longer known.
        _ if !fresh => (Verdict::Unknown, incident.map(|incident| incident.since)),
        Some(incident) => (incident.verdict, Some(incident.since)),
        None => (Verdict::Up, None),
    };
    let (hours, days) = (past.hours(), past.days());
    let inside = match audience {
        Audience::Public => None,
        Audience::Private => Some(Box::new(MonitorInside {
            group,
            definition: monitor.clone(),
            finding: incident.and_then(|incident| incident.finding.clone()),
            advisory: known.board.verdict.advisories.contains_key(id),
            control: snapshot.controls.get(id).cloned(),
            regions: past.sights(),
            hours: past.points(Grain::Hour, None),
            days: past.points(Grain::Day, None),
        })),
    };
    MonitorView {
        id: id.clone(),
        verdict,
        since: since.map(Tick::timestamp),
        in_maintenance: monitor.telling().in_maintenance(now),
        uptime: past.uptime(&hours, &days),
        hours,
        days,
        inside,
    }
}

fn is_fresh(row: &RegionRow, group: GroupId, now: Timestamp) -> bool {
    row.tick.age(now) <= group.interval.freshness()
}

/// One monitor's past.
struct Past<'a> {
    snapshot: &'a Snapshot,
    group: GroupId,
    known: &'a GroupSnapshot,
    monitor: &'a Monitor,
    /// The expected regions that check it.
    regions: BTreeSet<&'a Region>,
    outages: Outages,
    now: Timestamp,
}

impl<'a> Past<'a> {
    fn new(
        snapshot: &'a Snapshot,
        group: GroupId,
        known: &'a GroupSnapshot,
        monitor: &'a Monitor,
        closed: &[&ClosedIncident],
        now: Timestamp,
    ) -> Self {
        let incidents = known.board.verdict.incidents.iter();
        let open = incidents.filter(|((of, _), _)| of == monitor.id());
        let outages = Outages::of(
            closed.iter().copied(),
            open.map(|((_, track), incident)| (*track, incident)),
            now,
        );
        let checks = |region: &&Region| monitor.rule().regions.includes(region);
        Self {
            snapshot,
            group,
            known,
            monitor,
            regions: snapshot.expected.iter().filter(checks).collect(),
            outages,
            now,
        }
    }

    /// The periods that are shown, the earliest first.
    fn periods(&self, grain: Grain) -> impl Iterator<Item = Period> + use<> {
        let running = Period::containing(self.now, grain);
        let count = match grain {
            Grain::Hour => HOURS,
            Grain::Day => DAYS,
        };
        (0..count).rev().map(move |back| running.later(-back))
    }

    /// What each region saw over a period, removed regions included. A day that is not summed up yet is what its hours
    /// say.
    fn tallies(&self, period: Period) -> BTreeMap<&'a Region, Tally> {
        let id = self.monitor.id();
        let of = |rollups: &'a BTreeMap<Period, BTreeMap<Region, _>>, period| {
            let regions = rollups.get(&period).into_iter().flatten();
            regions.filter_map(|(region, rollup): (&'a Region, &'a BTreeMap<MonitorId, Tally>)| {
                Some((region, rollup.get(id)?.clone()))
            })
        };
        match period.grain() {
            Grain::Hour => of(&self.known.hours.rollups, period).collect(),
            Grain::Day => {
                let mut sums: BTreeMap<&Region, Tally> = BTreeMap::new();
                for (region, tally) in period
                    .hours()
                    .flat_map(|hour| of(&self.known.hours.rollups, hour))
                {
                    sums.entry(region).or_default().add(&tally);
                }
                sums.extend(of(&self.known.days.rollups, period));
                sums
            }
        }
    }

    fn hours(&self) -> Vec<Bar> {
        let since = self.known.hours.since;
        let hours = self.periods(Grain::Hour).map(|period| {
            let tallies = self.tallies(period);
            let running = self.seconds_not_summed_up(period, &tallies);
            let seen = tallies
                .values()
                .map(|tally| tally.observed_seconds(self.group.interval));
            let most = seen.chain([running]).max().unwrap_or(0);
            let watched = match since {
                Some(since) if period >= since => self.outages.watched_for(period, self.now, most),
                Some(_) | None => Watched::default(),
            };
            Bar { period, watched }
        });
        hours.collect()
    }

    /// The seconds of the hour of a region's last tick, up to that: it is summed up only when it is over.
    fn seconds_not_summed_up(&self, hour: Period, summed: &BTreeMap<&Region, Tally>) -> i64 {
        let rows = self
            .regions
            .iter()
            .filter(|region| !summed.contains_key(**region));
        let rows = rows.filter_map(|region| self.known.board.rows.get(*region));
        let seen = rows.filter_map(|row| match row.entries.get(self.monitor.id()) {
            None => Some(row.tick),
            Some(Entry::Unseen { .. }) => None,
            Some(Entry::Seen(streaks)) => Some(streaks.seen),
        });
        let seen = seen.filter(|tick| Period::of(*tick, Grain::Hour) == hour);
        let seconds = seen.map(|tick| tick.later(self.group.interval, 1).as_second() - hour.first_second());
        seconds.max().unwrap_or(0)
    }

    fn days(&self) -> Vec<Bar> {
        let today = Period::containing(self.now, Grain::Day);
        let days = self.periods(Grain::Day).map(|period| {
            let watched = if period == today {
                let hours = self.hours().into_iter().filter(|bar| bar.period.day() == today);
                hours.fold(Watched::default(), |sum, bar| sum.and(bar.watched))
            } else if self.known.days.since.is_some_and(|since| period >= since) {
                let tallies = self.tallies(period);
                self.outages
                    .watched(period, self.now, self.group.interval, tallies.values())
            } else {
                Watched::default()
            };
            Bar { period, watched }
        });
        days.collect()
    }

    /// No figure is told over time of which rollups or incidents were left unread.
    fn uptime(&self, hours: &[Bar], days: &[Bar]) -> Uptime {
        let sum = |bars: &[Bar], count: usize, since: Option<Period>| {
            let bars = bars.get(bars.len().saturating_sub(count)..)?;
            let first = bars.first()?.period;
            if since? > first || !self.snapshot.all_closed {
                return None;
            }
            Some(
                bars.iter()
                    .fold(Watched::default(), |sum, bar| sum.and(bar.watched)),
            )
        };
        let of_days = |count| {
            sum(
                days,
                count,
                self.known.days.since.filter(|_| self.known.hours.since.is_some()),
            )
        };
        Uptime {
            day: sum(hours, hours.len(), self.known.hours.since),
            week: of_days(7),
            month: of_days(30),
            quarter: of_days(days.len()),
        }
    }

    /// Checks and connect times, of one region or of all together.
    fn points(&self, grain: Grain, region: Option<&Region>) -> Vec<Point> {
        let points = self.periods(grain).map(|period| {
            let mut sum = Tally::default();
            for (of, tally) in self.tallies(period) {
                if region.is_none_or(|region| region == of) {
                    sum.add(&tally);
                }
            }
            Point {
                period,
                good: sum.good,
                failing: sum.failures(),
                no_data: sum.no_data,
                connect: connect(&sum.connect),
            }
        });
        points.collect()
    }

    fn sights(&self) -> BTreeMap<Region, RegionSight> {
        let sights = self.regions.iter().map(|region| {
            let row = self.known.board.rows.get(*region);
            let row = row.filter(|row| is_fresh(row, self.group, self.now));
            let entry = row.and_then(|row| row.entries.get(self.monitor.id()));
            let (state, since, seen, finding) = match (row, entry) {
                (None, _) => (SightState::Silent, None, None, None),
                (Some(row), None) => (SightState::Good, None, Some(row.tick), None),
                (Some(_), Some(Entry::Unseen { since })) => (SightState::NoData, Some(*since), None, None),
                (Some(row), Some(Entry::Seen(streaks))) => {
                    let impaired = streaks
                        .quality
                        .filter(|streak| streak.state == Impairment::Impaired);
                    let (state, since) = match (streaks.health.state, impaired) {
                        _ if streaks.seen < row.tick => (SightState::NoData, None),
                        (Health::Failing, _) => (SightState::Failing, Some(streaks.health.since)),
                        (Health::Good, Some(streak)) => (SightState::Impaired, Some(streak.since)),
                        (Health::Good, None) => (SightState::Good, None),
                    };
                    (state, since, Some(streaks.seen), streaks.finding.clone())
                }
            };
            let sight = RegionSight {
                state,
                since,
                seen,
                finding,
                hours: self.points(Grain::Hour, Some(region)),
                days: self.points(Grain::Day, Some(region)),
            };
            ((*region).clone(), sight)
        });
        sights.collect()
    }
}

fn connect(times: &ConnectTimes) -> Option<Connect> {
    Some(Connect {
        p50: times.percentile(50)?,
        p95: times.percentile(95)?,
        max: times.max()?,
    })
}
