//! The table in memory behaves like DynamoDB.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use portpulse_core::time::Tick;
use portpulse_store::dynamo::DynamoTable;
use portpulse_store::keys::{Key, KeyRange, Order};
use portpulse_store::size;
use portpulse_store::table::{Condition, Delete, Deleted, Item, Page, PagedQuery, Put, Read, Table};
use portpulse_testkit::embedded::{EmbeddedDynamo, TABLE};
use portpulse_testkit::memory_table::MemoryTable;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::items::{item, number, text};

const TICKS: [&str; 4] = [
    "2026-11-22T05:40:00Z",
    "2026-11-22T05:41:00Z",
    "2026-11-22T10:00:00Z",
    "2027-01-01T00:00:00Z",
];

#[derive(Debug, Clone)]
enum Step {
    Put(Item, Condition),
    Get(String, String, Read),
    GetMany(BTreeSet<(String, String)>, Read),
    Query(String, Read),
    Page(KeyRange, u32),
    Delete(String, String, Condition),
}

/// The result of a step.
#[derive(Debug, PartialEq)]
enum Answer {
    Put(Put),
    Items(Vec<Item>),
    Page(Page),
    Delete(Deleted),
}

async fn run(table: &(impl Table + PagedQuery + Delete), step: Step) -> Answer {
    match step {
        Step::Put(item, condition) => Answer::Put(table.put(item, condition).await.unwrap()),
        Step::Get(pk, sk, read) => {
            let item = table.get(&pk, &sk, read).await.unwrap();
            Answer::Items(item.into_iter().collect())
        }
        Step::GetMany(keys, read) => {
            let keys: Vec<_> = keys.into_iter().map(|(pk, sk)| Key { pk, sk }).collect();
            let mut items = table.get_many(&keys, read).await.unwrap();
            // The order is undefined.
            items.sort_by_key(|item| ["pk", "sk"].map(|name| item[name].as_s().unwrap().clone()));
            Answer::Items(items)
        }
        Step::Query(pk, read) => Answer::Items(table.query(&pk, read).await.unwrap()),
        Step::Page(key_range, limit) => Answer::Page(table.page(&key_range, limit).await.unwrap()),
        Step::Delete(pk, sk, condition) => Answer::Delete(table.delete(&pk, &sk, condition).await.unwrap()),
    }
}

fn arbitrary_item() -> impl Strategy<Value = Item> {
    let tick = prop_oneof![
        select(&TICKS).prop_map(text),
        Just(number(7)),
        Just(text("")),
        Just(AttributeValue::Null(true)),
    ];
    let revision = prop_oneof![(0u8..4).prop_map(number), Just(text("1"))];
    let layout = prop_oneof![3 => Just(number(1)), 1 => Just(number(2)), 1 => Just(text("1"))];
    let attributes = (
        option::of(tick),
        option::of(revision),
        option::weighted(0.9, layout),
        option::of(select(&["seed", "somebody"]).prop_map(text)),
    );
    (key(), attributes).prop_map(|((pk, sk), (tick, revision, layout, owner))| {
        let attributes = [
            ("tick", tick),
            ("revision", revision),
            ("v", layout),
            ("managed_by", owner),
        ];
        let attributes: Vec<_> = attributes
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        item(&pk, &sk, &attributes)
    })
}

fn key() -> impl Strategy<Value = (String, String)> {
    const SKS: &[&str] = &["location#a", "location#b", "decision", "é", "Z"];
    (select(&["p", "q"]), select(SKS)).prop_map(|(pk, sk)| (pk.to_owned(), sk.to_owned()))
}

fn step() -> impl Strategy<Value = Step> {
    let condition = prop_oneof![
        Just(Condition::Absent),
        Just(Condition::Always),
        select(&TICKS).prop_map(|tick| Condition::Tick(tick.parse::<Tick>().unwrap())),
        (0u64..4).prop_map(Condition::Revision),
        (0u64..4).prop_map(Condition::Before),
        Just(Condition::Seeded),
    ];
    let read = || select(&[Read::Strong, Read::Eventual]);
    prop_oneof![
        6 => (arbitrary_item(), condition.clone()).prop_map(|(item, condition)| Step::Put(item, condition)),
        2 => (key(), read()).prop_map(|((pk, sk), read)| Step::Get(pk, sk, read)),
        2 => (btree_set(key(), 1..4), read()).prop_map(|(keys, read)| Step::GetMany(keys, read)),
        2 => (key(), read()).prop_map(|((pk, _), read)| Step::Query(pk, read)),
        3 => (key_range(), 1u32..6).prop_map(|(key_range, limit)| Step::Page(key_range, limit)),
        1 => (key(), condition).prop_map(|((pk, sk), condition)| Step::Delete(pk, sk, condition)),
    ]
}

