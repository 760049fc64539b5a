//! How large the items of a nominal tick are, by the very codecs that write them.

use portpulse_core::board::{RegionRow, VerdictRow};
use portpulse_core::definition::Defined;
use portpulse_core::group::GroupId;
use portpulse_core::id::Region;
use portpulse_core::period::Period;
use portpulse_core::rollup::{OtherTimes, Rollup};
use portpulse_core::round::Observations;
use portpulse_core::time::Tick;
use portpulse_core::words::Words;

use crate::table::Item;
use crate::{codec, keys, size};

/// What an item weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight {
    /// Its bytes in the table, by which DynamoDB bills.
    pub stored: usize,
    /// Its bytes on the network, as JSON.
    pub sent: usize,
}

impl Weight {
    fn of(item: &Item) -> Self {
        Self {
            stored: size::item(item),
            sent: size::sent(item),
        }
    }
}

/// A monitor's definition.
pub fn definition(defined: &Defined) -> Weight {
    let key = keys::definition(defined.group, defined.monitor.id().as_str());
    Weight::of(&codec::definition::encode(&key, &defined.attributes))
}

/// What a region saw in a tick.
pub fn results(group: GroupId, tick: Tick, region: &Region, seen: &Observations) -> Weight {
    let key = keys::results(group, tick, region);
    Weight::of(&codec::results::encode(&key, tick, seen))
}

/// What a region saw over an hour or a day.
pub fn rollup(group: GroupId, period: Period, region: &Region, rollup: &Rollup) -> Weight {
    let key = keys::rollup(group, period, region);
    Weight::of(&codec::rollup::encode(&key, period, rollup))
}

/// The phases but the connect, as a region saw them over an hour or a day.
pub fn other_times(group: GroupId, period: Period, region: &Region, times: &OtherTimes) -> Weight {
    let key = keys::other_times(group, period, region);
    Weight::of(&codec::other_times::encode(&key, period, times))
}

/// What services last said to a region.
pub fn words(group: GroupId, region: &Region, words: &Words) -> Weight {
    Weight::of(&codec::words::encode(&keys::words_of(group, region), words))
}

/// The row of a region to which all is well.
pub fn nominal_region_row(group: GroupId, tick: Tick, region: &Region) -> Weight {
    let row = RegionRow {
        tick,
        entries: std::collections::BTreeMap::new(),
    };
    Weight::of(&codec::region_row::encode(&keys::region_row(group, region), &row))
}

/// That a region should report.
pub fn expectation(group: GroupId, region: &Region) -> Weight {
    Weight::of(&codec::expectation::encode(&keys::expectation(group, region)))
}

/// A verdict row in which nothing is open.
pub fn nominal_verdict_row(group: GroupId) -> Weight {
    let row = VerdictRow::default();
    Weight::of(&codec::verdict_row::encode(&keys::verdict_row(group), &row))
}
