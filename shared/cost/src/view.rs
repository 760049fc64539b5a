//! What one look at the status page's overview reads, by the sizes of the items that it shows.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_core::definition::{Defined, DefinitionFile};
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;

use crate::rollup::{RollupCost, Spread};
use crate::tick::{TickCost, whole};

/// The rollups that are shown: of each region the last hours and days that are over.
const HOURS: f64 = 23.0;
const DAYS: f64 = 89.0;
/// How much of the running hour is over, on average; it is shown tick by tick.
const OF_AN_HOUR: f64 = 0.5;
/// What that takes at most.
const MAX_OF_AN_HOUR: f64 = MAX_UNITS / 8.0;
/// The bytes that half a read unit pays for, where reads are eventually consistent.
const BYTES_A_HALF: f64 = 4_096.0;
/// Four months of incidents, the controls and the regions, each with little in it.
const REST: f64 = 6.0 * 0.5;
/// The history that a look reads at most, beside the present.
const MAX_UNITS: f64 = 400.0;

/// What a look costs when it is read anew.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ViewCost {
    /// DynamoDB's read units.
    pub read_units: f64,
}

impl ViewCost {
    /// A look at all monitors of this file, checked from these regions, once there are 90 days of them.
    pub fn of(file: &DefinitionFile, locations: &BTreeSet<Location>, spread: Spread) -> Self {
        let mut groups: BTreeMap<GroupId, Vec<&Defined>> = BTreeMap::new();
        for defined in file.monitors() {
            groups.entry(defined.group).or_default().push(defined);
        }
        let (mut present, mut running, mut history) = (REST, 0.0, 0.0);
        for (group, definitions) in &groups {
            for (number, location) in locations.iter().enumerate() {
                let tick = TickCost::of(*group, definitions, location, locations);
                if number == 0 {
                    // As a tick reads them.
                    present += tick.read_units;
                }
                let ticks = 3_600.0 / group.interval.length().as_secs_f64();
                running += OF_AN_HOUR * ticks * whole(tick.kept_bytes) / BYTES_A_HALF / 2.0;
                let hour = RollupCost::of_hour(*group, definitions, location, &tick, spread);
                let day = RollupCost::of_day(*group, definitions, location, spread);
                let bytes = HOURS * whole(hour.kept_bytes) + DAYS * whole(day.kept_bytes);
                history += bytes / BYTES_A_HALF / 2.0;
            }
        }
        Self {
            read_units: present + (running.min(MAX_OF_AN_HOUR) + history).min(MAX_UNITS),
        }
    }
}
