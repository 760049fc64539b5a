//! Retries within a tick, in the handler.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use portpulse_checker::{Checker, Invocation, MAX_TICK_TIME, Probe, TickEvent, TickReport};
use portpulse_core::outbox::Claimant;
use portpulse_core::outcome::Outcome;
use portpulse_core::round::Observations;
use portpulse_core::target::Target;
use portpulse_core::time::Tick;
use portpulse_store::Store;
use portpulse_testkit::memory_table::{MemoryTable, yield_once};
use serde_json::{Value, json};

use crate::rig::{
    GROUP, ProbeResult, RecordingTopic, SkewedClock, TestTime, assert_counted, define, handle, invocation,
    location, locations, outcome, run,
};

/// Returns the next scripted result of each monitor, by port. The last one is repeated.
#[derive(Clone, Default)]
struct Attempts(
    Rc<RefCell<BTreeMap<u16, Vec<ProbeResult>>>>,
    Rc<RefCell<Vec<Vec<u16>>>>,
);

impl Probe for Attempts {
    async fn probe(&self, _: Tick, targets: &[Target], _: Duration) -> Vec<Outcome> {
        yield_once().await;
        let ports: Vec<_> = targets.iter().map(|target| target.port.unwrap() - 1000).collect();
        let outcomes = ports.iter().map(|port| {
            let mut all = self.0.borrow_mut();
            let left = all.get_mut(port).unwrap();
            outcome(if left.len() > 1 { left.remove(0) } else { left[0] })
        });
        let outcomes = outcomes.collect();
        self.1.borrow_mut().push(ports);
        outcomes
    }
}

/// One location that checks monitors whose attempts are scripted: `.` good, `x` failing, `?` no data.
struct Rig {
    table: MemoryTable,
    topic: RecordingTopic,
    probe: Attempts,
}

impl Rig {
    fn new(monitors: &[Value]) -> Self {
        let table = MemoryTable::new();
        for (number, fields) in monitors.iter().enumerate() {
            let fields = fields.as_object().unwrap();
            let fields = fields.iter().map(|(name, value)| (name.as_str(), value.clone()));
            define(&table, number, &fields.collect());
        }
        Self {
            table,
            topic: RecordingTopic::default(),
            probe: Attempts::default(),
        }
    }

    /// Runs a tick in which the monitors have these attempts, and returns the numbers of checks, and the report.
    fn tick(&self, tick: i64, attempts: &[&str], invocation: &Invocation) -> (Vec<Vec<u16>>, TickReport) {
        let results = attempts.iter().zip(0..).map(|(text, port)| {
            let results = text.chars().map(|symbol| match symbol {
                '.' => ProbeResult::Good,
                'x' => ProbeResult::Failing,
                _ => ProbeResult::NoData,
            });
            (port, results.collect())
        });
        *self.probe.0.borrow_mut() = results.collect();
        self.probe.1.borrow_mut().clear();
        let store = Store::new(self.table.clone());
        let handled = handle(
            store,
            self.probe.clone(),
            &self.topic,
            (tick, 0),
            locations(1),
            invocation,
        );
        let report = run(handled);
        assert_counted(&report);
        assert!(report.errors.is_empty(), "{report:?}");
        (self.probe.1.borrow().clone(), report)
    }

    /// The stored results of a tick.
    fn results(&self, tick: i64) -> Observations {
        let tick = Tick::containing(TestTime::of_tick(tick), GROUP.interval);
        let store = Store::new(self.table.clone());
        let read = run(store.results_of(GROUP, [tick], &location(0))).unwrap();
        read.records[&tick].clone()
    }
}

fn fields(retries: u32) -> Value {
    json!({ "failures_to_open": 1, "successes_to_close": 1, "retries": retries, "retry_interval": "2s", "timeout": "2s" })
}

#[test]
fn tick_fails_only_if_all_attempts_fail() {
    for (attempts, checks, stored, notified) in [
        (".", 1, "1///5", 0),
        ("x.", 2, "1///5 +1", 0),
        ("xx.", 3, "1///5 +2", 0),
        ("xxx", 3, "refused +2", 1),
        ("xxx.", 3, "refused +2", 1),
        // A retry without data proves nothing.
        ("x?.", 3, "1///5 +2", 0),
        ("x??", 3, "refused +2", 1),
        ("?", 1, "no_data_out_of_time", 0),
    ] {
        let rig = Rig::new(&[fields(2)]);
        rig.tick(0, &["."], &invocation("0"));
        let (probes, report) = rig.tick(1, &[attempts], &invocation("1"));
        assert_eq!(probes.len(), checks, "{attempts}");
        let stored_now = rig.results(1)[&"m0".parse().unwrap()].to_string();
        assert_eq!(stored_now, stored, "{attempts}");
        assert_eq!(report.published.len(), notified, "{attempts}");
        let retried = u32::from(stored.contains('+') && !stored.starts_with('r'));
        assert_eq!(report.sum.retried, retried, "{attempts}");
    }
}

