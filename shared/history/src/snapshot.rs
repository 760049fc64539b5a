//! The data read for one request, with the range that it covers.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portpulse_core::banners::Banners;
use portpulse_core::control::Control;
use portpulse_core::decide::{Elsewhere, Input};
use portpulse_core::definition::Monitor;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{ClosedIncident, FleetState, GroupState, Status, Track};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::observation::Observation;
use portpulse_core::outbox::Claimant;
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

impl Snapshot {
    /// The monitors of other groups that monitors of `own` depend on. What is not read is known from the diagnoses.
    pub fn elsewhere(&self, own: GroupId) -> Elsewhere {
        let mut elsewhere = Elsewhere::default();
        for (group, known) in &self.groups {
            let decision = &known.group_state.decision;
            if *group == own {
                for ((id, _), incident) in &decision.incidents {
                    let evidence = incident
                        .diagnosis
                        .as_ref()
                        .and_then(|known| known.evidence.as_ref());
                    let parent = evidence.and_then(|evidence| evidence.parent.clone());
                    if let Some(parent) = parent.filter(|parent| self.definition(parent).is_none()) {
                        let parents = elsewhere.parents.entry(id.clone()).or_default();
                        parents.insert(parent.clone());
                        elsewhere.down.insert(parent);
                    }
                }
                continue;
            }
            let down = decision.incidents.iter().filter(|((_, track), incident)| {
                *track == Track::Health && incident.status == Status::Down && incident.is_bad_now()
            });
            elsewhere.down.extend(down.map(|((id, _), _)| id.clone()));
            for monitor in known.definitions.monitors.values() {
                let parents = monitor.alert_policy().depends_on.keys().cloned();
                let known = elsewhere.parents.entry(monitor.id().clone()).or_default();
                known.extend(parents);
            }
        }
        elsewhere
    }

    /// The input of a question about a group.
    pub fn input<'a>(
        &'a self,
        group: GroupId,
        known: &'a GroupSnapshot,
        elsewhere: &'a Elsewhere,
        now: Timestamp,
        me: &'a Claimant,
    ) -> Input<'a> {
        Input {
            group,
            definitions: &known.definitions,
            group_state: &known.group_state,
            fleet: Some(&self.fleet),
            fallback_locations: &known.expected,
            controls: &self.controls,
            elsewhere,
            now,
            me,
        }
    }

    /// The definition of a monitor.
    pub(crate) fn definition(&self, id: &MonitorId) -> Option<&Monitor> {
        let mut groups = self.groups.values();
        groups.find_map(|known| known.definitions.monitors.get(id))
    }
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
pub type SingleChecks = BTreeMap<Location, BTreeMap<Tick, Observation>>;

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
