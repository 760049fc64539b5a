//! What should be: counted anew from the ticks that were committed, with none of the code under test.

use std::collections::BTreeMap;

use crate::rig::Visibility;

/// A monitor's thresholds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) failures_to_open: usize,
    pub(super) successes_to_close: usize,
    pub(super) quorum: Option<usize>,
    /// More changes than this within an hour are flapping; 0 for never.
    pub(super) flapping_after: usize,
    pub(super) alert_policy: AlertPolicy,
}

/// When a monitor's incidents are told, and when not.
#[derive(Debug, Clone, Copy)]
pub(super) struct AlertPolicy {
    pub(super) reminds: bool,
    pub(super) escalates: bool,
    /// From this tick until before that one, as its definition says.
    pub(super) maintenance: Option<(i64, i64)>,
    /// Until before this tick, as somebody has said.
    pub(super) silenced_until: Option<i64>,
    /// Whether it stands behind monitor 0.
    pub(super) behind: bool,
}

/// How long after a tick's time it may still be decided on, in ticks.
const LATE: i64 = 4;

impl AlertPolicy {
    /// Whether an incident is held back on its own account, when it opens at this time by the clock of who decides it.
    pub(super) fn holds(&self, decided_ms: i64) -> bool {
        let is_before = |tick: i64| decided_ms < tick * 60_000;
        let maintained = |(from, until)| is_before(until) && !is_before(from);
        self.maintenance.is_some_and(maintained) || self.silenced_until.is_some_and(is_before)
    }

    /// Whether it may have been held back on account of another's that lasted from one tick to another.
    pub(super) fn may_hide(&self, opened: i64, (from, until): (i64, i64)) -> bool {
        self.behind && opened + LATE > from && opened < until + LATE
    }
}

/// For each location the ticks that were committed, in order.
pub(super) type History = BTreeMap<usize, Vec<i64>>;

/// What a read of the board showed: the last tick of each location that should report, and the reader's time in milliseconds.
#[derive(Debug, Clone, Default)]
pub(super) struct ReadBoard {
    pub(super) ticks: BTreeMap<usize, i64>,
    pub(super) at_ms: i64,
}

/// Two intervals and a minute.
const FRESH_MS: i64 = 180_000;

pub(super) struct Oracle<'a> {
    pub(super) history: &'a History,
    pub(super) visibility: &'a dyn Fn(usize, i64, usize) -> Visibility,
}

/// The ticks at the end of a location's history that brought the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trail {
    pub(super) failing: bool,
    pub(super) ticks: usize,
    pub(super) since: i64,
    pub(super) seen: i64,
}

impl Oracle<'_> {
    /// The streak of a monitor in a location as of a tick; `None` where no tick has brought data.
    pub(super) fn trail(&self, location: usize, monitor: usize, until: i64) -> Option<Trail> {
        let ticks = self
            .history
            .get(&location)?
            .iter()
            .rev()
            .filter(|tick| **tick <= until);
        let mut notified = ticks
            .map(|tick| (*tick, (self.visibility)(location, *tick, monitor)))
            .filter(|(_, s)| *s != Visibility::NoData);
        let (seen, last) = notified.next()?;
        let mut trail = Trail {
            failing: last == Visibility::Failing,
            ticks: 1,
            since: seen,
            seen,
        };
        for (tick, _) in notified.take_while(|(_, visibility)| *visibility == last) {
            trail.ticks += 1;
            trail.since = tick;
        }
        Some(trail)
    }

    fn votes(&self, monitor: usize, read: &ReadBoard) -> Vec<Trail> {
        let fresh = read
            .ticks
            .iter()
            .filter(|(_, tick)| read.at_ms - **tick * 60_000 <= FRESH_MS);
        let trails = fresh.filter_map(|(location, tick)| self.trail(*location, monitor, *tick));
        trails
            .filter(|trail| read.at_ms - trail.seen * 60_000 <= FRESH_MS)
            .collect()
    }

    /// Whether an incident has to be open after a decision on this read.
    pub(super) fn opens(&self, monitor: usize, rule: Rule, read: &ReadBoard) -> bool {
        let votes = self.votes(monitor, read);
        let failing = votes
            .iter()
            .filter(|t| t.failing && t.ticks >= rule.failures_to_open)
            .count();
        let majority = votes.len() / 2 + 1;
        let fresh: Vec<_> = read
            .ticks
            .values()
            .filter(|tick| read.at_ms - **tick * 60_000 <= FRESH_MS)
            .collect();
        let all_reported = fresh.windows(2).all(|pair| pair[0] == pair[1]);
        failing > 0 && failing >= rule.quorum.unwrap_or(majority) && (failing >= majority || all_reported)
    }

    /// Whether a decision on this read may end an incident.
    pub(super) fn may_close(&self, monitor: usize, rule: Rule, read: &ReadBoard) -> bool {
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
