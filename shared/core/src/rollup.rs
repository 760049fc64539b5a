//! What one location saw of each monitor over an hour or a day, in numbers.

use std::collections::BTreeMap;

use crate::assess::{Assessment, assess_seen};
use crate::choice::Expect;
use crate::group_state::Cause;
use crate::id::MonitorId;
use crate::observation::{Remark, Seen};
use crate::other_phases::OtherPhases;
use crate::period::{Grain, Period};
use crate::phase_times::PhaseTimes;
use crate::round::{Definitions, Observations};
use crate::time::{Interval, Tick};

/// What one location saw of each monitor of a group over a period.
pub type Rollup = BTreeMap<MonitorId, Tally>;

/// The times of the phases but the connect, of those monitors that have any: what a rollup keeps apart, for few who
/// read it want to know.
pub type OtherTimes = BTreeMap<MonitorId, OtherPhases<PhaseTimes>>;

/// What one location saw of one monitor over a period; sums of tallies are tallies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Checks that found it as expected.
    pub good: u32,
    /// Checks that did not, by what they found instead.
    pub failing: BTreeMap<Cause, u32>,
    /// Checks that could not tell.
    pub no_data: u32,
    /// The connect times of good checks, but for those that a starved checker could not measure.
    pub connect: PhaseTimes,
    /// The times of the other phases of the same checks, as far as these had them.
    pub others: OtherPhases<PhaseTimes>,
}

impl Tally {
    /// Counts one check of a monitor of which `expect` is expected.
    pub fn count(&mut self, expect: Expect, seen: Seen) {
        match assess_seen(expect, seen) {
            Assessment::NoData => self.no_data = self.no_data.saturating_add(1),
            Assessment::Failing => {
                let cause = match (expect, seen) {
                    (Expect::Open | Expect::Reachable, Seen::Failed(class)) => Cause::Failed(class),
                    (Expect::Closed, _) | (_, Seen::Open { .. } | Seen::NoData(_)) => Cause::Open,
                };
                let count = self.failing.entry(cause).or_insert(0);
                *count = count.saturating_add(1);
            }
            Assessment::Good => {
                self.good = self.good.saturating_add(1);
                match seen {
                    Seen::Open {
                        remark: Remark::Starved,
                        ..
                    }
                    | Seen::Failed(_)
                    | Seen::NoData(_) => {}
                    Seen::Open {
                        connect,
                        others,
                        remark: Remark::None | Remark::Retransmitted | Remark::Warning | Remark::Certificate,
                    } => {
                        self.connect.record(connect);
                        self.others.record(&others);
                    }
                }
            }
        }
    }

    /// Counts all that another has counted.
    pub fn add(&mut self, other: &Self) {
        self.good = self.good.saturating_add(other.good);
        self.no_data = self.no_data.saturating_add(other.no_data);
        for (cause, more) in &other.failing {
            let count = self.failing.entry(*cause).or_insert(0);
            *count = count.saturating_add(*more);
        }
        self.connect.add(&other.connect);
        self.others.add(&other.others);
    }

    /// Checks that did not find it as expected.
    pub fn failures(&self) -> u32 {
        self.failing
            .values()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Checks that could tell.
    pub fn notified(&self) -> u32 {
        self.good.saturating_add(self.failures())
    }

    /// All checks.
    pub fn checks(&self) -> u32 {
        self.notified().saturating_add(self.no_data)
    }

    /// The share of the checks that could tell which were good: what this one location saw, from 0 to 1; `None` where
    /// none could tell.
    pub fn availability(&self) -> Option<f64> {
        let notified = self.notified();
        (notified > 0).then(|| f64::from(self.good) / f64::from(notified))
    }

    /// The seconds for which the location could tell: each check stands for its interval.
    pub fn observed_seconds(&self, interval: Interval) -> i64 {
        i64::from(self.notified()).saturating_mul(interval.seconds())
    }
}

/// What a location's tick is to sum up, as far as it is not there yet: each from the earliest on, hours before days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// Hours that are over, to be summed up from their ticks.
    pub hours: Vec<Period>,
    /// Days that are over, to be summed up from their hours.
    pub days: Vec<Period>,
}

/// How many hours back a tick sees to: what was lost (a checker that died, a table that failed) is made good as long.
const HOURS_BACK: i64 = 6;
/// Likewise days.
const DAYS_BACK: i64 = 2;

/// What is due at a location's `tick`, where `before` is the tick that it counted before: nothing, unless it is the
/// first of its hour.
pub fn due(before: Option<Tick>, tick: Tick) -> Due {
    let Some(before) = before else {
        return Due::default();
    };
    let over = |grain, count: i64| {
        let (last, running) = (Period::of(before, grain), Period::of(tick, grain));
        let periods = (0..count).rev().map(move |back| last.later(-back));
        periods.filter(|period| *period < running).collect()
    };
    if Period::of(before, Grain::Hour) >= Period::of(tick, Grain::Hour) {
        return Due::default();
    }
    Due {
        hours: over(Grain::Hour, HOURS_BACK),
        days: over(Grain::Day, DAYS_BACK),
    }
}

/// Sums up a period's ticks. A monitor that is not, or not readably, defined is left out: what was expected of it
/// is not known.
pub fn of_ticks(definitions: &Definitions, ticks: &BTreeMap<Tick, Observations>) -> Rollup {
    let mut rollup = Rollup::new();
    for observations in ticks.values() {
        count_tick(&mut rollup, definitions, observations);
    }
    rollup
}

/// Counts one tick in, as [`of_ticks`] does: for those who read ticks one by one, and keep none. Each tick may be
/// counted once.
pub fn count_tick(rollup: &mut Rollup, definitions: &Definitions, observations: &Observations) {
    for (id, observation) in observations {
        if let Some(monitor) = definitions.monitors.get(id) {
            let tally = rollup.entry(id.clone()).or_default();
            tally.count(monitor.rule().expect, observation.seen);
        }
    }
}

/// Sums up shorter periods' rollups into that of a longer one.
pub fn of_rollups<'a>(parts: impl IntoIterator<Item = &'a Rollup>) -> Rollup {
    let mut rollup = Rollup::new();
    for (id, tally) in parts.into_iter().flatten() {
        rollup.entry(id.clone()).or_default().add(tally);
    }
    rollup
}

/// The times of the other phases in a rollup.
pub fn other_times(rollup: &Rollup) -> OtherTimes {
    let have = rollup.iter().filter(|(_, tally)| !tally.others.is_empty());
    have.map(|(id, tally)| (id.clone(), tally.others.clone()))
        .collect()
}

/// A rollup with the times of the other phases that were kept apart from it.
pub fn with_others(mut rollup: Rollup, others: &OtherTimes) -> Rollup {
    for (id, times) in others {
        if let Some(tally) = rollup.get_mut(id) {
            tally.others.add(times);
        }
    }
    rollup
}

#[cfg(test)]
mod tests;
