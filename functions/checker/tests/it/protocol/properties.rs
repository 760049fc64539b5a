//! The rules that hold in every state.

use super::memory::CountedTick;
use super::model::{ProtocolModel, State};
use super::world::{MONITORS, failures_to_open};
use crate::rig::{ProbeResult, group_state};

/// Records the first broken rule.
fn require(state: &mut State, holds: bool, message: impl FnOnce() -> String) {
    if !holds && state.violation.is_none() {
        state.violation = Some(message());
    }
}

/// The consecutive failures at the end of the committed ticks of a location.
fn failures(model: &ProtocolModel, state: &State, at: usize, monitor: usize) -> u32 {
    let ticks = state.committed[at].iter().rev();
    let failing =
        ticks.take_while(|tick| model.world(state).result(at, **tick, monitor) == ProbeResult::Failing);
    u32::try_from(failing.count()).unwrap()
}

/// Each tick of a location is counted once, and from the state before it.
pub(super) fn check_counted(model: &ProtocolModel, state: &mut State, counted: CountedTick) {
    let CountedTick { location, tick, .. } = counted;
    let is_new = state.committed[location].last().is_none_or(|last| *last < tick);
    require(state, is_new, || {
        format!("tick {tick} of location {location} is counted again")
    });
    state.committed[location].push(tick);
    for (monitor, counted) in counted.failures.into_iter().enumerate() {
        let expected = failures(model, state, location, monitor);
        require(state, counted == expected, || {
            format!("location {location} counted {counted} failures of monitor {monitor}, and had {expected}")
        });
        let voting = (0..model.size.locations)
            .filter(|at| failures(model, state, *at, monitor) >= failures_to_open(monitor));
        state.was_down[monitor] |= voting.count() > model.size.locations / 2;
    }
}

/// The notifications of a monitor's incidents, as incident and kind.
fn notifications(sent: &[String], monitor: usize) -> Vec<(&str, &str)> {
    let begin = format!("m{monitor}@");
    let ids = sent
        .iter()
        .filter(|id| id.starts_with(&begin) && !id.contains(".advisory/"));
    ids.filter_map(|id| id.rsplit_once('/')).collect()
}

/// A message says what was so, once, and a recovery follows its outage.
pub(super) fn check_sent(model: &ProtocolModel, state: &mut State) {
    let all = model.sent(state);
    for monitor in 0..MONITORS {
        let sent = notifications(&all, monitor);
        for (index, (incident, kind)) in sent.iter().enumerate() {
            let before = &sent[..index];
            let same = before
                .iter()
                .filter(|other| **other == (*incident, *kind))
                .count();
            require(state, same <= usize::from(state.faults), || {
                format!("{incident}/{kind} is sent again")
            });
            let is_true = match *kind {
                "down" => state.was_down[monitor] && before.iter().all(|(other, _)| other == incident),
                "recovered" => before
                    .iter()
                    .any(|(other, kind)| other == incident && *kind == "down"),
                _ => false,
            };
            require(state, is_true, || format!("{incident}/{kind} is invented"));
        }
    }
    let known = |id: &String| id.starts_with("m0@") || id.starts_with("m1@");
    let unknown = all.iter().find(|id| !known(id));
    require(state, unknown.is_none(), || format!("{unknown:?} is invented"));
}

/// An outage is notified within its bound: at the end of the tick of its last required failure, and two ticks later for each
/// fault, since the claim of a lost checker becomes stale after two minutes.
pub(super) fn check_end_of_tick(model: &ProtocolModel, state: &mut State) {
    for monitor in 0..MONITORS {
        let Some(outage) = model.world(state).outage(monitor) else {
            continue;
        };
        let detected = outage.from + i64::from(failures_to_open(monitor)) - 1;
        let bound = detected + 2 * i64::from(state.faults);
        let is_late = state.tick >= bound && state.tick < outage.until && state.running.is_empty();
        let is_sent = notifications(&model.sent(state), monitor)
            .iter()
            .any(|(_, kind)| *kind == "down");
        require(state, !is_late || is_sent, || {
            format!("the outage of monitor {monitor} is not notified")
        });
    }
}

/// Without a fault, a checker has no errors.
pub(super) fn check_errors(state: &mut State, errors: &[String]) {
    let holds = errors.is_empty() || state.faults > 0;
    require(state, holds, || format!("{errors:?}"));
}

/// At the end, what was decided is sent and archived, and what is open is down.
pub(super) fn is_delivered_in_the_end(model: &ProtocolModel, state: &State) -> bool {
    if state.tick < model.last() || !state.running.is_empty() {
        return true;
    }
    let decision = group_state(&model.table(state)).group_state.decision;
    let is_open = |monitor: usize| {
        let mut open = decision.incidents.keys();
        open.any(|(id, _)| id.as_str() == format!("m{monitor}"))
    };
    let is_right = |monitor: usize| {
        let sent = model.sent(state);
        let sent = notifications(&sent, monitor);
        let last = sent.last().map(|(_, kind)| *kind);
        match model.world(state).outage(monitor) {
            Some(outage) if outage.until > model.last() => is_open(monitor) && last == Some("down"),
            // An outage that was over before a late result confirmed it need not be notified.
            Some(_) if state.was_late && last.is_none() => !is_open(monitor),
            Some(_) if state.was_down[monitor] => !is_open(monitor) && last == Some("recovered"),
            Some(_) | None => !is_open(monitor) && last.is_none(),
        }
    };
    decision.outbox.is_empty() && decision.closed.is_empty() && (0..MONITORS).all(is_right)
}

/// Whether both monitors were down and have recovered.
pub(super) fn has_recovered(model: &ProtocolModel, state: &State) -> bool {
    (0..MONITORS).all(|monitor| notifications(&model.sent(state), monitor).len() == 2)
}
