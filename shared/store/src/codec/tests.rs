//! Codecs of all kinds of items: golden texts, round trips, and malformed items.

mod diagnostics;

use std::collections::BTreeMap;
use std::fmt::Debug;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue as A;
use portpulse_core::banners::Banners;
use portpulse_core::control::Control;
use portpulse_core::definition::{Diagnostic, Monitor};
use portpulse_core::group_state::{ClosedIncident, DecisionState, FleetState, LocationState};
use portpulse_core::home_loss::{HomeFailures, HomeLoss};
use portpulse_core::id::Location;
use portpulse_core::operator_note::OperatorNote;
use portpulse_core::period::Period;
use portpulse_core::rollup::{PhaseRollup, Rollup, with_phases};
use portpulse_core::round::Observations;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::samples::{TICK, group, tick};
use super::*;
use crate::keys;

/// An item in DynamoDB's JSON, one line for each attribute, sorted.
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
                panic!("unexpected type: {attribute:?}")
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

fn location() -> Location {
    "eu-west-1".parse().unwrap()
}

fn hour() -> Period {
    "2026-11-22T05".parse().unwrap()
}

fn put_location_state(state: &LocationState) -> Item {
    location_state::encode(&keys::location_state(group(), &location()), state)
}

fn put_decision_state(state: &DecisionState) -> Item {
    decision_state::encode(&keys::decision_state(group()), state)
}

fn put_fleet_state(state: &FleetState) -> Item {
    fleet_state::encode(&keys::fleet_state(), state)
}

fn put_home_failures(failures: &HomeFailures) -> Item {
    home_failures::encode(&keys::home_failures(group(), &location()), failures)
}

fn put_home_loss(loss: &HomeLoss) -> Item {
    home_loss::encode(&keys::home_loss(), loss)
}

fn put_results(seen: &Observations) -> Item {
    let key = keys::results(group(), tick(TICK), &location());
    results::encode(&key, tick(TICK), seen)
}

fn put_closed_incident(closed: &ClosedIncident) -> Item {
    closed_incident::encode(&keys::closed_incident(closed), closed)
}

fn put_rollup(rollup: &Rollup) -> Item {
    rollup::encode(&keys::rollup(group(), hour(), &location()), hour(), rollup)
}

fn put_phase_rollup(times: &PhaseRollup) -> Item {
    phase_rollup::encode(&keys::phase_rollup(group(), hour(), &location()), hour(), times)
}

fn put_banners(banners: &Banners) -> Item {
    banners::encode(&keys::banners_of(group(), &location()), banners)
}

fn put_operator_note(note: &OperatorNote) -> Item {
    operator_note::encode(&keys::operator_note(note), note)
}

fn put_report_claim(request: &str) -> Item {
    report_claim::encode(&keys::report("2026-10"), request, samples::time(TICK))
}

fn put_control(control: &Control) -> Item {
    let key = keys::control(&"orders-db".parse().unwrap());
    control::encode(&key, control, samples::time(TICK))
}

fn put_definition(attributes: &serde_json::Map<String, Value>) -> Item {
    definition::encode(&keys::definition(group(), "orders-db"), attributes)
}

fn get_definition(item: &Item) -> Result<Monitor, Vec<Diagnostic>> {
    definition::decode(group(), "orders-db", item)
}

/// A sample of each kind of item.
fn all_items() -> Vec<(&'static str, Item)> {
    vec![
        ("location_state", put_location_state(&samples::location_state())),
        ("decision_state", put_decision_state(&samples::decision_state())),
        ("fleet_state", put_fleet_state(&samples::fleet_state())),
        ("home_failures", put_home_failures(&samples::home_failures())),
        ("home_loss", put_home_loss(&samples::home_loss())),
        ("results", put_results(&samples::observations())),
        (
            "closed_incident",
            put_closed_incident(&samples::closed_incident()),
        ),
        ("rollup", put_rollup(&samples::rollup())),
        ("phase_rollup", put_phase_rollup(&samples::phase_rollup())),
        ("banners", put_banners(&samples::banners())),
        ("control", put_control(&samples::control())),
        ("operator_note", put_operator_note(&samples::operator_note())),
        ("report_claim", put_report_claim("5b1f8e2c")),
        ("definition", put_definition(&samples::definition())),
    ]
}

#[test]
fn encoded_items_match_snapshots() {
    for (kind, item) in all_items() {
        insta::assert_snapshot!(kind, shown(&item));
    }
    let seeded = definition::encode_seeded(&keys::definition(group(), "orders-db"), &samples::definition());
    insta::assert_snapshot!("definition_seeded", shown(&seeded));
    let own = put_definition(&samples::definition());
    assert_eq!(get_definition(&seeded), get_definition(&own));
}

fn assert_round_trip<R: PartialEq + Debug>(
    value: R,
    encode: impl Fn(&R) -> Item,
    decode: impl Fn(&Item) -> Result<R, Malformed>,
) -> Result<(), TestCaseError> {
    let read = decode(&encode(&value)).map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
    prop_assert_eq!(read, value);
    Ok(())
}

