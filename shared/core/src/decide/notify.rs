//! Decides which open incidents are notified now.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::due::{Reason, due, withheld_advisory};
use super::evidence::failing_locations;
use super::incidents::end_advisory;
use super::input::Input;
use super::shared_cause::by_tags;
use super::votes::{Electorate, Votes};
use crate::definition::Monitor;
use crate::group_state::{
    Cause, DecisionState, Incident, MAX_BROKEN, Notified, Stability, Status, Track, Urgency,
};
use crate::id::MonitorId;
use crate::outbox::{Kind, Pending, Subject};
use crate::time::Tick;

/// First notifications that are due.
#[derive(Default)]
pub(super) struct Openings {
    /// Incidents.
    pub(super) incidents: Vec<(MonitorId, Track)>,
    /// Advisories, with the first failing tick and the cause.
    pub(super) advisories: Vec<(MonitorId, Timestamp, Option<Cause>)>,
}

/// Queues due reminders, escalations and notifications of flapping for open incidents that are not suppressed. Adds first
/// notifications to `openings`.
pub(super) fn open_incidents(
    input: &Input<'_>,
    monitor: &Monitor,
    votes: &Votes,
    next: &mut DecisionState,
    openings: &mut Openings,
) {
    let id = monitor.id();
    for track in [Track::Health, Track::Quality, Track::Visibility] {
        match due(input, monitor, track, votes, next) {
            Some(Ok(Reason::Opened)) => openings.incidents.push((id.clone(), track)),
            Some(Ok(reason)) => {
                if let Some(incident) = next.incidents.get_mut(&(id.clone(), track)) {
                    let pending = notify(id, track, incident, reason, input.stamp());
                    next.outbox.push(pending);
                }
            }
            Some(Err(_)) | None => {}
        }
    }
    let advisory = next.advisories.get(id);
    let is_first = advisory.is_some_and(|advisory| advisory.notified == Notified::NotYet);
    if is_first && withheld_advisory(input, next, monitor).is_none() {
        let (since, cause) = (votes.health.since, votes.health.finding.as_ref());
        let opened = advisory.map(|advisory| advisory.opened);
        let since = since.or(opened).map_or(input.now, Tick::timestamp);
        openings
            .advisories
            .push((id.clone(), since, cause.map(|finding| finding.cause)));
    }
}

/// Notifies the advisories whose first notification is due. Those that the same locations see are one notification.
pub(super) fn advisories(
    input: &Input<'_>,
    electorate: &Electorate<'_>,
    openings: Vec<(MonitorId, Timestamp, Option<Cause>)>,
    next: &mut DecisionState,
) {
    let mut by_locations: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for opening in openings {
        let Some(monitor) = input.definitions.monitors.get(&opening.0) else {
            continue;
        };
        let opened = next
            .advisories
            .get(&opening.0)
            .map(|advisory| (advisory.opened, advisory.revision));
        let seen = (failing_locations(monitor, electorate), opened);
        by_locations.entry(seen).or_default().push(opening);
    }
    let parts = by_locations.into_values();
    for openings in parts.flat_map(|openings| by_tags(input, openings, |(id, ..)| id)) {
        let first = openings.first().map(|(id, ..)| id.clone());
        let first = first.filter(|_| openings.len() > 1);
        let monitors = u32::try_from(openings.len()).unwrap_or(u32::MAX);
        for (id, since, cause) in openings {
            let Some(advisory) = next.advisories.get_mut(&id) else {
                continue;
            };
            advisory.notified = Notified::At {
                first: input.stamp(),
                last: input.stamp(),
                reminders: 0,
            };
            advisory.first.clone_from(&first);
            // Those with the same first have one id, and are pushed once.
            next.outbox.push(Pending {
                id: format!("{}/{}", advisory.id(&id), Kind::Advisory),
                kind: Kind::Advisory,
                subject: Subject::Monitor(id),
                status: Status::Up,
                cause,
                urgency: Urgency::Normal,
                monitors,
                members: BTreeSet::new(),
                since,
                at: advisory.opened.timestamp(),
                claim: None,
            });
        }
    }
}

/// Ends a notified advisory once its incident is notified. The subscribers of the two can differ.
pub(super) fn replace_advisory(id: &MonitorId, next: &mut DecisionState) {
    let incident = next.incidents.get(&(id.clone(), Track::Health));
    let Some(incident) = incident.filter(|incident| incident.notified != Notified::NotYet) else {
        return;
    };
    let (status, opened) = (incident.status, incident.opened);
    if let Some(advisory) = next.advisories.remove(id) {
        end_advisory(id, &advisory, status, opened, next);
    }
}

