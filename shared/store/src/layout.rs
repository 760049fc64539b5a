//! How large the items of a nominal tick are, by the very codecs that write them.

use portpulse_core::banners::Banners;
use portpulse_core::definition::Defined;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{DecisionState, LocationState};
use portpulse_core::id::Location;
use portpulse_core::period::Period;
use portpulse_core::rollup::{OtherTimes, Rollup};
use portpulse_core::round::Observations;
use portpulse_core::time::Tick;

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

/// What a location saw in a tick.
pub fn results(group: GroupId, tick: Tick, location: &Location, seen: &Observations) -> Weight {
    let key = keys::results(group, tick, location);
    Weight::of(&codec::results::encode(&key, tick, seen))
}

/// What a location saw over an hour or a day.
pub fn rollup(group: GroupId, period: Period, location: &Location, rollup: &Rollup) -> Weight {
    let key = keys::rollup(group, period, location);
    Weight::of(&codec::rollup::encode(&key, period, rollup))
}

/// The phases but the connect, as a location saw them over an hour or a day.
pub fn other_times(group: GroupId, period: Period, location: &Location, times: &OtherTimes) -> Weight {
    let key = keys::other_times(group, period, location);
    Weight::of(&codec::other_times::encode(&key, period, times))
}

/// What services last said to a location.
pub fn banners(group: GroupId, location: &Location, banners: &Banners) -> Weight {
    Weight::of(&codec::banners::encode(&keys::words_of(group, location), banners))
}

/// The row of a location to which all is well.
pub fn nominal_location_state(group: GroupId, tick: Tick, location: &Location) -> Weight {
    let row = LocationState {
        tick,
        entries: std::collections::BTreeMap::new(),
    };
    Weight::of(&codec::location_state::encode(
        &keys::location_state(group, location),
        &row,
    ))
}

/// That a location should report.
pub fn expectation(group: GroupId, location: &Location) -> Weight {
    Weight::of(&codec::expectation::encode(&keys::expectation(group, location)))
}

/// A decision row in which nothing is open.
pub fn nominal_decision_state(group: GroupId) -> Weight {
    let row = DecisionState::default();
    Weight::of(&codec::decision_state::encode(&keys::decision_state(group), &row))
}
