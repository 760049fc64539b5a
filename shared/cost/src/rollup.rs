//! What summing up asks of DynamoDB when nothing is missing, by the sizes of the items that it reads and writes.

use portpulse_core::definition::{Defined, Monitor};
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::period::{Grain, Period};
use portpulse_core::phase_times::{Bucket, PhaseTimes};
use portpulse_core::rollup::{Rollup, Tally, other_times};
use portpulse_core::time::Tick;
use portpulse_store::layout::{self, Weight};
use portpulse_store::size;
use portpulse_store::table::Read;

use crate::tick::{CONNECT, SOME_TIME, TickCost, checked, other_phases, whole};

/// The hours, and the days beside them, that are looked for when an hour is over; all but the newest are there.
const HOURS_SOUGHT: f64 = 6.0;
const DAYS_SOUGHT: f64 = 1.0;
const HOURS_OF_A_DAY: f64 = 24.0;
/// What is looked for and is not there is billed like the smallest item.
const NOTHING_THERE: f64 = 0.5;

/// A bucket of a quarter of a second, the first with three digits.
const FIRST_BUCKET: Bucket = 100;

/// Into how many buckets the times of one phase of one monitor fall.
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
    /// What it keeps of the phases but the connect, where there are any.
    pub others_kept_bytes: Option<usize>,
}

impl RollupCost {
    /// Summing up an hour from its ticks, of which one costs `tick`.
    pub fn of_hour(
        group: GroupId,
        definitions: &[&Defined],
        location: &Location,
        tick: &TickCost,
        spread: Spread,
    ) -> Self {
        let (hour, others) = weigh(group, definitions, location, Grain::Hour, spread);
        let (day, _) = weigh(group, definitions, location, Grain::Day, spread);
        let ticks = 3600.0 / group.interval.length().as_secs_f64();
        let sought = (HOURS_SOUGHT - 1.0) * size::read_units(hour.stored, Read::Eventual)
            + DAYS_SOUGHT * size::read_units(day.stored, Read::Eventual)
            + NOTHING_THERE;
        let read = (HOURS_SOUGHT - 1.0) * whole(hour.sent)
            + DAYS_SOUGHT * whole(day.sent)
            + ticks * whole(tick.written_bytes);
        Self {
            write_units: written(hour, others),
            read_units: sought + ticks * size::read_units(tick.kept_bytes, Read::Eventual),
            bytes: read + whole(hour.sent) + others.map_or(0.0, |others| whole(others.sent)),
            requests: 3 + u32::from(others.is_some()),
            kept_bytes: hour.stored,
            others_kept_bytes: others.map(|others| others.stored),
        }
    }

    /// Summing up a day from its hours, beside its last hour.
    pub fn of_day(group: GroupId, definitions: &[&Defined], location: &Location, spread: Spread) -> Self {
        let (hour, others_of_hour) = weigh(group, definitions, location, Grain::Hour, spread);
        let (day, others) = weigh(group, definitions, location, Grain::Day, spread);
        let none = Weight { stored: 0, sent: 0 };
        let hours = [hour, others_of_hour.unwrap_or(none)];
        let read_units: f64 = hours
            .map(|each| size::read_units(each.stored, Read::Strong))
            .iter()
            .sum();
        let sent: f64 = hours.map(|each| whole(each.sent)).iter().sum();
        Self {
            write_units: written(day, others),
            read_units: NOTHING_THERE + HOURS_OF_A_DAY * read_units,
            bytes: HOURS_OF_A_DAY * sent + whole(day.sent) + others.map_or(0.0, |others| whole(others.sent)),
            requests: 3 + u32::from(others.is_some()),
            kept_bytes: day.stored,
            others_kept_bytes: others.map(|others| others.stored),
        }
    }
}

fn written(rollup: Weight, others: Option<Weight>) -> f64 {
    let items = [Some(rollup), others].into_iter().flatten();
    items.map(|item| whole(size::write_units(item.stored))).sum()
}

/// A rollup in which all was well, and the phases but the connect, where there are any.
fn weigh(
    group: GroupId,
    definitions: &[&Defined],
    location: &Location,
    grain: Grain,
    spread: Spread,
) -> (Weight, Option<Weight>) {
    let period = Period::of(Tick::containing(SOME_TIME, group.interval), grain);
    let seconds = u32::try_from(group.interval.seconds()).unwrap_or(u32::MAX).max(1);
    let (checks, buckets) = match grain {
        Grain::Hour => (3_600 / seconds, spread.hour),
        Grain::Day => (86_400 / seconds, spread.day),
    };
    let times = |max| {
        let full = (0..buckets.min(checks)).map(|number| {
            let bucket = Bucket::try_from(number)
                .unwrap_or(Bucket::MAX)
                .saturating_add(FIRST_BUCKET);
            (bucket, checks / buckets.max(1))
        });
        PhaseTimes::from_buckets(full, max)
    };
    let tally = |monitor: &Monitor| Tally {
        good: checks,
        connect: times(CONNECT),
        others: other_phases(monitor).map(|time| time.map_or_else(PhaseTimes::default, times)),
        ..Tally::default()
    };
    let rollup: Rollup = checked(definitions, location)
        .map(|monitor| (monitor.id().clone(), tally(monitor)))
        .collect();
    let others = other_times(&rollup);
    let weight = (!others.is_empty()).then(|| layout::other_times(group, period, location, &others));
    (layout::rollup(group, period, location, &rollup), weight)
}
