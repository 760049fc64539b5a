//! A tick in which every monitor is open, over the real SDK: what nearly every tick is like.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use portpulse_alert::{Message, Publish, PublishError};
use portpulse_checker::{Checker, Clock, Course, Invocation, Probe, TickEvent};
use portpulse_core::group::GroupId;
use portpulse_core::id::Region;
use portpulse_core::outbox::Claimant;
use portpulse_core::outcome::{Opened, Outcome, Phases, Trust};
use portpulse_core::target::Target;
use portpulse_core::time::Interval;
use portpulse_store::Store;
use portpulse_testkit::embedded::EmbeddedDynamo;
use portpulse_testkit::meter::Consumed;
use serde_json::{Map, Value, json};

pub(crate) const GROUP: GroupId = GroupId {
    interval: Interval::OneMinute,
    shard: 0,
};
/// 2026-11-22T00:00:00Z.
const START: i64 = 1_795_305_600;

/// Finds all open, with connect times from 0.83 to 242.5 ms.
struct AllOpen;

impl Probe for AllOpen {
    async fn probe(&self, targets: &[Target], _: Duration) -> Vec<Outcome> {
        let opened = (0u64..).zip(targets).map(|(number, target)| {
            Outcome::Open(Opened {
                address: ([192, 0, 2, 1], target.port).into(),
                phases: Phases {
                    connect: Some(Duration::from_micros(830 + number * 7_919 % 241_670)),
                    ..Phases::default()
                },
                trust: Trust::Kernel,
                warning: None,
                said: None,
            })
        });
        opened.collect()
    }
}

struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Nothing is to be told.
struct NoTopic;

impl Publish for NoTopic {
    async fn publish(&self, message: &Message) -> Result<(), PublishError> {
        panic!("told: {message:?}")
    }
}

/// So many monitors of one group, as a file has them.
pub(crate) fn definitions(monitors: usize) -> Map<String, Value> {
    let definition = |number: usize| {
        let fields =
            json!({ "host": format!("db-{number:03}.example.com"), "service": "postgres", "interval": "1m" });
        (format!("orders-db-{number:03}-primary"), fields)
    };
    (0..monitors).map(definition).collect()
}

/// So many regions.
pub(crate) fn expected(regions: usize) -> BTreeSet<Region> {
    let names = ["eu-west-1", "us-east-1", "ap-northeast-1"].iter().take(regions);
    names.map(|name| name.parse().unwrap()).collect()
}

/// What a tick of this many monitors costs, seen from one of these regions while the others report as well.
pub(crate) async fn tick(monitors: usize, regions: usize) -> Consumed {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let store = Store::new(dynamo.table());
    for (id, attributes) in definitions(monitors) {
        let attributes = attributes.as_object().unwrap();
        store.put_definition(GROUP, &id, attributes).await.unwrap();
    }
    let expected = expected(regions);
    let mut last = Consumed::default();
    // The first ticks wait for the other regions to report; the last is like all that follow.
    for tick in 0..3 {
        for region in &expected {
            let now = Timestamp::from_second(START + 60 * tick + 5).unwrap();
            let (table, meter) = dynamo.metered_table();
            let checker = Checker::new(
                Store::new(table),
                AllOpen,
                NoTopic,
                At(now),
                region.clone(),
                expected.clone(),
            );
            let invocation = Invocation {
                claimant: Claimant::new("only"),
                remaining: Duration::from_secs(60),
            };
            let report = checker.handle(&TickEvent::new(now, GROUP), &invocation).await;
            assert!(
                matches!(&report.course, Course::Counted(seen) if seen.len() == monitors),
                "{report:?}"
            );
            assert!(report.troubles.is_empty(), "{report:?}");
            last = meter.take();
        }
    }
    last
}
