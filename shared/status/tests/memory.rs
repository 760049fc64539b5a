//! Memory use and size of the pages of 1,000 monitors with full history. They must fit a Lambda function of 128 MB, of
//! which the program, TLS and the AWS client take 30 MB.
#![expect(
    clippy::unwrap_used,
    unsafe_code,
    reason = "a test fails by panicking; an allocator is unsafe by its trait"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use portpulse_core::choice::Expect;
use portpulse_core::group::{GroupId, shard_of};
use portpulse_core::group_state::{DecisionState, Incident, LocationState, Track};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::observation::{Observation, Remark, Seen};
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::period::{Grain, Period};
use portpulse_core::rollup::{PhaseRollup, Rollup, Tally, phase_rollup};
use portpulse_core::round::Observations;
use portpulse_core::time::{Interval, Tick};
use portpulse_history::{Groups, ReadLimit, Reader, Scope};
use portpulse_status::{Access, Pages, Request, Site};
use portpulse_store::Store;
use portpulse_store::history::Summary;
use portpulse_store::keys::{self, Key, KeyRange, Order};
use portpulse_store::table::{Condition, Item, Page, PagedQuery, Put, Read, Table, TableError};
use portpulse_testkit::incident::down_since;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const MIB: usize = 1 << 20;
/// The memory limit for pages.
const MAX_MEMORY: usize = 64 * MIB;
const MAX_PAGE: usize = 1_000_000;
const MONITORS: usize = 1_000;
const SHARDS: u32 = 3;

/// An allocator that counts the currently and the maximally allocated bytes.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MAX: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is forwarded unchanged to the system allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MAX.fetch_max(now, Ordering::Relaxed);
        // SAFETY: forwarded unchanged.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: forwarded unchanged.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A table in which equal items share memory, so that the table itself is small. Each read returns copies.
#[derive(Clone, Default)]
struct DeduplicatedTable(Arc<Mutex<BTreeMap<Key, Arc<Item>>>>);

impl DeduplicatedTable {
    /// Stores the item at `from` under `to` too.
    fn copy(&self, from: &Key, to: Key) {
        let mut items = self.0.lock().unwrap();
        let item = Arc::clone(items.get(from).unwrap());
        items.insert(to, item);
    }

    fn between(&self, pk: &str, from: &str, to: &str) -> Vec<(Key, Arc<Item>)> {
        let key = |sk: &str| Key {
            pk: pk.to_owned(),
            sk: sk.to_owned(),
        };
        let items = self.0.lock().unwrap();
        let range = items.range(key(from)..=key(to));
        range.map(|(key, item)| (key.clone(), Arc::clone(item))).collect()
    }
}

fn with_key((key, item): (Key, Arc<Item>)) -> Item {
    let mut item = Item::clone(&item);
    for (name, value) in [("pk", key.pk), ("sk", key.sk)] {
        item.insert(name.to_owned(), aws_sdk_dynamodb::types::AttributeValue::S(value));
    }
    item
}

impl Table for DeduplicatedTable {
    async fn query(&self, pk: &str, _: Read) -> Result<Vec<Item>, TableError> {
        Ok(self
            .between(pk, "", "\u{10ffff}")
            .into_iter()
            .map(with_key)
            .collect())
    }

    async fn get(&self, pk: &str, sk: &str, _: Read) -> Result<Option<Item>, TableError> {
        Ok(self.between(pk, sk, sk).into_iter().map(with_key).next())
    }

    async fn get_many(&self, keys: &[Key], _: Read) -> Result<Vec<Item>, TableError> {
        let found = keys
            .iter()
            .flat_map(|key| self.between(&key.pk, &key.sk, &key.sk));
        Ok(found.map(with_key).collect())
    }

    async fn put(&self, item: Item, _: Condition) -> Result<Put, TableError> {
        let text = |name: &str| item.get(name).unwrap().as_s().unwrap().clone();
        let key = Key {
            pk: text("pk"),
            sk: text("sk"),
        };
        self.0.lock().unwrap().insert(key, Arc::new(item));
        Ok(Put::Done)
    }
}

