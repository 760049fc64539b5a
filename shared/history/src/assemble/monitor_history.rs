//! The history of one monitor: uptime bars, uptime, phase times and the results by location.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portpulse_core::banners::Banner;
use portpulse_core::definition::Monitor;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{ClosedIncident, Entry, Health, Impairment, LocationState};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::period::{Grain, Period};
use portpulse_core::rollup::Tally;
use portpulse_core::uptime::{CheckedSeconds, ObservedTime, Outages};

use crate::packed::{CheckCounts, PackedRollup};
use crate::shown_range::{CHECKS, DAYS, HOURS, first_day};
use crate::snapshot::{GroupSnapshot, Snapshot};
use crate::view::{Bar, LocationVisibility, Percentiles, Point, Slot, Uptime, VisibilityState};

/// How much of a monitor's history a private view contains. The full history of 1,000 monitors would take 100 MB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DetailLevel {
    /// Only the history by hour, without single locations.
    Overview,
    /// The full history.
    MonitorPage,
}

/// The history of one monitor.
pub(super) struct MonitorHistory<'a> {
    snapshot: &'a Snapshot,
    group: GroupId,
    known: &'a GroupSnapshot,
    monitor: &'a Monitor,
    /// The expected locations that check the monitor.
    locations: BTreeSet<&'a Location>,
    outages: Outages,
    now: Timestamp,
    /// The checks of the hours shown, earliest first, including removed locations.
    hours: Vec<PeriodChecks<'a>>,
    /// The checks of the days shown, earliest first.
    days: Vec<PeriodChecks<'a>>,
}

/// A period with the checks of each location.
type PeriodChecks<'a> = (Period, BTreeMap<&'a Location, CheckCounts>);

impl<'a> MonitorHistory<'a> {
    pub(super) fn new(
        snapshot: &'a Snapshot,
        group: GroupId,
        known: &'a GroupSnapshot,
        monitor: &'a Monitor,
        closed: &[&ClosedIncident],
        now: Timestamp,
    ) -> Self {
        let incidents = known.group_state.decision.incidents.iter();
        let open = incidents.filter(|((of, _), _)| of == monitor.id());
        let outages = Outages::of(
            closed.iter().copied(),
            open.map(|((_, track), incident)| (*track, incident)),
            now,
        );
        let windows = monitor.alert_policy().maintenance.iter();
        let outages = outages.except(windows.flat_map(|window| window.within(first_day(now).start(), now)));
        let checks = |location: &&Location| monitor.rule().locations.includes(location);
        let hours = hours(known, monitor.id(), now);
        Self {
            snapshot,
            group,
            known,
            monitor,
            locations: known.expected.iter().filter(checks).collect(),
            outages,
            now,
            days: days(known, monitor.id(), &hours, now),
            hours,
        }
    }

    pub(super) fn hours(&self) -> Vec<Bar> {
        let since = self.known.hours.since;
        let hours = self.hours.iter().map(|(period, seen)| {
            let period = *period;
            let checked = self.checked(seen);
            let checked = CheckedSeconds {
                observed: checked.observed.max(self.seconds_not_summed_up(period)),
                ..checked
            };
            let watched = match since {
                Some(since) if period >= since => self.outages.observed_for(period, self.now, checked),
                Some(_) | None => ObservedTime::default(),
            };
            Bar { period, watched }
        });
        hours.collect()
    }

    /// The time of the checks of a period.
    fn checked(&self, seen: &BTreeMap<&Location, CheckCounts>) -> CheckedSeconds {
        let checks = seen.values().map(|checks| (checks.good, checks.failing));
        CheckedSeconds::of(checks, self.group.interval)
    }

