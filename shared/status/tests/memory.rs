//! How much memory the pages of a thousand monitors take, with all of their history, and how large they are: what a
//! function of 128 MB has room for, beside the 30 MB that its program, its TLS and its client of AWS take.
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
use portpulse_core::group_state::{
    DecisionState, Incident, LocationState, Notified, Stability, Status, Track, Urgency,
};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::observation::{Observation, Remark, Seen};
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::period::{Grain, Period};
use portpulse_core::rollup::{OtherTimes, Rollup, Tally, other_times};
use portpulse_core::round::Observations;
use portpulse_core::time::{Interval, Tick};
use portpulse_history::{Ceiling, Groups, Reader, Scope};
use portpulse_status::{Access, Pages, Request, Site};
use portpulse_store::Store;
use portpulse_store::history::Summary;
use portpulse_store::keys::{self, Key};
use portpulse_store::table::{
    Condition, Item, KeyRange, Order, Page, PagedQuery, Put, Read, Table, TableError,
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const MIB: usize = 1 << 20;
/// What is left to the pages of 128 MB.
const MAX_MEMORY: usize = 64 * MIB;
const MAX_PAGE: usize = 1_000_000;
const MONITORS: usize = 1_000;
const SHARDS: u32 = 3;

/// Counts what is allocated now, and the most that ever was.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MAX: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MAX.fetch_max(now, Ordering::Relaxed);
        // SAFETY: as it came.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as it came.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A table in which items that are alike share their room, so that its own is small; each read makes items of its own.
#[derive(Clone, Default)]
struct Alike(Arc<Mutex<BTreeMap<Key, Arc<Item>>>>);

impl Alike {
    /// Puts what stands at `from` at `to` as well.
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

fn made((key, item): (Key, Arc<Item>)) -> Item {
    let mut item = Item::clone(&item);
    for (name, value) in [("pk", key.pk), ("sk", key.sk)] {
        item.insert(name.to_owned(), aws_sdk_dynamodb::types::AttributeValue::S(value));
    }
    item
}

impl Table for Alike {
    async fn query(&self, pk: &str, _: Read) -> Result<Vec<Item>, TableError> {
        Ok(self.between(pk, "", "\u{10ffff}").into_iter().map(made).collect())
    }

    async fn get(&self, pk: &str, sk: &str, _: Read) -> Result<Option<Item>, TableError> {
        Ok(self.between(pk, sk, sk).into_iter().map(made).next())
    }

    async fn get_many(&self, keys: &[Key], _: Read) -> Result<Vec<Item>, TableError> {
        let found = keys
            .iter()
            .flat_map(|key| self.between(&key.pk, &key.sk, &key.sk));
        Ok(found.map(made).collect())
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

impl PagedQuery for Alike {
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
            items: items.into_iter().map(made).collect(),
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

/// As long as they may be.
fn id(number: usize) -> MonitorId {
    let id = format!("{:x<64}", format!("orders-{number:04}-"));
    id.parse().unwrap()
}

/// The ids of a group's monitors.
fn ids(group: GroupId) -> Vec<MonitorId> {
    let all = (0..MONITORS).map(id);
    all.filter(|id| shard_of(id, SHARDS) == group.shard).collect()
}

/// A good check; connects take from 10 to 40 ms, which is sixteen buckets.
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

/// A thousand monitors with ninety days from three locations; all of them down, if that is asked for.
async fn table(are_down: bool) -> Alike {
    let table = Alike::default();
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
            let observation = Observation {
                seen: seen(1),
                detail: None,
            };
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
    let since = "2026-11-22T12:20:00Z".parse().unwrap();
    Incident {
        status: Status::Down,
        opened: since,
        revision: 1,
        since,
        finding: None,
        notified: Notified::NotYet,
        urgency: Urgency::Usual,
        pace: Stability::Steady,
    }
}

fn rollup(ids: &[MonitorId], checks: u64) -> Rollup {
    let tally = tally(checks);
    ids.iter().map(|id| (id.clone(), tally.clone())).collect()
}

/// Keeps the same rollup for so many periods, up to the last.
async fn keep(table: &Alike, group: GroupId, location: &Location, last: Period, count: i64, rollup: &Rollup) {
    let store = Store::new(table.clone());
    store.put_summary(group, last, location, rollup).await.unwrap();
    store
        .put_summary(group, last, location, &other_times(rollup))
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
            OtherTimes::key(group, last, location),
            OtherTimes::key(group, period, location),
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

/// What was asked for, the most that was held since the first page, and the size of the answer.
fn asked(pages: &Pages<Reader<Alike>>, runtime: &Runtime) -> Vec<(String, usize, usize)> {
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
        // As a function sends it.
        let body = Value::from(std::mem::take(&mut answered.response.body));
        drop((serde_json::to_vec(&body).unwrap(), answered));
        (address.to_owned(), MAX.load(Ordering::Relaxed) - before, bytes)
    });
    answers.collect()
}

/// One test, so that nothing else allocates meanwhile.
#[test]
fn a_thousand_monitors_with_ninety_days_fit_a_small_function_and_a_page_of_a_megabyte() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // All of the history that there is, or as much as one request reads.
    for (are_down, ceiling, access) in [
        (false, Ceiling(u32::MAX / 4), Access::Loopback),
        (true, Ceiling::default(), Access::Public),
    ] {
        let scope = Scope {
            groups: Groups::Known(groups().into_iter().collect()),
            expected: locations().into_iter().collect(),
        };
        let reader = Reader::new(runtime.block_on(table(are_down)), scope, ceiling);
        let site = Site::new(access.clone(), 60);
        let pages = Pages::new(site, reader, SignedDuration::from_secs(15));
        for (address, most, bytes) in asked(&pages, &runtime) {
            let what = format!("{access:?}, {ceiling:?}: {address}: {bytes} bytes, {most} held");
            println!("{what}");
            let is_page = !address.starts_with("/api/") && address != "/metrics";
            assert!(!is_page || bytes <= MAX_PAGE, "{what}");
            assert!(most <= MAX_MEMORY, "{what}");
        }
    }
}
