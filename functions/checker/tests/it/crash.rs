//! Kills a checker at each await point of a tick in turn, and checks that the next ticks recover.

use std::collections::BTreeMap;

use portpulse_checker::TickReport;
use portpulse_store::Store;
use portpulse_testkit::memory_table::{MemoryTable, poll};
use serde_json::json;

use crate::rig::{
    ProbeResult, RecordingTopic, ScriptedProbe, define, group_state, handle, invocation, locations,
};

/// Runs a tick of the only location, and drops it after `polls` polls. Returns the report if the tick completed.
fn tick(
    table: &MemoryTable,
    topic: &RecordingTopic,
    tick: i64,
    results: &[ProbeResult],
    polls: usize,
) -> Option<TickReport> {
    let (store, probe) = (Store::new(table.clone()), ScriptedProbe(results.to_vec()));
    let invocation = invocation(format!("{tick}/{polls}"));
    let handled = handle(store, probe, topic, (tick, 0), locations(1), &invocation);
    poll(handled, polls)
}

#[test]
fn killed_checker_causes_no_lost_or_false_notification() {
    use ProbeResult::{Failing, Good};
    let fields = BTreeMap::from([("failures_to_open", json!(1)), ("successes_to_close", json!(1))]);
    // The results by tick. Each tick in turn is the killed one.
    let seen = [Good, Failing, Failing, Good, Good];
    let mut points = 0;
    for killed_tick in 0..seen.len() {
        for polls in 1.. {
            let (table, topic) = (MemoryTable::new(), RecordingTopic::default());
            define(&table, 0, &fields);
            let mut completed = true;
            for (number, result) in seen.iter().enumerate() {
                let budget = if number == killed_tick { polls } else { usize::MAX };
                completed &= tick(&table, &topic, number.try_into().unwrap(), &[*result], budget).is_some();
            }
            // A claim expires after two minutes. Then another checker takes it over.
            for number in seen.len()..seen.len() + 4 {
                tick(&table, &topic, number.try_into().unwrap(), &[Good], usize::MAX);
            }
            let mut sent = topic.sent.borrow().clone();
            let notified = sent.len();
            sent.dedup();
            let kinds: Vec<_> = sent.iter().map(|id| id.rsplit('/').next().unwrap()).collect();
            let of = format!("killed in tick {killed_tick} after {polls} polls: {sent:?}");
            assert_eq!(kinds, ["down", "recovered"], "{of}");
            assert!(notified <= 3, "{of}: {notified} messages");
            let filed = table.snapshot().into_keys();
            let filed: Vec<_> = filed.filter(|(pk, _)| pk == "incidents#2026-11").collect();
            assert_eq!(filed.len(), 1, "{of}: {filed:?}");
            let left = group_state(&table).group_state.decision;
            assert!(
                left.outbox.is_empty() && left.incidents.is_empty() && left.closed.is_empty(),
                "{left:?}"
            );
            if completed {
                break;
            }
            points += 1;
        }
    }
    assert!(points > 60, "only {points} points were visited");
}

#[test]
fn decision_of_checker_lost_after_commit_is_published_and_reported_by_next_tick() {
    use ProbeResult::{Failing, Good};
    let fields = BTreeMap::from([("failures_to_open", json!(1)), ("successes_to_close", json!(1))]);
    let lost_after_commit = (1..).find_map(|polls| {
        let (table, topic) = (MemoryTable::new(), RecordingTopic::default());
        define(&table, 0, &fields);
        tick(&table, &topic, 0, &[Failing], polls);
        let state = group_state(&table).group_state;
        let is_undecided = !state.locations.is_empty() && state.decision.incidents.is_empty();
        is_undecided.then_some((table, topic))
    });
    let (table, topic) = lost_after_commit.unwrap();
    let report = tick(&table, &topic, 1, &[Good], usize::MAX).unwrap();
    assert_eq!(topic.kinds(), ["down", "recovered"]);
    let published: Vec<_> = report
        .published
        .iter()
        .map(|notification| &notification.id)
        .collect();
    assert_eq!(published, topic.sent.borrow().iter().collect::<Vec<_>>());
}
