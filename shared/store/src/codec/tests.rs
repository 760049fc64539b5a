//! Every kind of item: what it looks like, that it survives being stored, and that nothing else is taken for it.

use std::collections::BTreeMap;
use std::fmt::Debug;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue as A;
use portpulse_core::board::{ClosedIncident, FleetRow, RegionRow, VerdictRow};
use portpulse_core::control::Control;
use portpulse_core::definition::Monitor;
use portpulse_core::rollup::Rollup;
use portpulse_core::round::Observations;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::samples::{TICK, group, tick};
use super::*;
use crate::keys;

/// An item in DynamoDB's JSON, its attributes in order.
fn shown(item: &Item) -> String {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the SDK hides the variant of types it does not know"
    )]
    fn value(attribute: &A) -> Value {
        match attribute {
            A::S(text) => json!({ "S": text }),
            A::N(digits) => json!({ "N": digits }),
            A::Bool(flag) => json!({ "BOOL": flag }),
            A::Null(_) => json!({ "NULL": true }),
            A::L(values) => json!({ "L": values.iter().map(value).collect::<Vec<_>>() }),
            A::M(map) => json!({ "M": attributes(map) }),
            _ => {
                panic!("no item of ours has {attribute:?}")
            }
        }
    }
    fn attributes(map: &Item) -> BTreeMap<&str, Value> {
        map.iter()
            .map(|(name, attribute)| (name.as_str(), value(attribute)))
            .collect()
    }
    let lines = attributes(item).into_iter();
    let lines: Vec<_> = lines.map(|(name, value)| format!("{name}: {value}")).collect();
    lines.join("\n")
}

fn put_region_row(row: &RegionRow) -> Item {
    region_row::encode(&keys::region_row(group(), &"eu-west-1".parse().unwrap()), row)
}

fn put_verdict_row(row: &VerdictRow) -> Item {
    verdict_row::encode(&keys::verdict_row(group()), row)
}

fn put_fleet_row(row: &FleetRow) -> Item {
    fleet_row::encode(&keys::fleet_row(), row)
}

fn put_results(seen: &Observations) -> Item {
    let key = keys::results(group(), tick(TICK), &"eu-west-1".parse().unwrap());
    results::encode(&key, tick(TICK), seen)
}

fn put_closed_incident(closed: &ClosedIncident) -> Item {
    closed_incident::encode(&keys::closed_incident(closed), closed)
}

fn put_rollup(rollup: &Rollup) -> Item {
    let hour = "2026-11-22T05".parse().unwrap();
    rollup::encode(
        &keys::rollup(group(), hour, &"eu-west-1".parse().unwrap()),
        hour,
        rollup,
    )
}

fn put_control(control: &Control) -> Item {
    control::encode(
        &keys::control(&"orders-db".parse().unwrap()),
        control,
        samples::time(TICK),
    )
}

fn put_definition(attributes: &serde_json::Map<String, Value>) -> Item {
    definition::encode(&keys::definition(group(), "orders-db"), attributes)
}

fn get_definition(item: &Item) -> Result<Monitor, Vec<portpulse_core::definition::Fault>> {
    definition::decode(group(), "orders-db", item)
}

#[test]
fn every_kind_of_item_looks_as_it_did() {
    insta::assert_snapshot!("region_row", shown(&put_region_row(&samples::region_row())));
    insta::assert_snapshot!("verdict_row", shown(&put_verdict_row(&samples::verdict_row())));
    insta::assert_snapshot!("fleet_row", shown(&put_fleet_row(&samples::fleet_row())));
    insta::assert_snapshot!("results", shown(&put_results(&samples::observations())));
    insta::assert_snapshot!(
        "closed_incident",
        shown(&put_closed_incident(&samples::closed_incident()))
    );
    insta::assert_snapshot!("rollup", shown(&put_rollup(&samples::rollup())));
    insta::assert_snapshot!("control", shown(&put_control(&samples::control())));
    insta::assert_snapshot!("definition", shown(&put_definition(&samples::definition())));
    let seeded = definition::encode_seeded(&keys::definition(group(), "orders-db"), &samples::definition());
    insta::assert_snapshot!("definition_seeded", shown(&seeded));
    assert_eq!(
        get_definition(&seeded),
        get_definition(&put_definition(&samples::definition()))
    );
}

fn survives<R: PartialEq + Debug>(
    row: R,
    encode: impl Fn(&R) -> Item,
    decode: impl Fn(&Item) -> Result<R, Malformed>,
) -> Result<(), TestCaseError> {
    let read = decode(&encode(&row)).map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
    prop_assert_eq!(read, row);
    Ok(())
}

