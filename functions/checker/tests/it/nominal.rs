//! A tick in which every monitor is open, over the real SDK: what nearly every tick is like.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use portpulse_alert::{Message, Publish, PublishError};
use portpulse_checker::{Checker, Clock, Course, Invocation, Probe, TickEvent};
use portpulse_core::board::RegionRow;
use portpulse_core::group::GroupId;
use portpulse_core::id::Region;
use portpulse_core::observation::{Observation, Remark, Seen};
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::outbox::Claimant;
use portpulse_core::outcome::{Opened, Outcome, Phases, Trust};
use portpulse_core::period::{Grain, Period};
use portpulse_core::rollup::of_ticks;
use portpulse_core::round::Observations;
use portpulse_core::target::Target;
use portpulse_core::time::{Interval, Tick};
use portpulse_store::Store;
use portpulse_store::dynamo::DynamoTable;
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

impl AllOpen {
    /// A time for each monitor, which moves by up to a tenth from tick to tick.
    fn times(tick: i64) -> impl Iterator<Item = Duration> {
        let moved = 100 + tick.unsigned_abs() * 7 % 11;
        (0u64..).map(move |number| Duration::from_micros((830 + number * 7_919 % 241_670) * moved / 100))
    }
}

impl Probe for AllOpen {
    async fn probe(&self, targets: &[Target], _: Duration) -> Vec<Outcome> {
        let opened = targets.iter().zip(Self::times(0)).map(|(target, connect)| {
            Outcome::Open(Opened {
                address: ([192, 0, 2, 1], target.port).into(),
                phases: Phases {
                    connect: Some(connect),
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
        (id(number), fields)
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
    let fleet = Fleet::start(monitors, regions).await;
    let mut last = Consumed::default();
    // The first ticks wait for the other regions to report; the last is like all that follow.
    for tick in 0..3 {
        for region in &fleet.expected {
            last = fleet.tick(region, tick).await;
        }
    }
    last
}

/// What the first tick of an hour costs, or of a day: beside the tick itself, summing up what is over.
pub(crate) async fn first_of(grain: Grain, monitors: usize) -> Consumed {
    let fleet = Fleet::start(monitors, 1).await;
    let Some(region) = fleet.expected.first() else {
        panic!("no region")
    };
    let first = match grain {
        Grain::Hour => 30 * 60,
        Grain::Day => 48 * 60,
    };
    // One hour of ticks; those before it are kept as if they had been such.
    let mut seen = BTreeMap::new();
    for tick in first - 60..first {
        let ids = (0..monitors).map(|number| id(number).parse().unwrap());
        let open = AllOpen::times(tick).map(|connect| Observation {
            seen: Seen::Open {
                connect,
                others: OtherPhases::default(),
                remark: Remark::None,
            },
            detail: None,
        });
        let observations: Observations = ids.zip(open).collect();
        let at = fleet.at(tick);
        let at = Tick::containing(at, GROUP.interval);
        fleet
            .store
            .put_results(GROUP, at, region, &observations)
            .await
            .unwrap();
        seen.insert(at, observations);
    }
    let definitions = fleet.store.definitions(GROUP).await.unwrap();
    let rollup = of_ticks(&definitions, &seen);
    for hour in 0..first / 60 - 1 {
        let hour = Period::containing(fleet.at(60 * hour), Grain::Hour);
        fleet
            .store
            .put_rollup(GROUP, hour, region, &rollup)
            .await
            .unwrap();
    }
    let yesterday = Period::containing(fleet.at(0), Grain::Day);
    fleet
        .store
        .put_rollup(GROUP, yesterday, region, &rollup)
        .await
        .unwrap();
    let row = RegionRow {
        tick: Tick::containing(fleet.at(first - 1), GROUP.interval),
        entries: BTreeMap::new(),
    };
    fleet
        .store
        .put_region_row(GROUP, region, None, &row)
        .await
        .unwrap();
    fleet.tick(region, first).await
}

/// Monitors that are all open, and the regions that check them.
struct Fleet {
    dynamo: EmbeddedDynamo,
    store: Store<DynamoTable>,
    monitors: usize,
    expected: BTreeSet<Region>,
}

fn id(number: usize) -> String {
    format!("orders-db-{number:03}-primary")
}

impl Fleet {
    async fn start(monitors: usize, regions: usize) -> Self {
        let dynamo = EmbeddedDynamo::start().await.unwrap();
        let store = Store::new(dynamo.table());
        for (id, attributes) in definitions(monitors) {
            let attributes = attributes.as_object().unwrap();
            store.put_definition(GROUP, &id, attributes).await.unwrap();
        }
        let expected = expected(regions);
        for region in &expected {
            store.list_region(GROUP, region).await.unwrap();
        }
        Self {
            dynamo,
            store,
            monitors,
            expected,
        }
    }

    /// Five seconds after a tick.
    fn at(&self, tick: i64) -> Timestamp {
        Timestamp::from_second(START + 60 * tick + 5).unwrap()
    }

    /// Runs a tick, and tells what it cost.
    async fn tick(&self, region: &Region, tick: i64) -> Consumed {
        let now = self.at(tick);
        let (table, meter) = self.dynamo.metered_table();
        let checker = Checker::new(
            Store::new(table),
            AllOpen,
            NoTopic,
            At(now),
            region.clone(),
            BTreeSet::new(),
        );
        let invocation = Invocation {
            claimant: Claimant::new("only"),
            remaining: Duration::from_secs(60),
        };
        let report = checker.handle(&TickEvent::new(now, GROUP), &invocation).await;
        assert!(
            matches!(&report.course, Course::Counted(seen) if seen.len() == self.monitors),
            "{report:?}"
        );
        assert!(
            report.troubles.is_empty() && report.left_for_later.is_empty(),
            "{report:?}"
        );
        meter.take()
    }
}
