//! Test doubles for the checker: probe, topic and clock.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use portpulse_alert::{Message, Publish, PublishError};
use portpulse_checker::{
    Checker, Clock, Error, Invocation, Probe, TickEvent, TickOutcome, TickReport, chain,
};
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::outbox::Claimant;
use portpulse_core::outcome::{Failure, FailureClass, NoData, Opened, Outcome, Phase, Phases, Trust};
use portpulse_core::target::Target;
use portpulse_core::time::{Interval, Tick};
use portpulse_store::Store;
use portpulse_store::store::GroupStateRead;
use portpulse_store::table::{Item, Table};
use portpulse_testkit::memory_table::{MemoryTable, poll, yield_once};
use serde_json::{Value, json};

/// The time of tick 0.
const START: i64 = 1_795_305_600;

pub(crate) const GROUP: GroupId = GroupId {
    interval: Interval::OneMinute,
    shard: 0,
};

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProbeResult {
    Good,
    Failing,
    NoData,
}

/// Milliseconds since tick 0, set by the test.
#[derive(Debug, Clone, Default)]
pub(crate) struct TestTime(Rc<Cell<i64>>);

impl TestTime {
    pub(crate) fn ms(&self) -> i64 {
        self.0.get()
    }

    pub(crate) fn set(&self, ms: i64) {
        self.0.set(ms);
    }

    pub(crate) fn of_tick(tick: i64) -> Timestamp {
        Timestamp::from_second(START + tick * 60).unwrap()
    }

    /// The number of a tick.
    pub(crate) fn number(tick: Tick) -> i64 {
        (tick.as_second() - START) / 60
    }
}

/// A clock with an offset in milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct SkewedClock {
    pub(crate) time: TestTime,
    pub(crate) skew_ms: i64,
    pub(crate) waiting: Waiting,
}

/// How a clock waits.
#[derive(Debug, Clone)]
pub(crate) enum Waiting {
    /// The clock advances the time itself: there is one checker.
    Advances,
    /// The test advances the time, and reads here until when the checker waits.
    Until(Rc<Cell<Option<i64>>>),
}

impl SkewedClock {
    /// A clock without an offset, for one checker.
    pub(crate) fn exact(time: TestTime) -> Self {
        Self {
            time,
            skew_ms: 0,
            waiting: Waiting::Advances,
        }
    }

    /// The time of this clock, in milliseconds since tick 0.
    pub(crate) fn ms(&self) -> i64 {
        self.time.ms() + self.skew_ms
    }
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(START * 1000 + self.ms()).unwrap()
    }

    async fn wait(&self, length: Duration) {
        let until = self.time.ms() + i64::try_from(length.as_millis()).unwrap();
        match &self.waiting {
            Waiting::Advances => self.time.set(until),
            Waiting::Until(wake) => {
                wake.set(Some(until));
                while self.time.ms() < until {
                    yield_once().await;
                }
                wake.set(None);
            }
        }
    }

    /// Yields to the other checkers; only the test advances the time.
    async fn sleep(&self, _: Duration) {
        yield_once().await;
    }
}

/// Returns scripted results. Monitor `n` has port `1000 + n`.
pub(crate) struct ScriptedProbe(pub(crate) Vec<ProbeResult>);

impl Probe for ScriptedProbe {
    async fn probe(&self, _: Tick, targets: &[Target], _: Duration) -> Vec<Outcome> {
        yield_once().await;
        targets
            .iter()
            .map(|target| outcome(self.0[usize::from(target.port.unwrap()) - 1000]))
            .collect()
    }
}

pub(crate) fn outcome(result: ProbeResult) -> Outcome {
    let connect = Some(Duration::from_millis(1));
    match result {
        ProbeResult::Good => Outcome::Open(open(Phases {
            connect,
            ready: Some(Duration::from_millis(5)),
            ..Phases::default()
        })),
        ProbeResult::Failing => Outcome::Failed(Failure {
            phases: Phases {
                connect,
                ..Phases::default()
            },
            ..failure(FailureClass::Refused, Phase::Connect)
        }),
        ProbeResult::NoData => Outcome::NoData(NoData::OutOfTime),
    }
}

/// An open outcome without warning and banner.
pub(crate) fn open(phases: Phases) -> Opened {
    Opened {
        address: ([192, 0, 2, 1], 7).into(),
        phases,
        trust: Trust::Kernel,
        warning: None,
        banner: None,
    }
}

/// A failure without times and detail.
pub(crate) fn failure(class: FailureClass, phase: Phase) -> Failure {
    Failure {
        class,
        phase,
        phases: Phases::default(),
        address: None,
        detail: None,
    }
}

/// A topic that records the ids of sent notifications and injects faults.
#[derive(Clone, Default)]
pub(crate) struct RecordingTopic {
    pub(crate) sent: Rc<RefCell<Vec<String>>>,
    pub(crate) faults: Rc<RefCell<Option<TopicFaultPlan>>>,
}

