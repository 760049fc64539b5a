//! What summing up asks of DynamoDB when nothing is missing, by the sizes of the items that it reads and writes.

use portpulse_core::definition::Defined;
use portpulse_core::group::GroupId;
use portpulse_core::id::Region;
use portpulse_core::period::{Grain, Period};
use portpulse_core::phase_times::{Bucket, PhaseTimes};
use portpulse_core::rollup::{Rollup, Tally};
use portpulse_core::time::Tick;
use portpulse_store::layout::{self, Weight};
use portpulse_store::size;
use portpulse_store::table::Read;

use crate::tick::{CONNECT, SOME_TIME, TickCost, checked, whole};

/// The hours, and the days beside them, that are looked for when an hour is over; all but the newest are there.
const HOURS_SOUGHT: f64 = 6.0;
const DAYS_SOUGHT: f64 = 1.0;
const HOURS_OF_A_DAY: f64 = 24.0;
/// What is looked for and is not there is billed like the smallest item.
const NOTHING_THERE: f64 = 0.5;

/// A bucket of some tens of milliseconds.
const FIRST_BUCKET: Bucket = 80;

/// Into how many buckets the connect times of one monitor fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// Over an hour.
    pub hour: u32,
    /// Over a day.
    pub day: u32,
}

impl Default for Spread {
    /// An eighth of a doubling is a bucket: what jitters by a third falls into four.
    fn default() -> Self {
        Self { hour: 4, day: 8 }
    }
}

/// What summing up a period costs one region, beside the tick that does it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RollupCost {
    /// DynamoDB's write units.
    pub write_units: f64,
    /// DynamoDB's read units.
    pub read_units: f64,
    /// What it reads and writes, in bytes on the network.
    pub bytes: f64,
    /// Its requests.
    pub requests: u32,
    /// What it keeps in the table until that expires, in bytes.
    pub kept_bytes: usize,
}

impl RollupCost {
    /// Summing up an hour from its ticks, of which one costs `tick`.
    pub fn of_hour(
        group: GroupId,
        definitions: &[&Defined],
        region: &Region,
        tick: &TickCost,
        spread: Spread,
    ) -> Self {
        let hour = weigh(group, definitions, region, Grain::Hour, spread);
        let day = weigh(group, definitions, region, Grain::Day, spread);
        let ticks = 3600.0 / group.interval.length().as_secs_f64();
        let sought = (HOURS_SOUGHT - 1.0) * size::read_units(hour.stored, Read::Eventual)
            + DAYS_SOUGHT * size::read_units(day.stored, Read::Eventual)
            + NOTHING_THERE;
        let read = (HOURS_SOUGHT - 1.0) * whole(hour.sent)
            + DAYS_SOUGHT * whole(day.sent)
            + ticks * whole(tick.written_bytes);
        Self {
            write_units: whole(size::write_units(hour.stored)),
            read_units: sought + ticks * size::read_units(tick.kept_bytes, Read::Eventual),
            bytes: read + whole(hour.sent),
            requests: 3,
            kept_bytes: hour.stored,
        }
    }

    /// Summing up a day from its hours, beside its last hour.
    pub fn of_day(group: GroupId, definitions: &[&Defined], region: &Region, spread: Spread) -> Self {
        let hour = weigh(group, definitions, region, Grain::Hour, spread);
        let day = weigh(group, definitions, region, Grain::Day, spread);
        Self {
            write_units: whole(size::write_units(day.stored)),
            read_units: NOTHING_THERE + HOURS_OF_A_DAY * size::read_units(hour.stored, Read::Strong),
            bytes: HOURS_OF_A_DAY * whole(hour.sent) + whole(day.sent),
            requests: 2,
            kept_bytes: day.stored,
        }
    }
}

/// A rollup in which all was well.
fn weigh(group: GroupId, definitions: &[&Defined], region: &Region, grain: Grain, spread: Spread) -> Weight {
    let period = Period::of(Tick::containing(SOME_TIME, group.interval), grain);
    let seconds = u32::try_from(group.interval.seconds()).unwrap_or(u32::MAX).max(1);
    let (checks, buckets) = match grain {
        Grain::Hour => (3_600 / seconds, spread.hour),
        Grain::Day => (86_400 / seconds, spread.day),
    };
    let full = (0..buckets.min(checks)).map(|number| {
        let bucket = Bucket::try_from(number)
            .unwrap_or(Bucket::MAX)
            .saturating_add(FIRST_BUCKET);
        (bucket, checks / buckets.max(1))
    });
    let tally = Tally {
        good: checks,
        connect: PhaseTimes::from_buckets(full, CONNECT),
        ..Tally::default()
    };
    let rollup: Rollup = checked(definitions, region)
        .map(|monitor| (monitor.id().clone(), tally.clone()))
        .collect();
    layout::rollup(group, period, region, &rollup)
}