proptest! {
    #[test]
    fn region_rows_survive(row in arbitrary::region_row()) {
        survives(row, put_region_row, region_row::decode)?;
    }

    #[test]
    fn verdict_rows_survive(row in arbitrary::verdict_row()) {
        survives(row, put_verdict_row, verdict_row::decode)?;
    }

    #[test]
    fn fleet_rows_survive(row in arbitrary::fleet_row()) {
        survives(row, put_fleet_row, fleet_row::decode)?;
    }

    #[test]
    fn results_survive(seen in arbitrary::observations()) {
        survives(seen, put_results, results::decode)?;
    }

    #[test]
    fn closed_incidents_survive(closed in arbitrary::closed_incident()) {
        survives(closed, put_closed_incident, closed_incident::decode)?;
    }

    #[test]
    fn rollups_survive(rollup in arbitrary::rollup()) {
        survives(rollup, put_rollup, rollup::decode)?;
    }

    #[test]
    fn controls_survive(control in arbitrary::control()) {
        survives(control, put_control, control::decode)?;
    }

    #[test]
    fn definitions_survive(attributes in arbitrary::attributes()) {
        let own = attributes.into_iter().map(|(name, value)| (name.to_owned(), value));
        let attributes: serde_json::Map<_, _> = own.collect();
        let expected = Monitor::from_attributes("orders-db", &Value::Object(attributes.clone())).unwrap();
        prop_assert_eq!(get_definition(&put_definition(&attributes)), Ok(expected));
    }
}

/// Every reader, on the same item; the names of those that took it.
fn readers(item: &Item) -> Vec<(&'static str, Result<(), String>)> {
    fn outcome<R>(read: Result<R, Malformed>) -> Result<(), String> {
        read.map(drop).map_err(|error| error.to_string())
    }
    let faults = |faults: Vec<portpulse_core::definition::Fault>| faults[0].to_string();
    vec![
        ("region_row", outcome(region_row::decode(item))),
        ("verdict_row", outcome(verdict_row::decode(item))),
        ("fleet_row", outcome(fleet_row::decode(item))),
        ("results", outcome(results::decode(item))),
        ("closed_incident", outcome(closed_incident::decode(item))),
        ("rollup", outcome(rollup::decode(item))),
        ("control", outcome(control::decode(item))),
        ("definition", get_definition(item).map(drop).map_err(faults)),
    ]
}

fn all_items() -> Vec<(&'static str, Item)> {
    vec![
        ("region_row", put_region_row(&samples::region_row())),
        ("verdict_row", put_verdict_row(&samples::verdict_row())),
        ("fleet_row", put_fleet_row(&samples::fleet_row())),
        ("results", put_results(&samples::observations())),
        (
            "closed_incident",
            put_closed_incident(&samples::closed_incident()),
        ),
        ("rollup", put_rollup(&samples::rollup())),
        ("control", put_control(&samples::control())),
        ("definition", put_definition(&samples::definition())),
    ]
}

fn attribute() -> impl Strategy<Value = A> {
    let leaf = prop_oneof![
        ".{0,30}".prop_map(A::S),
        "-?[0-9]{1,25}(\\.[0-9]{1,5})?".prop_map(A::N),
        Just(A::S(TICK.to_owned())),
        Just(A::N("1".to_owned())),
        any::<bool>().prop_map(A::Bool),
        Just(A::Null(true)),
        Just(A::B(Blob::new("x"))),
        Just(A::Ss(vec!["x".to_owned()])),
        Just(A::Ns(vec!["1".to_owned()])),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(A::L),
            proptest::collection::hash_map("[a-z_]{1,10}|.{1,5}", inner, 0..4).prop_map(A::M),
        ]
    })
}