/// Notifies each invalid definition, once for as long as it is invalid. At most [`MAX_BROKEN`] are listed; one notification
/// counts the others.
pub(super) fn broken_definitions(input: &Input<'_>, next: &mut DecisionState) {
    let broken = &input.definitions.broken;
    next.broken.retain(|id| broken.contains_key(id));
    for id in broken.keys() {
        if next.broken.len() < MAX_BROKEN && next.broken.insert(id.clone()) {
            next.outbox.push(broken_definition(input, next.revision, id));
        }
    }
    let more = broken.len() - next.broken.len();
    if next.more_broken == 0 && more > 0 {
        let id = format!("each of {more} more monitors");
        next.outbox.push(broken_definition(input, next.revision, &id));
    }
    next.more_broken = more;
}

fn broken_definition(input: &Input<'_>, revision: u64, id: &str) -> Pending {
    Pending {
        id: format!("{id}@{}.{revision}/{}", input.group, Kind::BrokenDefinition),
        kind: Kind::BrokenDefinition,
        subject: Subject::Definition(id.to_owned()),
        status: Status::Unknown,
        cause: None,
        urgency: Urgency::Normal,
        monitors: 1,
        members: BTreeSet::new(),
        since: input.stamp(),
        at: input.stamp(),
        claim: None,
    }
}

/// The end of the word in the id of a notification of an incident that stopped flapping and stays bad.
pub(super) const FOR_GOOD: &str = "-for-good";

/// Records the notification in the incident, and returns it.
pub(super) fn notify(
    monitor: &MonitorId,
    track: Track,
    incident: &mut Incident,
    reason: Reason,
    now: Timestamp,
) -> Pending {
    let own = incident.id(monitor, track);
    let name = incident.cluster.clone().unwrap_or_else(|| own.clone());
    let (first, reminders) = match incident.notified {
        Notified::NotYet => (now, 0),
        Notified::At { first, reminders, .. } => (first, reminders),
    };
    let reminders = match reason {
        Reason::StillOpen => reminders + 1,
        Reason::Opened | Reason::Flapping | Reason::StoppedFlapping | Reason::Escalated => reminders,
    };
    incident.notified = Notified::At {
        first,
        last: now,
        reminders,
    };
    let kind = match reason {
        Reason::Opened | Reason::StoppedFlapping => first_kind(incident),
        Reason::Flapping => Kind::Flapping,
        Reason::Escalated => Kind::Escalated,
        Reason::StillOpen => Kind::Reminder,
    };
    let word = match reason {
        Reason::Opened | Reason::Flapping | Reason::Escalated => kind.to_string(),
        // An earlier notification, from before the flapping, may have used the plain id.
        Reason::StoppedFlapping => format!("{kind}{FOR_GOOD}"),
        Reason::StillOpen => format!("{kind}-{reminders}"),
    };
    // Several incidents of a cluster can flap.
    let word = if name == own {
        word
    } else {
        format!("{word}-{monitor}")
    };
    match (reason, incident.stability) {
        (Reason::Flapping, Stability::Flapping { state, .. }) => {
            incident.stability = Stability::Flapping {
                state,
                notified: Some(now),
            };
        }
        (Reason::Opened | Reason::StoppedFlapping, _) => incident.stability = Stability::Steady,
        (Reason::Escalated, _) => incident.urgency = Urgency::Escalated,
        (Reason::Flapping | Reason::StillOpen, _) => {}
    }
    Pending {
        id: format!("{name}/{word}"),
        kind,
        subject: Subject::Monitor(monitor.clone()),
        status: incident.status,
        cause: incident.finding.as_ref().map(|finding| finding.cause),
        urgency: incident.urgency,
        monitors: 1,
        members: BTreeSet::new(),
        since: incident.since.timestamp(),
        at: match reason {
            Reason::Opened => incident.opened.timestamp(),
            Reason::Flapping | Reason::StoppedFlapping | Reason::Escalated | Reason::StillOpen => now,
        },
        claim: None,
    }
}

/// The kind of an incident's first notification.
pub(super) fn first_kind(incident: &Incident) -> Kind {
    let cause = incident.finding.as_ref().map(|finding| finding.cause);
    match (incident.status, cause) {
        (Status::Exposed, _) => Kind::Exposed,
        (Status::Degraded, Some(Cause::Certificate)) => Kind::CertificateExpiring,
        (Status::Degraded, _) => Kind::Degraded,
        (Status::Unknown, _) => Kind::Unknown,
        (Status::Down | Status::Up, _) => Kind::Down,
    }
}
