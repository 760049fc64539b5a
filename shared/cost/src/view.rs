//! DynamoDB usage of one view of the overview, from the sizes of the items read.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_core::definition::{Defined, DefinitionFile};
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;

use crate::rollup::{RollupCost, Spread};
use crate::tick::{TickCost, as_quantity};

/// The complete hours and days that the page reads, per location.
const HOURS_SHOWN: f64 = 24.0;
const DAYS_SHOWN: f64 = 89.0;
/// The average share of the current hour that has passed; the page reads its ticks one by one.
const RUNNING_HOUR_SHARE: f64 = 0.5;
/// The maximum read units for the current hour.
const MAX_RUNNING_HOUR_UNITS: f64 = MAX_HISTORY_UNITS / 8.0;
/// The bytes that half a read unit covers in an eventually consistent read.
const BYTES_PER_HALF_UNIT: f64 = 4_096.0;
/// Read units of small items: incidents of four months, controls and locations.
const OTHER_ITEM_UNITS: f64 = 6.0 * 0.5;
/// The read limit for history.
const MAX_HISTORY_UNITS: f64 = 400.0;

/// The usage of one view without caching.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ViewCost {
    /// DynamoDB read units.
    pub read_units: f64,
}

impl ViewCost {
    /// The usage of an overview of all monitors with 90 days of history.
    pub fn of(file: &DefinitionFile, locations: &BTreeSet<Location>, spread: Spread) -> Self {
        let mut groups: BTreeMap<GroupId, Vec<&Defined>> = BTreeMap::new();
        for defined in file.monitors() {
            groups.entry(defined.group).or_default().push(defined);
        }
        let (mut present, mut running, mut history) = (OTHER_ITEM_UNITS, 0.0, 0.0);
        for (group, definitions) in &groups {
            for (number, location) in locations.iter().enumerate() {
                let tick = TickCost::of(*group, definitions, location, locations);
                if number == 0 {
                    // Definitions and group state are read as in a tick.
                    present += tick.read_units;
                }
                let ticks = 3_600.0 / group.interval.length().as_secs_f64();
                running +=
                    RUNNING_HOUR_SHARE * ticks * as_quantity(tick.stored_bytes) / BYTES_PER_HALF_UNIT / 2.0;
                let hour = RollupCost::of_hour(*group, definitions, location, &tick, spread);
                let day = RollupCost::of_day(*group, definitions, location, spread);
                let bytes =
                    HOURS_SHOWN * as_quantity(hour.stored_bytes) + DAYS_SHOWN * as_quantity(day.stored_bytes);
                history += bytes / BYTES_PER_HALF_UNIT / 2.0;
            }
        }
        Self {
            read_units: present + (running.min(MAX_RUNNING_HOUR_UNITS) + history).min(MAX_HISTORY_UNITS),
        }
    }
}
