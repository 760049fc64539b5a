//! Every kind of item: what it looks like, that it survives being stored, and that nothing else is taken for it.

mod diagnostics;

use std::collections::BTreeMap;
use std::fmt::Debug;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue as A;
use portpulse_core::banners::Banners;
use portpulse_core::control::Control;
use portpulse_core::definition::Monitor;
use portpulse_core::group_state::{ClosedIncident, DecisionState, FleetState, LocationState};
use portpulse_core::rollup::{OtherTimes, Rollup, with_others};
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

fn put_location_state(row: &LocationState) -> Item {
    location_state::encode(&keys::location_state(group(), &"eu-west-1".parse().unwrap()), row)
}

fn put_decision_state(row: &DecisionState) -> Item {
    decision_state::encode(&keys::decision_state(group()), row)
}

fn put_fleet_state(row: &FleetState) -> Item {
    fleet_state::encode(&keys::fleet_state(), row)
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

fn put_other_times(times: &OtherTimes) -> Item {
    let hour = "2026-11-22T05".parse().unwrap();
    other_times::encode(
        &keys::other_times(group(), hour, &"eu-west-1".parse().unwrap()),
        hour,
        times,
    )
}

fn put_banners(banner: &Banners) -> Item {
    banners::encode(&keys::words_of(group(), &"eu-west-1".parse().unwrap()), banner)
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

fn get_definition(item: &Item) -> Result<Monitor, Vec<portpulse_core::definition::Diagnostic>> {
    definition::decode(group(), "orders-db", item)
}

#[test]
fn every_kind_of_item_looks_as_it_did() {
    insta::assert_snapshot!(
        "location_state",
        shown(&put_location_state(&samples::location_state()))
    );
    insta::assert_snapshot!(
        "decision_state",
        shown(&put_decision_state(&samples::decision_state()))
    );
    insta::assert_snapshot!("fleet_row", shown(&put_fleet_state(&samples::fleet_state())));
    insta::assert_snapshot!("results", shown(&put_results(&samples::observations())));
    insta::assert_snapshot!(
        "closed_incident",
        shown(&put_closed_incident(&samples::closed_incident()))
    );
    insta::assert_snapshot!("rollup", shown(&put_rollup(&samples::rollup())));
    insta::assert_snapshot!("other_times", shown(&put_other_times(&samples::other_times())));
    insta::assert_snapshot!("banners", shown(&put_banners(&samples::banners())));
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
    fn location_rows_survive(row in arbitrary::location_state()) {
        survives(row, put_location_state, location_state::decode)?;
    }

    #[test]
    fn status_rows_survive(row in arbitrary::decision_state()) {
        survives(row, put_decision_state, decision_state::decode)?;
    }

    #[test]
    fn fleet_rows_survive(row in arbitrary::fleet_state()) {
        survives(row, put_fleet_state, fleet_state::decode)?;
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
        // The one item holds what the other does not, and both together everything.
        let others = portpulse_core::rollup::other_times(&rollup);
        survives(others.clone(), put_other_times, other_times::decode)?;
        let read = rollup::decode(&put_rollup(&rollup)).unwrap();
        prop_assert!(read.values().all(|tally| tally.others.is_empty()));
        prop_assert_eq!(with_others(read, &others), rollup);
    }

    #[test]
    fn words_survive(banner in arbitrary::banners()) {
        survives(banner, put_banners, banners::decode)?;
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
    let diagnostics = |diagnostics: Vec<portpulse_core::definition::Diagnostic>| diagnostics[0].to_string();
    vec![
        ("location_state", outcome(location_state::decode(item))),
        ("decision_state", outcome(decision_state::decode(item))),
        ("fleet_row", outcome(fleet_state::decode(item))),
        ("results", outcome(results::decode(item))),
        ("closed_incident", outcome(closed_incident::decode(item))),
        ("rollup", outcome(rollup::decode(item))),
        ("other_times", outcome(other_times::decode(item))),
        ("banners", outcome(banners::decode(item))),
        ("control", outcome(control::decode(item))),
        ("definition", get_definition(item).map(drop).map_err(diagnostics)),
    ]
}

fn all_items() -> Vec<(&'static str, Item)> {
    vec![
        ("location_state", put_location_state(&samples::location_state())),
        ("decision_state", put_decision_state(&samples::decision_state())),
        ("fleet_row", put_fleet_state(&samples::fleet_state())),
        ("results", put_results(&samples::observations())),
        (
            "closed_incident",
            put_closed_incident(&samples::closed_incident()),
        ),
        ("rollup", put_rollup(&samples::rollup())),
        ("other_times", put_other_times(&samples::other_times())),
        ("banners", put_banners(&samples::banners())),
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
        let (_, item) = &mut items[kind.index(10)];
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