/// Walks into an item by `turns`, and there removes (`None`) or replaces one attribute.
fn mutate(item: &mut Item, turns: &[Index], with: Option<&A>) {
    let mut names: Vec<_> = item.keys().cloned().collect();
    names.sort();
    let Some((turn, rest)) = turns.split_first() else {
        return;
    };
    let Some(name) = (!names.is_empty()).then(|| turn.get(&names)) else {
        return;
    };
    match (item.get_mut(name), rest, with) {
        (Some(A::M(map)), [_, ..], _) if !map.is_empty() => mutate(map, rest, with),
        (Some(A::L(list)), [at, rest @ ..], _) if !list.is_empty() => {
            let index = at.index(list.len());
            match (&mut list[index], with) {
                (A::M(map), _) if !rest.is_empty() => mutate(map, rest, with),
                (entry, Some(with)) => *entry = with.clone(),
                (_, None) => drop(list.remove(index)),
            }
        }
        (_, _, Some(with)) => drop(item.insert(name.clone(), with.clone())),
        (_, _, None) => drop(item.remove(name)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_mutilated_item_is_read_or_named_and_never_a_panic(
        kind in any::<Index>(),
        turns in proptest::collection::vec(any::<Index>(), 1..6),
        with in proptest::option::of(attribute()),
    ) {
        let mut items = all_items();
        let (_, item) = &mut items[kind.index(8)];
        mutate(item, &turns, with.as_ref());
        for (_, read) in readers(item) {
            if let Err(named) = read {
                prop_assert!(named.contains('`') || named.contains('('), "{}", named);
                prop_assert!(named.len() < 2_000, "{}", named);
            }
        }
    }

    #[test]
    fn any_other_item_is_read_or_named_and_never_a_panic(
        item in proptest::collection::hash_map("[a-z_]{1,10}|.{1,5}", attribute(), 0..6),
    ) {
        readers(&item);
    }
}

#[test]
fn no_kind_of_item_is_taken_for_another() {
    for (kind, item) in all_items() {
        let takers: Vec<_> = readers(&item)
            .into_iter()
            .filter(|(_, read)| read.is_ok())
            .map(|(name, _)| name)
            .collect();
        // A control need not say more than its revision, so what has one passes for one that says nothing.
        let takers: Vec<_> = takers
            .into_iter()
            .filter(|taker| *taker != "control" || kind == "control")
            .collect();
        assert_eq!(takers, [kind]);
    }
}

/// What a reader says of an item after one change to it.
fn check<R: Debug>(
    mut item: Item,
    change: impl FnOnce(&mut Item),
    decode: impl Fn(&Item) -> Result<R, Malformed>,
    expected: &str,
) {
    change(&mut item);
    let error = decode(&item).unwrap_err();
    let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    let chain: Vec<_> = chain.map(ToString::to_string).collect();
    assert_eq!(chain.join(": "), expected);
}

fn at<'a>(item: &'a mut Item, path: &[&str]) -> &'a mut Item {
    path.iter().fold(item, |item, name| match item.get_mut(*name) {
        Some(A::M(map)) => map,
        other => panic!("{name} is {other:?}"),
    })
}

#[test]
fn what_is_wrong_with_an_item_is_said_with_its_place_and_the_mend() {
    let number = |digits: &str| A::N(digits.to_owned());
    let text = |text: &str| A::S(text.to_owned());
    let row = || put_region_row(&samples::region_row());
    let orders = ["entries", "orders-db"];
    check(
        row(),
        |item| drop(item.insert("v".to_owned(), number("2"))),
        region_row::decode,
        "it has layout version 2, this version reads 1 (update this one, or delete the item to start afresh)",
    );
    check(
        row(),
        |item| drop(item.remove("v")),
        region_row::decode,
        "`v` is missing (delete the item to start afresh)",
    );
    check(
        row(),
        |item| drop(item.remove("entries")),
        region_row::decode,
        "`entries` is missing (delete the item to start afresh)",
    );
    check(
        row(),
        |item| drop(at(item, &orders).remove("ticks")),
        region_row::decode,
        "`entries.orders-db.ticks` is missing (delete the item to start afresh)",
    );
    check(
        row(),
        |item| drop(at(item, &orders).insert("ticks".to_owned(), text("3"))),
        region_row::decode,
        "`entries.orders-db.ticks` is text where a number belongs (delete the item to start afresh)",
    );
    check(
        row(),
        |item| drop(at(item, &orders).insert("ticks".to_owned(), number("-1"))),
        region_row::decode,
        "`entries.orders-db.ticks` makes no sense (delete the item to start afresh): invalid digit found in string",
    );
    check(
        row(),
        |item| drop(at(item, &orders).insert("health".to_owned(), text("fine"))),
        region_row::decode,
        "`entries.orders-db.health` makes no sense (delete the item to start afresh): it is none of good, failing",
    );
    check(
        row(),
        |item| drop(at(item, &["entries"]).insert(format!("a\n{}", "b".repeat(100)), number("1"))),
        region_row::decode,
        &format!(
            "`entries.a\\n{}` makes no sense (delete the item to start afresh): `a{}` is not a monitor id: use 1 to \
             64 of a-z, 0-9, `-`, `_` and `.`, beginning with a letter or digit",
            "b".repeat(77),
            "b".repeat(78),
        ),
    );
    check(
        put_verdict_row(&samples::verdict_row()),
        |item| match item.get_mut("outbox") {
            Some(A::L(outbox)) => outbox[1] = number("1"),
            other => panic!("{other:?}"),
        },
        verdict_row::decode,
        "`outbox.1` is a number where a map belongs (delete the item to start afresh)",
    );
    check(
        put_results(&samples::observations()),
        |item| drop(at(item, &["seen"]).insert("cache".to_owned(), text("0.31 odd"))),
        results::decode,
        "`seen.cache` makes no sense (delete the item to start afresh): `0.31 odd` is not a known outcome code",
    );
    let orders = ["monitors", "orders-db"];
    check(
        put_rollup(&samples::rollup()),
        |item| drop(at(item, &orders).insert("connect".to_owned(), text("63:58 200:2"))),
        rollup::decode,
        "`monitors.orders-db.connect` makes no sense (delete the item to start afresh): it is no list of steps from \
         bucket to bucket and their counts, such as 63:58 1:2",
    );
    check(
        put_rollup(&samples::rollup()),
        |item| drop(at(item, &orders).insert("max".to_owned(), number("-1"))),
        rollup::decode,
        "`monitors.orders-db.max` makes no sense (delete the item to start afresh): it is no time in milliseconds, \
         such as 12.5",
    );
    check(
        put_rollup(&samples::rollup()),
        |item| drop(at(item, &["monitors", "cache", "failing"]).insert("odd".to_owned(), number("1"))),
        rollup::decode,
        "`monitors.cache.failing.odd` makes no sense (delete the item to start afresh): `odd` is not a known outcome \
         code",
    );
}

