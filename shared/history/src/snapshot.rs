//! What was read of the table for one request: rows as they are, and how far back they reach.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_core::banners::Banners;
use portpulse_core::control::Control;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{ClosedIncident, FleetState, GroupState};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::period::{Grain, Period};
use portpulse_core::rollup::OtherTimes;
use portpulse_core::round::Definitions;

use crate::packed::PackedRollup;

/// What was read for one request.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The groups that were asked for.
    pub groups: BTreeMap<GroupId, GroupSnapshot>,
    /// What people have said of monitors.
    pub controls: BTreeMap<MonitorId, Control>,
    /// What all groups together know of the locations.
    pub fleet: FleetState,
    /// Closed incidents, of all monitors.
    pub closed: Vec<ClosedIncident>,
    /// Whether every incident that closed in the days that are shown is among them.
    pub all_closed: bool,
    /// What is wrong with rows that cannot be read.
    pub unreadable: Vec<String>,
}

/// What was read of one group.
#[derive(Debug, Clone, Default)]
pub struct GroupSnapshot {
    /// The locations that should report to its board.
    pub expected: BTreeSet<Location>,
    /// Its definitions.
    pub definitions: Definitions,
    /// Its board.
    pub group_state: GroupState,
    /// What its services last said to each location; read for one monitor's page alone.
    pub banners: BTreeMap<Location, Banners>,
    /// What each location saw in the running hour.
    pub running: Running,
    /// What each location saw in the last hours.
    pub hours: Reach<PackedRollup>,
    /// What each location saw in the last days.
    pub days: Reach<PackedRollup>,
    /// Whether phases were left unread that were wanted.
    pub lacks_phases: bool,
}

impl GroupSnapshot {
    /// Where rollups of this grain stand.
    pub(crate) fn reach_mut(&mut self, grain: Grain) -> &mut Reach<PackedRollup> {
        match grain {
            Grain::Hour => &mut self.hours,
            Grain::Day => &mut self.days,
        }
    }

    /// Puts the other phases to the rollups they belong to, as far as those were read.
    pub(crate) fn take_in(&mut self, first: Period, found: Reach<OtherTimes>) {
        self.lacks_phases |= found.since.is_none_or(|since| since > first);
        let reach = self.reach_mut(first.grain());
        for (period, locations) in found.rollups {
            for (location, times) in locations {
                let rollups = reach.rollups.get_mut(&period);
                if let Some(rollup) = rollups.and_then(|rollups| rollups.get_mut(&location)) {
                    rollup.add_others(&times);
                }
            }
        }
    }
}

/// What each location saw in the running hour, summed up from its ticks.
#[derive(Debug, Clone, Default)]
pub struct Running {
    /// Which.
    pub hour: Option<Period>,
    /// The sums so far.
    pub rollups: BTreeMap<Location, PackedRollup>,
    /// Whether all ticks that there are were read, and not only the latest.
    pub whole: bool,
}

impl Running {
    /// The sums of this hour; `None` if another one is running, or only a part of it was read.
    pub(crate) fn of(&self, hour: Period) -> Option<&BTreeMap<Location, PackedRollup>> {
        (self.whole && self.hour == Some(hour)).then_some(&self.rollups)
    }
}

/// What was summed up of consecutive periods.
#[derive(Debug, Clone)]
pub struct Reach<R> {
    /// By period and location.
    pub rollups: BTreeMap<Period, BTreeMap<Location, R>>,
    /// The earliest period from which all that there are were read; `None` where not even the latest one's were.
    pub since: Option<Period>,
}

impl<R> Default for Reach<R> {
    fn default() -> Self {
        Self {
            rollups: BTreeMap::new(),
            since: None,
        }
    }
}