impl RecordingTopic {
    /// The kinds of all sent notifications.
    pub(crate) fn kinds(&self) -> Vec<String> {
        let sent = self.sent.borrow();
        let kinds = sent.iter().filter_map(|id| id.rsplit('/').next());
        kinds.map(str::to_owned).collect()
    }
}

/// Decides on the fault for each message.
pub(crate) type TopicFaultPlan = Box<dyn FnMut() -> TopicFault>;

/// A fault to inject into a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TopicFault {
    None,
    /// The message is not sent.
    Before,
    /// The message is sent and the response is lost.
    After,
}

impl Publish for RecordingTopic {
    async fn publish(&self, message: &Message) -> Result<(), PublishError> {
        yield_once().await;
        let fault = self
            .faults
            .borrow_mut()
            .as_mut()
            .map_or(TopicFault::None, |fault| fault());
        if fault != TopicFault::Before {
            self.sent.borrow_mut().extend(message.ids.iter().cloned());
        }
        yield_once().await;
        match fault {
            TopicFault::None => Ok(()),
            TopicFault::Before | TopicFault::After => Err(PublishError::Failed {
                subject: message.subject.clone(),
                topic: "the topic".to_owned(),
                source: "injected by the test".into(),
            }),
        }
    }
}

/// Runs a future that needs no external wake-up.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    poll(future, usize::MAX).unwrap()
}

/// An invocation with a minute left.
pub(crate) fn invocation(claimant: impl Into<String>) -> Invocation {
    Invocation {
        claimant: Claimant::new(claimant),
        remaining: Duration::from_secs(60),
    }
}

/// Handles a tick of [`GROUP`] in one location, five seconds late. Locations without a list expect `expected`.
pub(crate) async fn handle(
    store: Store<impl Table>,
    probe: impl Probe,
    topic: &RecordingTopic,
    (tick, at): (i64, usize),
    expected: BTreeSet<Location>,
    invocation: &Invocation,
) -> TickReport {
    let time = TestTime::default();
    time.set(tick * 60_000 + 5_000);
    let clock = SkewedClock::exact(time);
    let checker = Checker::new(store, probe, topic.clone(), clock, location(at), expected);
    let event = TickEvent::new(TestTime::of_tick(tick), GROUP);
    checker.handle(&event, invocation).await
}

/// Asserts that a tick counts.
#[track_caller]
pub(crate) fn assert_counted(report: &TickReport) {
    assert!(matches!(report.outcome, TickOutcome::Counted(_)), "{report:?}");
}

/// The messages of errors.
pub(crate) fn texts(errors: &[Error]) -> Vec<String> {
    errors.iter().map(|error| chain(error)).collect()
}

pub(crate) fn locations(count: usize) -> BTreeSet<Location> {
    (0..count).map(location).collect()
}

pub(crate) fn location(number: usize) -> Location {
    ["a", "b", "c", "d"][number].parse().unwrap()
}

/// Writes the definition of monitor `n` on its own host, with an interval of one minute, without retries, and with `fields`.
pub(crate) fn define(table: &MemoryTable, n: usize, fields: &BTreeMap<&str, Value>) {
    define_in(GROUP, table, n, fields);
}

/// Writes the definition of monitor `n` of a group, like [`define`].
pub(crate) fn define_in(group: GroupId, table: &MemoryTable, n: usize, fields: &BTreeMap<&str, Value>) {
    let interval = group.interval.as_str();
    let mut attributes =
        json!({ "host": format!("h{n}.example"), "port": 1000 + n, "interval": interval, "retries": 0 });
    for (name, value) in fields {
        attributes[name] = value.clone();
    }
    let store = Store::new(table.clone());
    let (id, attributes) = (format!("m{n}"), attributes.as_object().unwrap());
    // Written twice, so that a stale read, which misses the last write, returns the definition.
    for _ in 0..2 {
        run(store.put_definition(group, &id, attributes)).unwrap();
    }
}

/// The stored group state, read without faults.
pub(crate) fn group_state(table: &MemoryTable) -> GroupStateRead {
    group_state_of(GROUP, table)
}

/// The stored state of a group, read without faults.
pub(crate) fn group_state_of(group: GroupId, table: &MemoryTable) -> GroupStateRead {
    let pk = format!("group#{group}");
    let sort_keys = (0..4)
        .flat_map(|number| ["location", "expects"].map(|kind| format!("{kind}#{}", location(number))))
        .chain(["decision".to_owned()]);
    group_state_of_items(group, sort_keys.filter_map(|sk| table.peek(&pk, &sk)))
}

/// The state of a group in these items.
pub(crate) fn group_state_of_items(group: GroupId, items: impl IntoIterator<Item = Item>) -> GroupStateRead {
    let table = MemoryTable::new();
    items.into_iter().for_each(|item| table.overwrite(item));
    run(Store::new(table).group_state(group)).unwrap()
}
