//! Decides whether a notification of an open incident is due, or why nothing is notified now.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::ancestors;
use super::input::Input;
use super::votes::{Votes, elapsed};
use crate::definition::Monitor;
use crate::group_state::{
    DecisionState, Health, Incident, IncidentId, LocationReporting, Notified, Stability, Status, Track,
    Urgency,
};
use crate::id::{Location, MonitorId};
use crate::withheld::Withheld;

/// The reason for a notification of an open incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// The incident opened.
    Opened,
    /// The monitor started flapping.
    Flapping,
    /// The monitor stopped flapping and stays bad.
    StoppedFlapping,
    /// The incident is not acknowledged `escalate_after` after its first notification.
    Escalated,
    /// The incident is still open: a reminder.
    StillOpen,
}

/// Why an incident is not notified by itself.
pub(super) enum NotDue {
    /// It is not notified now.
    Withheld(Withheld),
    /// It is reminded and escalated with its cluster.
    Cluster(IncidentId),
}

impl From<Withheld> for NotDue {
    fn from(withheld: Withheld) -> Self {
        Self::Withheld(withheld)
    }
}

/// The notification that is due for an incident, or why none is; `None` if the incident is not open.
pub(super) fn due(
    input: &Input<'_>,
    monitor: &Monitor,
    track: Track,
    votes: &Votes,
    next: &DecisionState,
) -> Option<Result<Reason, NotDue>> {
    let incident = next.incidents.get(&(monitor.id().clone(), track))?;
    Some(due_of(input, monitor, track, votes, incident, next))
}

fn due_of(
    input: &Input<'_>,
    monitor: &Monitor,
    track: Track,
    votes: &Votes,
    incident: &Incident,
    next: &DecisionState,
) -> Result<Reason, NotDue> {
    if let Some(withheld) = inaudible(input, monitor, incident, next) {
        return Err(withheld.into());
    }
    let is_first = track == Track::Visibility && incident.notified == Notified::NotYet;
    if is_first && is_awaited(input, monitor, votes, incident, &next.locations) {
        return Err(Withheld::AwaitingLocation.into());
    }
    match (incident.stability, incident.notified) {
        (
            Stability::Flapping {
                notified: Some(_), ..
            },
            _,
        ) => Err(Withheld::Flapping.into()),
        // If the outage was notified, its recipients wait for the end. Otherwise there is nothing to notify while the
        // monitor is good.
        (
            Stability::Flapping {
                notified: None,
                state: Health::Good,
            },
            Notified::NotYet,
        ) => Err(Withheld::Flapping.into()),
        (Stability::Flapping { notified: None, .. }, _) => Ok(Reason::Flapping),
        // A suppressed incident is notified only if the monitor is still bad.
        (Stability::Steady | Stability::StoppedFlapping, Notified::NotYet) => {
            if is_bad_now(track, votes) {
                Ok(Reason::Opened)
            } else {
                Err(Withheld::BelowQuorum.into())
            }
        }
        (Stability::StoppedFlapping, Notified::At { .. }) => Ok(Reason::StoppedFlapping),
        // A cluster is reminded and escalated as a whole.
        (Stability::Steady, Notified::At { first, last, .. }) => match &incident.cluster {
            Some(cluster) => Err(NotDue::Cluster(cluster.clone())),
            None if is_acknowledged(input, &incident.id(monitor.id(), track)) => {
                Err(Withheld::Acknowledged.into())
            }
            None => {
                let policy = monitor.alert_policy();
                let may_escalate = track == Track::Health && incident.urgency == Urgency::Normal;
                let escalate_after = policy.escalate_after.filter(|_| may_escalate);
                Ok(follow_up(
                    input,
                    (first, escalate_after),
                    (last, policy.remind_every),
                )?)
            }
        },
    }
}

/// The escalation or the reminder that is due, each this long after its time, or when the next one is.
pub(super) fn follow_up(
    input: &Input<'_>,
    escalation: (Timestamp, Option<Duration>),
    reminder: (Timestamp, Option<Duration>),
) -> Result<Reason, Withheld> {
    let is_due = |(from, every): (Timestamp, Option<Duration>)| {
        every.is_some_and(|every| elapsed(from, input.now) >= every)
    };
    if is_due(escalation) {
        return Ok(Reason::Escalated);
    }
    if is_due(reminder) {
        return Ok(Reason::StillOpen);
    }
    let times = [escalation, reminder].into_iter();
    let times = times.filter_map(|(from, every)| from.checked_add(every?).ok());
    Err(times.min().map_or(Withheld::NoReminders, Withheld::NotYetDue))
}

/// What suppresses every notification of an incident but its recovery: a silence, maintenance or the outage of a dependency.
pub(super) fn inaudible(
    input: &Input<'_>,
    monitor: &Monitor,
    incident: &Incident,
    next: &DecisionState,
) -> Option<Withheld> {
    // The outage of a dependency explains an unavailable port, but not an exposed one.
    let outage = || match incident.status {
        Status::Exposed => None,
        Status::Up | Status::Down | Status::Degraded | Status::Unknown => {
            outage_above(input, next, monitor.id())
        }
    };
    suppression(input, monitor).or_else(outage)
}

/// The silence or the maintenance window that suppresses the monitor's notifications.
pub(super) fn suppression(input: &Input<'_>, monitor: &Monitor) -> Option<Withheld> {
    let control = input.controls.get(monitor.id());
    let silence = control.filter(|control| control.is_silenced(input.now));
    let silence = silence.and_then(|control| control.silence.as_ref());
    let maintenance = || monitor.alert_policy().in_maintenance(input.now);
    match silence {
        Some(silence) => Some(Withheld::Silenced(silence.until)),
        None => maintenance().then_some(Withheld::Maintenance),
    }
}

/// The outage of a monitor that this one depends on.
fn outage_above(input: &Input<'_>, next: &DecisionState, id: &MonitorId) -> Option<Withheld> {
    ancestors::down_ancestor(input, next, id).map(Withheld::Dependency)
}

/// What suppresses the notification of an advisory.
pub(super) fn withheld_advisory(
    input: &Input<'_>,
    next: &DecisionState,
    monitor: &Monitor,
) -> Option<Withheld> {
    suppression(input, monitor).or_else(|| outage_above(input, next, monitor.id()))
}

/// Whether the incident is acknowledged.
pub(super) fn is_acknowledged(input: &Input<'_>, name: &IncidentId) -> bool {
    let control = input.controls.get(&name.monitor);
    control.is_some_and(|control| control.has_acknowledged(name))
}

fn is_bad_now(track: Track, votes: &Votes) -> bool {
    match track {
        Track::Health => votes.meets_quorum(&votes.health),
        Track::Quality => votes.meets_quorum(&votes.quality),
        Track::Visibility => votes.voters == 0,
    }
}

/// Whether no location checks the monitor yet: the incident is younger than the freshness limit, or a selected location
/// is still awaited. Monitors and locations are deployed one after the other.
fn is_awaited(
    input: &Input<'_>,
    monitor: &Monitor,
    votes: &Votes,
    incident: &Incident,
    locations: &BTreeMap<Location, LocationReporting>,
) -> bool {
    let selected = locations
        .iter()
        .filter(|(location, _)| monitor.rule().locations.includes(location));
    let mut states = selected.map(|(_, state)| state);
    let is_recent = elapsed(incident.since.timestamp(), input.now) <= input.group.interval.freshness();
    votes.checking == 0 && (is_recent || states.any(|state| matches!(state, LocationReporting::Awaited(_))))
}