fn key_range() -> impl Strategy<Value = KeyRange> {
    const ENDS: &[&str] = &["location#", "location#a", "location#b", "decision", "~"];
    let order = select(&[Order::Ascending, Order::Descending]);
    let parts = (key(), select(ENDS), select(ENDS), option::of(key()), order);
    parts.prop_map(|((pk, _), one, other, after, order)| {
        let (from, to) = (one.min(other).to_owned(), one.max(other).to_owned());
        // DynamoDB accepts a start key within the range only.
        let after = after.map(|(_, sk)| sk).filter(|sk| from <= *sk && *sk <= to);
        KeyRange {
            pk,
            from,
            to,
            after,
            order,
        }
    })
}

/// Moves a step to partitions of its test case.
fn in_case(step: Step, case: u32) -> Step {
    match step {
        Step::Put(mut item, condition) => {
            let pk = item["pk"].as_s().unwrap().clone();
            item.insert("pk".to_owned(), text(&format!("{pk}{case}")));
            Step::Put(item, condition)
        }
        Step::Get(pk, sk, read) => Step::Get(format!("{pk}{case}"), sk, read),
        Step::GetMany(keys, read) => {
            let keys = keys.into_iter().map(|(pk, sk)| (format!("{pk}{case}"), sk));
            Step::GetMany(keys.collect(), read)
        }
        Step::Query(pk, read) => Step::Query(format!("{pk}{case}"), read),
        Step::Page(key_range, limit) => {
            let pk = format!("{}{case}", key_range.pk);
            Step::Page(KeyRange { pk, ..key_range }, limit)
        }
        Step::Delete(pk, sk, condition) => Step::Delete(format!("{pk}{case}"), sk, condition),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn memory_table_and_dynamodb_return_equal_results() {
    let runtime = runtime();
    let dynamo = runtime.block_on(EmbeddedDynamo::start()).unwrap();
    let (memory, real) = (MemoryTable::new(), dynamo.table());
    let cases = AtomicU32::new(0);
    proptest!(ProptestConfig::with_cases(100), |(steps in vec(step(), 1..25))| {
        let case = cases.fetch_add(1, Ordering::Relaxed);
        for step in steps {
            let step = in_case(step, case);
            let (expected, found) = runtime.block_on(async {
                (run(&real, step.clone()).await, run(&memory, step.clone()).await)
            });
            prop_assert_eq!(found, expected, "{:?}", step);
        }
    });
}

fn value() -> impl Strategy<Value = AttributeValue> {
    let leaf = prop_oneof![
        ".{0,200}".prop_map(AttributeValue::S),
        "-?[1-9][0-9]{0,20}(\\.[0-9]{0,3}[1-9])?".prop_map(AttributeValue::N),
        any::<bool>().prop_map(AttributeValue::Bool),
        Just(AttributeValue::Null(true)),
    ];
    leaf.prop_recursive(3, 40, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(AttributeValue::L),
            btree_map("[a-z]{1,12}", inner, 0..8)
                .prop_map(|map| AttributeValue::M(map.into_iter().collect())),
        ]
    })
}

/// The write units of a put on DynamoDB without an item in place.
async fn units(dynamo: &EmbeddedDynamo, item: Item) -> f64 {
    dynamo.table().delete("p", "s", Condition::Always).await.unwrap();
    let put = dynamo
        .client()
        .put_item()
        .table_name(TABLE)
        .set_item(Some(item))
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
        .send();
    let capacity = put.await.unwrap().consumed_capacity.unwrap();
    capacity.capacity_units.unwrap()
}

#[test]
fn calculated_item_size_is_exact() {
    let runtime = runtime();
    let dynamo = runtime.block_on(EmbeddedDynamo::start()).unwrap();
    proptest!(ProptestConfig::with_cases(100), |(values in vec(value(), 0..12))| {
        let mut sized = item("p", "s", &[("padding", text(""))]);
        for (number, value) in values.into_iter().enumerate() {
            sized.insert(format!("attribute{number}"), value);
        }
        // Padded to a whole kilobyte, and one byte more: the write units differ.
        let room = 1024 - size::item(&sized) % 1024;
        for padding in [room, room + 1] {
            sized.insert("padding".to_owned(), text(&"x".repeat(padding)));
            let calculated = size::write_units(size::item(&sized));
            prop_assert_eq!(runtime.block_on(units(&dynamo, sized.clone())), calculated as f64, "{}", padding);
        }
    });
}

