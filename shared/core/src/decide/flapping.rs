//! Flapping: a monitor that changes too often is notified once as flapping, and again when it is stable.

use std::time::Duration;

use jiff::Timestamp;

use super::votes::elapsed;
use crate::definition::Monitor;
use crate::group_state::{DecisionState, Health, Incident, Stability, Track};
use crate::id::MonitorId;
use crate::time::Tick;

/// The period in which changes are counted, and for which a flapping monitor must be stable.
const WINDOW: Duration = Duration::from_secs(3_600);

/// The time of a decision: the latest tick in the group state, and the current time.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) tick: Tick,
    pub(super) now: Timestamp,
}

/// Whether a monitor that turns bad now has changed too often for a notification of this change.
///
/// The change is recorded when its incident ends; until then, the incident holds its time.
pub(super) fn begins(
    monitor: &Monitor,
    key: &(MonitorId, Track),
    now: Timestamp,
    state: &DecisionState,
) -> bool {
    let recent = state.changes.get(key).into_iter().flatten();
    let recent = recent.filter(|change| is_recent(**change, now)).count();
    limit(monitor).is_some_and(|limit| recent + 1 > limit)
}

/// Records changes of a monitor, oldest first. Returns whether the monitor changes too often.
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
    // More changes than the limit plus one carry no information.
    changes.drain(..changes.len().saturating_sub(limit + 1));
    changes.len() > limit
}

fn limit(monitor: &Monitor) -> Option<usize> {
    monitor
        .alert_policy()
        .flapping_after
        .map(|limit| limit.get() as usize)
}

/// Advances a flapping incident by the current health of its monitor (`None` if undecided) and the start of its failures.
pub(super) fn step(
    monitor: &Monitor,
    key: &(MonitorId, Track),
    (found, bad_since): (Option<Health>, Option<Tick>),
    Moment { tick, now }: Moment,
    next: &mut DecisionState,
) -> FlappingStep {
    let Some(Incident {
        stability: Stability::Flapping { state, notified },
        opened,
        ..
    }) = next.incidents.get(key)
    else {
        return FlappingStep::StayOpen;
    };
    let (state, notified, opened) = (*state, *notified, *opened);
    let stability = match found {
        Some(found) if found != state => {
            note(monitor, key, [tick], now, next);
            Stability::Flapping {
                state: found,
                notified,
            }
        }
        Some(_) if limit(monitor).is_some() && !is_stable(key, opened, now, next) => {
            return FlappingStep::StayOpen;
        }
        Some(Health::Good) => return FlappingStep::Close,
        Some(Health::Failing) => Stability::StoppedFlapping,
        None => return FlappingStep::StayOpen,
    };
    if let Some(incident) = next.incidents.get_mut(key) {
        if stability == Stability::StoppedFlapping {
            incident.flapped_until = Some(bad_since.unwrap_or(tick));
        }
        incident.stability = stability;
    }
    FlappingStep::StayOpen
}

/// The next state of a flapping incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FlappingStep {
    /// The incident stays open.
    StayOpen,
    /// The monitor has been good for long enough: the incident closes.
    Close,
}

/// Removes outdated changes. Does not cause a write of its own.
pub(super) fn forget(now: Timestamp, next: &mut DecisionState) {
    next.changes
        .retain(|_, changes| changes.iter().any(|change| is_recent(*change, now)));
}

fn is_stable(key: &(MonitorId, Track), opened: Tick, now: Timestamp, state: &DecisionState) -> bool {
    let mut changes = state.changes.get(key).into_iter().flatten().chain([&opened]);
    !changes.any(|change| is_recent(*change, now))
}

fn is_recent(change: Tick, now: Timestamp) -> bool {
    elapsed(change.timestamp(), now) < WINDOW
}
