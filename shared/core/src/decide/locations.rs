//! Which locations report, which are silent, and which are themselves suspect.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Input;
use super::votes::{Electorate, elapsed};
use crate::definition::Monitor;
use crate::group_state::{DecisionState, Entry, FleetState, Health, LocationReporting, LocationState};
use crate::id::Location;
use crate::time::Tick;

/// With fewer monitors than this a location cannot become suspect: too little to tell it from bad luck.
const ENOUGH_TO_SUSPECT: usize = 10;
/// By how much more than an interval two looks at a board may lie apart: a tick is handled within a minute.
const LATEST_LOOK: Duration = Duration::from_secs(60);

/// The locations whose votes do not count, as the row has it.
pub(super) fn suspects(row: &DecisionState) -> BTreeSet<Location> {
    let suspect = row
        .locations
        .iter()
        .filter(|(_, state)| matches!(state, LocationReporting::Suspect(_)));
    suspect.map(|(location, _)| location.clone()).collect()
}

/// Brings the state of every location up to date, and takes the suspect ones out of the vote.
pub(super) fn step(input: &Input<'_>, electorate: &mut Electorate<'_>, next: &mut DecisionState) {
    let mut states = std::mem::take(&mut next.locations);
    for location in input.expected() {
        let before = states.remove(location);
        let has_work = input.definitions.checked_by(location).next().is_some();
        let after = if has_work {
            state(input, electorate, location, before)
        } else {
            returned(input, location, before)
        };
        next.locations
            .extend(after.map(|state| (location.clone(), state)));
    }
    // Locations that are no longer expected are forgotten, once the fleet has forgotten them too.
    for (location, state) in states {
        let after = returned(input, &location, Some(state));
        next.locations.extend(after.map(|state| (location, state)));
    }
    electorate.suspects = suspects(next);
}

fn state(
    input: &Input<'_>,
    electorate: &Electorate<'_>,
    location: &Location,
    before: Option<LocationReporting>,
) -> Option<LocationReporting> {
    let Some(row) = electorate.fresh_row(location) else {
        return Some(match before {
            Some(LocationReporting::Silent(since)) => LocationReporting::Silent(since),
            Some(LocationReporting::Awaited(since)) => {
                if elapsed(since, input.now) > input.group.interval.freshness() {
                    LocationReporting::Silent(input.stamp())
                } else {
                    LocationReporting::Awaited(since)
                }
            }
            // A row that went stale has been waited for already.
            Some(LocationReporting::Suspect(_) | LocationReporting::Returned) | None
                if has_just_gone_stale(input, location) =>
            {
                LocationReporting::Silent(input.stamp())
            }
            Some(LocationReporting::Suspect(_) | LocationReporting::Returned) | None => {
                LocationReporting::Awaited(input.stamp())
            }
        });
    };
    let was_suspect = matches!(before, Some(LocationReporting::Suspect(_)));
    match is_suspect(input, electorate, location, row, was_suspect) {
        true => match before {
            Some(LocationReporting::Suspect(since)) => Some(LocationReporting::Suspect(since)),
            Some(
                LocationReporting::Awaited(_) | LocationReporting::Silent(_) | LocationReporting::Returned,
            )
            | None => Some(LocationReporting::Suspect(input.stamp())),
        },
        false => returned(input, location, before),
    }
}

/// Whether a row that is not fresh was fresh when somebody last looked at the board, as the others do every interval.
///
/// An older one is of a location that was not expected meanwhile, or of a time in which nobody looked: it gets the same
/// time as one that never reported.
fn has_just_gone_stale(input: &Input<'_>, location: &Location) -> bool {
    let interval = input.group.interval;
    let look = interval.length() + LATEST_LOOK;
    let row = input.group_state.rows.get(location);
    row.is_some_and(|row| row.tick.age(input.now) <= interval.freshness() + look)
}

/// The state of a location that is well, or no longer asked for.
fn returned(
    input: &Input<'_>,
    location: &Location,
    before: Option<LocationReporting>,
) -> Option<LocationReporting> {
    match before? {
        LocationReporting::Silent(_) | LocationReporting::Suspect(_) => Some(LocationReporting::Returned),
        // One that is awaited may have been in trouble before, of whose end the fleet row has yet to tell.
        LocationReporting::Awaited(_) | LocationReporting::Returned => {
            let noted = |fleet: &FleetState| {
                let mut mine = fleet.problems.iter().filter(|((of, _), _)| of == location);
                mine.any(|(_, problem)| problem.groups.contains_key(&input.group))
            };
            let banner = input
                .fleet
                .is_some_and(|fleet| !noted(fleet) && fleet.outbox.is_empty());
            (!banner).then_some(LocationReporting::Returned)
        }
    }
}

/// Whether most of at least ten monitors fail in this location while the others see them well.
///
/// Judged only once every fresh location has reported this location's tick; until then it stays as it was.
fn is_suspect(
    input: &Input<'_>,
    electorate: &Electorate<'_>,
    location: &Location,
    row: &LocationState,
    was_suspect: bool,
) -> bool {
    let (mut comparable, mut alone_failing) = (0usize, 0usize);
    for monitor in input.definitions.checked_by(location) {
        let others: Vec<_> = electorate
            .checking(monitor)
            .filter(|(other, _)| *other != location)
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
fn is_failing(row: &LocationState, monitor: &Monitor, at: Tick) -> bool {
    match row.entries.get(monitor.id()) {
        Some(Entry::Seen(streaks)) => streaks.health.state == Health::Failing && streaks.seen == at,
        Some(Entry::NoData { .. }) | None => false,
    }
}
