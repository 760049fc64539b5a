//! The rules of the store, on DynamoDB and on the table in memory alike.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::board::{FleetRow, RegionRow, VerdictRow};
use portpulse_core::control::{Control, Note, Silence};
use portpulse_core::group::GroupId;
use portpulse_core::id::{MonitorId, Region};
use portpulse_core::observation::{Observation, Seen};
use portpulse_core::outcome::{Detail, FailureClass};
use portpulse_core::round::Observations;
use portpulse_store::Error;
use portpulse_store::definitions::{Keeper, May, Tended};
use portpulse_store::store::{Commit, Recorded, Store, Written};
use portpulse_store::table::{Condition, Delete, Item, Table};
use portpulse_testkit::embedded::EmbeddedDynamo;
use portpulse_testkit::memory_table::{Fault, MemoryTable};

use crate::items::{item, number, text};
use crate::malformed::raw_row;

pub(crate) fn group() -> GroupId {
    "1m#0".parse().unwrap()
}

pub(crate) fn region() -> Region {
    "eu-west-1".parse().unwrap()
}

pub(crate) fn row(minute: u32) -> RegionRow {
    RegionRow {
        tick: format!("2026-11-22T05:{minute}:00Z").parse().unwrap(),
        entries: BTreeMap::new(),
    }
}

pub(crate) fn observations(detail: Option<&str>) -> Observations {
    let observation = Observation {
        seen: Seen::Failed(FailureClass::Refused),
        detail: detail.and_then(Detail::new),
    };
    BTreeMap::from([("orders-db".parse().unwrap(), observation)])
}

on_both_tables!(
    a_row_moves_only_forward,
    revisions_follow_each_other,
    first_results_stand,
    regions_are_listed_on_the_board,
    controls_are_read,
    an_item_too_large_is_not_sent,
);

async fn a_row_moves_only_forward<T: Table>(table: T) {
    let store = Store::new(table);
    let steps = [
        (Some(40), 41, Commit::Overtaken),
        (None, 41, Commit::Done),
        (None, 41, Commit::TwinWon),
        (None, 40, Commit::TwinWon),
        (Some(41), 43, Commit::Done),
        (Some(41), 42, Commit::TwinWon),
        // Counted from a row that did not know of tick 43.
        (Some(41), 44, Commit::Overtaken),
        (None, 44, Commit::Overtaken),
        (Some(43), 44, Commit::Done),
    ];
    for (before, minute, expected) in steps {
        let before = before.map(|minute| row(minute).tick);
        let commit = store
            .put_region_row(group(), &region(), before, &row(minute))
            .await
            .unwrap();
        assert_eq!(commit, expected, "{minute} after {before:?}");
    }
    let board = store.board(group()).await.unwrap().board;
    assert_eq!(board.rows, BTreeMap::from([(region(), row(44))]));
    assert_eq!(board.verdict, VerdictRow::default());
}

async fn revisions_follow_each_other<T: Table>(table: T) {
    let store = Store::new(table);
    assert_eq!(store.fleet().await.unwrap(), FleetRow::default());
    let steps = [
        (2, Written::Conflict),
        (1, Written::Done),
        (1, Written::Conflict),
        (3, Written::Conflict),
        (2, Written::Done),
    ];
    for (revision, expected) in steps {
        let row = VerdictRow {
            revision,
            broken: [revision.to_string()].into(),
            ..VerdictRow::default()
        };
        assert_eq!(
            store.put_verdict(group(), &row).await.unwrap(),
            expected,
            "{revision}"
        );
        let row = FleetRow {
            revision,
            ..FleetRow::default()
        };
        assert_eq!(store.put_fleet(&row).await.unwrap(), expected, "{revision}");
    }
    let verdict = store.board(group()).await.unwrap().board.verdict;
    assert_eq!((verdict.revision, verdict.broken), (2, ["2".to_owned()].into()));
    assert_eq!(store.fleet().await.unwrap().revision, 2);
}

async fn first_results_stand<T: Table>(table: T) {
    let store = Store::new(table);
    let tick = row(41).tick;
    let first = observations(Some("57P03"));
    let recorded = store.put_results(group(), tick, &region(), &first).await.unwrap();
    assert!(matches!(recorded, Recorded::Written), "{recorded:?}");
    let recorded = store
        .put_results(group(), tick, &region(), &BTreeMap::new())
        .await
        .unwrap();
    let expected = observations(None);
    assert!(
        matches!(&recorded, Recorded::AlreadyThere(there) if *there == expected),
        "{recorded:?}"
    );
}

