//! The decision: from definitions, board and time to the next verdict row, the next fleet row and nothing else.
//!
//! It is a pure function of its input, so any checker in any region may make it, as often as it likes: deciding
//! again on what was already decided changes nothing.

mod fit;
mod flapping;
mod fleet;
mod incidents;
mod notification;
mod regions;
mod tally;
mod tell;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::board::{Board, FleetRow, Track, Verdict, VerdictRow};
use crate::control::Control;
use crate::definition::Monitor;
use crate::group::GroupId;
use crate::id::{MonitorId, Region};
use crate::outbox::Claimant;
use crate::round::Definitions;
use tally::{Electorate, Tally};

pub use fit::{Rest, SizeLimit, Unlimited};
pub use notification::{Notification, RegionView, View, views};

/// All that a decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The group decided on.
    pub group: GroupId,
    /// Its definitions.
    pub definitions: &'a Definitions,
    /// Its board, read strongly consistent after this region's own row was written.
    pub board: &'a Board,
    /// What the groups together know of the regions; `None` where it could not be read, and so must not be written.
    pub fleet: Option<&'a FleetRow>,
    /// The regions that should report where the board lists none.
    pub otherwise: &'a BTreeSet<Region>,
    /// What people have said of the monitors.
    pub controls: &'a BTreeMap<MonitorId, Control>,
    /// Monitors of other groups that are down, as far as one of this group depends on them.
    pub down_elsewhere: &'a BTreeSet<MonitorId>,
    /// The time.
    pub now: Timestamp,
    /// In whose name notifications are claimed.
    pub me: &'a Claimant,
}

impl<'a> Input<'a> {
    /// The regions that should report: those that this very board lists, so that a decision never rests on the rows of
    /// one read and the regions of another.
    pub fn expected(&self) -> &'a BTreeSet<Region> {
        if self.board.listed.is_empty() {
            self.otherwise
        } else {
            &self.board.listed
        }
    }

    /// The time as it is kept in rows: in whole seconds, rounded down.
    fn stamp(&self) -> Timestamp {
        Timestamp::from_second(self.now.as_second()).unwrap_or(self.now)
    }
}

/// What to write. A row that would not change is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// The next verdict row, to be written on condition that the revision before it still stands.
    pub verdict: Option<VerdictRow>,
    /// The next fleet row, likewise. Written second: the verdict row keeps a region in mind until the fleet row shows
    /// that all is said of it, so a writer lost in between is made good.
    pub fleet: Option<FleetRow>,
    /// Whether `verdict` holds all that is to be decided on the monitors.
    pub rest: Rest,
}

/// Decides as much as fits into the rows, the loudest and oldest first, each monitor as if all were decided at once.
///
/// What is left is decided by deciding again once what waits in the row is published and filed.
pub fn decide(input: &Input<'_>, limit: &impl SizeLimit) -> Decision {
    let mut whole = whole(input);
    let fleet = fleet::step(input, &whole, limit);
    if whole.is_same(&input.board.verdict) {
        return Decision {
            fleet,
            ..Decision::default()
        };
    }
    flapping::forget(input.now, &mut whole);
    let (verdict, rest) = fit::verdict(input, whole, limit);
    Decision { verdict, fleet, rest }
}

/// The verdict row after everything is decided, however large it is.
fn whole(input: &Input<'_>) -> VerdictRow {
    let (before, now) = (&input.board.verdict, input.now);
    let mut next = before.clone();
    next.revision += 1;

    let mut electorate = Electorate::new(input);
    regions::step(input, &mut electorate, &mut next);

    let tallies: Vec<_> = input
        .definitions
        .monitors
        .values()
        .map(|monitor| (monitor, Tally::of(monitor, &electorate)))
        .collect();
    for (monitor, tally) in &tallies {
        incidents::step(monitor, tally, &electorate, now, &mut next);
    }
    incidents::forget_removed(input.definitions, &electorate, &mut next);
    // Only now is it known which monitors are down, and so which others wait for them.
    for (monitor, tally) in &tallies {
        tell::open_incidents(input, monitor, tally, &mut next);
    }
    tell::broken_definitions(input, &mut next);
    next.outbox.claim(input.me, input.stamp(), usize::MAX);
    next
}

/// Whether there is nothing to decide: every expected region reports, sees all well, and nothing is open or waits.
///
/// Then [`decide`] would change nothing, and a tick needs no further read.
pub fn is_nominal(input: &Input<'_>) -> bool {
    let verdict = &input.board.verdict;
    // What has changed of late matters only when something changes again.
    let quiet = verdict.is_same(&VerdictRow {
        changes: verdict.changes.clone(),
        ..VerdictRow::default()
    });
    let electorate = Electorate::new(input);
    let mut reporting = input
        .expected()
        .iter()
        .filter(|region| input.definitions.checked_by(region).next().is_some());
    let nobody = |monitor: &Monitor| {
        let mut expected = input.expected().iter();
        !expected.any(|region| monitor.rule().regions.includes(region))
    };
    quiet
        && input.definitions.broken.is_empty()
        && !input.definitions.monitors.values().any(nobody)
        && reporting.all(|region| {
            electorate
                .fresh_row(region)
                .is_some_and(|row| row.entries.is_empty())
        })
}

/// Whether the board shows an incident or an advisory beginning or ending that its verdict row does not have yet.
///
/// So it stands when a checker was lost between its commit and its decision. It must be decided before a region
/// replaces the row that shows it, or the change would never be told.
pub fn is_undecided(input: &Input<'_>) -> bool {
    let before = &input.board.verdict;
    let next = whole(input);
    let incidents =
        next.incidents.keys().eq(before.incidents.keys()) && next.closed.len() == before.closed.len();
    // When one ends that has become an incident depends on what is not read here: whether that may be told.
    let advisories = |row: &VerdictRow| -> BTreeSet<MonitorId> {
        let ids = row.advisories.keys();
        let alone = ids.filter(|id| !row.incidents.contains_key(&((*id).clone(), Track::Health)));
        alone.cloned().collect()
    };
    !incidents || advisories(&next) != advisories(before)
}

/// The row that follows once `me` has published `published`, and the incidents in `filed` are in the archive.
///
/// What was claimed and not published is free for the next tick. `None` if nothing changes.
pub fn settle(
    row: &VerdictRow,
    me: &Claimant,
    published: &BTreeSet<String>,
    filed: &[String],
) -> Option<VerdictRow> {
    let mut next = VerdictRow {
        revision: row.revision + 1,
        ..row.clone()
    };
    next.outbox.settle(me, published);
    next.closed.retain(|closed| !filed.contains(&closed.key()));
    (!next.is_same(row)).then_some(next)
}

/// The same for the fleet row.
pub fn settle_fleet(row: &FleetRow, me: &Claimant, published: &BTreeSet<String>) -> Option<FleetRow> {
    let mut next = FleetRow {
        revision: row.revision + 1,
        ..row.clone()
    };
    next.outbox.settle(me, published);
    (!next.is_same(row)).then_some(next)
}

/// What all regions together say of a monitor now.
pub fn verdict(input: &Input<'_>, monitor: &Monitor) -> Verdict {
    let mut electorate = Electorate::new(input);
    electorate.suspects = regions::suspects(&input.board.verdict);
    let open = |track| {
        input
            .board
            .verdict
            .incidents
            .get(&(monitor.id().clone(), track))
            .map(|incident| incident.verdict)
    };
    if Tally::of(monitor, &electorate).voters == 0 {
        return Verdict::Unknown;
    }
    open(Track::Health)
        .or_else(|| open(Track::Quality))
        .unwrap_or(Verdict::Up)
}
