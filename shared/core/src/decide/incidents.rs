//! Opens and closes incidents, separately for each track.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::flapping::{self, FlappingStep, Moment};
use super::votes::{Count, Electorate, Votes};
use crate::choice::Expect;
use crate::cluster::fitting;
use crate::definition::Monitor;
use crate::group_state::{
    Advisory, Cause, ClosedIncident, DecisionState, Ending, Finding, Health, Incident, Notified, Stability,
    Status, Track, Urgency,
};
use crate::id::MonitorId;
use crate::outbox::{Kind, Pending, Subject};
use crate::round::Definitions;
use crate::time::Tick;

/// Updates a monitor's incidents and advisory from the votes of the locations.
pub(super) fn step(
    monitor: &Monitor,
    votes: &Votes,
    electorate: &Electorate<'_>,
    now: Timestamp,
    next: &mut DecisionState,
) {
    let tick = electorate
        .latest_tick()
        .unwrap_or_else(|| Tick::containing(now, electorate.interval));
    let expect = monitor.rule().expect;
    let status = if expect == Expect::Closed {
        Status::Exposed
    } else {
        Status::Down
    };
    let at = Moment { tick, now };
    vote(monitor, Track::Health, status, votes, at, next);
    vote(monitor, Track::Quality, Status::Degraded, votes, at, next);
    visibility(monitor, votes, tick, next);
    advisory(monitor, votes, tick, next);
}

fn vote(
    monitor: &Monitor,
    track: Track,
    status: Status,
    votes: &Votes,
    at: Moment,
    next: &mut DecisionState,
) {
    let Moment { tick, now } = at;
    let count: &Count = if track == Track::Quality {
        &votes.quality
    } else {
        &votes.health
    };
    let key = (monitor.id().clone(), track);
    let found = if votes.closes(count) {
        Some(Health::Good)
    } else if votes.opens(count, monitor.rule().expect) {
        Some(Health::Failing)
    } else {
        None
    };
    let known = next.incidents.get(&key);
    let known = known.map(|incident| (incident.stability, incident.opened));
    match (known, found) {
        (None, Some(Health::Failing)) => {
            let (since, finding) = (count.since.unwrap_or(tick), count.finding.clone());
            // When the advisory opened, there was no quorum: the older failures of a minority were no outage.
            let advisory = next.advisories.get(&key.0).filter(|_| track == Track::Health);
            let since = match advisory {
                Some(advisory) if since <= advisory.opened => tick,
                Some(_) | None => since,
            };
            let mut incident = opened(status, tick, since, finding, next);
            if flapping::begins(monitor, &key, now, next) {
                incident.stability = unnotified_flapping(Health::Failing);
            }
            next.incidents.insert(key, incident);
            return;
        }
        (None, Some(Health::Good) | None) => return,
        (Some((Stability::Steady | Stability::StoppedFlapping, opened)), Some(Health::Good)) => {
            if !flapping::note(monitor, &key, [opened, tick], now, next) {
                close(&key.0, track, tick, Ending::Recovered, next);
                return;
            }
            if let Some(incident) = next.incidents.get_mut(&key) {
                incident.stability = unnotified_flapping(Health::Good);
                incident.flapped_until = None;
            }
        }
        (Some((Stability::Steady | Stability::StoppedFlapping, _)), Some(Health::Failing) | None) => {}
        (Some((Stability::Flapping { .. }, _)), found) => {
            if flapping::step(monitor, &key, (found, count.since), at, next) == FlappingStep::Close {
                close(&key.0, track, tick, Ending::Recovered, next);
                return;
            }
        }
    }
    // A changed cause updates the incident without a notification.
    if let (Some(incident), Some(finding)) = (next.incidents.get_mut(&key), &count.finding) {
        incident.update_finding(finding, tick);
    }
}

fn opened(
    status: Status,
    tick: Tick,
    since: Tick,
    finding: Option<Finding>,
    next: &DecisionState,
) -> Incident {
    Incident {
        status,
        opened: tick,
        revision: next.revision,
        since,
        flapped_until: None,
        finding,
        cause_changes: Vec::new(),
        diagnosis: None,
        cluster: None,
        notified: Notified::NotYet,
        urgency: Urgency::Normal,
        stability: Stability::Steady,
    }
}

const fn unnotified_flapping(state: Health) -> Stability {
    Stability::Flapping {
        state,
        notified: None,
    }
}

/// Opens or closes the incident of a monitor for which no location has had data for longer than the freshness limit.
fn visibility(monitor: &Monitor, votes: &Votes, tick: Tick, next: &mut DecisionState) {
    let key = (monitor.id().clone(), Track::Visibility);
    let down = next.incidents.contains_key(&(key.0.clone(), Track::Health));
    match next.incidents.contains_key(&key) {
        false if votes.no_data && !down => {
            let finding = Some(Finding {
                cause: Cause::NoData,
                detail: None,
            });
            let incident = opened(Status::Unknown, tick, tick, finding, next);
            next.incidents.insert(key, incident);
        }
        true if votes.voters > 0 => close(&key.0, Track::Visibility, tick, Ending::Recovered, next),
        true | false => {}
    }
}

