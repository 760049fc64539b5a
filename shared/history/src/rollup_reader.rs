//! Reads rollups and results backwards from the latest, within a budget of read units.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portpulse_core::group::GroupId;
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::period::{Grain, Period};
use portpulse_core::rollup::{Rollup, RollupDelay, count_tick};
use portpulse_core::round::{Definitions, Observations};
use portpulse_core::time::Tick;
use portpulse_store::history::{HistoryRecord, Summary};
use portpulse_store::keys::{self, KeyRange};
use portpulse_store::table::{PagedQuery, Table};
use portpulse_store::{Error, Store, chain};

use crate::metered_table::MeteredTable;
use crate::packed::PackedRollup;
use crate::shown_range::{CHECKS, DAYS, HOURS};
use crate::snapshot::{GroupSnapshot, RollupHistory, RunningHour, SingleChecks};

/// How detailed the times of a private monitor page are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The single checks of the last three hours, with all phases.
    Checks,
    /// The times of each phase from a period on, by hour or by day.
    Phases(Period),
}

impl From<Period> for Detail {
    fn from(since: Period) -> Self {
        Self::Phases(since)
    }
}

/// The maximum number of rows of the first read, while their size is unknown.
const MAX_FIRST_ROWS: u64 = 4;
/// The cost of a large row of 64 KB, in half read units.
const LARGE_ROW_HALF_UNITS: u64 = 16;
/// The maximum number of bytes per read. Decoded rows, which are compressed, take up to a hundred times as much memory, and the function has
/// 128 MB.
const MAX_BYTES_PER_READ: u64 = 128 * 1_024;
/// The bytes that half a read unit covers.
const BYTES_PER_HALF_UNIT: u64 = 4_096;

/// The maximum time from a tick until it has stored a rollup, in seconds.
const MAX_TICK_SECONDS: i64 = 120;

/// A part of the history to read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    /// The results of the current hour, tick by tick.
    RunningHour(Period),
    /// Rollups since a period.
    Rollups(Period),
    /// Times of each phase, since a period.
    PhaseRollup(Period),
    /// The single checks of one monitor in an hour.
    Checks(Period),
    /// The results of the last hour, tick by tick, of locations that have not summed it up yet.
    LastHour(Period),
}

/// The parts in the order of reading, most important first.
pub(crate) fn parts(detail: Option<Detail>, now: Timestamp) -> Vec<Part> {
    let hour = Period::containing(now, Grain::Hour);
    let today = Period::containing(now, Grain::Day);
    let mut parts = vec![
        Part::RunningHour(hour),
        // One hour more than shown, for a day that is not summed up yet.
        Part::Rollups(hour.later(-HOURS)),
        Part::Rollups(today.later(1 - DAYS)),
    ];
    match detail {
        Some(Detail::Phases(since)) => match since.grain() {
            Grain::Day => {
                // Today is the sum of its hours.
                let midnight = Period::containing(today.start(), Grain::Hour);
                parts.extend([Part::PhaseRollup(midnight), Part::PhaseRollup(since)]);
            }
            Grain::Hour => parts.push(Part::PhaseRollup(since)),
        },
        // The current hour is read already.
        Some(Detail::Checks) => {
            let back = CHECKS.as_hours();
            parts.extend((1..=back).map(|back| Part::Checks(hour.later(-back))));
        }
        None => {}
    }
    // After the phases, which the results include already.
    parts.push(Part::LastHour(hour.later(-1)));
    parts
}

