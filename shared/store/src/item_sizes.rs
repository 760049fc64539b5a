//! Sizes of items as the codecs write them, for cost estimates.

use portpulse_core::banners::Banners;
use portpulse_core::definition::Defined;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{DecisionState, LocationKind, LocationState};
use portpulse_core::id::Location;
use portpulse_core::period::Period;
use portpulse_core::rollup::{PhaseRollup, Rollup};
use portpulse_core::round::Observations;
use portpulse_core::time::Tick;

use crate::packed::pack;
use crate::table::Item;
use crate::{codec, keys, size};

/// The size of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemSize {
    /// Bytes in the table, the unit of DynamoDB's prices.
    pub stored: usize,
    /// Bytes on the network, as JSON.
    pub sent: usize,
}

impl ItemSize {
    fn of(item: &Item) -> Self {
        Self {
            stored: size::item(item),
            sent: size::sent(item),
        }
    }
}

/// The size of a monitor's definition.
pub fn definition(defined: &Defined) -> ItemSize {
    let key = keys::definition(defined.group, defined.monitor.id().as_str());
    ItemSize::of(&codec::definition::encode(&key, &defined.attributes))
}

/// The size of one location's results of a tick.
pub fn results(group: GroupId, tick: Tick, location: &Location, seen: &Observations) -> ItemSize {
    let key = keys::results(group, tick, location);
    ItemSize::of(&codec::results::encode(&key, tick, seen))
}

/// The size of one location's rollup of an hour or a day.
pub fn rollup(group: GroupId, period: Period, location: &Location, rollup: &Rollup) -> ItemSize {
    let key = keys::rollup(group, period, location);
    ItemSize::of(&pack(codec::rollup::encode(&key, period, rollup)))
}

/// The size of one location's times of each phase over an hour or a day.
pub fn phase_rollup(group: GroupId, period: Period, location: &Location, times: &PhaseRollup) -> ItemSize {
    let key = keys::phase_rollup(group, period, location);
    ItemSize::of(&pack(codec::phase_rollup::encode(&key, period, times)))
}

/// The size of the banners of one location.
pub fn banners(group: GroupId, location: &Location, banners: &Banners) -> ItemSize {
    ItemSize::of(&codec::banners::encode(
        &keys::banners_of(group, location),
        banners,
    ))
}

/// The size of a location state without failures.
pub fn nominal_location_state(group: GroupId, tick: Tick, location: &Location) -> ItemSize {
    let state = LocationState {
        tick,
        entries: std::collections::BTreeMap::new(),
    };
    ItemSize::of(&codec::location_state::encode(
        &keys::location_state(group, location),
        &state,
    ))
}

/// The size of an item that lists an agent, which is larger than that of a region.
pub fn expectation(group: GroupId, location: &Location) -> ItemSize {
    ItemSize::of(&codec::expectation::encode(
        &keys::expectation(group, location),
        LocationKind::Agent,
    ))
}

/// The size of a decision state without incidents.
pub fn nominal_decision_state(group: GroupId) -> ItemSize {
    let state = DecisionState::default();
    ItemSize::of(&codec::decision_state::encode(
        &keys::decision_state(group),
        &state,
    ))
}
