//! One monitor's past, from what was summed up: bars, uptime, connect times, and what each region saw.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portpulse_core::board::{ClosedIncident, Entry, Health, Impairment};
use portpulse_core::definition::Monitor;
use portpulse_core::group::GroupId;
use portpulse_core::id::{MonitorId, Region};
use portpulse_core::period::{Grain, Period};
use portpulse_core::rollup::Tally;
use portpulse_core::uptime::{Outages, Watched};
use portpulse_core::words::Said;

use super::is_fresh;
use crate::read::{DAYS, HOURS};
use crate::snapshot::{GroupSnapshot, Snapshot};
use crate::view::{Bar, Percentiles, Point, RegionSight, SightState, Uptime};

/// One monitor's past.
pub(super) struct Past<'a> {
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
    pub(super) fn new(
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
            regions: known.expected.iter().filter(checks).collect(),
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
            Grain::Hour => {
                let mut tallies = BTreeMap::new();
                if let Some(rollups) = self.known.running.of(period) {
                    let regions = rollups.iter();
                    tallies.extend(
                        regions.filter_map(|(region, rollup)| Some((region, rollup.get(id)?.clone()))),
                    );
                }
                tallies.extend(of(&self.known.hours.rollups, period));
                tallies
            }
            Grain::Day => {
                let mut sums: BTreeMap<&Region, Tally> = BTreeMap::new();
                for (region, tally) in period.hours().flat_map(|hour| self.tallies(hour)) {
                    sums.entry(region).or_default().add(&tally);
                }
                sums.extend(of(&self.known.days.rollups, period));
                sums
            }
        }
    }

    pub(super) fn hours(&self) -> Vec<Bar> {
        let since = self.known.hours.since;
        let hours = self.periods(Grain::Hour).map(|period| {
            let tallies = self.tallies(period);
            let running = self.seconds_not_summed_up(period);
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

    /// The seconds of the hour of a region's last tick, up to that, where neither its rollup nor all its ticks are
    /// known.
    fn seconds_not_summed_up(&self, hour: Period) -> i64 {
        let id = self.monitor.id();
        let sums = [self.known.hours.rollups.get(&hour), self.known.running.of(hour)];
        let is_known = |region: &Region| {
            let sums = sums.iter().flatten();
            sums.filter_map(|rollups| rollups.get(region))
                .any(|rollup| rollup.contains_key(id))
        };
        let rows = self.regions.iter().filter(|region| !is_known(region));
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

    pub(super) fn days(&self) -> Vec<Bar> {
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
    pub(super) fn uptime(&self, hours: &[Bar], days: &[Bar]) -> Uptime {
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
    pub(super) fn points(&self, grain: Grain, region: Option<&Region>) -> Vec<Point> {
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
                connect: Percentiles::of(&sum.connect),
                others: sum.others.map(Percentiles::of),
            }
        });
        points.collect()
    }

    pub(super) fn sights(&self) -> BTreeMap<Region, RegionSight> {
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
                said: self.said(region),
                hours: self.points(Grain::Hour, Some(region)),
                days: self.points(Grain::Day, Some(region)),
            };
            ((*region).clone(), sight)
        });
        sights.collect()
    }

    fn said(&self, region: &Region) -> Option<Said> {
        self.known.words.get(region)?.said.get(self.monitor.id()).cloned()
    }
}
