//! Intervals below a minute: one invocation runs the ticks of its minute.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use portpulse_checker::{Checker, Error, Invocation, Probe, TickEvent, TickOutcome, TickReport};
use portpulse_core::group::GroupId;
use portpulse_core::outbox::Claimant;
use portpulse_core::outcome::Outcome;
use portpulse_core::target::Target;
use portpulse_core::time::{Interval, Tick};
use portpulse_store::Store;
use portpulse_testkit::memory_table::{MemoryTable, poll};
use serde_json::json;

use crate::rig::{
    ProbeResult, RecordingTopic, SkewedClock, TestTime, location, locations, outcome, run as run_to_end,
};

const GROUP: GroupId = GroupId {
    interval: Interval::TwentySeconds,
    shard: 0,
};

/// Takes 500 ms for each tick, and records the second of each tick, the millisecond of the check, the number of targets, and
/// the budget.
/// From `fails_from` on, all checks fail.
#[derive(Clone)]
struct TimedProbe {
    time: TestTime,
    fails_from: i64,
    seen: Rc<RefCell<Vec<(i64, i64, usize)>>>,
    budgets: Rc<RefCell<Vec<Duration>>>,
    /// Run after each check.
    then: Rc<dyn Fn()>,
}

impl Probe for TimedProbe {
    async fn probe(&self, tick: Tick, targets: &[Target], budget: Duration) -> Vec<Outcome> {
        self.budgets.borrow_mut().push(budget);
        let seconds = tick.as_second() - TestTime::of_tick(0).as_second();
        self.seen
            .borrow_mut()
            .push((seconds, self.time.ms(), targets.len()));
        let result = if self.time.ms() >= self.fails_from {
            ProbeResult::Failing
        } else {
            ProbeResult::Good
        };
        self.time.set(self.time.ms() + 500);
        (self.then)();
        targets.iter().map(|_| outcome(result)).collect()
    }
}

struct Rig {
    table: MemoryTable,
    topic: RecordingTopic,
    time: TestTime,
    probe: TimedProbe,
}

impl Rig {
    fn new() -> Self {
        let time = TestTime::default();
        let rig = Self {
            table: MemoryTable::new(),
            topic: RecordingTopic::default(),
            probe: TimedProbe {
                time: time.clone(),
                fails_from: i64::MAX,
                seen: Rc::default(),
                budgets: Rc::default(),
                then: Rc::new(|| ()),
            },
            time,
        };
        define(&rig.table, "m0");
        rig
    }

    fn invoke(&self, minute: i64, remaining: u64) -> impl Future<Output = Vec<TickReport>> + use<> {
        let checker = Checker::new(
            Store::new(self.table.clone()),
            self.probe.clone(),
            self.topic.clone(),
            SkewedClock::exact(self.time.clone()),
            location(0),
            locations(1),
        );
        let event = TickEvent::new(TestTime::of_tick(minute), GROUP);
        let invocation = Invocation {
            claimant: Claimant::new(format!("{minute}-{}", self.time.ms())),
            remaining: Duration::from_secs(remaining),
        };
        async move {
            let mut reports = Vec::new();
            checker
                .run(&event, &invocation, |report| reports.push(report))
                .await;
            reports
        }
    }

    fn run(&self, minute: i64) -> Vec<TickReport> {
        run_to_end(self.invoke(minute, 120))
    }

    fn checks(&self) -> Vec<(i64, i64, usize)> {
        self.probe.seen.take()
    }
}

fn define(table: &MemoryTable, id: &str) {
    let fields = json!({
        "host": "h.example", "port": 1000, "interval": "20s", "timeout": "2s", "failures_to_open": 1,
        "successes_to_close": 1, "retries": 0,
    });
    let store = Store::new(table.clone());
    run_to_end(store.put_definition(GROUP, id, fields.as_object().unwrap())).unwrap();
}

fn counted(reports: &[TickReport]) -> usize {
    let counted = |report: &&TickReport| matches!(report.outcome, TickOutcome::Counted(_));
    reports.iter().filter(counted).count()
}