    /// The sums of a location over an hour that were read: its rollup and the sum of its ticks.
    fn sums(&self, hour: Period, location: &Location) -> impl Iterator<Item = &'a PackedRollup> {
        let sums = [self.known.hours.rollups.get(&hour), self.known.running.of(hour)];
        let sums = sums.into_iter().flatten();
        sums.filter_map(move |rollups| rollups.get(location))
    }

    /// Whether a location has no result of the monitor, as far as the results tell that were read. Its state alone does
    /// not tell: it lists neither nominal monitors nor those that were never checked.
    fn lacks_data(&self, location: &Location, row: &LocationState) -> bool {
        match row.entries.get(self.monitor.id()) {
            None => {
                let mut sums = self.sums(Period::of(row.tick, Grain::Hour), location).peekable();
                sums.peek().is_some() && !sums.any(|sum| sum.has(self.monitor.id()))
            }
            Some(Entry::NoData { .. }) => true,
            Some(Entry::Seen(_)) => false,
        }
    }

    /// The state of a location, if it reports.
    fn fresh_row(&self, location: &Location) -> Option<&'a LocationState> {
        let row = self.known.group_state.locations.get(location)?;
        is_fresh(row, self.group, self.now).then_some(row)
    }

    /// Whether there are locations that report, and none of them has a result of the monitor.
    pub(super) fn is_unchecked(&self) -> bool {
        let rows = self.locations.iter();
        let mut rows = rows
            .filter_map(|location| Some((*location, self.fresh_row(location)?)))
            .peekable();
        rows.peek().is_some() && rows.all(|(location, row)| self.lacks_data(location, row))
    }

    /// The observed seconds of an hour by the last tick of a location, used if neither its rollup nor all of its ticks
    /// were read.
    fn seconds_not_summed_up(&self, hour: Period) -> i64 {
        let is_summed_up = |location: &Location| self.sums(hour, location).next().is_some();
        let rows = self.locations.iter().filter(|location| !is_summed_up(location));
        let rows = rows.filter_map(|location| self.known.group_state.locations.get(*location));
        let seen = rows.filter_map(|row| match row.entries.get(self.monitor.id()) {
            None => Some(row.tick),
            Some(Entry::NoData { .. }) => None,
            Some(Entry::Seen(streaks)) => Some(streaks.seen),
        });
        let seen = seen.filter(|tick| Period::of(*tick, Grain::Hour) == hour);
        let seconds = seen.map(|tick| tick.later(self.group.interval, 1).as_second() - hour.first_second());
        seconds.max().unwrap_or(0)
    }

    /// The bars of the days. Today is the sum of `hours`.
    pub(super) fn days(&self, hours: &[Bar]) -> Vec<Bar> {
        let today = Period::containing(self.now, Grain::Day);
        let days = self.days.iter().map(|(period, seen)| {
            let period = *period;
            let watched = if period == today {
                let hours = hours.iter().filter(|bar| bar.period.day() == today);
                hours.fold(ObservedTime::default(), |sum, bar| sum.and(bar.watched))
            } else if self.known.days.since.is_some_and(|since| period >= since) {
                self.outages.observed_for(period, self.now, self.checked(seen))
            } else {
                ObservedTime::default()
            };
            Bar { period, watched }
        });
        days.collect()
    }

    /// The uptime by span; `None` if rollups or incidents of the span were not read completely.
    pub(super) fn uptime(&self, hours: &[Bar], days: &[Bar]) -> Uptime {
        let sum = |bars: &[Bar], count: usize, since: Option<Period>| {
            let bars = bars.get(bars.len().saturating_sub(count)..)?;
            let first = bars.first()?.period;
            if since? > first || !self.snapshot.all_closed {
                return None;
            }
            Some(
                bars.iter()
                    .fold(ObservedTime::default(), |sum, bar| sum.and(bar.watched)),
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

    /// The checks by period, of one location or of all together.
    pub(super) fn points(&self, grain: Grain, location: Option<&Location>) -> Vec<Point> {
        let periods = match grain {
            Grain::Hour => &self.hours,
            Grain::Day => &self.days,
        };
        let points = periods.iter().map(|(period, seen)| {
            let mut sum = CheckCounts::default();
            for (of, checks) in seen {
                if location.is_none_or(|location| location == *of) {
                    sum.add(checks);
                }
            }
            Point {
                slot: Slot::Period(*period),
                good: sum.good,
                retried: sum.retried,
                failing: sum.failing,
                no_data: sum.no_data,
                total: Percentiles::of(&sum.total),
                phases: sum.phases.map(Percentiles::of),
            }
        });
        points.collect()
    }

    /// The single checks of the last hours from a location, as far as read.
    fn checks(&self, location: &Location) -> Vec<Point> {
        let interval = self.group.interval;
        let from = self.now.saturating_sub(CHECKS).unwrap_or(Timestamp::MIN);
        let checks = self.known.checks.get(location).into_iter().flatten();
        let shown = checks.map(|(tick, seen)| (Slot::Check(*tick, interval), seen));
        shown
            .filter(|(slot, _)| slot.end() > from)
            .map(|(slot, seen)| {
                let mut tally = Tally::default();
                tally.count_observation(self.monitor.rule().expect, seen);
                Point {
                    slot,
                    good: tally.good,
                    retried: tally.retried,
                    failing: tally.failures(),
                    no_data: tally.no_data,
                    total: Percentiles::of(&tally.total),
                    phases: tally.phases.map(Percentiles::of),
                }
            })
            .collect()
    }

    pub(super) fn visibilities(&self, detail_level: DetailLevel) -> BTreeMap<Location, LocationVisibility> {
        let visibilities = self.locations.iter().map(|location| {
            let row = self.fresh_row(location);
            let entry = row.and_then(|row| row.entries.get(self.monitor.id()));
            let (state, since, seen, finding) = match (row, entry) {
                (None, _) => (VisibilityState::Silent, None, None, None),
                (Some(row), None) if self.lacks_data(location, row) => {
                    (VisibilityState::NoData, None, None, None)
                }
                (Some(row), None) => (VisibilityState::Good, None, Some(row.tick), None),
                (Some(_), Some(Entry::NoData { since })) => {
                    (VisibilityState::NoData, Some(*since), None, None)
                }
                (Some(row), Some(Entry::Seen(streaks))) => {
                    let impaired = streaks
                        .quality
                        .filter(|streak| streak.state == Impairment::Impaired);
                    let (state, since) = match (streaks.health.state, impaired) {
                        _ if streaks.seen < row.tick => (VisibilityState::NoData, None),
                        (Health::Failing, _) => (VisibilityState::Failing, Some(streaks.health.since)),
                        (Health::Good, Some(streak)) => (VisibilityState::Impaired, Some(streak.since)),
                        (Health::Good, None) => (VisibilityState::Good, None),
                    };
                    (state, since, Some(streaks.seen), streaks.finding.clone())
                }
            };
            let hours = self.points(Grain::Hour, Some(location));
            let total = hours.iter().rev().find_map(|point| point.total);
            let phases = hours.last().map(|point| point.phases).unwrap_or_default();
            let (checks, hours, days) = match detail_level {
                DetailLevel::Overview => (Vec::new(), Vec::new(), Vec::new()),
                DetailLevel::MonitorPage => (
                    self.checks(location),
                    hours,
                    self.points(Grain::Day, Some(location)),
                ),
            };
            let visibility = LocationVisibility {
                kind: self.known.group_state.kind(location),
                state,
                since,
                seen,
                finding,
                banner: self.banner(location),
                total,
                phases,
                checks,
                hours,
                days,
            };
            ((*location).clone(), visibility)
        });
        visibilities.collect()
    }

    fn banner(&self, location: &Location) -> Option<Banner> {
        self.known
            .banners
            .get(location)?
            .by_monitor
            .get(self.monitor.id())
            .cloned()
    }
}

/// The periods shown, earliest first.
fn periods(now: Timestamp, grain: Grain) -> impl Iterator<Item = Period> {
    let running = Period::containing(now, grain);
    let count = match grain {
        Grain::Hour => HOURS,
        Grain::Day => DAYS,
    };
    (0..count).rev().map(move |back| running.later(-back))
}

/// The checks of a monitor in these rollups.
fn of<'a>(
    rollups: Option<&'a BTreeMap<Location, PackedRollup>>,
    id: &MonitorId,
) -> impl Iterator<Item = (&'a Location, CheckCounts)> {
    let locations = rollups.into_iter().flatten();
    locations.filter_map(move |(location, rollup)| Some((location, rollup.get(id)?)))
}

/// The checks of an hour by location: from rollups, for the current hour from single ticks.
pub(crate) fn checks_of_hour<'a>(
    known: &'a GroupSnapshot,
    id: &MonitorId,
    hour: Period,
) -> BTreeMap<&'a Location, CheckCounts> {
    let mut seen: BTreeMap<_, _> = of(known.running.of(hour), id).collect();
    seen.extend(of(known.hours.rollups.get(&hour), id));
    seen
}