#[tokio::test]
async fn query_reads_all_pages() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let table = dynamo.table();
    // DynamoDB ends a page after a megabyte.
    let large = text(&"x".repeat(340 * 1024));
    for sk in ["a", "b", "c", "d", "e"] {
        let item = item("p", sk, &[("large", large.clone())]);
        table.put(item, Condition::Absent).await.unwrap();
    }
    let items = table.query("p", Read::Strong).await.unwrap();
    let sks: Vec<_> = items
        .iter()
        .map(|item| item["sk"].as_s().unwrap().as_str())
        .collect();
    assert_eq!(sks, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn get_many_reads_all_batches() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let table = dynamo.table();
    // DynamoDB accepts 100 keys, and ends a response after 16 MB.
    let large = text(&"x".repeat(340 * 1024));
    let key = |number: usize| Key {
        pk: "p".to_owned(),
        sk: format!("{number:03}"),
    };
    for number in 0..130 {
        let attributes = [("large", large.clone())];
        let attributes = if number < 60 { &attributes[..] } else { &[] };
        let item = item("p", &key(number).sk, attributes);
        table.put(item, Condition::Absent).await.unwrap();
    }
    let keys: Vec<_> = (0..140).map(key).collect();
    let items = table.get_many(&keys, Read::Eventual).await.unwrap();
    let sks: BTreeSet<_> = items
        .iter()
        .map(|item| item["sk"].as_s().unwrap().clone())
        .collect();
    assert_eq!(
        (items.len(), sks),
        (130, (0..130).map(|number| key(number).sk).collect())
    );
    assert_eq!(table.get_many(&[], Read::Eventual).await.unwrap(), []);
}

/// Records the requests of the SDK.
#[derive(Debug, Clone, Default)]
struct RequestRecorder(Arc<Mutex<Vec<String>>>);

impl Intercept for RequestRecorder {
    fn name(&self) -> &'static str {
        "request-recorder"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.request().body().bytes().unwrap_or_default();
        self.0
            .lock()
            .unwrap()
            .push(String::from_utf8_lossy(body).into_owned());
        Ok(())
    }
}

#[tokio::test]
async fn strong_reads_are_requested_as_consistent() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let recorder = RequestRecorder::default();
    let config = dynamo
        .client()
        .config()
        .to_builder()
        .interceptor(recorder.clone())
        .build();
    let table = DynamoTable::new(Client::from_conf(config), TABLE);
    for read in [Read::Strong, Read::Eventual] {
        table.query("p", read).await.unwrap();
        table.get("p", "s", read).await.unwrap();
    }
    let messages = recorder.0.lock().unwrap().clone();
    let strong: Vec<_> = messages
        .iter()
        .map(|body| body.contains("\"ConsistentRead\":true"))
        .collect();
    assert_eq!(strong, [true, true, false, false], "{messages:?}");
}

/// Puts revision 2 on condition of an earlier one.
async fn put_copy(table: &impl Table, in_place: Option<&[(&str, AttributeValue)]>) -> bool {
    if let Some(attributes) = in_place {
        table
            .put(item("p", "s", attributes), Condition::Always)
            .await
            .unwrap();
    }
    let copy = item("p", "s", &[("v", number(1)), ("revision", number(2))]);
    table.put(copy, Condition::Before(2)).await.unwrap() == Put::Done
}

#[tokio::test]
async fn copy_replaces_only_an_earlier_revision_of_the_current_layout() {
    let of = |layout, revision| [("v", number(layout)), ("revision", number(revision))];
    for (in_place, is_replaced) in [
        (None, true),
        (Some(of(1, 1)), true),
        (Some(of(1, 2)), false),
        (Some(of(1, 3)), false),
        (Some(of(2, 1)), false),
    ] {
        let in_place = in_place.as_ref().map(<[_; 2]>::as_slice);
        let dynamo = EmbeddedDynamo::start().await.unwrap();
        let (real, memory) = (dynamo.table(), MemoryTable::new());
        assert_eq!(put_copy(&real, in_place).await, is_replaced, "{in_place:?}");
        assert_eq!(put_copy(&memory, in_place).await, is_replaced, "{in_place:?}");
    }
}
