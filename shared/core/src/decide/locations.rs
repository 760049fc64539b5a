//! Classifies locations as reporting, silent or suspect.

use std::collections::BTreeSet;
use std::time::Duration;

use super::input::Input;
use super::votes::{Electorate, elapsed};
use crate::definition::Monitor;
use crate::group_state::{DecisionState, Entry, FleetState, Health, LocationReporting, LocationState};
use crate::id::Location;
use crate::time::Tick;

/// The minimum number of comparable monitors for a location to become suspect. With fewer, coincidence is likely.
const MIN_COMPARABLE_MONITORS: usize = 10;
/// The maximum delay of a decision beyond one interval: a tick is processed within a minute.
const MAX_DECISION_DELAY: Duration = Duration::from_secs(60);

/// The suspect locations of a decision state. Their votes do not count.
pub(super) fn suspects(decision: &DecisionState) -> BTreeSet<Location> {
    let suspect = decision
        .locations
        .iter()
        .filter(|(_, state)| matches!(state, LocationReporting::Suspect(_)));
    suspect.map(|(location, _)| location.clone()).collect()
}

/// Updates the state of every location, and removes suspect locations from the vote.
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
    // Locations that are no longer expected are removed once the fleet state no longer holds them.
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
    let Some(current) = electorate.fresh_state(location) else {
        return Some(match before {
            Some(LocationReporting::Silent(since)) => LocationReporting::Silent(since),
            Some(LocationReporting::Awaited(since)) => {
                if elapsed(since, input.now) > input.group.interval.freshness() {
                    LocationReporting::Silent(input.stamp())
                } else {
                    LocationReporting::Awaited(since)
                }
            }
            // A location that reported until just now has already had its waiting time.
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
    match is_suspect(input, electorate, location, current, was_suspect) {
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

/// Whether a stale location state was fresh at the previous decision. Other locations decide once an interval.
///
/// An older state belongs to a location that was not expected meanwhile, or to a period without decisions. Such a
/// location gets the same waiting time as one that has never reported.
fn has_just_gone_stale(input: &Input<'_>, location: &Location) -> bool {
    let interval = input.group.interval;
    let delay = interval.length() + MAX_DECISION_DELAY;
    let current = input.group_state.locations.get(location);
    current.is_some_and(|current| current.tick.age(input.now) <= interval.freshness() + delay)
}

/// The state of a location that reports again or is no longer expected.
fn returned(
    input: &Input<'_>,
    location: &Location,
    before: Option<LocationReporting>,
) -> Option<LocationReporting> {
    match before? {
        LocationReporting::Silent(_) | LocationReporting::Suspect(_) => Some(LocationReporting::Returned),
        // The location may have had a problem before, whose end the fleet state has yet to notify.
        LocationReporting::Awaited(_) | LocationReporting::Returned => {
            let recorded = |fleet: &FleetState| {
                let mut mine = fleet.problems.iter().filter(|((of, _), _)| of == location);
                mine.any(|(_, problem)| problem.groups.contains_key(&input.group))
            };
            let reported = input
                .fleet
                .is_some_and(|fleet| !recorded(fleet) && fleet.outbox.is_empty());
            (!reported).then_some(LocationReporting::Returned)
        }
    }
}

/// Whether more than half of at least ten monitors fail in this location while most other locations see them as good.
///
/// Evaluated only while the last tick of every fresh location is that of this location; until then, the previous result
/// stands. A later tick of the others may show a recovery that this location has not checked yet.
fn is_suspect(
    input: &Input<'_>,
    electorate: &Electorate<'_>,
    location: &Location,
    current: &LocationState,
    was_suspect: bool,
) -> bool {
    let (mut comparable, mut alone_failing) = (0usize, 0usize);
    for monitor in input.definitions.checked_by(location) {
        let others: Vec<_> = electorate
            .checking(monitor)
            .filter(|(other, _)| *other != location)
            .collect();
        if others.iter().any(|(_, other)| other.tick != current.tick) {
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
        let is_good_elsewhere = failing * 2 < others.len();
        alone_failing += usize::from(is_good_elsewhere && is_failing(current, monitor, current.tick));
    }
    comparable >= MIN_COMPARABLE_MONITORS && alone_failing * 2 > comparable
}

/// Whether the check at the tick `at` found the monitor failing.
fn is_failing(current: &LocationState, monitor: &Monitor, at: Tick) -> bool {
    match current.entries.get(monitor.id()) {
        Some(Entry::Seen(streaks)) => streaks.health.state == Health::Failing && streaks.seen == at,
        Some(Entry::NoData { .. }) | None => false,
    }
}
