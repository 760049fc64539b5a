//! The store, on DynamoDB and on the table in memory.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::control::{Control, Note, Silence};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{DecisionState, FleetState, LocationKind, LocationState};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::observation::{Observation, Seen};
use portpulse_core::outcome::{Detail, FailureClass};
use portpulse_core::round::Observations;
use portpulse_store::Error;
use portpulse_store::definitions::{Owner, WriteMode, WriteResult};
use portpulse_store::store::{Commit, Recorded, Store, Written};
use portpulse_store::table::{Condition, Delete, Item, Table};
use portpulse_testkit::embedded::EmbeddedDynamo;
use portpulse_testkit::memory_table::{Fault, MemoryTable};

use crate::items::{item, number, text};
use crate::malformed::raw_state;

pub(crate) fn group() -> GroupId {
    "1m#0".parse().unwrap()
}

pub(crate) fn location() -> Location {
    "eu-west-1".parse().unwrap()
}

pub(crate) fn row(minute: u32) -> LocationState {
    LocationState {
        tick: format!("2026-11-22T05:{minute}:00Z").parse().unwrap(),
        entries: BTreeMap::new(),
    }
}

pub(crate) fn observations(detail: Option<&str>) -> Observations {
    let observation = Observation {
        seen: Seen::Failed(FailureClass::Refused),
        retries: 0,
        detail: detail.and_then(Detail::new),
        point: None,
    };
    BTreeMap::from([("orders-db".parse().unwrap(), observation)])
}

on_both_tables!(
    location_state_only_advances,
    revisions_are_consecutive,
    first_results_are_kept,
    listed_locations_are_stored_with_owner,
    controls_are_written_and_read,
    too_large_item_is_not_sent,
);

async fn location_state_only_advances<T: Table>(table: T) {
    let store = Store::new(table);
    let steps = [
        (Some(40), 41, Commit::Overtaken),
        (None, 41, Commit::Done),
        (None, 41, Commit::Conflict),
        (None, 40, Commit::Conflict),
        (Some(41), 43, Commit::Done),
        (Some(41), 42, Commit::Conflict),
        // Counted from a state before tick 43.
        (Some(41), 44, Commit::Overtaken),
        (None, 44, Commit::Overtaken),
        (Some(43), 44, Commit::Done),
    ];
    for (before, minute, expected) in steps {
        let before = before.map(|minute| row(minute).tick);
        let commit = store
            .put_location_state(group(), &location(), before, &row(minute))
            .await
            .unwrap();
        assert_eq!(commit, expected, "{minute} after {before:?}");
    }
    let group_state = store.group_state(group()).await.unwrap().group_state;
    assert_eq!(group_state.locations, BTreeMap::from([(location(), row(44))]));
    assert_eq!(group_state.decision, DecisionState::default());
}

async fn revisions_are_consecutive<T: Table>(table: T) {
    let store = Store::new(table);
    assert_eq!(store.fleet().await.unwrap(), FleetState::default());
    let steps = [
        (2, Written::Conflict),
        (1, Written::Done),
        (1, Written::Conflict),
        (3, Written::Conflict),
        (2, Written::Done),
    ];
    for (revision, expected) in steps {
        let row = DecisionState {
            revision,
            broken: [revision.to_string()].into(),
            ..DecisionState::default()
        };
        assert_eq!(
            store.put_decision(group(), &row).await.unwrap(),
            expected,
            "{revision}"
        );
        let row = FleetState {
            revision,
            ..FleetState::default()
        };
        assert_eq!(store.put_fleet(&row).await.unwrap(), expected, "{revision}");
    }
    let status = store.group_state(group()).await.unwrap().group_state.decision;
    assert_eq!((status.revision, status.broken), (2, ["2".to_owned()].into()));
    assert_eq!(store.fleet().await.unwrap().revision, 2);
}

