//! The data read for one request, with the range that it covers.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_core::banners::Banners;
use portpulse_core::control::Control;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{ClosedIncident, FleetState, GroupState};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::observation::Seen;
use portpulse_core::period::{Grain, Period};
use portpulse_core::rollup::PhaseRollup;
use portpulse_core::round::Definitions;
use portpulse_core::time::Tick;
use portpulse_store::NotesByIncident;

use crate::packed::PackedRollup;

/// The data read for one request.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The requested groups.
    pub groups: BTreeMap<GroupId, GroupSnapshot>,
    /// Silences and acknowledgements by monitor.
    pub controls: BTreeMap<MonitorId, Control>,
    /// The state of the locations across all groups.
    pub fleet: FleetState,
    /// Closed incidents of all monitors.
    pub closed: Vec<ClosedIncident>,
    /// The notes of operators.
    pub notes: NotesByIncident,
    /// Whether `closed` contains every incident that closed within the days shown.
    pub all_closed: bool,
    /// Errors of unreadable items.
    pub unreadable: Vec<String>,
}

/// The data read for one group.
#[derive(Debug, Clone, Default)]
pub struct GroupSnapshot {
    /// The expected locations.
    pub expected: BTreeSet<Location>,
    /// The definitions.
    pub definitions: Definitions,
    /// The group state.
    pub group_state: GroupState,
    /// The last banners of the services by location; read for monitor pages only.
    pub banners: BTreeMap<Location, Banners>,
    /// The checks of the current hour.
    pub running: RunningHour,
    /// The single checks of one monitor in the last hours; read for monitor pages only.
    pub checks: SingleChecks,
    /// Rollups by hour.
    pub hours: RollupHistory<PackedRollup>,
    /// Rollups by day.
    pub days: RollupHistory<PackedRollup>,
    /// Whether some requested checks or phase times exceed the read limit.
    pub lacks_phases: bool,
}

impl GroupSnapshot {
    /// The rollups of a grain.
    pub(crate) fn rollups_mut(&mut self, grain: Grain) -> &mut RollupHistory<PackedRollup> {
        match grain {
            Grain::Hour => &mut self.hours,
            Grain::Day => &mut self.days,
        }
    }

    /// Adds the single checks of an hour; some of them are missing unless `is_whole`.
    pub(crate) fn add_checks(&mut self, checks: SingleChecks, is_whole: bool) {
        self.lacks_phases |= !is_whole;
        for (location, checks) in checks {
            self.checks.entry(location).or_default().extend(checks);
        }
    }

    /// Adds the sums of the last hour in `locations`, unless they are incomplete.
    pub(crate) fn add_last_hour(&mut self, locations: &[Location], sums: RunningHour) {
        let Some(hour) = sums.hour.filter(|_| sums.is_complete) else {
            return;
        };
        let awaited = sums.rollups.into_iter();
        let awaited = awaited.filter(|(location, _)| locations.contains(location));
        self.hours.rollups.entry(hour).or_default().extend(awaited);
    }

    /// Adds the times of each phase to the rollups that were read.
    pub(crate) fn add_phases(&mut self, first: Period, found: RollupHistory<PhaseRollup>) {
        self.lacks_phases |= found.since.is_none_or(|since| since > first);
        let reach = self.rollups_mut(first.grain());
        let Some(since) = found.since else {
            return;
        };
        let none = PhaseRollup::new();
        for (period, locations) in reach.rollups.range_mut(since..) {
            for (location, rollup) in locations {
                let stored = found.rollups.get(period).and_then(|stored| stored.get(location));
                rollup.add_phases(stored.unwrap_or(&none));
            }
        }
    }
}

/// The single checks of one monitor by location.
pub type SingleChecks = BTreeMap<Location, BTreeMap<Tick, Seen>>;

/// The checks of the current hour by location, summed up from single ticks.
#[derive(Debug, Clone, Default)]
pub struct RunningHour {
    /// The hour.
    pub hour: Option<Period>,
    /// The sums by location.
    pub rollups: BTreeMap<Location, PackedRollup>,
    /// The single checks of one monitor; empty on other pages.
    pub checks: SingleChecks,
    /// Whether all ticks of the hour so far were read.
    pub is_complete: bool,
}

impl RunningHour {
    /// The sums of `hour`; `None` if `hour` is not the current hour or was not read completely.
    pub(crate) fn of(&self, hour: Period) -> Option<&BTreeMap<Location, PackedRollup>> {
        (self.is_complete && self.hour == Some(hour)).then_some(&self.rollups)
    }
}

/// Rollups of consecutive periods.
#[derive(Debug, Clone)]
pub struct RollupHistory<R> {
    /// The rollups by period and location.
    pub rollups: BTreeMap<Period, BTreeMap<Location, R>>,
    /// The earliest period from which on all rollups were read; `None` if no period was read completely.
    pub since: Option<Period>,
}

impl<R> Default for RollupHistory<R> {
    fn default() -> Self {
        Self {
            rollups: BTreeMap::new(),
            since: None,
        }
    }
}