impl PagedQuery for DeduplicatedTable {
    async fn page(&self, key_range: &KeyRange, limit: u32) -> Result<Page, TableError> {
        let mut all = self.between(&key_range.pk, &key_range.from, &key_range.to);
        if key_range.order == Order::Descending {
            all.reverse();
        }
        let after = key_range.after.as_ref();
        let begins = after.map_or(0, |after| {
            all.iter().position(|(key, _)| key.sk == *after).unwrap() + 1
        });
        let mut left = all.drain(begins..);
        let items: Vec<_> = left.by_ref().take(usize::try_from(limit).unwrap()).collect();
        let last = items.last().map(|(key, _)| key.sk.clone());
        let rest = left.next().map(|_| KeyRange {
            after: last,
            ..key_range.clone()
        });
        Ok(Page {
            items: items.into_iter().map(with_key).collect(),
            rest,
        })
    }
}

fn now() -> Timestamp {
    "2026-11-22T12:59:20Z".parse().unwrap()
}

fn locations() -> Vec<Location> {
    ["ap-northeast-1", "eu-west-1", "us-east-1"]
        .map(|name| name.parse().unwrap())
        .to_vec()
}

fn groups() -> Vec<GroupId> {
    let group = |shard| GroupId {
        interval: Interval::OneMinute,
        shard,
    };
    (0..SHARDS).map(group).collect()
}

/// Ids of maximum length.
fn id(number: usize) -> MonitorId {
    let id = format!("{:x<64}", format!("orders-{number:04}-"));
    id.parse().unwrap()
}

/// The ids of a group's monitors.
fn ids(group: GroupId) -> Vec<MonitorId> {
    let all = (0..MONITORS).map(id);
    all.filter(|id| shard_of(id, SHARDS) == group.shard).collect()
}

/// A good check with a connect time of 10 to 40 ms, which falls into sixteen buckets.
fn seen(number: u64) -> Seen {
    let phases = OtherPhases {
        dns: 1 + number % 4,
        tls: 20 + number * 7 % 20,
        ready: 10 + number * 11 % 10,
    };
    Seen::Open {
        connect: Duration::from_micros(10_000 + number * 7_919 % 30_000),
        others: phases.map(|ms| Some(Duration::from_millis(*ms))),
        remark: Remark::None,
    }
}

fn tally(checks: u64) -> Tally {
    let mut tally = Tally::default();
    for number in 0..checks {
        tally.count(Expect::Open, seen(number));
    }
    tally
}

/// 1,000 monitors with 90 days of history from three locations; all of them down if `are_down`.
async fn table(are_down: bool) -> DeduplicatedTable {
    let table = DeduplicatedTable::default();
    let store = Store::new(table.clone());
    let hour = Period::containing(now(), Grain::Hour);
    for group in groups() {
        let ids = ids(group);
        for id in &ids {
            let definition = json!({
                "host": "db.example.com", "port": 5432, "service": "postgres", "interval": "1m",
                "tags": ["shop", "team=orders"], "runbook": "https://wiki.example.com/orders-db",
            });
            let put = store.put_definition(group, id.as_str(), definition.as_object().unwrap());
            put.await.unwrap();
        }
        let tick = Tick::containing(now(), Interval::OneMinute);
        for location in locations() {
            let row = LocationState {
                tick,
                entries: BTreeMap::new(),
            };
            store
                .put_location_state(group, &location, None, &row)
                .await
                .unwrap();
            keep(&table, group, &location, hour.later(-1), 23, &rollup(&ids, 60)).await;
            keep(
                &table,
                group,
                &location,
                hour.day().later(-1),
                89,
                &rollup(&ids, 1_440),
            )
            .await;
            let observation = Observation::from(seen(1));
            let all: Observations = ids.iter().map(|id| (id.clone(), observation.clone())).collect();
            store.put_results(group, tick, &location, &all).await.unwrap();
            for tick in hour.ticks(Interval::OneMinute) {
                table.copy(
                    &keys::results(group, Tick::containing(now(), Interval::OneMinute), &location),
                    keys::results(group, tick, &location),
                );
            }
        }
        if are_down {
            let incidents = ids.iter().map(|id| ((id.clone(), Track::Health), incident()));
            let row = DecisionState {
                revision: 1,
                incidents: incidents.collect(),
                ..DecisionState::default()
            };
            store.put_decision(group, &row).await.unwrap();
        }
    }
    table
}

