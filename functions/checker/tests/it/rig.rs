//! Test doubles for the checker: probe, topic and clock.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use jiff::Timestamp;
use portpulse_alert::{Message, Publish, PublishError};
use portpulse_checker::{Clock, Probe};
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::outcome::{Failure, FailureClass, NoData, Opened, Outcome, Phase, Phases, Trust};
use portpulse_core::target::Target;
use portpulse_core::time::{Interval, Tick};
use portpulse_store::Store;
use portpulse_store::store::GroupStateRead;
use portpulse_testkit::memory_table::{MemoryTable, yield_once};
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
}

impl SkewedClock {
    /// The time of this clock, in milliseconds since tick 0.
    pub(crate) fn ms(&self) -> i64 {
        self.time.ms() + self.skew_ms
    }
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(START * 1000 + self.ms()).unwrap()
    }

    /// Yields to the other checkers; only the test advances the time.
    async fn sleep(&self, _: Duration) {
        yield_once().await;
    }
}

/// Returns scripted results. Monitor `n` has port `1000 + n`.
pub(crate) struct ScriptedProbe(pub(crate) Vec<ProbeResult>);

impl Probe for ScriptedProbe {
    async fn probe(&self, targets: &[Target], _: Duration) -> Vec<Outcome> {
        yield_once().await;
        targets
            .iter()
            .map(|target| outcome(self.0[usize::from(target.port) - 1000]))
            .collect()
    }
}

fn outcome(result: ProbeResult) -> Outcome {
    let phases = Phases {
        connect: Some(Duration::from_millis(1)),
        ..Phases::default()
    };
    match result {
        ProbeResult::Good => Outcome::Open(Opened {
            address: ([192, 0, 2, 1], 7).into(),
            phases: Phases {
                ready: Some(Duration::from_millis(5)),
                ..phases
            },
            trust: Trust::Kernel,
            warning: None,
            banner: None,
        }),
        ProbeResult::Failing => Outcome::Failed(Failure {
            class: FailureClass::Refused,
            phase: Phase::Connect,
            phases,
            address: None,
            detail: None,
        }),
        ProbeResult::NoData => Outcome::NoData(NoData::OutOfTime),
    }
}

/// A topic that records the ids of sent notifications and injects faults.
#[derive(Clone, Default)]
pub(crate) struct RecordingTopic {
    pub(crate) sent: Rc<RefCell<Vec<String>>>,
    pub(crate) faults: Rc<RefCell<Option<TopicFaultPlan>>>,
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
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

pub(crate) fn locations(count: usize) -> BTreeSet<Location> {
    (0..count).map(location).collect()
}

pub(crate) fn location(number: usize) -> Location {
    ["a", "b", "c", "d"][number].parse().unwrap()
}

/// Writes the definition of monitor `n`, with an interval of one minute and `fields`.
pub(crate) fn define(table: &MemoryTable, n: usize, fields: &BTreeMap<&str, Value>) {
    let mut attributes = json!({ "host": "192.0.2.1", "port": 1000 + n, "interval": "1m" });
    for (name, value) in fields {
        attributes[name] = value.clone();
    }
    let store = Store::new(table.clone());
    let (id, attributes) = (format!("m{n}"), attributes.as_object().unwrap());
    // Written twice, so that a stale read, which misses the last write, returns the definition.
    for _ in 0..2 {
        run(store.put_definition(GROUP, &id, attributes)).unwrap();
    }
}

/// The stored group state, read without faults.
pub(crate) fn group_state(table: &MemoryTable) -> GroupStateRead {
    let pk = format!("group#{GROUP}");
    let sort_keys = (0..4)
        .flat_map(|number| ["location", "expects"].map(|kind| format!("{kind}#{}", location(number))))
        .chain(["decision".to_owned()]);
    let items = sort_keys.filter_map(|sk| Some(((pk.clone(), sk.clone()), table.peek(&pk, &sk)?)));
    run(Store::new(MemoryTable::from_items(items.collect())).group_state(GROUP)).unwrap()
}
