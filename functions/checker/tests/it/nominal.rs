//! A nominal tick, in which every monitor is open, with the AWS SDK.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use portpulse_alert::{Message, Publish, PublishError};
use portpulse_checker::{Checker, Clock, Invocation, Probe, TickEvent, TickOutcome};
use portpulse_core::banners::{Banner, Banners};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::LocationState;
use portpulse_core::id::Location;
use portpulse_core::observation::Observation;
use portpulse_core::outbox::Claimant;
use portpulse_core::outcome::{Detail, Opened, Outcome, Phases, Trust};
use portpulse_core::period::{Grain, Period};
use portpulse_core::rollup::{of_ticks, other_times};
use portpulse_core::round::Observations;
use portpulse_core::target::Target;
use portpulse_core::time::{Interval, Tick};
use portpulse_store::Store;
use portpulse_store::dynamo::DynamoTable;
use portpulse_store::meter::Consumed;
use portpulse_testkit::embedded::EmbeddedDynamo;
use serde_json::{Map, Value, json};

pub(crate) const GROUP: GroupId = GroupId {
    interval: Interval::OneMinute,
    shard: 0,
};
/// 2026-11-22T00:00:00Z.
const START: i64 = 1_795_305_600;

/// The phases of the checks.
#[derive(Clone, Copy)]
pub(crate) enum Checks {
    /// Connect to an IP address.
    Connect,
    /// DNS, connect, TLS and a request of the protocol.
    Ready,
}

impl Checks {
    fn banner(self) -> Option<Detail> {
        match self {
            Self::Connect => None,
            Self::Ready => Detail::new(BANNER),
        }
    }
}

/// The banner of each service, as long as `portpulse plan-cost` assumes.
pub(crate) const BANNER: &str = "8.4.3-commercial: Access denied for 'portpulse'@'192.0.2.17'";

/// Returns open outcomes with connect times from 0.83 to 242.5 ms.
#[derive(Clone, Copy)]
struct AllOpen(Checks);

impl AllOpen {
    /// The outcome of each monitor. Times vary by up to a tenth between ticks.
    fn outcomes(self, tick: i64) -> impl Iterator<Item = Outcome> {
        let moved = 100 + tick.unsigned_abs() * 7 % 11;
        let checks = self.0;
        (0u64..).map(move |number| {
            let trip = Duration::from_micros((830 + number * 7_919 % 241_670) * moved / 100);
            let phases = match checks {
                Checks::Connect => Phases {
                    connect: Some(trip),
                    ..Phases::default()
                },
                // A cached name, TLS 1.2 with two round trips, and one request.
                Checks::Ready => Phases {
                    dns: Some(Duration::from_micros((400 + number * 131 % 1_600) * moved / 100)),
                    connect: Some(trip),
                    tls: Some(2 * trip),
                    ready: Some(trip),
                },
            };
            Outcome::Open(Opened {
                address: ([192, 0, 2, 1], 5432).into(),
                phases,
                trust: Trust::Kernel,
                warning: None,
                banner: checks.banner(),
            })
        })
    }
}

impl Probe for AllOpen {
    async fn probe(&self, targets: &[Target], _: Duration) -> Vec<Outcome> {
        self.outcomes(0).take(targets.len()).collect()
    }
}