fn advisory(monitor: &Monitor, votes: &Votes, tick: Tick, next: &mut DecisionState) {
    let id = monitor.id();
    let open = next.incidents.contains_key(&(id.clone(), Track::Health));
    match next.advisories.get(id).cloned() {
        None if !open && votes.is_minority_failing() => {
            let advisory = Advisory {
                opened: tick,
                revision: next.revision,
                notified: Notified::NotYet,
                first: None,
                ended: BTreeSet::new(),
            };
            next.advisories.insert(id.clone(), advisory);
        }
        // The incident supersedes the advisory. A notified advisory stays until the incident is notified.
        Some(advisory) if open => {
            if advisory.notified == Notified::NotYet {
                next.advisories.remove(id);
            }
        }
        Some(advisory) if votes.is_unanimously_good() => {
            next.advisories.remove(id);
            if advisory.notified != Notified::NotYet {
                end_advisory(id, &advisory, Status::Up, tick, next);
            }
        }
        Some(_) | None => {}
    }
}

/// Notifies the end of a notified advisory that was removed; `status` is the resulting status of the monitor. If others are
/// still open that were notified with it, the last of them does so for all.
pub(super) fn end_advisory(
    id: &MonitorId,
    advisory: &Advisory,
    status: Status,
    tick: Tick,
    next: &mut DecisionState,
) {
    if pass_on(id, advisory, &mut next.advisories) {
        return;
    }
    let is_down = |of: &MonitorId| next.incidents.contains_key(&(of.clone(), Track::Health));
    // A monitor that became an incident, or failed again, is not good: the others are named.
    let good = advisory.ended.iter().chain([id]).filter(|of| !is_down(of));
    let named = advisory.named_by(id);
    let (subject, monitors) = match status {
        Status::Up if advisory.ended.contains(named) && !is_down(named) => (named, good.count()),
        Status::Up => (id, good.count()),
        Status::Degraded | Status::Down | Status::Exposed | Status::Unknown => (id, 1),
    };
    next.outbox.push(Pending {
        id: format!("{}/{}", advisory.id(id), Kind::AdvisoryOver),
        kind: Kind::AdvisoryOver,
        subject: Subject::Monitor(subject.clone()),
        status,
        cause: None,
        urgency: Urgency::Normal,
        monitors: u32::try_from(monitors).unwrap_or(u32::MAX),
        members: match advisory.ended.is_empty() {
            true => BTreeSet::new(),
            false => advisory.ended.iter().chain([id]).cloned().collect(),
        },
        since: advisory.opened.timestamp(),
        at: tick.timestamp(),
        claim: None,
    });
}

/// Notes the end of an advisory in one of the open advisories that were notified with it. Returns whether there is one.
pub(super) fn pass_on(id: &MonitorId, advisory: &Advisory, open: &mut BTreeMap<MonitorId, Advisory>) -> bool {
    if advisory.first.is_none() {
        return false;
    }
    let name = advisory.id(id);
    let kept = open.values().flat_map(|other| &other.ended);
    let ended: Vec<_> = fitting(kept, advisory.ended.iter().chain([id])).collect();
    let Some((_, heir)) = open
        .iter_mut()
        .find(|(of, other)| other.first.is_some() && other.id(of) == name)
    else {
        return false;
    };
    heir.ended.extend(ended);
    true
}

/// Closes an incident and queues it for the archive. Notifies the recovery if the incident was notified.
fn close(id: &MonitorId, track: Track, tick: Tick, ending: Ending, next: &mut DecisionState) {
    let Some(incident) = next.incidents.remove(&(id.clone(), track)) else {
        return;
    };
    // A recovery is never suppressed, and never sent for an incident that was not notified. A cluster recovers with its last
    // incident.
    let is_due = incident.cluster.is_none() && incident.notified != Notified::NotYet;
    if ending == Ending::Recovered && is_due {
        next.outbox.push(Pending {
            id: format!("{}/{}", incident.id(id, track), Kind::Recovered),
            kind: Kind::Recovered,
            subject: Subject::Monitor(id.clone()),
            status: incident.status,
            cause: incident.finding.as_ref().map(|finding| finding.cause),
            urgency: incident.urgency,
            monitors: 1,
            members: BTreeSet::new(),
            since: incident.since.timestamp(),
            at: tick.timestamp(),
            claim: None,
        });
    }
    next.closed.push(ClosedIncident {
        monitor: id.clone(),
        track,
        incident,
        closed: tick,
        ending,
    });
}

/// Removes the incidents, advisories and changes of removed monitors without a notification.
pub(super) fn forget_removed(
    definitions: &Definitions,
    electorate: &Electorate<'_>,
    next: &mut DecisionState,
) {
    let tick = electorate
        .latest_tick()
        .unwrap_or_else(|| Tick::containing(electorate.now, electorate.interval));
    let gone: Vec<_> = next
        .incidents
        .keys()
        .filter(|(id, _)| !definitions.knows(id))
        .cloned()
        .collect();
    for (id, track) in gone {
        close(&id, track, tick, Ending::Removed, next);
    }
    next.advisories.retain(|id, _| definitions.knows(id));
    next.changes.retain(|(id, _), _| definitions.knows(id));
}