/// Reads the summaries of a group, from the latest back to `first`, for at most `halves` half read units. `keep` converts
/// each summary, given the one converted before.
pub(crate) async fn read_summaries<T: Table + PagedQuery, S: Summary, K>(
    store: &Store<MeteredTable<'_, T>>,
    (group, first, now): (GroupId, Period, Timestamp),
    halves: u64,
    unreadable: &mut Vec<String>,
    keep: impl Fn(S, Option<&K>) -> K,
) -> Result<RollupHistory<K>, Error> {
    let running = Period::containing(now, first.grain());
    let mut rollups: BTreeMap<Period, BTreeMap<Location, K>> = BTreeMap::new();
    let mut file = |(period, location, row): (Period, Location, S)| {
        let last = rollups.first_key_value();
        let kept = keep(row, last.and_then(|(_, locations)| locations.values().next()));
        rollups.entry(period).or_default().insert(location, kept);
    };
    // The items of one summary are consecutive.
    let mut whole: Option<(Period, Location, S)> = None;
    let mut earliest = None;
    let key_range = S::key_range(group, first, running);
    let take = |(period, location, part): (Period, Location, S)| {
        earliest = Some(period);
        match &mut whole {
            Some((at, of, parts)) if *at == period && *of == location => parts.join(part),
            Some(_) | None => {
                if let Some(before) = whole.replace((period, location, part)) {
                    file(before);
                }
            }
        }
    };
    let all = read(store, key_range, halves, unreadable, take).await?;
    if let Some(last) = whole {
        file(last);
    }
    let since = match all {
        true => Some(first),
        // The earliest period may be incomplete.
        false => earliest.map(|period| period.later(1)),
    };
    Ok(RollupHistory { rollups, since })
}

/// Reads the results of the current hour, from the latest back, for at most `halves` half read units.
pub(crate) async fn read_running<T: Table + PagedQuery>(
    store: &Store<MeteredTable<'_, T>>,
    (group, hour): (GroupId, Period),
    definitions: &Definitions,
    only: Option<&MonitorId>,
    halves: u64,
    unreadable: &mut Vec<String>,
) -> Result<RunningHour, Error> {
    let key_range = keys::results_of_hour(group, hour);
    let mut sums: BTreeMap<Location, Rollup> = BTreeMap::new();
    let mut checks = SingleChecks::new();
    let count = |(tick, location, seen): (Tick, Location, Observations)| {
        keep_check(&mut checks, only, tick, &location, &seen);
        count_tick(sums.entry(location).or_default(), definitions, &seen);
    };
    let whole = read(store, key_range, halves, unreadable, count).await?;
    let rollups = sums
        .into_iter()
        .map(|(location, sum)| (location, PackedRollup::of(&sum, None, only)));
    Ok(RunningHour {
        hour: Some(hour),
        rollups: rollups.collect(),
        checks,
        is_complete: whole,
    })
}

/// The locations of a group that have not stored the rollup of `hour`, the last one, because it is not due yet.
pub(crate) fn awaited_locations(
    known: &GroupSnapshot,
    group: GroupId,
    hour: Period,
    now: Timestamp,
) -> Vec<Location> {
    let stored = known.hours.rollups.get(&hour);
    let is_awaited = |location: &Location| {
        let delay = RollupDelay::of(group, location, &known.expected).hour.as_secs() + MAX_TICK_SECONDS;
        now.as_second() <= hour.end_second() + delay
            && stored.is_none_or(|stored| !stored.contains_key(location))
    };
    let reporting = known.group_state.locations.iter();
    let reporting = reporting.filter(|(_, state)| state.tick.as_second() >= hour.first_second());
    let awaited = reporting.filter(|(location, _)| is_awaited(location));
    awaited.map(|(location, _)| location.clone()).collect()
}

/// Reads the single checks of a monitor in an hour, from the latest back, for at most `halves` half read units. Also
/// returns whether all of them were read.
pub(crate) async fn read_checks<T: Table + PagedQuery>(
    store: &Store<MeteredTable<'_, T>>,
    (group, hour): (GroupId, Period),
    only: Option<&MonitorId>,
    halves: u64,
    unreadable: &mut Vec<String>,
) -> Result<(SingleChecks, bool), Error> {
    let mut checks = SingleChecks::new();
    let keep = |(tick, location, seen): (Tick, Location, Observations)| {
        keep_check(&mut checks, only, tick, &location, &seen);
    };
    let whole = read(
        store,
        keys::results_of_hour(group, hour),
        halves,
        unreadable,
        keep,
    )
    .await?;
    Ok((checks, whole))
}

