//! Opening and closing incidents, track by track.

use jiff::Timestamp;

use super::flapping::{self, Course};
use super::tally::{Count, Electorate, Tally};
use crate::board::{
    Advisory, Cause, ClosedIncident, Ending, Finding, Health, Incident, Pace, Told, Track, Urgency, Verdict,
    VerdictRow,
};
use crate::choice::Expect;
use crate::definition::Monitor;
use crate::id::MonitorId;
use crate::outbox::{Kind, Pending, Subject};
use crate::round::Definitions;
use crate::time::Tick;

/// Brings a monitor's incidents up to date with what the regions say.
pub(super) fn step(
    monitor: &Monitor,
    tally: &Tally,
    electorate: &Electorate<'_>,
    now: Timestamp,
    next: &mut VerdictRow,
) {
    let tick = electorate
        .latest_tick()
        .unwrap_or_else(|| Tick::containing(now, electorate.interval));
    let expect = monitor.rule().expect;
    let verdict = if expect == Expect::Closed {
        Verdict::Exposed
    } else {
        Verdict::Down
    };
    let at = Moment { tick, now };
    vote(monitor, Track::Health, verdict, tally, at, next);
    vote(monitor, Track::Quality, Verdict::Degraded, tally, at, next);
    sight(monitor, tally, tick, next);
    advisory(monitor, tally, tick, next);
}

/// When a decision is made: the latest tick on the board, and the time.
#[derive(Clone, Copy)]
struct Moment {
    tick: Tick,
    now: Timestamp,
}

fn vote(
    monitor: &Monitor,
    track: Track,
    verdict: Verdict,
    tally: &Tally,
    Moment { tick, now }: Moment,
    next: &mut VerdictRow,
) {
    let count: &Count = if track == Track::Quality {
        &tally.quality
    } else {
        &tally.health
    };
    let key = (monitor.id().clone(), track);
    let found = if tally.closes(count) {
        Some(Health::Good)
    } else if tally.opens(count, monitor.rule().expect) {
        Some(Health::Failing)
    } else {
        None
    };
    let known = next.incidents.get(&key);
    let known = known.map(|incident| (incident.pace, incident.opened));
    match (known, found) {
        (None, Some(Health::Failing)) => {
            let (since, finding) = (count.since.unwrap_or(tick), count.finding.clone());
            let mut incident = opened(verdict, tick, since, finding, next);
            if flapping::begins(monitor, &key, now, next) {
                incident.pace = flaps(Health::Failing);
            }
            next.incidents.insert(key, incident);
            return;
        }
        (None, Some(Health::Good) | None) => return,
        (Some((Pace::Steady | Pace::Settled, opened)), Some(Health::Good)) => {
            if !flapping::note(monitor, &key, [opened, tick], now, next) {
                close(&key.0, track, tick, Ending::Recovered, next);
                return;
            }
            if let Some(incident) = next.incidents.get_mut(&key) {
                incident.pace = flaps(Health::Good);
            }
        }
        (Some((Pace::Steady | Pace::Settled, _)), Some(Health::Failing) | None) => {}
        (Some((Pace::Flapping { .. }, _)), found) => {
            if flapping::step(monitor, &key, found, tick, now, next) == Course::IsOver {
                close(&key.0, track, tick, Ending::Recovered, next);
                return;
            }
        }
    }
    // The cause may change; that is no news.
    if let (Some(incident), Some(finding)) = (next.incidents.get_mut(&key), &count.finding) {
        incident.finding = Some(finding.clone());
    }
}

fn opened(
    verdict: Verdict,
    tick: Tick,
    since: Tick,
    finding: Option<Finding>,
    next: &VerdictRow,
) -> Incident {
    Incident {
        verdict,
        opened: tick,
        revision: next.revision,
        since,
        finding,
        told: Told::NotYet,
        urgency: Urgency::Usual,
        pace: Pace::Steady,
    }
}

const fn flaps(state: Health) -> Pace {
    Pace::Flapping { state, told: None }
}

/// A monitor of which nobody can tell anything, for as long as a region may be silent.
fn sight(monitor: &Monitor, tally: &Tally, tick: Tick, next: &mut VerdictRow) {
    let key = (monitor.id().clone(), Track::Sight);
    let down = next.incidents.contains_key(&(key.0.clone(), Track::Health));
    match next.incidents.contains_key(&key) {
        false if tally.blind && tally.voters == 0 && !down => {
            let finding = Some(Finding {
                cause: Cause::Blind,
                detail: None,
            });
            let incident = opened(Verdict::Unknown, tick, tick, finding, next);
            next.incidents.insert(key, incident);
        }
        true if tally.voters > 0 => close(&key.0, Track::Sight, tick, Ending::Recovered, next),
        true | false => {}
    }
}

fn advisory(monitor: &Monitor, tally: &Tally, tick: Tick, next: &mut VerdictRow) {
    let id = monitor.id();
    let open = next.incidents.contains_key(&(id.clone(), Track::Health));
    match next.advisories.get(id).copied() {
        None if !open && tally.differs() => {
            let advisory = Advisory {
                opened: tick,
                revision: next.revision,
                told: Told::NotYet,
            };
            next.advisories.insert(id.clone(), advisory);
        }
        // The incident says all that the advisory said, and more; what was told stands until the incident is told.
        Some(advisory) if open => {
            if advisory.told == Told::NotYet {
                next.advisories.remove(id);
            }
        }
        Some(advisory) if tally.agrees() => {
            next.advisories.remove(id);
            if advisory.told != Told::NotYet {
                next.outbox.push(advisory_over(id, advisory, Verdict::Up, tick));
            }
        }
        Some(_) | None => {}
    }
}

/// The end of an advisory that was told: `verdict` is what has come of it.
pub(super) fn advisory_over(id: &MonitorId, advisory: Advisory, verdict: Verdict, tick: Tick) -> Pending {
    Pending {
        id: format!("{}/{}", advisory.id(id), Kind::AdvisoryOver),
        kind: Kind::AdvisoryOver,
        subject: Subject::Monitor(id.clone()),
        verdict,
        cause: None,
        urgency: Urgency::Usual,
        since: advisory.opened.timestamp(),
        at: tick.timestamp(),
        claim: None,
    }
}

/// Ends an incident: it goes to the archive, and who was told of it is told of its end.
fn close(id: &MonitorId, track: Track, tick: Tick, ending: Ending, next: &mut VerdictRow) {
    let Some(incident) = next.incidents.remove(&(id.clone(), track)) else {
        return;
    };
    // Never held back, and never told to those who did not hear of the incident.
    if ending == Ending::Recovered && incident.told != Told::NotYet {
        next.outbox.push(Pending {
            id: format!("{}/{}", incident.id(id, track), Kind::Recovered),
            kind: Kind::Recovered,
            subject: Subject::Monitor(id.clone()),
            verdict: incident.verdict,
            cause: incident.finding.as_ref().map(|finding| finding.cause),
            urgency: incident.urgency,
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

/// Closes, without a word, what belongs to monitors that are gone.
pub(super) fn forget_removed(definitions: &Definitions, electorate: &Electorate<'_>, next: &mut VerdictRow) {
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