fn incident() -> Incident {
    down_since("2026-11-22T12:20:00Z".parse().unwrap())
}

fn rollup(ids: &[MonitorId], checks: u64) -> Rollup {
    let tally = tally(checks);
    ids.iter().map(|id| (id.clone(), tally.clone())).collect()
}

/// Stores the same rollup for `count` periods up to `last`.
async fn keep(
    table: &DeduplicatedTable,
    group: GroupId,
    location: &Location,
    last: Period,
    count: i64,
    rollup: &Rollup,
) {
    let store = Store::new(table.clone());
    store.put_summary(group, last, location, rollup).await.unwrap();
    store
        .put_summary(group, last, location, &phase_rollup(rollup))
        .await
        .unwrap();
    for back in 1..count {
        let period = last.later(-back);
        let copy = |from: Key, to: Key| table.copy(&from, to);
        copy(
            Rollup::key(group, last, location),
            Rollup::key(group, period, location),
        );
        copy(
            PhaseRollup::key(group, last, location),
            PhaseRollup::key(group, period, location),
        );
    }
}

fn get(address: &str) -> Request {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    Request {
        path: path.to_owned(),
        query: query.to_owned(),
        host: Some("localhost".to_owned()),
        ..Request::default()
    }
}

/// Requests all pages. Returns the path, the peak memory since the first request, and the size of the response.
fn asked(pages: &Pages<Reader<DeduplicatedTable>>, runtime: &Runtime) -> Vec<(String, usize, usize)> {
    let before = NOW.load(Ordering::Relaxed);
    MAX.store(before, Ordering::Relaxed);
    let monitor = format!("/monitors/{}?span=90d", id(500));
    let addresses = [
        "/",
        "/?by=tag&page=3",
        "/?by=group&page=10",
        "/?q=orders",
        "/incidents",
        "/incidents?page=4",
        &monitor,
        "/api/monitors",
        "/metrics",
    ];
    let answers = addresses.into_iter().map(|address| {
        let mut answered = runtime.block_on(pages.answer(&get(address), now()));
        let error = answered.error.as_ref().map(ToString::to_string);
        assert_eq!((answered.response.status, error), (200, None), "{address}");
        let bytes = answered.response.body.len();
        // Serialised as the function does.
        let body = Value::from(std::mem::take(&mut answered.response.body));
        drop((serde_json::to_vec(&body).unwrap(), answered));
        (address.to_owned(), MAX.load(Ordering::Relaxed) - before, bytes)
    });
    answers.collect()
}

/// The only test of this executable, so that no other test allocates.
#[test]
fn pages_of_1000_monitors_fit_memory_and_size_limits() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // The full history, and the history within the default read limit.
    for (are_down, read_limit, access) in [
        (false, ReadLimit(u32::MAX / 4), Access::Loopback),
        (true, ReadLimit::default(), Access::Public),
    ] {
        let scope = Scope {
            groups: Groups::Known(groups().into_iter().collect()),
            expected: locations().into_iter().collect(),
        };
        let reader = Reader::new(runtime.block_on(table(are_down)), scope, read_limit);
        let site = Site::new(access.clone(), 60);
        let pages = Pages::new(site, reader, SignedDuration::from_secs(15));
        for (address, most, bytes) in asked(&pages, &runtime) {
            let what = format!("{access:?}, {read_limit:?}: {address}: {bytes} bytes, {most} held");
            println!("{what}");
            let is_page = !address.starts_with("/api/") && address != "/metrics";
            assert!(!is_page || bytes <= MAX_PAGE, "{what}");
            assert!(most <= MAX_MEMORY, "{what}");
        }
    }
}
