//! What a checker is given in these tests instead of sockets, a topic and a clock.

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

/// What a location sees of a monitor in a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    Good,
    Failing,
    NoData,
}

/// Milliseconds since tick 0, moved by the test alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Time(Rc<Cell<i64>>);

impl Time {
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

/// A clock that is off by some milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct Skewed {
    pub(crate) time: Time,
    pub(crate) skew_ms: i64,
}

impl Skewed {
    /// What it shows, in milliseconds since tick 0.
    pub(crate) fn ms(&self) -> i64 {
        self.time.ms() + self.skew_ms
    }
}

impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(START * 1000 + self.ms()).unwrap()
    }

    /// Lets the others go on; the test alone moves the time.
    async fn sleep(&self, _: Duration) {
        yield_once().await;
    }
}

/// Sees of each monitor what the test says; monitor `n` has port `1000 + n`.
pub(crate) struct Scripted(pub(crate) Vec<Visibility>);

impl Probe for Scripted {
    async fn probe(&self, targets: &[Target], _: Duration) -> Vec<Outcome> {
        yield_once().await;
        targets
            .iter()
            .map(|target| outcome(self.0[usize::from(target.port) - 1000]))
            .collect()
    }
}

fn outcome(visibility: Visibility) -> Outcome {
    let phases = Phases {
        connect: Some(Duration::from_millis(1)),
        ..Phases::default()
    };
    match visibility {
        Visibility::Good => Outcome::Open(Opened {
            address: ([192, 0, 2, 1], 7).into(),
            phases: Phases {
                ready: Some(Duration::from_millis(5)),
                ..phases
            },
            trust: Trust::Kernel,
            warning: None,
            banner: None,
        }),
        Visibility::Failing => Outcome::Failed(Failure {
            class: FailureClass::Refused,
            phase: Phase::Connect,
            phases,
            address: None,
            detail: None,
        }),
        Visibility::NoData => Outcome::NoData(NoData::OutOfTime),
    }
}

/// A topic that remembers the ids it was sent, and fails when the test says so.
#[derive(Clone, Default)]
pub(crate) struct Topic {
    pub(crate) sent: Rc<RefCell<Vec<String>>>,
    pub(crate) faults: Rc<RefCell<Option<TopicPlan>>>,
}

/// Decides what happens to each message.
pub(crate) type TopicPlan = Box<dyn FnMut() -> InjectedTopicFault>;

/// What happens to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InjectedTopicFault {
    None,
    /// It is not sent.
    Before,
    /// It is sent, and the answer is lost.
    After,
}

impl Publish for Topic {
    async fn publish(&self, message: &Message) -> Result<(), PublishError> {
        yield_once().await;
        let fault = self
            .faults
            .borrow_mut()
            .as_mut()
            .map_or(InjectedTopicFault::None, |fault| fault());
        if fault != InjectedTopicFault::Before {
            self.sent.borrow_mut().extend(message.ids.iter().cloned());
        }
        yield_once().await;
        match fault {
            InjectedTopicFault::None => Ok(()),
            InjectedTopicFault::Before | InjectedTopicFault::After => Err(PublishError::Failed {
                subject: message.subject.clone(),
                topic: "the topic".to_owned(),
                source: "it failed as the test asked for".into(),
            }),
        }
    }
}

/// Runs a future that never waits for anything outside itself.
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

/// Puts monitor number `n`, one-minute, with these fields, into the table.
pub(crate) fn define(table: &MemoryTable, n: usize, fields: &BTreeMap<&str, Value>) {
    let mut attributes = json!({ "host": "192.0.2.1", "port": 1000 + n, "interval": "1m" });
    for (name, value) in fields {
        attributes[name] = value.clone();
    }
    let store = Store::new(table.clone());
    let (id, attributes) = (format!("m{n}"), attributes.as_object().unwrap());
    // Twice, so that a read that misses the last write sees it all the same.
    for _ in 0..2 {
        run(store.put_definition(GROUP, &id, attributes)).unwrap();
    }
}

/// The board as it is stored, read past all faults.
pub(crate) fn group_state(table: &MemoryTable) -> GroupStateRead {
    let pk = format!("group#{GROUP}");
    let sort_keys = (0..4)
        .flat_map(|number| ["location", "expects"].map(|kind| format!("{kind}#{}", location(number))))
        .chain(["decision".to_owned()]);
    let items = sort_keys.filter_map(|sk| Some(((pk.clone(), sk.clone()), table.peek(&pk, &sk)?)));
    run(Store::new(MemoryTable::from_items(items.collect())).group_state(GROUP)).unwrap()
}