struct FixedClock(Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// A topic that expects no message.
struct NoTopic;

impl Publish for NoTopic {
    async fn publish(&self, message: &Message) -> Result<(), PublishError> {
        panic!("unexpected message: {message:?}")
    }
}

/// The definitions of `monitors` monitors, as in a definitions file.
pub(crate) fn definitions(checks: Checks, monitors: usize) -> Map<String, Value> {
    let definition = |number: usize| {
        let fields = match checks {
            Checks::Connect => json!({ "host": "192.0.2.1", "port": 5432, "interval": "1m" }),
            Checks::Ready => json!({
                "host": format!("db-{number:03}.example.com"), "service": "postgres", "tls": true, "interval": "1m",
            }),
        };
        (id(number), fields)
    };
    (0..monitors).map(definition).collect()
}

/// The names of `locations` locations.
pub(crate) fn expected(locations: usize) -> BTreeSet<Location> {
    let names = ["eu-west-1", "us-east-1", "ap-northeast-1"]
        .iter()
        .take(locations);
    names.map(|name| name.parse().unwrap()).collect()
}

/// The consumed capacity of one location's tick while all locations report.
pub(crate) async fn tick(checks: Checks, monitors: usize, locations: usize) -> Consumed {
    let fleet = Fleet::start(checks, monitors, locations).await;
    let mut last = Consumed::default();
    // In the first ticks, other locations have not reported yet; the last tick is nominal.
    for tick in 0..3 {
        for location in &fleet.expected {
            last = fleet.tick(location, tick).await;
        }
    }
    last
}

/// The consumed capacity of the first tick of an hour or a day, including rollups.
pub(crate) async fn first_of(grain: Grain, checks: Checks, monitors: usize) -> Consumed {
    let fleet = Fleet::start(checks, monitors, 1).await;
    let Some(location) = fleet.expected.first() else {
        panic!("no location")
    };
    let first = match grain {
        Grain::Hour => 30 * 60,
        Grain::Day => 48 * 60,
    };
    // One hour of results; the rollups of earlier hours are copies of its rollup.
    let mut seen = BTreeMap::new();
    for tick in first - 60..first {
        let ids = (0..monitors).map(|number| id(number).parse().unwrap());
        let open = AllOpen(checks).outcomes(tick);
        let observations: Observations = ids.zip(open.map(|outcome| Observation::of(&outcome))).collect();
        let at = fleet.at(tick);
        let at = Tick::containing(at, GROUP.interval);
        fleet
            .store
            .put_results(GROUP, at, location, &observations)
            .await
            .unwrap();
        seen.insert(at, observations);
    }
    let definitions = fleet.store.definitions(GROUP).await.unwrap();
    let rollup = of_ticks(&definitions, &seen);
    let others = other_times(&rollup);
    let hours = (0..first / 60 - 1).map(|hour| Period::containing(fleet.at(60 * hour), Grain::Hour));
    for period in hours.chain([Period::containing(fleet.at(0), Grain::Day)]) {
        let store = &fleet.store;
        store.put_summary(GROUP, period, location, &rollup).await.unwrap();
        if !others.is_empty() {
            store.put_summary(GROUP, period, location, &others).await.unwrap();
        }
    }
    let noted = Tick::containing(fleet.at(first - 60), GROUP.interval);
    let banner = (0..monitors).filter_map(|number| {
        let text = checks.banner()?;
        Some((id(number).parse().unwrap(), Banner { text, at: noted }))
    });
    let banners = Banners {
        tick: noted,
        by_monitor: banner.collect(),
    };
    if !banners.by_monitor.is_empty() {
        fleet
            .store
            .put_banners(GROUP, location, None, &banners)
            .await
            .unwrap();
    }
    let row = LocationState {
        tick: Tick::containing(fleet.at(first - 1), GROUP.interval),
        entries: BTreeMap::new(),
    };
    fleet
        .store
        .put_location_state(GROUP, location, None, &row)
        .await
        .unwrap();
    fleet.tick(location, first).await
}

/// A group of open monitors in DynamoDB, and the locations that check it.
struct Fleet {
    dynamo: EmbeddedDynamo,
    store: Store<DynamoTable>,
    checks: Checks,
    monitors: usize,
    expected: BTreeSet<Location>,
}

fn id(number: usize) -> String {
    format!("orders-db-{number:03}-writer")
}

impl Fleet {
    async fn start(checks: Checks, monitors: usize, locations: usize) -> Self {
        let dynamo = EmbeddedDynamo::start().await.unwrap();
        let store = Store::new(dynamo.table());
        for (id, attributes) in definitions(checks, monitors) {
            let attributes = attributes.as_object().unwrap();
            store.put_definition(GROUP, &id, attributes).await.unwrap();
        }
        let expected = expected(locations);
        for location in &expected {
            store.list_location(GROUP, location).await.unwrap();
        }
        Self {
            dynamo,
            store,
            checks,
            monitors,
            expected,
        }
    }

    /// The time five seconds after a tick.
    fn at(&self, tick: i64) -> Timestamp {
        Timestamp::from_second(START + 60 * tick + 5).unwrap()
    }

    /// Runs a tick and returns its consumed capacity.
    async fn tick(&self, location: &Location, tick: i64) -> Consumed {
        let now = self.at(tick);
        let (table, meter) = self.dynamo.metered_table();
        let checker = Checker::new(
            Store::new(table),
            AllOpen(self.checks),
            NoTopic,
            FixedClock(now),
            location.clone(),
            BTreeSet::new(),
        );
        let invocation = Invocation {
            claimant: Claimant::new("only"),
            remaining: Duration::from_secs(60),
        };
        let report = checker.handle(&TickEvent::new(now, GROUP), &invocation).await;
        assert!(
            matches!(&report.outcome, TickOutcome::Counted(seen) if seen.len() == self.monitors),
            "{report:?}"
        );
        assert!(
            report.errors.is_empty() && report.warnings.is_empty(),
            "{report:?}"
        );
        meter.take()
    }
}
