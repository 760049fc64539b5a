//! Telling: which open incidents may be told now, and how often.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::Input;
use super::incidents::advisory_over;
use super::votes::{Votes, elapsed};
use crate::definition::Monitor;
use crate::group_state::{
    Cause, DecisionState, Health, Incident, IncidentId, LocationReporting, MAX_BROKEN, Notified, Stability,
    Status, Track, Urgency,
};
use crate::id::{Location, MonitorId};
use crate::outbox::{Kind, Pending, Subject};

/// Puts into the outbox whatever is open, untold and not held back; and the reminders that are due.
pub(super) fn open_incidents(input: &Input<'_>, monitor: &Monitor, votes: &Votes, next: &mut DecisionState) {
    let id = monitor.id();
    if is_held(input, monitor) {
        return;
    }
    let behind = monitor
        .alert_policy()
        .depends_on
        .keys()
        .any(|parent| is_down(input, next, parent));
    for track in [Track::Health, Track::Quality, Track::Visibility] {
        let Some(incident) = next.incidents.get_mut(&(id.clone(), track)) else {
            continue;
        };
        // An outage in front explains silence, not an open port.
        if behind && incident.status != Status::Exposed {
            continue;
        }
        let begins = track == Track::Visibility && incident.notified == Notified::NotYet;
        if begins && is_awaited(input, monitor, votes, incident, &next.locations) {
            continue;
        }
        if let Some(news) = news(input, monitor, track, votes, incident) {
            next.outbox
                .push(notify(&incident.id(id, track), incident, news, input.stamp()));
        }
    }
    if let Some(advisory) = next
        .advisories
        .get_mut(id)
        .filter(|advisory| advisory.notified == Notified::NotYet && !behind)
    {
        advisory.notified = Notified::At {
            first: input.stamp(),
            last: input.stamp(),
            reminders: 0,
        };
        let pending = Pending {
            id: format!("{}/{}", advisory.id(id), Kind::Advisory),
            kind: Kind::Advisory,
            subject: Subject::Monitor(id.clone()),
            status: Status::Up,
            cause: votes.health.finding.as_ref().map(|finding| finding.cause),
            urgency: Urgency::Usual,
            since: votes.health.since.unwrap_or(advisory.opened).timestamp(),
            at: advisory.opened.timestamp(),
            claim: None,
        };
        next.outbox.push(pending);
    }
    replace_advisory(id, next);
}

/// Ends an advisory that was told, once the incident that it became is: who heard of the one may not hear of the other.
fn replace_advisory(id: &MonitorId, next: &mut DecisionState) {
    let incident = next.incidents.get(&(id.clone(), Track::Health));
    let Some(incident) = incident.filter(|incident| incident.notified != Notified::NotYet) else {
        return;
    };
    let (status, opened) = (incident.status, incident.opened);
    if let Some(advisory) = next.advisories.remove(id) {
        next.outbox.push(advisory_over(id, advisory, status, opened));
    }
}

/// Notifies of each definition that cannot be read, once for as long as it cannot. At most [`MAX_BROKEN`] are named; one
/// notification counts the others.
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
        urgency: Urgency::Usual,
        since: input.stamp(),
        at: input.stamp(),
        claim: None,
    }
}

/// Whether a monitor's notifications are held back whatever they say.
fn is_held(input: &Input<'_>, monitor: &Monitor) -> bool {
    let control = input.controls.get(monitor.id());
    let silenced = control.is_some_and(|control| control.is_silenced(input.now));
    silenced || monitor.alert_policy().in_maintenance(input.now)
}

fn is_down(input: &Input<'_>, next: &DecisionState, parent: &MonitorId) -> bool {
    let here = next.incidents.get(&(parent.clone(), Track::Health));
    here.is_some_and(|incident| incident.status == Status::Down && incident.is_bad_now())
        || input.down_elsewhere.contains(parent)
}

fn is_still_bad(track: Track, votes: &Votes) -> bool {
    match track {
        Track::Health => votes.still_bad(&votes.health),
        Track::Quality => votes.still_bad(&votes.quality),
        Track::Visibility => votes.voters == 0,
    }
}

/// Whether nobody checks a monitor yet: not for longer than a row stays fresh, or a location that is to check it is still
/// awaited. Monitors and locations are deployed one after the other.
fn is_awaited(
    input: &Input<'_>,
    monitor: &Monitor,
    votes: &Votes,
    incident: &Incident,
    locations: &BTreeMap<Location, LocationReporting>,
) -> bool {
    let of_it = locations
        .iter()
        .filter(|(location, _)| monitor.rule().locations.includes(location));
    let mut states = of_it.map(|(_, state)| state);
    let lately = elapsed(incident.since.timestamp(), input.now) <= input.group.interval.freshness();
    votes.checking == 0 && (lately || states.any(|state| matches!(state, LocationReporting::Awaited(_))))
}

