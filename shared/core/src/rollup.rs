//! Rollups: the results of one location for each monitor over an hour or a day.

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

/// The results of one location for each monitor of a group over a period.
pub type Rollup = BTreeMap<MonitorId, Tally>;

/// The times of the phases other than the connect, for the monitors that have any. Stored separately, because few
/// readers need them.
pub type OtherTimes = BTreeMap<MonitorId, OtherPhases<PhaseTimes>>;

/// The results of one location for one monitor over a period. Instances can be added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of good checks.
    pub good: u32,
    /// The number of failing checks by cause.
    pub failing: BTreeMap<Cause, u32>,
    /// The number of checks without data.
    pub no_data: u32,
    /// The connect times of good checks, except those of a starved checker.
    pub connect: PhaseTimes,
    /// The times of the other phases of the same checks.
    pub others: OtherPhases<PhaseTimes>,
}

impl Tally {
    /// Counts one check of a monitor that expects `expect`.
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

    /// Adds the counts of another instance.
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

    /// The number of failing checks.
    pub fn failures(&self) -> u32 {
        self.failing
            .values()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The number of checks with data.
    pub fn with_data(&self) -> u32 {
        self.good.saturating_add(self.failures())
    }

    /// The number of all checks.
    pub fn checks(&self) -> u32 {
        self.with_data().saturating_add(self.no_data)
    }

    /// The share of good checks among the checks with data, from 0 to 1; `None` if no check had data.
    pub fn availability(&self) -> Option<f64> {
        let with_data = self.with_data();
        (with_data > 0).then(|| f64::from(self.good) / f64::from(with_data))
    }

    /// The observed time in seconds: each check with data counts for one interval.
    pub fn observed_seconds(&self, interval: Interval) -> i64 {
        i64::from(self.with_data()).saturating_mul(interval.seconds())
    }
}

/// The periods that a location's tick must sum up if they are missing, in chronological order, hours before days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// Completed hours, to be summed up from their ticks.
    pub hours: Vec<Period>,
    /// Completed days, to be summed up from their hours.
    pub days: Vec<Period>,
}

/// The number of hours that a tick examines. Lost rollups (a crashed checker, a failed table) are repaired within this
/// time.
const HOURS_BACK: i64 = 6;
/// The number of days that a tick examines.
const DAYS_BACK: i64 = 2;

/// The periods that are due at a location's `tick`, where `before` is its previous counted tick. Nothing is due unless
/// `tick` is the first of its hour.
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

/// Sums up the ticks of a period. A monitor without a valid definition is left out, because its expectation is unknown.
pub fn of_ticks(definitions: &Definitions, ticks: &BTreeMap<Tick, Observations>) -> Rollup {
    let mut rollup = Rollup::new();
    for observations in ticks.values() {
        count_tick(&mut rollup, definitions, observations);
    }
    rollup
}

/// Adds one tick to a rollup, like [`of_ticks`], for callers that read ticks one by one. Each tick must be added at
/// most once.
pub fn count_tick(rollup: &mut Rollup, definitions: &Definitions, observations: &Observations) {
    for (id, observation) in observations {
        if let Some(monitor) = definitions.monitors.get(id) {
            let tally = rollup.entry(id.clone()).or_default();
            tally.count(monitor.rule().expect, observation.seen);
        }
    }
}

/// Sums up the rollups of shorter periods into the rollup of a longer one.
pub fn of_rollups<'a>(parts: impl IntoIterator<Item = &'a Rollup>) -> Rollup {
    let mut rollup = Rollup::new();
    for (id, tally) in parts.into_iter().flatten() {
        rollup.entry(id.clone()).or_default().add(tally);
    }
    rollup
}

/// The times of the other phases of a rollup.
pub fn other_times(rollup: &Rollup) -> OtherTimes {
    let have = rollup.iter().filter(|(_, tally)| !tally.others.is_empty());
    have.map(|(id, tally)| (id.clone(), tally.others.clone()))
        .collect()
}

/// Adds the separately stored times of the other phases to a rollup.
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