/// The checks of a day by location: from rollups, for a location without one the sum of `hours`.
pub(crate) fn checks_of_day<'a: 'hours, 'hours>(
    known: &'a GroupSnapshot,
    id: &MonitorId,
    day: Period,
    hours: impl Iterator<Item = &'hours BTreeMap<&'a Location, CheckCounts>>,
) -> BTreeMap<&'a Location, CheckCounts> {
    let mut sums: BTreeMap<&Location, CheckCounts> = BTreeMap::new();
    for (location, checks) in hours.flatten() {
        sums.entry(location).or_default().add(checks);
    }
    sums.extend(of(known.days.rollups.get(&day), id));
    sums
}

/// The checks by hour.
fn hours<'a>(known: &'a GroupSnapshot, id: &MonitorId, now: Timestamp) -> Vec<PeriodChecks<'a>> {
    let hours = periods(now, Grain::Hour).map(|hour| (hour, checks_of_hour(known, id, hour)));
    hours.collect()
}

/// The checks by day.
fn days<'a>(
    known: &'a GroupSnapshot,
    id: &MonitorId,
    hours: &[PeriodChecks<'a>],
    now: Timestamp,
) -> Vec<PeriodChecks<'a>> {
    // The hour before those shown is the first one of a day that is not summed up in its first hour.
    let earlier = Period::containing(now, Grain::Hour).later(-HOURS);
    let earlier = (earlier, checks_of_hour(known, id, earlier));
    let days = periods(now, Grain::Day).map(|day| {
        let all = std::iter::once(&earlier).chain(hours);
        let within = all.filter(|(hour, _)| hour.day() == day);
        (day, checks_of_day(known, id, day, within.map(|(_, seen)| seen)))
    });
    days.collect()
}

fn is_fresh(row: &LocationState, group: GroupId, now: Timestamp) -> bool {
    row.tick.age(now) <= group.interval.freshness()
}