async fn first_results_are_kept<T: Table>(table: T) {
    let store = Store::new(table);
    let tick = row(41).tick;
    let first = observations(Some("57P03"));
    let recorded = store
        .put_results(group(), tick, &location(), &first)
        .await
        .unwrap();
    assert!(matches!(recorded, Recorded::Written), "{recorded:?}");
    let recorded = store
        .put_results(group(), tick, &location(), &BTreeMap::new())
        .await
        .unwrap();
    let expected = observations(None);
    assert!(
        matches!(&recorded, Recorded::AlreadyThere(there) if *there == expected),
        "{recorded:?}"
    );
}

async fn listed_locations_are_stored_with_owner<T: Table + Delete>(table: T) {
    let store = Store::new(table);
    let named = |name: &str| -> Location { name.parse().unwrap() };
    let (deployed, seeded) = (named("eu-west-1"), named("us-east-1"));
    store
        .put_location_state(group(), &location(), None, &row(41))
        .await
        .unwrap();
    store.list_location(group(), &deployed).await.unwrap();
    for (location, mode, expected) in [
        (&seeded, WriteMode::UpdateOwn, WriteResult::Refused),
        (&seeded, WriteMode::Create, WriteResult::Done),
        (&seeded, WriteMode::Create, WriteResult::Refused),
        (&seeded, WriteMode::UpdateOwn, WriteResult::Done),
        (&deployed, WriteMode::UpdateOwn, WriteResult::Refused),
    ] {
        let result = store
            .write_location(group(), location, LocationKind::Region, mode)
            .await
            .unwrap();
        assert_eq!(result, expected, "{location} {mode:?}");
    }
    let listed = store.listed_locations(group()).await.unwrap();
    let owners = [(deployed.clone(), Owner::Other), (seeded.clone(), Owner::Seed)];
    assert_eq!(listed, owners.into());
    let read = store.group_state(group()).await.unwrap();
    assert_eq!(read.group_state.listed, [deployed.clone(), seeded.clone()].into());
    assert_eq!((read.group_state.locations.len(), read.unreadable.len()), (1, 0));
    // Each group has its own list.
    let other = store.group_state("1m#1".parse().unwrap()).await.unwrap();
    assert_eq!(other.group_state.listed, BTreeSet::new());

    for (location, mode, expected) in [
        (&deployed, WriteMode::UpdateOwn, WriteResult::Refused),
        (&seeded, WriteMode::UpdateOwn, WriteResult::Done),
        (&deployed, WriteMode::TakeOver, WriteResult::Done),
    ] {
        let result = store.unlist_location(group(), location, mode).await.unwrap();
        assert_eq!(result, expected, "{location} {mode:?}");
    }
    assert_eq!(store.listed_locations(group()).await.unwrap(), BTreeMap::new());

    let (office, home) = (named("office"), named("home"));
    store.list_agent(group(), &office).await.unwrap();
    let seeded = store.write_location(group(), &home, LocationKind::Agent, WriteMode::Create);
    assert_eq!(seeded.await.unwrap(), WriteResult::Done);
    store.list_location(group(), &deployed).await.unwrap();
    let read = store.group_state(group()).await.unwrap().group_state;
    assert_eq!(read.agents, [office.clone(), home.clone()].into());
    assert_eq!(read.listed, [office, home, deployed].into());
}