/// What there is to tell of an open incident.
#[derive(Clone, Copy)]
enum News {
    /// That it is there.
    Begins,
    /// That it flaps.
    Flaps,
    /// That it has flapped, and is bad for good.
    Settles,
    /// That it has been open for too long.
    Escalates,
    /// That it is still there.
    Lasts,
}

/// What is to be told of an open incident now, if nothing holds it back.
fn news(
    input: &Input<'_>,
    monitor: &Monitor,
    track: Track,
    votes: &Votes,
    incident: &Incident,
) -> Option<News> {
    let alert_policy = monitor.alert_policy();
    match (incident.pace, incident.notified) {
        (
            Stability::Flapping {
                notified: Some(_), ..
            },
            _,
        ) => None,
        // Who heard of an outage waits for its end; to others it is no news while all is well.
        (
            Stability::Flapping {
                notified: None,
                state,
            },
            notified,
        ) => (state == Health::Failing || notified != Notified::NotYet).then_some(News::Flaps),
        // What was held back is told only if it is still bad.
        (Stability::Steady | Stability::StoppedFlapping, Notified::NotYet) => {
            is_still_bad(track, votes).then_some(News::Begins)
        }
        (Stability::StoppedFlapping, Notified::At { .. }) => Some(News::Settles),
        (Stability::Steady, Notified::At { .. })
            if is_acknowledged(input, &incident.id(monitor.id(), track)) =>
        {
            None
        }
        (Stability::Steady, Notified::At { first, last, .. }) => {
            let is_due =
                |every: Option<Duration>, from| every.is_some_and(|every| elapsed(from, input.now) >= every);
            let may_escalate = track == Track::Health && incident.urgency == Urgency::Usual;
            if may_escalate && is_due(alert_policy.escalate_after, first) {
                Some(News::Escalates)
            } else {
                is_due(alert_policy.remind_every, last).then_some(News::Lasts)
            }
        }
    }
}

/// Whether somebody is at work on it.
fn is_acknowledged(input: &Input<'_>, name: &IncidentId) -> bool {
    let control = input.controls.get(&name.monitor);
    control.is_some_and(|control| control.has_acknowledged(name))
}

/// Notes in the incident that this was told, and gives what is to be told.
fn notify(name: &IncidentId, incident: &mut Incident, news: News, now: Timestamp) -> Pending {
    let (first, reminders) = match incident.notified {
        Notified::NotYet => (now, 0),
        Notified::At { first, reminders, .. } => (first, reminders),
    };
    let reminders = match news {
        News::Lasts => reminders + 1,
        News::Begins | News::Flaps | News::Settles | News::Escalates => reminders,
    };
    incident.notified = Notified::At {
        first,
        last: now,
        reminders,
    };
    let kind = match news {
        News::Begins | News::Settles => beginning(incident),
        News::Flaps => Kind::Flapping,
        News::Escalates => Kind::Escalated,
        News::Lasts => Kind::Reminder,
    };
    let word = match news {
        News::Begins | News::Flaps | News::Escalates => kind.to_string(),
        // It may have been told before it flapped.
        News::Settles => format!("{kind}-for-good"),
        News::Lasts => format!("{kind}-{reminders}"),
    };
    match (news, incident.pace) {
        (News::Flaps, Stability::Flapping { state, .. }) => {
            incident.pace = Stability::Flapping {
                state,
                notified: Some(now),
            };
        }
        (News::Begins | News::Settles, _) => incident.pace = Stability::Steady,
        (News::Escalates, _) => incident.urgency = Urgency::Raised,
        (News::Flaps | News::Lasts, _) => {}
    }
    Pending {
        id: format!("{name}/{word}"),
        kind,
        subject: Subject::Monitor(name.monitor.clone()),
        status: incident.status,
        cause: incident.finding.as_ref().map(|finding| finding.cause),
        urgency: incident.urgency,
        since: incident.since.timestamp(),
        at: match news {
            News::Begins => incident.opened.timestamp(),
            News::Flaps | News::Settles | News::Escalates | News::Lasts => now,
        },
        claim: None,
    }
}

/// As what an incident is told first.
fn beginning(incident: &Incident) -> Kind {
    let cause = incident.finding.as_ref().map(|finding| finding.cause);
    match (incident.status, cause) {
        (Status::Exposed, _) => Kind::Exposed,
        (Status::Degraded, Some(Cause::Certificate)) => Kind::CertificateExpiring,
        (Status::Degraded, _) => Kind::Degraded,
        (Status::Unknown, _) => Kind::Unknown,
        (Status::Down | Status::Up, _) => Kind::Down,
    }
}