#[test]
fn each_tick_of_the_minute_runs_at_its_time() {
    let rig = Rig::new();
    rig.time.set(1_000);
    let reports = rig.run(0);
    assert_eq!(rig.checks(), [(0, 1_000, 1), (20, 20_000, 1), (40, 40_000, 1)]);
    assert_eq!(counted(&reports), 3);
    // The next minute follows without a gap.
    rig.time.set(60_700);
    assert_eq!(counted(&rig.run(1)), 3);
    assert_eq!(
        rig.checks(),
        [(60, 60_700, 1), (80, 80_000, 1), (100, 100_000, 1)]
    );
}

#[test]
fn late_invocation_runs_what_is_fresh_and_repeated_one_nothing() {
    let rig = Rig::new();
    rig.time.set(41_000);
    assert_eq!(counted(&rig.run(0)), 1, "the tick of 20 s is too old");
    assert_eq!(rig.checks(), [(40, 41_000, 1)]);
    for (late, reports) in [(0, 1), (300_000, 1)] {
        rig.time.set(61_000 + late);
        let repeated = rig.run(0);
        assert_eq!((repeated.len(), counted(&repeated)), (reports, 0));
        assert!(rig.checks().is_empty());
    }
}

#[test]
fn outage_is_published_within_the_minute() {
    let mut rig = Rig::new();
    rig.probe.fails_from = 15_000;
    let reports = rig.run(0);
    let published: Vec<_> = reports.iter().map(|report| report.published.len()).collect();
    assert_eq!(published, [0, 1, 0]);
    assert_eq!(rig.topic.kinds(), ["down"]);
}

#[test]
fn definitions_are_read_once_an_invocation() {
    let mut rig = Rig::new();
    let table = rig.table.clone();
    rig.probe.then = Rc::new(move || define(&table, "m1"));
    rig.run(0);
    let targets = |checks: Vec<(i64, i64, usize)>| -> Vec<_> { checks.iter().map(|check| check.2).collect() };
    assert_eq!(targets(rig.checks()), [1, 1, 1]);
    rig.time.set(60_000);
    rig.run(1);
    assert_eq!(targets(rig.checks()), [2, 2, 2]);
}

#[test]
fn invocation_without_time_for_a_tick_fails() {
    // The ticks are 20 s apart, and the reserve is 10 s.
    for (remaining, ticks) in [(29, 1), (30, 2), (49, 2), (50, 3)] {
        let rig = Rig::new();
        let reports = run_to_end(rig.invoke(0, remaining));
        assert_eq!(counted(&reports), ticks, "{remaining} s");
        let errors = &reports.last().unwrap().errors[..];
        if ticks < 3 {
            assert!(
                matches!(errors, [Error::NoTimeForTick { .. }]),
                "{remaining} s: {errors:?}"
            );
        } else {
            assert!(errors.is_empty(), "{remaining} s: {errors:?}");
        }
    }
}

#[test]
fn later_ticks_have_the_time_that_is_left() {
    let rig = Rig::new();
    rig.run(0);
    let budgets: Vec<_> = rig.probe.budgets.borrow().iter().map(Duration::as_secs).collect();
    assert_eq!(budgets, [110, 90, 70]);
}

#[test]
fn future_event_is_refused_once() {
    let rig = Rig::new();
    let reports = rig.run(2);
    assert_eq!(reports.len(), 1);
    assert!(
        matches!(reports[0].errors[..], [Error::FutureTick { .. }]),
        "{reports:?}"
    );
    assert!(rig.checks().is_empty());
}

#[test]
fn killed_invocation_loses_no_notification() {
    for polls in 1.. {
        let mut rig = Rig::new();
        rig.probe.fails_from = 15_000;
        let completed = poll(rig.invoke(0, 120), polls).is_some();
        // The next minutes, in the last of which a claim of the killed invocation has expired, and a repetition of the first.
        for minute in 1..=2 {
            rig.time.set(rig.time.ms().max(minute * 60_000));
            rig.run(minute);
        }
        rig.run(0);
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for kind in rig.topic.kinds() {
            *times.entry(kind).or_default() += 1;
        }
        let opened = times.get("down").copied().unwrap_or_default();
        // A crash between publication and its record repeats the message.
        assert!((1..=2).contains(&opened), "{polls} polls: {times:?}");
        if completed {
            assert!(polls > 20 && opened == 1, "{polls} polls: {times:?}");
            return;
        }
    }
}
