//! What was read of the table for one request: rows as they are, and how far back they reach.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_core::board::{Board, ClosedIncident, FleetRow};
use portpulse_core::control::Control;
use portpulse_core::group::GroupId;
use portpulse_core::id::{MonitorId, Region};
use portpulse_core::period::Period;
use portpulse_core::rollup::Rollup;
use portpulse_core::round::Definitions;
use portpulse_core::words::Words;

/// What was read for one request.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The groups that were asked for.
    pub groups: BTreeMap<GroupId, GroupSnapshot>,
    /// What people have said of monitors.
    pub controls: BTreeMap<MonitorId, Control>,
    /// What all groups together know of the regions.
    pub fleet: FleetRow,
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
    /// The regions that should report to its board.
    pub expected: BTreeSet<Region>,
    /// Its definitions.
    pub definitions: Definitions,
    /// Its board.
    pub board: Board,
    /// What its services last said to each region; read for one monitor's page alone.
    pub words: BTreeMap<Region, Words>,
    /// What each region saw in the last hours.
    pub hours: Reach,
    /// What each region saw in the last days.
    pub days: Reach,
}

/// Rollups of consecutive periods, by period and region.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// The rollups.
    pub rollups: BTreeMap<Period, BTreeMap<Region, Rollup>>,
    /// The earliest period from which all that there are were read; `None` where not even the latest one's were.
    pub since: Option<Period>,
}