proptest! {
    #[test]
    fn location_state_round_trips(state in arbitrary::location_state()) {
        assert_round_trip(state, put_location_state, location_state::decode)?;
    }

    #[test]
    fn decision_state_round_trips(state in arbitrary::decision_state()) {
        assert_round_trip(state, put_decision_state, decision_state::decode)?;
    }

    #[test]
    fn fleet_state_round_trips(state in arbitrary::fleet_state()) {
        assert_round_trip(state, put_fleet_state, fleet_state::decode)?;
    }

    #[test]
    fn loss_of_home_round_trips(failures in arbitrary::home_failures(), loss in arbitrary::home_loss()) {
        assert_round_trip(failures, put_home_failures, home_failures::decode)?;
        assert_round_trip(loss, put_home_loss, home_loss::decode)?;
    }

    #[test]
    fn results_round_trip(seen in arbitrary::observations()) {
        assert_round_trip(seen, put_results, results::decode)?;
    }

    #[test]
    fn closed_incident_round_trips(closed in arbitrary::closed_incident()) {
        assert_round_trip(closed, put_closed_incident, closed_incident::decode)?;
    }

    #[test]
    fn rollup_and_phase_rollup_round_trip(rollup in arbitrary::rollup()) {
        // The two items are disjoint, and together they are the whole rollup.
        let others = portpulse_core::rollup::phase_rollup(&rollup);
        assert_round_trip(others.clone(), put_phase_rollup, phase_rollup::decode)?;
        let read = rollup::decode(&put_rollup(&rollup)).unwrap();
        prop_assert!(read.values().all(|tally| tally.phases == Default::default()));
        prop_assert_eq!(with_phases(read, &others), rollup);
    }

    #[test]
    fn banners_round_trip(banners in arbitrary::banners()) {
        assert_round_trip(banners, put_banners, banners::decode)?;
    }

    #[test]
    fn control_round_trips(control in arbitrary::control()) {
        assert_round_trip(control, put_control, control::decode)?;
    }

    #[test]
    fn definition_round_trips(attributes in arbitrary::attributes()) {
        let own = attributes.into_iter().map(|(name, value)| (name.to_owned(), value));
        let attributes: serde_json::Map<_, _> = own.collect();
        let expected = Monitor::from_attributes("orders-db", &Value::Object(attributes.clone())).unwrap();
        prop_assert_eq!(get_definition(&put_definition(&attributes)), Ok(expected));
    }
}

/// The result of every decoder for one item, by name.
fn decode_all(item: &Item) -> Vec<(&'static str, Result<(), String>)> {
    fn outcome<R>(read: Result<R, Malformed>) -> Result<(), String> {
        read.map(drop).map_err(|error| error.to_string())
    }
    let diagnostics = |diagnostics: Vec<Diagnostic>| diagnostics[0].to_string();
    vec![
        ("location_state", outcome(location_state::decode(item))),
        ("decision_state", outcome(decision_state::decode(item))),
        ("fleet_state", outcome(fleet_state::decode(item))),
        ("home_failures", outcome(home_failures::decode(item))),
        ("home_loss", outcome(home_loss::decode(item))),
        ("results", outcome(results::decode(item))),
        ("closed_incident", outcome(closed_incident::decode(item))),
        ("rollup", outcome(rollup::decode(item))),
        ("phase_rollup", outcome(phase_rollup::decode(item))),
        ("banners", outcome(banners::decode(item))),
        ("control", outcome(control::decode(item))),
        ("operator_note", outcome(operator_note::decode(item))),
        ("report_claim", outcome(report_claim::decode(item))),
        ("definition", get_definition(item).map(drop).map_err(diagnostics)),
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

/// Follows `path` into an item, and removes (`None`) or replaces the attribute there.
fn mutate(item: &mut Item, path: &[Index], with: Option<&A>) {
    let mut names: Vec<_> = item.keys().cloned().collect();
    names.sort();
    let Some((step, rest)) = path.split_first() else {
        return;
    };
    let Some(name) = (!names.is_empty()).then(|| step.get(&names)) else {
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
    fn mutated_item_decodes_or_is_reported(
        kind in any::<Index>(),
        path in proptest::collection::vec(any::<Index>(), 1..6),
        with in proptest::option::of(attribute()),
    ) {
        let mut items = all_items();
        let (_, item) = &mut items[kind.index(11)];
        mutate(item, &path, with.as_ref());
        for (_, read) in decode_all(item) {
            if let Err(error) = read {
                prop_assert!(error.contains('`') || error.contains('('), "{}", error);
                prop_assert!(error.len() < 2_000, "{}", error);
            }
        }
    }

    #[test]
    fn arbitrary_item_never_panics(
        item in proptest::collection::hash_map("[a-z_]{1,10}|.{1,5}", attribute(), 0..6),
    ) {
        decode_all(&item);
    }
}

#[test]
fn each_kind_of_item_is_decoded_by_its_own_decoder_only() {
    for (kind, item) in all_items() {
        let readable = decode_all(&item).into_iter().filter(|(_, read)| read.is_ok());
        // A control requires a revision only, so other items with a revision decode as an empty control.
        let decoders: Vec<_> = readable
            .map(|(decoder, _)| decoder)
            .filter(|decoder| *decoder != "control" || kind == "control")
            .collect();
        assert_eq!(decoders, [kind]);
    }
}
