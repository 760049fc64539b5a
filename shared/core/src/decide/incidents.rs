//! Opening and closing incidents, track by track.

use jiff::Timestamp;

use super::tally::{Count, Electorate, Tally};
use crate::board::{
    Advisory, Cause, ClosedIncident, Ending, Finding, Incident, Told, Track, Verdict, VerdictRow,
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
    vote(monitor, Track::Health, verdict, tally, tick, next);
    vote(monitor, Track::Quality, Verdict::Degraded, tally, tick, next);
    sight(monitor, tally, tick, next);
    advisory(monitor, tally, tick, next);
}

fn vote(monitor: &Monitor, track: Track, verdict: Verdict, tally: &Tally, tick: Tick, next: &mut VerdictRow) {
    let count: &Count = if track == Track::Quality {
        &tally.quality
    } else {
        &tally.health
    };
    let key = (monitor.id().clone(), track);
    let revision = next.revision;
    match next.incidents.get_mut(&key) {
        None if tally.opens(count, monitor.rule().expect) => {
            let (since, finding) = (count.since.unwrap_or(tick), count.finding.clone());
            let incident = Incident {
                verdict,
                opened: tick,
                revision,
                since,
                finding,
                told: Told::NotYet,
            };
            next.incidents.insert(key, incident);
        }
        None => {}
        Some(_) if tally.closes(count) => close(&key.0, track, tick, Ending::Recovered, next),
        Some(incident) => {
            // The cause may change; that is no news.
            if let Some(finding) = &count.finding {
                incident.finding = Some(finding.clone());
            }
        }
    }
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
            let (verdict, revision) = (Verdict::Unknown, next.revision);
            let incident = Incident {
                verdict,
                opened: tick,
                revision,
                since: tick,
                finding,
                told: Told::NotYet,
            };
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
        // The incident says all that the advisory said, and more.
        Some(_) if open => {
            next.advisories.remove(id);
        }
        Some(advisory) if tally.agrees() => {
            next.advisories.remove(id);
            if advisory.told != Told::NotYet {
                next.outbox.push(Pending {
                    id: format!("{}/{}", advisory.id(id), Kind::AdvisoryOver),
                    kind: Kind::AdvisoryOver,
                    subject: Subject::Monitor(id.clone()),
                    verdict: Verdict::Up,
                    cause: None,
                    since: advisory.opened.timestamp(),
                    at: tick.timestamp(),
                    claim: None,
                });
            }
        }
        Some(_) | None => {}
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
}
