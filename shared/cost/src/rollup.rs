//! DynamoDB usage of rollups in normal operation, from the sizes of the items read and written.

use std::time::Duration;

use portpulse_core::by_phase::ByPhase;
use portpulse_core::definition::{Defined, Monitor};
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::period::{Grain, Period};
use portpulse_core::phase_times::{Bucket, PhaseTimes};
use portpulse_core::rollup::{Rollup, Tally, phase_rollup};
use portpulse_core::time::Tick;
use portpulse_store::item_sizes::{self, ItemSize};
use portpulse_store::size;
use portpulse_store::table::Read;

use crate::tick::{SAMPLE_CONNECT, SAMPLE_TIME, TickCost, as_quantity, checked_monitors, other_phases};

/// The rollups by hour and by day that are looked up once an hour, in one request each; all but the newest hour exist.
const HOURS_QUERIED: f64 = 6.0;
const DAYS_QUERIED: f64 = 1.0;
const HOURS_PER_DAY: f64 = 24.0;
/// The read units of a missing item, which is billed like the smallest item.
const MISSING_ITEM_UNITS: f64 = 0.5;

/// The first buckets of monitors: from 2 to 400 milliseconds.
const FIRST_BUCKETS: std::ops::Range<u32> = 60..120;

/// The number of histogram buckets per phase and monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// In an hour.
    pub hour: u32,
    /// In a day.
    pub day: u32,
}

impl Default for Spread {
    /// A bucket covers 1/8 of a doubling: times that vary by a third fall into four buckets.
    fn default() -> Self {
        Self { hour: 4, day: 8 }
    }
}

/// The additional usage of one rollup in one location.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RollupCost {
    /// DynamoDB write units.
    pub write_units: f64,
    /// DynamoDB read units.
    pub read_units: f64,
    /// Bytes read and written over the network.
    pub bytes: f64,
    /// The number of requests.
    pub requests: u32,
    /// Bytes stored in the table until the item expires.
    pub stored_bytes: usize,
    /// Bytes stored for the times of each phase; `None` if all checks have the connect alone.
    pub phases_bytes: Option<usize>,
}

impl RollupCost {
    /// The rollup of an hour from its ticks, each of which costs `tick`.
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
        let lookup_units = (HOURS_QUERIED - 1.0) * size::read_units(hour.stored, Read::Eventual)
            + DAYS_QUERIED * size::read_units(day.stored, Read::Eventual)
            + MISSING_ITEM_UNITS;
        let read = (HOURS_QUERIED - 1.0) * as_quantity(hour.sent)
            + DAYS_QUERIED * as_quantity(day.sent)
            + ticks * as_quantity(tick.written_bytes);
        Self {
            write_units: written(hour, others),
            read_units: lookup_units + ticks * size::read_units(tick.stored_bytes, Read::Eventual),
            bytes: read + as_quantity(hour.sent) + others.map_or(0.0, |others| as_quantity(others.sent)),
            requests: 4 + u32::from(others.is_some()),
            stored_bytes: hour.stored,
            phases_bytes: others.map(|others| others.stored),
        }
    }

    /// The rollup of a day from its hours.
    pub fn of_day(group: GroupId, definitions: &[&Defined], location: &Location, spread: Spread) -> Self {
        let (hour, others_of_hour) = weigh(group, definitions, location, Grain::Hour, spread);
        let (day, others) = weigh(group, definitions, location, Grain::Day, spread);
        let none = ItemSize { stored: 0, sent: 0 };
        let hours = [hour, others_of_hour.unwrap_or(none)];
        let read_units: f64 = hours
            .map(|each| size::read_units(each.stored, Read::Strong))
            .iter()
            .sum();
        let sent: f64 = hours.map(|each| as_quantity(each.sent)).iter().sum();
        Self {
            write_units: written(day, others),
            read_units: MISSING_ITEM_UNITS + HOURS_PER_DAY * read_units,
            bytes: HOURS_PER_DAY * sent
                + as_quantity(day.sent)
                + others.map_or(0.0, |others| as_quantity(others.sent)),
            requests: 3 + u32::from(others.is_some()),
            stored_bytes: day.stored,
            phases_bytes: others.map(|others| others.stored),
        }
    }
}

fn written(rollup: ItemSize, others: Option<ItemSize>) -> f64 {
    let items = [Some(rollup), others].into_iter().flatten();
    items
        .map(|item| as_quantity(size::write_units(item.stored)))
        .sum()
}

/// The sizes of a rollup of good checks, and of the item with the times of each phase, if any.
fn weigh(
    group: GroupId,
    definitions: &[&Defined],
    location: &Location,
    grain: Grain,
    spread: Spread,
) -> (ItemSize, Option<ItemSize>) {
    let period = Period::of(Tick::containing(SAMPLE_TIME, group.interval), grain);
    let seconds = u32::try_from(group.interval.seconds()).unwrap_or(u32::MAX).max(1);
    let (checks, buckets) = match grain {
        Grain::Hour => (3_600 / seconds, spread.hour),
        Grain::Day => (86_400 / seconds, spread.day),
    };
    let tally = |monitor: &Monitor| {
        let mut random = Random::of(monitor.id().as_str());
        let mut times = |max: Duration| {
            let first = FIRST_BUCKETS.start + random.below(FIRST_BUCKETS.end - FIRST_BUCKETS.start);
            let mut left = checks;
            let full = (0..buckets.min(checks)).map(|number| {
                let rest = buckets.min(checks) - number - 1;
                let count = match rest {
                    0 => left,
                    _ => 1 + random.below((left - rest).div_ceil(2)),
                };
                left -= count;
                let bucket = Bucket::try_from(first + number).unwrap_or(Bucket::MAX);
                (bucket, count)
            });
            let full: Vec<_> = full.collect();
            PhaseTimes::from_buckets(
                full,
                max + Duration::from_micros(u64::from(random.below(9_000)) * 10),
            )
        };
        let phases = phases(monitor);
        let total = times(phases.each().into_iter().filter_map(|(_, time)| *time).sum());
        let mut of_phase = |time: Option<Duration>| time.map_or_else(PhaseTimes::default, &mut times);
        Tally {
            good: checks,
            total,
            phases: ByPhase {
                dns: of_phase(phases.dns),
                connect: of_phase(phases.connect),
                tls: of_phase(phases.tls),
                ready: of_phase(phases.ready),
            },
            ..Tally::default()
        }
    };
    let rollup: Rollup = checked_monitors(definitions, location)
        .map(|monitor| (monitor.id().clone(), tally(monitor)))
        .collect();
    let others = phase_rollup(&rollup);
    let weight = (!others.is_empty()).then(|| item_sizes::phase_rollup(group, period, location, &others));
    (item_sizes::rollup(group, period, location, &rollup), weight)
}

/// Numbers that differ from monitor to monitor, the same ones in each run: rollups are compressed, and equal ones would be too
/// small.
struct Random(u64);

impl Random {
    fn of(id: &str) -> Self {
        // FNV-1a.
        Self(id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    /// A number below `bound`; 0 if that is 0.
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u32::try_from(self.0 >> 33).unwrap_or_default() % bound.max(1)
    }
}

/// The times of the phases of a good check.
fn phases(monitor: &Monitor) -> ByPhase<Option<Duration>> {
    let OtherPhases { dns, tls, ready } = other_phases(monitor);
    ByPhase {
        dns,
        connect: Some(SAMPLE_CONNECT),
        tls,
        ready,
    }
}
