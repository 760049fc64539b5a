//! A nominal tick, in which every monitor is open, with the AWS SDK.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use portpulse_alert::{Message, Publish, PublishError};
use portpulse_checker::{Checker, Clock, Invocation, Probe, TickEvent, TickOutcome};
use portpulse_core::banners::{Banner, Banners};
use portpulse_core::group::{GroupId, shard_of, shards_for};
use portpulse_core::group_state::LocationState;
use portpulse_core::id::Location;
use portpulse_core::observation::Observation;
use portpulse_core::outbox::Claimant;
use portpulse_core::outcome::{Detail, Opened, Outcome, Phases, Trust};
use portpulse_core::period::{Grain, Period};
use portpulse_core::rollup::{RollupDelay, of_ticks, phase_rollup};
use portpulse_core::round::Observations;
use portpulse_core::target::Target;
use portpulse_core::time::{Interval, Tick};
use portpulse_store::Store;
use portpulse_store::dynamo::DynamoTable;
use portpulse_store::meter::Consumed;
use portpulse_store::store::Commit;
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

/// The banner of each service, as long as `portpulse plan` assumes.
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
    async fn probe(&self, _: Tick, targets: &[Target], _: Duration) -> Vec<Outcome> {
        self.outcomes(0).take(targets.len()).collect()
    }
}

/// A clock that does not advance.
pub(crate) struct FixedClock(pub(crate) Timestamp);

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

/// The consumed capacity of the two ticks that store the rollups of an hour, and at midnight those of a day.
pub(crate) async fn rollups(grain: Grain, checks: Checks, monitors: usize) -> Consumed {
    let fleet = Fleet::start(checks, monitors, 1).await;
    let Some(location) = fleet.expected.first() else {
        panic!("no location")
    };
    let first = match grain {
        Grain::Hour => 30 * 60,
        Grain::Day => 48 * 60,
    };
    fleet.fill(location, first).await;
    let delay = RollupDelay::of(GROUP, location, &fleet.expected);
    let (mut before, mut sum) = (None, Consumed::default());
    for delay in [delay.hour, delay.day] {
        let tick = first + delay.as_mins();
        fleet.commit(location, before, tick - 1).await;
        let consumed = fleet.tick(location, tick).await;
        sum.reads += consumed.reads;
        sum.read_units += consumed.read_units;
        sum.writes += consumed.writes;
        sum.write_units += consumed.write_units;
        before = Some(tick);
    }
    sum
}

/// The write units of one minute.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MinuteUnits {
    /// Those of all groups and locations.
    pub(crate) all: f64,
    /// The most of one tick, which makes its requests one after another.
    pub(crate) of_tick: f64,
}

/// The write units of all shards and locations in each minute of the hour after a midnight.
pub(crate) async fn write_units_after_midnight(
    checks: Checks,
    monitors: usize,
    locations: usize,
) -> Vec<MinuteUnits> {
    let first = 48 * 60;
    let mut minutes = vec![MinuteUnits::default(); 60];
    for shard in 0..shards_for(monitors) {
        let group = GroupId { shard, ..GROUP };
        let fleet = Fleet::start_group(group, checks, monitors, locations).await;
        for location in &fleet.expected {
            fleet.fill(location, first).await;
            fleet.commit(location, None, first - 1).await;
        }
        for (tick, minute) in (first..).zip(&mut minutes) {
            for location in &fleet.expected {
                let write_units = fleet.tick(location, tick).await.write_units;
                minute.all += write_units;
                minute.of_tick = minute.of_tick.max(write_units);
            }
        }
    }
    minutes
}

/// A group of open monitors in DynamoDB, and the locations that check it.
struct Fleet {
    dynamo: EmbeddedDynamo,
    store: Store<DynamoTable>,
    group: GroupId,
    checks: Checks,
    /// The ids of the monitors.
    ids: Vec<String>,
    expected: BTreeSet<Location>,
}

fn id(number: usize) -> String {
    format!("orders-db-{number:03}-writer")
}

