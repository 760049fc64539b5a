//! Rollups: the results of one location for each monitor over an hour or a day.

use std::collections::BTreeMap;

use crate::assess::{Assessment, assess_seen};
use crate::by_phase::ByPhase;
use crate::choice::Expect;
use crate::group_state::Cause;
use crate::id::MonitorId;
use crate::observation::{Observation, Remark, Seen};
use crate::phase_times::PhaseTimes;
use crate::round::{Definitions, Observations};
use crate::time::{Interval, Tick};

mod schedule;

pub use schedule::{Due, RollupDelay, due};

/// The results of one location for each monitor of a group over a period.
pub type Rollup = BTreeMap<MonitorId, Tally>;

/// The times of each phase, for the monitors whose checks have more phases than the connect. Stored separately, because
/// few readers need them.
pub type PhaseRollup = BTreeMap<MonitorId, ByPhase<PhaseTimes>>;

/// The results of one location for one monitor over a period. Instances can be added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of good checks.
    pub good: u32,
    /// The number of good checks that failed at first and were good when made again. They are included in `good`.
    pub retried: u32,
    /// The number of failing checks by cause.
    pub failing: BTreeMap<Cause, u32>,
    /// The number of checks without data.
    pub no_data: u32,
    /// The total times of good checks, all phases together, except those of a starved checker.
    pub total: PhaseTimes,
    /// The times of each phase of the same checks.
    pub phases: ByPhase<PhaseTimes>,
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
                        self.total.record(seen.response_time().unwrap_or(connect));
                        self.phases.record(connect, &others);
                    }
                }
            }
        }
    }

    /// Counts one check with its retries.
    pub fn count_observation(&mut self, expect: Expect, observation: &Observation) {
        self.count(expect, observation.seen);
        if observation.retries > 0 && assess_seen(expect, observation.seen) == Assessment::Good {
            self.retried = self.retried.saturating_add(1);
        }
    }

    /// Adds the counts of another instance.
    pub fn add(&mut self, other: &Self) {
        self.good = self.good.saturating_add(other.good);
        self.retried = self.retried.saturating_add(other.retried);
        self.no_data = self.no_data.saturating_add(other.no_data);
        for (cause, more) in &other.failing {
            let count = self.failing.entry(*cause).or_insert(0);
            *count = count.saturating_add(*more);
        }
        self.total.add(&other.total);
        self.phases.add(&other.phases);
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
            tally.count_observation(monitor.rule().expect, observation);
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

/// The times of each phase of a rollup, for the monitors whose checks have more than the connect.
pub fn phase_rollup(rollup: &Rollup) -> PhaseRollup {
    let have = rollup
        .iter()
        .filter(|(_, tally)| !tally.phases.is_connect_alone());
    have.map(|(id, tally)| (id.clone(), tally.phases.clone()))
        .collect()
}

/// Adds the separately stored times of each phase to a rollup as read, which has total times only.
pub fn with_phases(mut rollup: Rollup, phases: &PhaseRollup) -> Rollup {
    for (id, tally) in &mut rollup {
        tally.phases = match phases.get(id) {
            Some(times) => times.clone(),
            // Not stored, since the connect is all there is.
            None => ByPhase {
                connect: tally.total.clone(),
                ..ByPhase::default()
            },
        };
    }
    rollup
}

#[cfg(test)]
mod tests;
