//! Expected decisions, computed from the committed ticks without the code under test.

use std::collections::BTreeMap;

use super::cadence::Cadence;
use crate::rig::ProbeResult;

/// The thresholds and the alert policy of a monitor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) failures_to_open: usize,
    /// The number of retries of a failed check.
    pub(super) retries: u32,
    pub(super) successes_to_close: usize,
    pub(super) quorum: Option<usize>,
    /// The number of the host.
    pub(super) host: usize,
    /// The maximum number of changes within an hour without flapping; 0: never flapping.
    pub(super) flapping_after: usize,
    pub(super) alert_policy: AlertPolicy,
}

/// When incidents of a monitor are notified.
#[derive(Debug, Clone, Copy)]
pub(super) struct AlertPolicy {
    pub(super) reminds: bool,
    pub(super) escalates: bool,
    /// The first tick of the maintenance window, and the first tick after it.
    pub(super) maintenance: Option<(i64, i64)>,
    /// The first tick after the silence.
    pub(super) silenced_until: Option<i64>,
    /// Whether the monitor depends on monitor 0.
    pub(super) depends_on_first: bool,
}

/// The maximum delay of a decision after its tick, in minutes.
const LATE: i64 = 4;

impl AlertPolicy {
    /// Whether a silence or a maintenance window suppresses an incident that is decided at `decided_ms`.
    pub(super) fn suppresses(&self, decided_ms: i64, cadence: Cadence) -> bool {
        let is_before = |tick: i64| decided_ms < tick * cadence.ms();
        let maintained = |(from, until)| is_before(until) && !is_before(from);
        self.maintenance.is_some_and(maintained) || self.silenced_until.is_some_and(is_before)
    }

    /// Whether an outage of the dependency from one tick to another may suppress an incident opened at `opened`.
    pub(super) fn may_suppress(&self, opened: i64, (from, until): (i64, i64), cadence: Cadence) -> bool {
        let late = (LATE * 60_000 / cadence.ms()).max(LATE);
        self.depends_on_first && opened + late > from && opened < until + late
    }
}

/// The committed ticks of each location, in order.
pub(super) type History = BTreeMap<usize, Vec<i64>>;

/// A group state as read by a checker: the last tick of each expected location, and the reader's time in milliseconds.
#[derive(Debug, Clone, Default)]
pub(super) struct ReadState {
    pub(super) ticks: BTreeMap<usize, i64>,
    pub(super) at_ms: i64,
}

pub(super) struct Oracle<'a> {
    pub(super) cadence: Cadence,
    pub(super) history: &'a History,
    pub(super) result: &'a dyn Fn(usize, i64, usize) -> ProbeResult,
}

/// The ticks with equal results at the end of a location's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ExpectedStreak {
    pub(super) failing: bool,
    pub(super) ticks: usize,
    pub(super) since: i64,
    pub(super) seen: i64,
}

impl Oracle<'_> {
    /// The streak of a monitor in a location as of the tick `until`; `None` without data.
    pub(super) fn streak(&self, location: usize, monitor: usize, until: i64) -> Option<ExpectedStreak> {
        let ticks = self
            .history
            .get(&location)?
            .iter()
            .rev()
            .filter(|tick| **tick <= until);
        let mut notified = ticks
            .map(|tick| (*tick, (self.result)(location, *tick, monitor)))
            .filter(|(_, s)| *s != ProbeResult::NoData);
        let (seen, last) = notified.next()?;
        let mut streak = ExpectedStreak {
            failing: last == ProbeResult::Failing,
            ticks: 1,
            since: seen,
            seen,
        };
        for (tick, _) in notified.take_while(|(_, result)| *result == last) {
            streak.ticks += 1;
            streak.since = tick;
        }
        Some(streak)
    }

    fn votes(&self, monitor: usize, read: &ReadState) -> Vec<ExpectedStreak> {
        let fresh = read
            .ticks
            .iter()
            .filter(|(_, tick)| read.at_ms - **tick * self.cadence.ms() <= self.cadence.fresh_ms());
        let streaks = fresh.filter_map(|(location, tick)| self.streak(*location, monitor, *tick));
        streaks
            .filter(|streak| read.at_ms - streak.seen * self.cadence.ms() <= self.cadence.fresh_ms())
            .collect()
    }

    /// Whether an incident must be open after a decision on this state.
    pub(super) fn opens(&self, monitor: usize, rule: Rule, read: &ReadState) -> bool {
        let votes = self.votes(monitor, read);
        let failing = votes
            .iter()
            .filter(|t| t.failing && t.ticks >= rule.failures_to_open)
            .count();
        let majority = votes.len() / 2 + 1;
        let fresh: Vec<_> = read
            .ticks
            .values()
            .filter(|tick| read.at_ms - **tick * self.cadence.ms() <= self.cadence.fresh_ms())
            .collect();
        let all_reported = fresh.windows(2).all(|pair| pair[0] == pair[1]);
        failing > 0 && failing >= rule.quorum.unwrap_or(majority) && (failing >= majority || all_reported)
    }

    /// Whether a decision on this state may close an incident.
    pub(super) fn may_close(&self, monitor: usize, rule: Rule, read: &ReadState) -> bool {
        let votes = self.votes(monitor, read);
        let majority = votes.len() / 2 + 1;
        let good = votes
            .iter()
            .filter(|t| !t.failing && t.ticks >= rule.successes_to_close)
            .count();
        let failing = votes
            .iter()
            .filter(|t| t.failing && t.ticks >= rule.failures_to_open)
            .count();
        good >= majority && (failing == 0 || failing < rule.quorum.unwrap_or(majority))
    }
}