/// Keeps the check of one monitor in a tick.
fn keep_check(
    checks: &mut SingleChecks,
    only: Option<&MonitorId>,
    tick: Tick,
    location: &Location,
    seen: &Observations,
) {
    if let Some(observation) = only.and_then(|only| seen.get(only)) {
        checks
            .entry(location.clone())
            .or_default()
            .insert(tick, observation.clone());
    }
}

/// Passes the rows of a key range to `take`. Returns whether all of them were read.
async fn read<T: Table + PagedQuery, R: HistoryRecord>(
    store: &Store<MeteredTable<'_, T>>,
    key_range: KeyRange,
    halves: u64,
    unreadable: &mut Vec<String>,
    mut take: impl FnMut(R),
) -> Result<bool, Error> {
    let mut budget = Budget::new(halves);
    let mut left = Some(key_range);
    while let Some(key_range) = left {
        let Some(limit) = budget.rows() else {
            return Ok(false);
        };
        let spent = store.table().halves();
        let piece = store.next_page(&key_range, limit).await?;
        budget.spend(store.table().halves() - spent, piece.records.len());
        unreadable.extend(piece.unreadable.iter().map(|error| chain(error)));
        piece.records.into_iter().for_each(&mut take);
        left = piece.rest;
    }
    Ok(true)
}

/// The remaining budget in half read units, with the average cost of a row so far.
pub(crate) struct Budget {
    left: u64,
    spent: u64,
    rows: u64,
}

impl Budget {
    pub(crate) fn new(left: u64) -> Self {
        Self {
            left,
            spent: 0,
            rows: 0,
        }
    }

    /// The number of rows to read next; `None` if the budget does not cover one row. The first read is at least one row,
    /// which may exceed the budget.
    pub(crate) fn rows(&self) -> Option<u32> {
        if self.left == 0 {
            return None;
        }
        if self.rows == 0 {
            let rows = (self.left / LARGE_ROW_HALF_UNITS).clamp(1, MAX_FIRST_ROWS);
            return u32::try_from(rows).ok();
        }
        // In bytes, because many rows share a unit. A tenth is reserved, because rows differ in size.
        let bytes_a_row = (self.spent * BYTES_PER_HALF_UNIT).div_ceil(self.rows).max(1);
        let rows = self.left * BYTES_PER_HALF_UNIT * 9 / 10 / bytes_a_row;
        let at_a_time = (MAX_BYTES_PER_READ / bytes_a_row).max(1);
        u32::try_from(rows.min(at_a_time)).ok().filter(|rows| *rows > 0)
    }

    pub(crate) fn spend(&mut self, halves: u64, rows: usize) {
        self.left = self.left.saturating_sub(halves);
        self.spent += halves;
        self.rows += u64::try_from(rows).unwrap_or(u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_read_assumes_large_rows() {
        for (left, rows) in [
            (0, None),
            (1, Some(1)),
            (31, Some(1)),
            (32, Some(2)),
            (64, Some(4)),
            (800, Some(4)),
        ] {
            assert_eq!(Budget::new(left).rows(), rows, "{left}");
        }
    }

    #[test]
    fn later_reads_use_average_row_cost() {
        let mut budget = Budget::new(46);
        budget.spend(16, 4);
        assert_eq!(budget.rows(), Some(6), "seven less a tenth");
        budget.spend(28, 7);
        assert_eq!(budget.rows(), None);
    }

    #[test]
    fn bytes_per_read_are_bounded() {
        for (halves, rows, asked) in [(4, 4, 32), (40, 4, 3), (400, 1, 1)] {
            let mut budget = Budget::new(1_000_000);
            budget.spend(halves, rows);
            assert_eq!(budget.rows(), Some(asked), "{rows} rows of {halves} half units");
        }
    }
}
