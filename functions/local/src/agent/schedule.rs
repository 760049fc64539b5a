//! The schedule of an agent: handles each tick of its groups, by its own clock.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use portpulse_alert::SnsTopic;
use portpulse_checker::{Checker, Clock as _, Invocation, MAX_TICK_TIME, TickEvent, TickReport};
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::outbox::Claimant;
use portpulse_core::time::{Interval, Tick};
use portpulse_store::dynamo::DynamoTable;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::clock::AwsClock;
use crate::local::scheduler::SharedProber;

/// The maximum pause without a look at the clock, which may be corrected, or have stood still while the machine was suspended.
const MAX_PAUSE: Duration = Duration::from_secs(5);

type AgentChecker = Checker<DynamoTable, SharedProber, SnsTopic, AwsClock>;

/// One task for each group, on the current `LocalSet`.
pub(super) struct Schedule {
    checker: Rc<AgentChecker>,
    clock: AwsClock,
    location: Location,
    ticked: mpsc::UnboundedSender<TickReport>,
    once: bool,
    /// Distinguishes the claims of agents for one location.
    run: u64,
    running: BTreeMap<GroupId, watch::Sender<bool>>,
    tasks: JoinSet<()>,
    is_stopped: bool,
}

impl Schedule {
    /// A schedule without groups. With `once`, each group is checked once.
    pub(super) fn new(
        checker: AgentChecker,
        clock: AwsClock,
        location: Location,
        ticked: mpsc::UnboundedSender<TickReport>,
        once: bool,
    ) -> Self {
        Self {
            checker: Rc::new(checker),
            clock,
            location,
            ticked,
            once,
            run: RandomState::new().build_hasher().finish(),
            running: BTreeMap::new(),
            tasks: JoinSet::new(),
            is_stopped: false,
        }
    }

    /// Starts the groups that are new, and stops those that are gone.
    pub(super) fn follow(&mut self, groups: impl Iterator<Item = GroupId>) {
        let groups: BTreeSet<_> = groups.collect();
        // Without its sender, a task ends after its current tick.
        self.running.retain(|group, _| groups.contains(group));
        for group in groups {
            if self.running.contains_key(&group) {
                continue;
            }
            let (stop, stopped) = watch::channel(false);
            let task = GroupTask {
                checker: Rc::clone(&self.checker),
                clock: self.clock.clone(),
                claimant: format!("{}-{:016x}-{group}", self.location, self.run),
                group,
                ticked: self.ticked.clone(),
                once: self.once,
            };
            self.tasks.spawn_local(task.run(stopped));
            self.running.insert(group, stop);
        }
    }

    /// Ends each task after its current tick. Returns whether the schedule was stopped before.
    pub(super) fn stop(&mut self) -> bool {
        self.running.clear();
        std::mem::replace(&mut self.is_stopped, true)
    }

    /// Waits until a task has ended.
    pub(super) async fn join_next(&mut self) {
        self.tasks.join_next().await;
    }

    /// Whether all tasks have ended.
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }
}

/// The schedule of one group.
struct GroupTask {
    checker: Rc<AgentChecker>,
    clock: AwsClock,
    claimant: String,
    group: GroupId,
    ticked: mpsc::UnboundedSender<TickReport>,
    once: bool,
}

impl GroupTask {
    /// Starts with the current tick, which is not counted again if it was counted before a restart. Missed ticks are skipped.
    async fn run(self, mut stopped: watch::Receiver<bool>) {
        let mut tick = Tick::containing(self.clock.now(), self.group.interval);
        loop {
            let report = self.handle(tick).await;
            if self.ticked.send(report).is_err() || self.once {
                return;
            }
            tick = following(tick, self.clock.now(), self.group.interval);
            tokio::select! {
                () = self.sleep_until(tick) => {}
                // The sender is dropped to stop the task.
                _ = stopped.changed() => return,
            }
        }
    }

    async fn handle(&self, tick: Tick) -> TickReport {
        let invocation = Invocation {
            claimant: Claimant::new(format!("{}-{}", self.claimant, tick.as_second())),
            remaining: MAX_TICK_TIME,
        };
        self.checker
            .handle(&TickEvent::new(tick.timestamp(), self.group), &invocation)
            .await
    }

    async fn sleep_until(&self, tick: Tick) {
        while let Ok(left) = Duration::try_from(tick.timestamp().duration_since(self.clock.now())) {
            if left.is_zero() {
                return;
            }
            self.clock.sleep(left.min(MAX_PAUSE)).await;
        }
    }
}

/// The tick to handle after `last`: the current one, or the next one if the current one is handled or the clock was set back.
fn following(last: Tick, now: Timestamp, interval: Interval) -> Tick {
    let current = Tick::containing(now, interval);
    if current > last {
        current
    } else {
        current.later(interval, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_ticks_are_skipped_and_a_corrected_clock_is_followed() {
        for (last, now, expected) in [
            ("05:41:00", "05:41:09", "05:42:00"),
            ("05:41:00", "05:42:00", "05:42:00"),
            ("05:41:00", "06:43:30", "06:43:00"),
            // The clock was five minutes ahead.
            ("05:46:00", "05:41:10", "05:42:00"),
        ] {
            let time = |time: &str| -> Timestamp { format!("2026-11-22T{time}Z").parse().unwrap() };
            let last = Tick::containing(time(last), Interval::OneMinute);
            let found = following(last, time(now), Interval::OneMinute);
            assert_eq!(found.timestamp(), time(expected), "{last} at {now}");
        }
    }
}
