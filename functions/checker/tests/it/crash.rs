//! Kills a checker at each await point of a tick in turn, and checks that the next ticks recover.

use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use portpulse_checker::{Checker, Invocation, TickEvent};
use portpulse_core::outbox::Claimant;
use portpulse_store::Store;
use portpulse_testkit::memory_table::MemoryTable;
use serde_json::json;

use crate::rig::{
    GROUP, ProbeResult, RecordingTopic, ScriptedProbe, SkewedClock, TestTime, define, group_state, location,
    locations,
};

/// Runs a tick of the only location, and drops it after `polls` polls. Returns whether the tick completed.
fn tick(
    table: &MemoryTable,
    topic: &RecordingTopic,
    tick: i64,
    results: &[ProbeResult],
    polls: usize,
) -> bool {
    let time = TestTime::default();
    time.set(tick * 60_000 + 5_000);
    let clock = SkewedClock { time, skew_ms: 0 };
    let store = Store::new(table.clone());
    let checker = Checker::new(
        store,
        ScriptedProbe(results.to_vec()),
        topic.clone(),
        clock,
        location(0),
        locations(1),
    );
    let event = TickEvent::new(TestTime::of_tick(tick), GROUP);
    let invocation = Invocation {
        claimant: Claimant::new(format!("{tick}/{polls}")),
        remaining: Duration::from_secs(60),
    };
    let mut future = pin!(checker.handle(&event, &invocation));
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).any(|_| future.as_mut().poll(&mut context).is_ready())
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
                completed &= tick(&table, &topic, number.try_into().unwrap(), &[*result], budget);
            }
            // A claim expires after two minutes. Then another checker takes it over.
            for number in seen.len()..seen.len() + 4 {
                tick(&table, &topic, number.try_into().unwrap(), &[Good], usize::MAX);
            }
            let mut sent = topic.sent.borrow().clone();
            let notified = sent.len();
            sent.dedup();
            let kinds: Vec<_> = sent.iter().map(|id| id.rsplit('/').next().unwrap()).collect();
            assert_eq!(
                kinds,
                ["down", "recovered"],
                "killed in tick {killed_tick} after {polls} polls: {sent:?}"
            );
            assert!(
                notified <= 3,
                "killed in tick {killed_tick} after {polls} polls: {notified} messages"
            );
            let filed = table.snapshot().into_keys();
            let filed: Vec<_> = filed.filter(|(pk, _)| pk == "incidents#2026-11").collect();
            assert_eq!(
                filed.len(),
                1,
                "killed in tick {killed_tick} after {polls} polls: {filed:?}"
            );
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
