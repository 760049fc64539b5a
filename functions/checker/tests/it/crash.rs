//! Killing a checker at each await point of a tick, one after the other, and seeing that the next tick makes it good.

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
    GROUP, Scripted, Skewed, Time, Topic, Visibility, define, group_state, location, locations,
};

/// One tick of the one location; dropped after `polls`. Returns whether it came to its end.
fn tick(table: &MemoryTable, topic: &Topic, tick: i64, visibilities: &[Visibility], polls: usize) -> bool {
    let time = Time::default();
    time.set(tick * 60_000 + 5_000);
    let clock = Skewed { time, skew_ms: 0 };
    let store = Store::new(table.clone());
    let checker = Checker::new(
        store,
        Scripted(visibilities.to_vec()),
        topic.clone(),
        clock,
        location(0),
        locations(1),
    );
    let event = TickEvent::new(Time::of_tick(tick), GROUP);
    let invocation = Invocation {
        claimant: Claimant::new(format!("{tick}/{polls}")),
        remaining: Duration::from_secs(60),
    };
    let mut future = pin!(checker.handle(&event, &invocation));
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).any(|_| future.as_mut().poll(&mut context).is_ready())
}

#[test]
fn killed_at_any_point_nothing_is_lost_and_nothing_invented() {
    use Visibility::{Failing, Good};
    let fields = BTreeMap::from([("failures_to_open", json!(1)), ("successes_to_close", json!(1))]);
    // What is seen tick by tick; the killed tick is each of them in turn.
    let seen = [Good, Failing, Failing, Good, Good];
    let mut points = 0;
    for victim in 0..seen.len() {
        for polls in 1.. {
            let (table, topic) = (MemoryTable::new(), Topic::default());
            define(&table, 0, &fields);
            let mut lived = true;
            for (number, visibility) in seen.iter().enumerate() {
                let budget = if number == victim { polls } else { usize::MAX };
                lived &= tick(&table, &topic, number.try_into().unwrap(), &[*visibility], budget);
            }
            // A claim outlives its claimant by two minutes; then anybody takes it over.
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
                "killed in tick {victim} after {polls} polls: {sent:?}"
            );
            assert!(
                notified <= 3,
                "killed in tick {victim} after {polls} polls: {notified} messages"
            );
            let filed = table.snapshot().into_keys();
            let filed: Vec<_> = filed.filter(|(pk, _)| pk == "incidents#2026-11").collect();
            assert_eq!(
                filed.len(),
                1,
                "killed in tick {victim} after {polls} polls: {filed:?}"
            );
            let left = group_state(&table).group_state.status;
            assert!(
                left.outbox.is_empty() && left.incidents.is_empty() && left.closed.is_empty(),
                "{left:?}"
            );
            if lived {
                break;
            }
            points += 1;
        }
    }
    assert!(points > 60, "only {points} points were visited");
}
