//! Rows that another version wrote, or that nobody can read.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::group_state::DecisionState;
use portpulse_store::keys::RowKey;
use portpulse_store::store::{Recorded, Store};
use portpulse_store::table::{Condition, Item, Read, Table};
use portpulse_store::{Error, Malformed};

use crate::items::{item, number, text};
use crate::store::{group, location, observations, row};

on_both_tables!(another_version_is_left_alone, an_unreadable_row_hides_no_other);

/// The item of a location row, as another program would write it.
pub(crate) fn raw_row(sk: &str, layout: u32) -> Item {
    let attributes = [
        ("v", number(layout)),
        ("tick", text("2026-11-22T05:41:00Z")),
        ("revision", number(1)),
        ("entries", AttributeValue::M(Item::new())),
    ];
    item("group#1m#0", sk, &attributes)
}

async fn another_version_is_left_alone<T: Table>(table: T) {
    for sk in ["location#eu-west-1", "decision"] {
        table.put(raw_row(sk, 2), Condition::Always).await.unwrap();
    }
    let results = item(
        "results#1m#0#2026-11-22",
        "05:42:00#eu-west-1",
        &[("v", number(2))],
    );
    table.put(results, Condition::Always).await.unwrap();
    let store = Store::new(table);
    let before = store.table().query("group#1m#0", Read::Strong).await.unwrap();

    let error = store
        .put_location_state(group(), &location(), Some(row(41).tick), &row(42))
        .await
        .unwrap_err();
    assert!(is_newer(&error), "{error:?}");
    let status = DecisionState {
        revision: 2,
        ..DecisionState::default()
    };
    let error = store.put_decision(group(), &status).await.unwrap_err();
    assert!(is_newer(&error), "{error:?}");
    let recorded = store
        .put_results(group(), row(42).tick, &location(), &observations(None))
        .await
        .unwrap();
    let Recorded::Unreadable(error) = recorded else {
        panic!("{recorded:?}")
    };
    assert!(is_newer(&error), "{error:?}");

    let after = store.table().query("group#1m#0", Read::Strong).await.unwrap();
    assert_eq!(after, before);
}

fn is_newer(error: &Error) -> bool {
    matches!(error, Error::Unreadable { source: Malformed::Version { found }, .. } if found == "2")
}

async fn an_unreadable_row_hides_no_other<T: Table>(table: T) {
    let mut truncated = raw_row("location#us-east-1", 1);
    truncated.remove("entries");
    let items = [
        raw_row("location#eu-west-1", 1),
        truncated,
        raw_row("decision", 9),
        raw_row("weather", 1),
        raw_row("expects#EU", 1),
    ];
    for item in items {
        table.put(item, Condition::Always).await.unwrap();
    }
    let read = Store::new(table).group_state(group()).await.unwrap();
    assert_eq!(read.group_state.rows, BTreeMap::from([(location(), row(41))]));
    assert_eq!(read.group_state.status, DecisionState::default());
    let unreadable = read.unreadable.iter();
    let banner: Vec<_> = unreadable
        .map(|(row, error)| {
            let source = std::error::Error::source(error).unwrap();
            (row.clone(), format!("{error}: {source}"))
        })
        .collect();
    assert_eq!(read.group_state.listed, BTreeSet::new());
    let expected = [
        (
            RowKey::Location("us-east-1".parse().unwrap()),
            "the item `group#1m#0/location#us-east-1` cannot be read: `entries` is missing (delete the item to start \
             afresh)",
        ),
        (
            RowKey::Status,
            "the item `group#1m#0/decision` cannot be read: it has layout version 9, this version reads 1 (update \
             this one, or delete the item to start afresh)",
        ),
        (
            RowKey::Other("expects#EU".to_owned()),
            "the item `group#1m#0/expects#EU` cannot be read: no such row is known here (update this version, or \
             delete the item)",
        ),
        (
            RowKey::Other("weather".to_owned()),
            "the item `group#1m#0/weather` cannot be read: no such row is known here (update this version, or \
             delete the item)",
        ),
    ];
    assert_eq!(banner, expected.map(|(row, text)| (row, text.to_owned())));
}
