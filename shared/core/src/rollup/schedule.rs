//! When rollups are stored: some minutes after their period, at another time in each location and group, so that they do not
//! ask for all their write units in the same second.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::group::GroupId;
use crate::id::Location;
use crate::period::{Grain, Period};
use crate::time::{Interval, Tick};

/// The periods that a location's tick must sum up if they are missing, in chronological order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// Completed hours, to be summed up from their ticks.
    pub hours: Vec<Period>,
    /// Completed days, to be summed up from their hours.
    pub days: Vec<Period>,
    /// The last completed hours, if days are due: a day is stored once, so those that could not be stored at their own tick are
    /// stored before it.
    pub hours_of_days: Vec<Period>,
}

/// The number of hours that a tick examines. Lost rollups (a crashed checker, a failed table) are repaired within this
/// time.
const HOURS_BACK: i64 = 6;
/// The number of days that a tick examines.
const DAYS_BACK: i64 = 2;

/// The seconds of an hour.
const HOUR: i64 = Grain::Hour.seconds();
/// The minimum time over which the rollups of hours are spread: pages read the last hour tick by tick until then.
const MIN_HOURS_WINDOW: i64 = 15 * 60;
/// The ticks over which the rollups of hours are spread, one each for up to three or four locations.
const TICKS_OF_HOURS_WINDOW: i64 = 4;
/// The rollups of days follow from the middle of the hour on, since they are the sums of hours.
const DAYS_BEGIN: i64 = HOUR / 2;

/// How long after the end of an hour or day a location stores the rollup of a group: multiples of the group's interval, less
/// than an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RollupDelay {
    /// The delay of the rollup of an hour, and of the banners.
    pub hour: SignedDuration,
    /// The delay of the rollup of a day: half an hour or more, unless the interval is an hour.
    pub day: SignedDuration,
}

impl RollupDelay {
    /// Rollups are stored by the first tick after their period.
    pub const NONE: Self = Self {
        hour: SignedDuration::ZERO,
        day: SignedDuration::ZERO,
    };

    /// The delays of `location`, one of the `expected` locations of a group. Each location has its share of the time, and the
    /// groups are spread over that share. With intervals of half an hour and more, there is no other time than that of the
    /// tick.
    pub fn of(group: GroupId, location: &Location, expected: &BTreeSet<Location>) -> Self {
        let rank = expected.iter().position(|other| other == location).unwrap_or(0);
        let window = (TICKS_OF_HOURS_WINDOW * group.interval.seconds()).clamp(MIN_HOURS_WINDOW, HOUR);
        let delay = |begin: i64, window: i64| {
            let share = window / i64::try_from(expected.len()).unwrap_or(i64::MAX).max(1);
            let start = i64::try_from(rank).unwrap_or(0).saturating_mul(share);
            let offset = begin + start + place(group, share);
            let interval = group.interval.seconds();
            SignedDuration::from_secs(offset.min(HOUR - 1) / interval * interval)
        };
        Self {
            hour: delay(0, window),
            day: delay(DAYS_BEGIN, HOUR - DAYS_BEGIN),
        }
    }
}

/// The place of a group within `length` seconds: successive shards are far apart (the van der Corput sequence).
fn place(group: GroupId, length: i64) -> i64 {
    let intervals = u32::try_from(Interval::ALL.len()).unwrap_or(u32::MAX);
    let of_interval = Interval::ALL
        .iter()
        .position(|interval| *interval == group.interval);
    let of_interval = u32::try_from(of_interval.unwrap_or(0)).unwrap_or(0);
    let number = group.shard.wrapping_mul(intervals).wrapping_add(of_interval);
    let reversed = i128::from(number.reverse_bits());
    i64::try_from((i128::from(length) * reversed) >> u32::BITS).unwrap_or(0)
}

/// The periods that are due at a location's `tick`, where `before` is its previous counted tick. Nothing is due unless
/// `tick` is the first one after the delay.
pub fn due(before: Option<Tick>, tick: Tick, delay: RollupDelay) -> Due {
    let Some(before) = before else {
        return Due::default();
    };
    let over = |grain, delay: SignedDuration, count: i64| -> Vec<Period> {
        let [delayed, running] = [before, tick].map(|tick| earlier(tick, delay));
        if Period::containing(delayed, Grain::Hour) >= Period::containing(running, Grain::Hour) {
            return Vec::new();
        }
        let [delayed, running] = [delayed, running].map(|time| Period::containing(time, grain));
        // After hours without ticks, the period of the previous tick may be over, although its delay had not begun.
        let last = Some(Period::of(before, grain))
            .filter(|last| *last < running)
            .unwrap_or(delayed);
        let periods = (0..count).rev().map(|back| last.later(-back));
        periods.filter(|period| *period < running).collect()
    };
    let days = over(Grain::Day, delay.day, DAYS_BACK);
    Due {
        hours: over(Grain::Hour, delay.hour, HOURS_BACK),
        hours_of_days: if days.is_empty() {
            Vec::new()
        } else {
            over(Grain::Hour, delay.day, HOURS_BACK)
        },
        days,
    }
}

fn earlier(tick: Tick, delay: SignedDuration) -> Timestamp {
    tick.timestamp().saturating_sub(delay).unwrap_or(Timestamp::MIN)
}