async fn controls_are_written_and_read<T: Table>(table: T) {
    let bad = [
        item(
            "controls",
            "broken",
            &[("v", number(1)), ("revision", number(1)), ("silence", number(7))],
        ),
        item(
            "controls",
            "Not An Id",
            &[("v", number(1)), ("revision", number(1))],
        ),
    ];
    for item in bad {
        table.put(item, Condition::Always).await.unwrap();
    }
    let store = Store::new(table);
    let (at, until) = ("2026-11-22T08:00:00Z", "2026-11-22T09:00:00Z");
    let note = Note::new("ann", at.parse().unwrap(), None).unwrap();
    let silence = Silence::new(until.parse().unwrap(), note).unwrap();
    let control = Control::default().silenced(silence);
    let monitor: MonitorId = "orders-db".parse().unwrap();
    let now = at.parse().unwrap();
    assert_eq!(store.control(&monitor).await.unwrap(), Control::default());
    for (control, expected) in [
        (&control, Written::Done),
        // A writer that has not read the current revision.
        (&control, Written::Conflict),
        (&control.unsilenced(), Written::Done),
    ] {
        let written = store.put_control(&monitor, control, now).await.unwrap();
        assert_eq!(written, expected, "{control:?}");
    }
    let control = control.unsilenced();
    assert_eq!(store.control(&monitor).await.unwrap(), control);
    let broken: MonitorId = "broken".parse().unwrap();
    let error = store.control(&broken).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot read the item `controls/broken`");
    let (controls, unreadable) = store.controls().await.unwrap();
    assert_eq!(controls, BTreeMap::from([(monitor, control)]));
    let unreadable: Vec<_> = unreadable.iter().map(ToString::to_string).collect();
    assert_eq!(
        unreadable,
        [
            "cannot read the item `controls/Not An Id`",
            "cannot read the item `controls/broken`"
        ]
    );
}

async fn too_large_item_is_not_sent<T: Table>(table: T) {
    let store = Store::new(table);
    let broken = |count: usize| DecisionState {
        revision: 1,
        broken: (0..count).map(|number| format!("{number:01000}")).collect(),
        ..DecisionState::default()
    };
    let error = store.put_decision(group(), &broken(400)).await.unwrap_err();
    let Error::TooLarge { key, bytes, limit } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (key.to_string().as_str(), *limit),
        ("group#1m#0/decision", 399_360)
    );
    assert!((400_000..410_000).contains(bytes), "{bytes}");
    assert!(
        store
            .group_state(group())
            .await
            .unwrap()
            .group_state
            .decision
            .broken
            .is_empty()
    );
    assert_eq!(
        store.put_decision(group(), &broken(350)).await.unwrap(),
        Written::Done
    );
}

/// State for decisions is read strongly consistent.
#[tokio::test]
async fn state_for_decisions_is_read_strongly_consistent() {
    let table = MemoryTable::new();
    for revision in [1, 2] {
        let mut location_state = raw_state("location#eu-west-1", 1);
        location_state.insert("tick".to_owned(), text(&row(40 + revision).tick.to_string()));
        table.overwrite(location_state);
        let fleet = [
            ("v", number(1)),
            ("revision", number(revision)),
            ("locations", AttributeValue::M(Item::new())),
            ("outbox", AttributeValue::L(Vec::new())),
        ];
        table.overwrite(item("fleet", "decision", &fleet));
    }
    table.set_faults(|_| Fault::Stale);
    let store = Store::new(table);
    let group_state = store.group_state(group()).await.unwrap().group_state;
    assert_eq!(group_state.locations, BTreeMap::from([(location(), row(42))]));
    assert_eq!(store.fleet().await.unwrap().revision, 2);
}

#[tokio::test]
async fn missing_table_error_names_operation_and_key() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let table = portpulse_store::dynamo::DynamoTable::new(dynamo.client().clone(), "elsewhere");
    let store = Store::new(table);
    let chain = |error: Error| {
        let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        chain.map(ToString::to_string).collect::<Vec<_>>().join(" <- ")
    };
    for (error, text) in [
        (
            store.group_state(group()).await.unwrap_err(),
            "cannot query `group#1m#0`",
        ),
        (store.fleet().await.unwrap_err(), "cannot get `fleet/decision`"),
        (
            store.put_fleet(&FleetState::default()).await.unwrap_err(),
            "cannot put `fleet/decision`",
        ),
    ] {
        let chain = chain(error);
        assert!(
            chain.starts_with(text) && chain.contains("ResourceNotFoundException"),
            "{chain}"
        );
    }
}
