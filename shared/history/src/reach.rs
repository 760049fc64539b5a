//! Reading history from the latest back, for at most so much.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portpulse_core::group::GroupId;
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::period::{Grain, Period};
use portpulse_core::rollup::{Rollup, count_tick};
use portpulse_core::round::{Definitions, Observations};
use portpulse_core::time::Tick;
use portpulse_store::history::{Row, Summary};
use portpulse_store::keys;
use portpulse_store::table::{KeyRange, PagedQuery, Table};
use portpulse_store::{Error, Store, chain};

use crate::packed::PackedRollup;
use crate::read::{DAYS, HOURS};
use crate::snapshot::{Reach, Running};
use crate::spending::Counted;

/// How many rows are asked for at most while it is not known how large they are.
const MAX_FIRST_ROWS: u64 = 4;
/// The half read units of a large row, of 64 KB.
const HALVES_OF_LARGE: u64 = 16;
/// The bytes of rows that are asked for at a time: as they come from the table, and read, they take some twenty times
/// the room, and a function has 128 MB.
const BYTES_AT_A_TIME: u64 = 384 * 1_024;
/// The bytes that half a read unit pays for.
const BYTES_A_HALF: u64 = 4_096;

/// A part of history.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    /// The running hour, tick by tick.
    Running(Period),
    /// What was summed up, since then.
    Rollups(Period),
    /// The phases but the connect of what was summed up, since then.
    OtherTimes(Period),
}

/// The parts in the order in which they are read: what is most wanted first.
pub(crate) fn parts(since: Option<Period>, now: Timestamp) -> Vec<Part> {
    let hour = Period::containing(now, Grain::Hour);
    let today = Period::containing(now, Grain::Day);
    let mut parts = vec![
        Part::Running(hour),
        Part::Rollups(hour.later(1 - HOURS)),
        Part::Rollups(today.later(1 - DAYS)),
    ];
    match since.map(|since| (since, since.grain())) {
        Some((since, Grain::Day)) => {
            // Today is what its hours say.
            let midnight = Period::containing(today.start(), Grain::Hour);
            parts.extend([Part::OtherTimes(midnight), Part::OtherTimes(since)]);
        }
        Some((since, Grain::Hour)) => parts.push(Part::OtherTimes(since)),
        None => {}
    }
    parts
}

/// Reads what a group's locations summed up, from the latest back to `first`, for at most so many half read units; of each
/// row `keep` is kept, which is given the one that was kept before it.
pub(crate) async fn read_summaries<T: Table + PagedQuery, S: Summary, K>(
    store: &Store<Counted<'_, T>>,
    (group, first, now): (GroupId, Period, Timestamp),
    halves: u64,
    unreadable: &mut Vec<String>,
    keep: impl Fn(S, Option<&K>) -> K,
) -> Result<Reach<K>, Error> {
    let running = Period::containing(now, first.grain());
    let mut rollups: BTreeMap<Period, BTreeMap<Location, K>> = BTreeMap::new();
    let mut file = |(period, location, row): (Period, Location, S)| {
        let last = rollups.first_key_value();
        let kept = keep(row, last.and_then(|(_, locations)| locations.values().next()));
        rollups.entry(period).or_default().insert(location, kept);
    };
    // The parts of a summary follow one another.
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
        // The earliest period that was begun may lack locations, and parts.
        false => earliest.map(|period| period.later(1)),
    };
    Ok(Reach { rollups, since })
}

/// Reads the results of an hour that is not over from the latest back, for at most so many half read units.
pub(crate) async fn read_running<T: Table + PagedQuery>(
    store: &Store<Counted<'_, T>>,
    (group, hour): (GroupId, Period),
    definitions: &Definitions,
    only: Option<&MonitorId>,
    halves: u64,
    unreadable: &mut Vec<String>,
) -> Result<Running, Error> {
    let key_range = keys::results_of_hour(group, hour);
    let mut sums: BTreeMap<Location, Rollup> = BTreeMap::new();
    let count = |(_, location, seen): (Tick, Location, Observations)| {
        count_tick(sums.entry(location).or_default(), definitions, &seen);
    };
    let whole = read(store, key_range, halves, unreadable, count).await?;
    let rollups = sums
        .into_iter()
        .map(|(location, sum)| (location, PackedRollup::of(&sum, None, only)));
    Ok(Running {
        hour: Some(hour),
        rollups: rollups.collect(),
        whole,
    })
}

/// Hands the rows of a stretch on, one by one, and says whether that was all of them.
async fn read<T: Table + PagedQuery, R: Row>(
    store: &Store<Counted<'_, T>>,
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
        let piece = store.next(&key_range, limit).await?;
        budget.spend(store.table().halves() - spent, piece.rows.len());
        unreadable.extend(piece.unreadable.iter().map(|error| chain(error)));
        piece.rows.into_iter().for_each(&mut take);
        left = piece.rest;
    }
    Ok(true)
}

/// What is left to spend on rows, in half read units, by what such rows have cost so far.
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

    /// How many rows may be asked for; none where not even one can be paid for. While it is not known how large they are
    /// one is asked for in any case, which may cost more than is left.
    pub(crate) fn rows(&self) -> Option<u32> {
        if self.left == 0 {
            return None;
        }
        if self.rows == 0 {
            let rows = (self.left / HALVES_OF_LARGE).clamp(1, MAX_FIRST_ROWS);
            return u32::try_from(rows).ok();
        }
        // In bytes, for many rows share a unit. A tenth is kept back, for rows differ.
        let bytes_a_row = (self.spent * BYTES_A_HALF).div_ceil(self.rows).max(1);
        let rows = self.left * BYTES_A_HALF * 9 / 10 / bytes_a_row;
        let at_a_time = (BYTES_AT_A_TIME / bytes_a_row).max(1);
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
    fn of_rows_of_unknown_size_no_more_are_asked_for_than_large_ones_could_be_paid_for() {
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
    fn rows_of_known_size_are_asked_for_as_they_can_be_paid_for() {
        let mut budget = Budget::new(100);
        budget.spend(40, 4);
        assert_eq!(budget.rows(), Some(5), "a tenth is kept back of six");
        budget.spend(55, 5);
        assert_eq!(budget.rows(), None);
    }

    #[test]
    fn no_more_is_asked_for_at_a_time_than_there_is_room_for() {
        for (halves, rows, asked) in [(4, 4, 96), (160, 4, 2), (400, 1, 1)] {
            let mut budget = Budget::new(1_000_000);
            budget.spend(halves, rows);
            assert_eq!(budget.rows(), Some(asked), "{rows} rows of {halves} half units");
        }
    }
}