async fn regions_are_listed_on_the_board<T: Table + Delete>(table: T) {
    let store = Store::new(table);
    let named = |name: &str| -> Region { name.parse().unwrap() };
    let (deployed, seeded) = (named("eu-west-1"), named("us-east-1"));
    store
        .put_region_row(group(), &region(), None, &row(41))
        .await
        .unwrap();
    store.list_region(group(), &deployed).await.unwrap();
    for (region, may, expected) in [
        (&seeded, May::Keep, Tended::NotOurs),
        (&seeded, May::Add, Tended::Done),
        (&seeded, May::Add, Tended::NotOurs),
        (&seeded, May::Keep, Tended::Done),
        (&deployed, May::Keep, Tended::NotOurs),
    ] {
        let tended = store.tend_region(group(), region, may).await.unwrap();
        assert_eq!(tended, expected, "{region} {may:?}");
    }
    let standing = store.standing_regions(group()).await.unwrap();
    let keepers = [(deployed.clone(), Keeper::Other), (seeded.clone(), Keeper::Seed)];
    assert_eq!(standing, keepers.into());
    let read = store.board(group()).await.unwrap();
    assert_eq!(read.board.listed, [deployed.clone(), seeded.clone()].into());
    assert_eq!((read.board.rows.len(), read.unreadable.len()), (1, 0));
    // Another group has a list of its own.
    let other = store.board("1m#1".parse().unwrap()).await.unwrap();
    assert_eq!(other.board.listed, BTreeSet::new());

    for (region, may, expected) in [
        (&deployed, May::Keep, Tended::NotOurs),
        (&seeded, May::Keep, Tended::Done),
        (&deployed, May::TakeOver, Tended::Done),
    ] {
        let tended = store.unlist_region(group(), region, may).await.unwrap();
        assert_eq!(tended, expected, "{region} {may:?}");
    }
    assert_eq!(store.standing_regions(group()).await.unwrap(), BTreeMap::new());
}

async fn controls_are_read<T: Table>(table: T) {
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
        // Somebody who has not read what is there.
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
    assert_eq!(error.to_string(), "the item `controls/broken` cannot be read");
    let (controls, unreadable) = store.controls().await.unwrap();
    assert_eq!(controls, BTreeMap::from([(monitor, control)]));
    let unreadable: Vec<_> = unreadable.iter().map(ToString::to_string).collect();
    assert_eq!(
        unreadable,
        [
            "the item `controls/Not An Id` cannot be read",
            "the item `controls/broken` cannot be read"
        ]
    );
}

async fn an_item_too_large_is_not_sent<T: Table>(table: T) {
    let store = Store::new(table);
    let broken = |count: usize| VerdictRow {
        revision: 1,
        broken: (0..count).map(|number| format!("{number:01000}")).collect(),
        ..VerdictRow::default()
    };
    let error = store.put_verdict(group(), &broken(400)).await.unwrap_err();
    let Error::TooLarge { key, bytes, limit } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (key.to_string().as_str(), *limit),
        ("board#1m#0/verdict", 399_360)
    );
    assert!((400_000..410_000).contains(bytes), "{bytes}");
    assert!(
        store
            .board(group())
            .await
            .unwrap()
            .board
            .verdict
            .broken
            .is_empty()
    );
    assert_eq!(
        store.put_verdict(group(), &broken(350)).await.unwrap(),
        Written::Done
    );
}

/// What is decided on is read strongly consistent; what may be a second old is not, at half the price.
#[tokio::test]
async fn decisions_rest_on_strong_reads() {
    let table = MemoryTable::new();
    for revision in [1, 2] {
        let mut region_row = raw_row("region#eu-west-1", 1);
        region_row.insert("tick".to_owned(), text(&row(40 + revision).tick.to_string()));
        table.overwrite(region_row);
        let fleet = [
            ("v", number(1)),
            ("revision", number(revision)),
            ("regions", AttributeValue::M(Item::new())),
            ("outbox", AttributeValue::L(Vec::new())),
        ];
        table.overwrite(item("board#fleet", "verdict", &fleet));
    }
    table.set_faults(|_| Fault::Stale);
    let store = Store::new(table);
    let board = store.board(group()).await.unwrap().board;
    assert_eq!(board.rows, BTreeMap::from([(region(), row(42))]));
    assert_eq!(store.fleet().await.unwrap().revision, 2);
}

#[tokio::test]
async fn a_table_that_is_not_there_is_an_error_that_names_what_was_asked() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let table = portpulse_store::dynamo::DynamoTable::new(dynamo.client().clone(), "elsewhere");
    let store = Store::new(table);
    let chain = |error: Error| {
        let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        chain.map(ToString::to_string).collect::<Vec<_>>().join(" <- ")
    };
    for (error, said) in [
        (
            store.board(group()).await.unwrap_err(),
            "could not query `board#1m#0`",
        ),
        (
            store.fleet().await.unwrap_err(),
            "could not get `board#fleet/verdict`",
        ),
        (
            store.put_fleet(&FleetRow::default()).await.unwrap_err(),
            "could not put `board#fleet/verdict`",
        ),
    ] {
        let chain = chain(error);
        assert!(
            chain.starts_with(said) && chain.contains("ResourceNotFoundException"),
            "{chain}"
        );
    }
}
