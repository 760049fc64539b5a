//! The real checker, run again with the responses that it has received, until its next request.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;

use portpulse_alert::{Message, Publish, PublishError};
use portpulse_checker::{Checker, Probe, TickEvent, TickReport};
use portpulse_core::outcome::Outcome;
use portpulse_core::target::Target;
use portpulse_core::time::Tick;
use portpulse_store::Store;
use portpulse_store::keys::Key;
use portpulse_store::table::{Condition, Item, Operation, Put, Read, Table, TableError};
use portpulse_testkit::memory_table::{MemoryTable, poll};

use super::world::World;
use crate::rig::{GROUP, SkewedClock, TestTime, invocation, location, locations, outcome};

/// A request that other checkers can notice, or whose response depends on them.
#[derive(Debug, Clone)]
pub(super) enum Request {
    /// Reads the state of the group.
    ReadGroupState,
    Put {
        item: Item,
        condition: Condition,
    },
    Publish {
        ids: Vec<String>,
    },
}

/// The response to a request.
#[derive(Debug, Clone)]
pub(super) enum Response {
    Items(Vec<Item>),
    Put(Put),
    Published,
    /// The request took effect, and its response was lost.
    Lost,
}

/// What a checker does next.
#[derive(Debug, Clone)]
pub(super) enum Next {
    Request(Request),
    /// Nothing: it has finished, with these errors.
    Finished {
        errors: Vec<String>,
    },
}

/// One checker: an invocation for one tick in one location.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Who {
    pub(super) location: u8,
    /// The tick of its event.
    pub(super) tick: i64,
    /// 0, or 1 for the second delivery of the event.
    pub(super) copy: u8,
}

/// A response, and the tick at which it came.
pub(super) type Received = (i64, Response);

/// Runs a checker with the responses in `log`. It was started at its tick; `fixed` has the items that never change.
pub(super) fn next_of(
    who: Who,
    log: Vec<Received>,
    world: &World,
    count: usize,
    fixed: &MemoryTable,
) -> Next {
    let time = TestTime::default();
    time.set(ms(who.tick));
    let replay = Rc::new(Replay {
        log,
        received: Cell::new(0),
        time: time.clone(),
        request: RefCell::default(),
    });
    let at = usize::from(who.location);
    let checker = Checker::new(
        Store::new(ReplayedTable {
            replay: Rc::clone(&replay),
            fixed: fixed.clone(),
        }),
        WorldProbe {
            world: world.clone(),
            location: at,
        },
        ReplayedTopic(Rc::clone(&replay)),
        SkewedClock::exact(time),
        location(at),
        locations(count),
    );
    let event = TickEvent::new(TestTime::of_tick(who.tick), GROUP);
    let invocation = portpulse_checker::Invocation {
        remaining: std::time::Duration::from_secs(180),
        ..invocation(format!("{at}/{}/{}", who.tick, who.copy))
    };
    let finished: Option<TickReport> = poll(checker.handle(&event, &invocation), 1);
    match finished {
        Some(report) => Next::Finished {
            errors: crate::rig::texts(&report.errors),
        },
        None => Next::Request(replay.request.take().unwrap()),
    }
}

/// The time of what happens in a tick, in milliseconds since tick 0: five seconds late.
fn ms(tick: i64) -> i64 {
    tick * 60_000 + 5_000
}

/// The responses so far, and the first request without a response.
struct Replay {
    log: Vec<Received>,
    received: Cell<usize>,
    time: TestTime,
    request: RefCell<Option<Request>>,
}

impl Replay {
    async fn ask(&self, request: Request) -> Response {
        let index = self.received.get();
        self.received.set(index + 1);
        let Some((tick, response)) = self.log.get(index) else {
            self.request.borrow_mut().get_or_insert(request);
            return pending().await;
        };
        self.time.set(ms(*tick));
        response.clone()
    }
}

struct ReplayedTable {
    replay: Rc<Replay>,
    /// Definitions.
    fixed: MemoryTable,
}

impl Table for ReplayedTable {
    async fn query(&self, pk: &str, _: Read) -> Result<Vec<Item>, TableError> {
        if pk != format!("group#{GROUP}") {
            // Definitions and controls, which no checker writes.
            let items = self.fixed.snapshot().into_iter();
            return Ok(items
                .filter(|((of, _), _)| of == pk)
                .map(|(_, item)| item)
                .collect());
        }
        let Response::Items(items) = self.replay.ask(Request::ReadGroupState).await else {
            panic!("another response than that to a read")
        };
        Ok(items)
    }

    async fn get(&self, pk: &str, sk: &str, _: Read) -> Result<Option<Item>, TableError> {
        // The fleet state, which the model never changes.
        Ok(self.fixed.peek(pk, sk))
    }

    async fn get_many(&self, keys: &[Key], _: Read) -> Result<Vec<Item>, TableError> {
        panic!("a model has no rollups: {keys:?}")
    }

    async fn put(&self, item: Item, condition: Condition) -> Result<Put, TableError> {
        match self.replay.ask(Request::Put { item, condition }).await {
            Response::Put(put) => Ok(put),
            Response::Lost => Err(TableError {
                operation: Operation::Put,
                key: "an item".to_owned(),
                source: "the response was lost".into(),
            }),
            Response::Items(_) | Response::Published => panic!("another response than that to a put"),
        }
    }
}

struct ReplayedTopic(Rc<Replay>);

impl Publish for ReplayedTopic {
    async fn publish(&self, message: &Message) -> Result<(), PublishError> {
        let ids = message.ids.clone();
        match self.0.ask(Request::Publish { ids }).await {
            Response::Published => Ok(()),
            Response::Lost => Err(PublishError::Failed {
                subject: message.subject.clone(),
                topic: "the topic".to_owned(),
                source: "the response was lost".into(),
            }),
            Response::Items(_) | Response::Put(_) => panic!("another response than that to a message"),
        }
    }
}

/// Finds what is so in the world. Monitor `n` has port `1000 + n`.
struct WorldProbe {
    world: World,
    location: usize,
}

impl Probe for WorldProbe {
    async fn probe(&self, tick: Tick, targets: &[Target], _: std::time::Duration) -> Vec<Outcome> {
        let tick = TestTime::number(tick);
        let result = |target: &Target| {
            let monitor = usize::from(target.port.unwrap()) - 1000;
            outcome(self.world.result(self.location, tick, monitor))
        };
        targets.iter().map(result).collect()
    }
}