impl Fleet {
    /// All monitors in one group.
    async fn start(checks: Checks, monitors: usize, locations: usize) -> Self {
        let all = definitions(checks, monitors);
        Self::start_with(GROUP, checks, all, locations).await
    }

    /// The monitors of one shard.
    async fn start_group(group: GroupId, checks: Checks, monitors: usize, locations: usize) -> Self {
        let shards = shards_for(monitors);
        let mut of_shard = definitions(checks, monitors);
        of_shard.retain(|id, _| shard_of(&id.parse().unwrap(), shards) == group.shard);
        Self::start_with(group, checks, of_shard, locations).await
    }

    async fn start_with(
        group: GroupId,
        checks: Checks,
        definitions: Map<String, Value>,
        locations: usize,
    ) -> Self {
        let dynamo = EmbeddedDynamo::start().await.unwrap();
        let store = Store::new(dynamo.table());
        for (id, attributes) in &definitions {
            let attributes = attributes.as_object().unwrap();
            store.put_definition(group, id, attributes).await.unwrap();
        }
        let expected = expected(locations);
        for location in &expected {
            store.list_location(group, location).await.unwrap();
        }
        Self {
            dynamo,
            store,
            group,
            checks,
            ids: definitions.keys().cloned().collect(),
            expected,
        }
    }

    /// Stores what a location has stored before the hour that begins with the tick `first`: the results of one hour, and copies
    /// of its rollup and its banners as those of earlier hours and of the first day.
    async fn fill(&self, location: &Location, first: i64) {
        let mut seen = BTreeMap::new();
        for tick in first - 60..first {
            let ids = self.ids.iter().map(|id| id.parse().unwrap());
            let open = AllOpen(self.checks).outcomes(tick);
            let observations: Observations = ids.zip(open.map(|outcome| Observation::of(&outcome))).collect();
            let at = Tick::containing(self.at(tick), self.group.interval);
            let stored = self.store.put_results(self.group, at, location, &observations);
            stored.await.unwrap();
            seen.insert(at, observations);
        }
        let definitions = self.store.definitions(self.group).await.unwrap();
        let rollup = of_ticks(&definitions, &seen);
        let others = phase_rollup(&rollup);
        let hours = (0..first / 60 - 1).map(|hour| Period::containing(self.at(60 * hour), Grain::Hour));
        for period in hours.chain([Period::containing(self.at(0), Grain::Day)]) {
            let store = &self.store;
            store
                .put_summary(self.group, period, location, &rollup)
                .await
                .unwrap();
            if !others.is_empty() {
                store
                    .put_summary(self.group, period, location, &others)
                    .await
                    .unwrap();
            }
        }
        let noted = Tick::containing(self.at(first - 60), self.group.interval);
        let banner = self.ids.iter().filter_map(|id| {
            let text = self.checks.banner()?;
            Some((id.parse().unwrap(), Banner { text, at: noted }))
        });
        let banners = Banners {
            tick: noted,
            by_monitor: banner.collect(),
        };
        if !banners.by_monitor.is_empty() {
            let stored = self.store.put_banners(self.group, location, None, &banners);
            stored.await.unwrap();
        }
    }

    /// Commits a nominal tick, after the tick `before`.
    async fn commit(&self, location: &Location, before: Option<i64>, tick: i64) {
        let of = |tick| Tick::containing(self.at(tick), self.group.interval);
        let state = LocationState {
            tick: of(tick),
            entries: BTreeMap::new(),
        };
        let committed = self
            .store
            .put_location_state(self.group, location, before.map(of), &state);
        assert_eq!(committed.await.unwrap(), Commit::Done);
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
        let report = checker
            .handle(&TickEvent::new(now, self.group), &invocation)
            .await;
        assert!(
            matches!(&report.outcome, TickOutcome::Counted(seen) if seen.len() == self.ids.len()),
            "{report:?}"
        );
        assert!(
            report.errors.is_empty() && report.warnings.is_empty(),
            "{report:?}"
        );
        meter.take()
    }
}