#[test]
fn failing_monitor_and_open_incident_are_not_retried() {
    let rig = Rig::new(&[json!({ "failures_to_open": 2, "successes_to_close": 2, "retries": 1 })]);
    for (tick, attempts, checks) in [
        (0, ".", 1),
        (1, "x", 2),
        // Failing since the last tick, and then with an open incident.
        (2, "x", 1),
        (3, "x", 1),
        (4, ".", 1),
        (5, "x", 1),
        (6, ".", 1),
        (7, ".", 1),
        // The incident is closed.
        (8, "x.", 2),
    ] {
        let (probes, _) = rig.tick(tick, &[attempts], &invocation(tick.to_string()));
        assert_eq!(probes.len(), checks, "tick {tick}");
    }
    assert_eq!(rig.topic.kinds(), ["down", "recovered"]);
}

#[test]
fn monitors_are_retried_side_by_side_and_only_if_they_failed() {
    let rig = Rig::new(&[fields(2), fields(2), fields(2), fields(1)]);
    let (probes, report) = rig.tick(0, &[".", "x.", "xx.", "x."], &invocation("0"));
    // The batches of both policies wait at the same time.
    assert_eq!(probes[0], [0, 1, 2, 3]);
    let mut retries = probes[1..].to_vec();
    retries.sort();
    assert_eq!(retries, [vec![1, 2], vec![2], vec![3]]);
    let retries: Vec<_> = report.retries.values().copied().collect();
    assert_eq!(retries, [1, 2, 1]);
    assert_eq!((report.sum.good, report.sum.retried), (4, 3));
}

#[test]
fn retries_leave_the_time_to_decide_and_publish() {
    // One retry takes 4 s at most, and the reserve is 10 s.
    for (remaining, checks) in [(13_999, 1), (14_000, 2), (15_999, 2), (16_000, 3)] {
        let rig = Rig::new(&[fields(5)]);
        let invocation = Invocation {
            claimant: Claimant::new("a"),
            remaining: Duration::from_millis(remaining),
        };
        let (probes, report) = rig.tick(0, &["x"], &invocation);
        assert_eq!(probes.len(), checks, "{remaining} ms");
        let retries: Vec<_> = report.retries.values().map(|made| *made as usize).collect();
        let expected: Vec<_> = (checks > 1).then_some(checks - 1).into_iter().collect();
        assert_eq!(retries, expected, "{remaining} ms");
        assert_eq!(report.published.len(), 1, "{remaining} ms");
    }
}

/// Fails after the timeout of the targets, and records the number of attempts.
#[derive(Clone, Default)]
struct Silent(TestTime, Rc<RefCell<u32>>);

impl Probe for Silent {
    async fn probe(&self, _: Tick, targets: &[Target], budget: Duration) -> Vec<Outcome> {
        *self.1.borrow_mut() += 1;
        let timeout = targets.iter().map(|target| target.timeout).max().unwrap();
        let took = timeout.min(budget).as_millis();
        self.0.set(self.0.ms() + i64::try_from(took).unwrap());
        targets.iter().map(|_| outcome(ProbeResult::Failing)).collect()
    }
}

#[test]
fn max_tick_time_holds_longest_check_with_retries() {
    for (timeout, retries, retry_interval) in
        [("30s", 1, "15s"), ("4400ms", 10, "100ms"), ("22s", 2, "500ms")]
    {
        let fields = json!({ "timeout": timeout, "retries": retries, "retry_interval": retry_interval });
        let rig = Rig::new(&[fields]);
        let probe = Silent::default();
        let checker = Checker::new(
            Store::new(rig.table.clone()),
            probe.clone(),
            rig.topic.clone(),
            SkewedClock::exact(probe.0.clone()),
            location(0),
            locations(1),
        );
        let invocation = Invocation {
            claimant: Claimant::new("a"),
            remaining: MAX_TICK_TIME,
        };
        let report = run(checker.handle(&TickEvent::new(TestTime::of_tick(0), GROUP), &invocation));
        assert_eq!(*probe.1.borrow(), 1 + retries, "{timeout}");
        assert_eq!(report.published.len(), 1, "{timeout}");
    }
}