#[test]
fn what_is_wrong_with_a_definition_is_said_in_full() {
    let faults = |change: &dyn Fn(&mut Item)| {
        let mut item = put_definition(&samples::definition());
        change(&mut item);
        let faults = get_definition(&item).unwrap_err();
        faults.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        faults(&|item| {
            item.insert("host".to_owned(), A::B(Blob::new("x")));
            item.insert("tags".to_owned(), A::L(vec![A::Bs(vec![Blob::new("x")])]));
        }),
        [
            "host: is binary, which does not belong here (write it as text or a number)",
            "tags.0: is a set of binaries, which does not belong here (write it as text or a number)",
        ]
    );
    assert_eq!(
        faults(&|item| drop(item.insert("interval".to_owned(), A::S("5m".to_owned())))),
        [
            "interval: is 5m, but the item stands among those of 1m (write it into the group of its interval; \
             `terraform apply` does)"
        ]
    );
}

#[test]
fn a_set_made_in_the_console_is_as_good_as_a_list() {
    let mut item = put_definition(&samples::definition());
    item.insert("tags".to_owned(), A::Ss(vec!["prod".to_owned()]));
    assert_eq!(
        get_definition(&item),
        get_definition(&put_definition(&samples::definition()))
    );
}

#[test]
fn the_options_of_a_ready_check_survive_and_broken_ones_are_named() {
    let fields = |options: Value| {
        let mut fields = json!({ "host": "a.example.com", "interval": group().interval.to_string() });
        let Value::Object(options) = options else {
            unreachable!("options that are {options}")
        };
        fields.as_object_mut().unwrap().extend(options);
        fields.as_object().unwrap().clone()
    };
    for options in [
        json!({ "service": "https", "warn_days": 30, "http": { "path": "/up", "status": [200, "3xx"], "follow": true } }),
        json!({ "service": "submission", "tls": "starttls" }),
        json!({ "service": "dns", "dns": { "name": "a.example", "must": ["192.0.2.1"], "transport": "udp" } }),
        json!({ "port": 4222, "script": [{ "send": "PING\r\n" }, { "expect": "PONG" }] }),
    ] {
        let fields = fields(options);
        let read = get_definition(&put_definition(&fields)).unwrap();
        let written = Monitor::from_attributes("orders-db", &Value::Object(fields)).unwrap();
        assert_eq!(read, written);
        assert!(matches!(
            read.target().check,
            portpulse_core::target::Check::Ready(_)
        ));
    }
    let mut item = put_definition(&fields(
        json!({ "service": "http", "http": { "path": "up", "text": 7 } }),
    ));
    let told = |item: &Item| {
        let faults = get_definition(item).unwrap_err();
        faults
            .iter()
            .map(|fault| fault.at.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&item), ["http.text", "http.path"]);
    let blob = BTreeMap::from([("path".to_owned(), A::B(Blob::new(b"up".to_vec())))]);
    item.insert("http".to_owned(), A::M(blob.into_iter().collect()));
    assert_eq!(told(&item), ["http.path"]);
}
