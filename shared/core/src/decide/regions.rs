//! Which regions report, which are silent, and which are themselves suspect.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Input;
use super::tally::{Electorate, elapsed};
use crate::board::{Entry, FleetRow, Health, RegionRow, RegionState, VerdictRow};
use crate::definition::Monitor;
use crate::id::Region;
use crate::time::Tick;

/// With fewer monitors than this a region cannot become suspect: too little to tell it from bad luck.
const ENOUGH_TO_SUSPECT: usize = 10;
/// By how much more than an interval two looks at a board may lie apart: a tick is handled within a minute.
const LATEST_LOOK: Duration = Duration::from_secs(60);

/// The regions whose votes do not count, as the row has it.
pub(super) fn suspects(row: &VerdictRow) -> BTreeSet<Region> {
    let suspect = row
        .regions
        .iter()
        .filter(|(_, state)| matches!(state, RegionState::Suspect(_)));
    suspect.map(|(region, _)| region.clone()).collect()
}

/// Brings the state of every region up to date, and takes the suspect ones out of the vote.
pub(super) fn step(input: &Input<'_>, electorate: &mut Electorate<'_>, next: &mut VerdictRow) {
    let mut states = std::mem::take(&mut next.regions);
    for region in input.expected() {
        let before = states.remove(region);
        let has_work = input.definitions.checked_by(region).next().is_some();
        let after = if has_work {
            state(input, electorate, region, before)
        } else {
            returned(input, region, before)
        };
        next.regions.extend(after.map(|state| (region.clone(), state)));
    }
    // Regions that are no longer expected are forgotten, once the fleet has forgotten them too.
    for (region, state) in states {
        let after = returned(input, &region, Some(state));
        next.regions.extend(after.map(|state| (region, state)));
    }
    electorate.suspects = suspects(next);
}

fn state(
    input: &Input<'_>,
    electorate: &Electorate<'_>,
    region: &Region,
    before: Option<RegionState>,
) -> Option<RegionState> {
    let Some(row) = electorate.fresh_row(region) else {
        return Some(match before {
            Some(RegionState::Silent(since)) => RegionState::Silent(since),
            Some(RegionState::Awaited(since)) => {
                if elapsed(since, input.now) > input.group.interval.freshness() {
                    RegionState::Silent(input.stamp())
                } else {
                    RegionState::Awaited(since)
                }
            }
            // A row that went stale has been waited for already.
            Some(RegionState::Suspect(_) | RegionState::Returned) | None
                if has_just_gone_stale(input, region) =>
            {
                RegionState::Silent(input.stamp())
            }
            Some(RegionState::Suspect(_) | RegionState::Returned) | None => {
                RegionState::Awaited(input.stamp())
            }
        });
    };
    let was_suspect = matches!(before, Some(RegionState::Suspect(_)));
    match is_suspect(input, electorate, region, row, was_suspect) {
        true => match before {
            Some(RegionState::Suspect(since)) => Some(RegionState::Suspect(since)),
            Some(RegionState::Awaited(_) | RegionState::Silent(_) | RegionState::Returned) | None => {
                Some(RegionState::Suspect(input.stamp()))
            }
        },
        false => returned(input, region, before),
    }
}

/// Whether a row that is not fresh was fresh when somebody last looked at the board, as the others do every interval.
///
/// An older one is of a region that was not expected meanwhile, or of a time in which nobody looked: it gets the same
/// time as one that never reported.
fn has_just_gone_stale(input: &Input<'_>, region: &Region) -> bool {
    let interval = input.group.interval;
    let look = interval.length() + LATEST_LOOK;
    let row = input.board.rows.get(region);
    row.is_some_and(|row| row.tick.age(input.now) <= interval.freshness() + look)
}

/// The state of a region that is well, or no longer asked for.
fn returned(input: &Input<'_>, region: &Region, before: Option<RegionState>) -> Option<RegionState> {
    match before? {
        RegionState::Silent(_) | RegionState::Suspect(_) => Some(RegionState::Returned),
        // One that is awaited may have been in trouble before, of whose end the fleet row has yet to tell.
        RegionState::Awaited(_) | RegionState::Returned => {
            let noted = |fleet: &FleetRow| {
                let mut mine = fleet.troubles.iter().filter(|((of, _), _)| of == region);
                mine.any(|(_, trouble)| trouble.groups.contains_key(&input.group))
            };
            let said = input
                .fleet
                .is_some_and(|fleet| !noted(fleet) && fleet.outbox.is_empty());
            (!said).then_some(RegionState::Returned)
        }
    }
}

/// Whether most of at least ten monitors fail in this region while the others see them well.
///
/// Judged only once every fresh region has reported this region's tick; until then it stays as it was.
fn is_suspect(
    input: &Input<'_>,
    electorate: &Electorate<'_>,
    region: &Region,
    row: &RegionRow,
    was_suspect: bool,
) -> bool {
    let (mut comparable, mut alone_failing) = (0usize, 0usize);
    for monitor in input.definitions.checked_by(region) {
        let others: Vec<_> = electorate
            .checking(monitor)
            .filter(|(other, _)| *other != region)
            .collect();
        if others.iter().any(|(_, other)| other.tick < row.tick) {
            return was_suspect;
        }
        let failing = others
            .iter()
            .filter(|(_, other)| is_failing(other, monitor, other.tick))
            .count();
        if others.is_empty() {
            continue;
        }
        comparable += 1;
        let others_see_it_well = failing * 2 < others.len();
        alone_failing += usize::from(others_see_it_well && is_failing(row, monitor, row.tick));
    }
    comparable >= ENOUGH_TO_SUSPECT && alone_failing * 2 > comparable
}

/// Whether the tick `at` of this row found the monitor failing.
fn is_failing(row: &RegionRow, monitor: &Monitor, at: Tick) -> bool {
    match row.entries.get(monitor.id()) {
        Some(Entry::Seen(streaks)) => streaks.health.state == Health::Failing && streaks.seen == at,
        Some(Entry::Unseen { .. }) | None => false,
    }
}
