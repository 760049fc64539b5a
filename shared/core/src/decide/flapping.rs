//! Flapping: a monitor that changes too often is told once as such, and then again when it is stable.

use std::time::Duration;

use jiff::Timestamp;

use super::votes::elapsed;
use crate::definition::Monitor;
use crate::group_state::{DecisionState, Health, Incident, Stability, Track};
use crate::id::MonitorId;
use crate::time::Tick;

/// The time in which changes are counted, and for which a monitor that has flapped must hold still.
const WINDOW: Duration = Duration::from_secs(3_600);

/// Whether a monitor that turns bad now has changed too often to be told so.
///
/// Nothing is noted before its incident ends: when that began, the incident itself says.
pub(super) fn begins(
    monitor: &Monitor,
    key: &(MonitorId, Track),
    now: Timestamp,
    row: &DecisionState,
) -> bool {
    let recent = row.changes.get(key).into_iter().flatten();
    let recent = recent.filter(|change| is_recent(**change, now)).count();
    limit(monitor).is_some_and(|limit| recent + 1 > limit)
}

/// Notes changes of a monitor, oldest first. Whether it changes too often to be told of each.
pub(super) fn note(
    monitor: &Monitor,
    key: &(MonitorId, Track),
    ticks: impl IntoIterator<Item = Tick>,
    now: Timestamp,
    next: &mut DecisionState,
) -> bool {
    let Some(limit) = limit(monitor) else {
        next.changes.remove(key);
        return false;
    };
    let changes = next.changes.entry(key.clone()).or_default();
    changes.extend(ticks);
    changes.retain(|change| is_recent(*change, now));
    // One more than the limit says all.
    changes.drain(..changes.len().saturating_sub(limit + 1));
    changes.len() > limit
}

fn limit(monitor: &Monitor) -> Option<usize> {
    monitor
        .alert_policy()
        .flapping_after
        .map(|limit| limit.get() as usize)
}

/// What follows for an incident that flaps from how its monitor is: well, bad, or neither for sure.
pub(super) fn step(
    monitor: &Monitor,
    key: &(MonitorId, Track),
    found: Option<Health>,
    tick: Tick,
    now: Timestamp,
    next: &mut DecisionState,
) -> Transition {
    let Some(Incident {
        pace: Stability::Flapping { state, notified },
        opened,
        ..
    }) = next.incidents.get(key)
    else {
        return Transition::GoesOn;
    };
    let (state, notified, opened) = (*state, *notified, *opened);
    let pace = match found {
        Some(found) if found != state => {
            note(monitor, key, [tick], now, next);
            Stability::Flapping {
                state: found,
                notified,
            }
        }
        Some(_) if limit(monitor).is_some() && !is_stable(key, opened, now, next) => {
            return Transition::GoesOn;
        }
        Some(Health::Good) => return Transition::IsOver,
        Some(Health::Failing) => Stability::StoppedFlapping,
        None => return Transition::GoesOn,
    };
    if let Some(incident) = next.incidents.get_mut(key) {
        incident.pace = pace;
    }
    Transition::GoesOn
}

/// What becomes of an incident that flaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transition {
    /// It stays open.
    GoesOn,
    /// Its monitor is well, and has been for long enough.
    IsOver,
}

/// Forgets changes that say nothing any more. Not worth a write of its own.
pub(super) fn forget(now: Timestamp, next: &mut DecisionState) {
    next.changes
        .retain(|_, changes| changes.iter().any(|change| is_recent(*change, now)));
}

fn is_stable(key: &(MonitorId, Track), opened: Tick, now: Timestamp, row: &DecisionState) -> bool {
    let mut changes = row.changes.get(key).into_iter().flatten().chain([&opened]);
    !changes.any(|change| is_recent(*change, now))
}

fn is_recent(change: Tick, now: Timestamp) -> bool {
    elapsed(change.timestamp(), now) < WINDOW
}
