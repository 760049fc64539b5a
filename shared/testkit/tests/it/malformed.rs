//! Items of other versions and malformed items.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::group_state::DecisionState;
use portpulse_store::keys::GroupStateKey;
use portpulse_store::store::{Recorded, Store};
use portpulse_store::table::{Condition, Item, Read, Table};
use portpulse_store::{Error, Malformed};

use crate::items::{item, number, text};
use crate::store::{group, location, observations, row};

on_both_tables!(
    items_of_other_versions_are_kept,
    unreadable_item_does_not_hide_others
);

/// The item of a location state with any sort key and layout version.
pub(crate) fn raw_state(sk: &str, layout: u32) -> Item {
    let attributes = [
        ("v", number(layout)),
        ("tick", text("2026-11-22T05:41:00Z")),
        ("revision", number(1)),
        ("entries", AttributeValue::M(Item::new())),
    ];
    item("group#1m#0", sk, &attributes)
}

async fn items_of_other_versions_are_kept<T: Table>(table: T) {
    for sk in ["location#eu-west-1", "decision"] {
        table.put(raw_state(sk, 2), Condition::Always).await.unwrap();
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

async fn unreadable_item_does_not_hide_others<T: Table>(table: T) {
    let mut truncated = raw_state("location#us-east-1", 1);
    truncated.remove("entries");
    let items = [
        raw_state("location#eu-west-1", 1),
        truncated,
        raw_state("decision", 9),
        raw_state("unknown", 1),
        raw_state("expects#EU", 1),
    ];
    for item in items {
        table.put(item, Condition::Always).await.unwrap();
    }
    let read = Store::new(table).group_state(group()).await.unwrap();
    assert_eq!(
        read.group_state.locations,
        BTreeMap::from([(location(), row(41))])
    );
    assert_eq!(read.group_state.decision, DecisionState::default());
    let unreadable = read.unreadable.iter();
    let errors: Vec<_> = unreadable
        .map(|(row, error)| {
            let source = std::error::Error::source(error).unwrap();
            (row.clone(), format!("{error}: {source}"))
        })
        .collect();
    assert_eq!(read.group_state.listed, BTreeSet::new());
    let expected = [
        (
            GroupStateKey::Location("us-east-1".parse().unwrap()),
            "cannot read the item `group#1m#0/location#us-east-1`: `entries` is missing (delete the item to reset its \
             state)",
        ),
        (
            GroupStateKey::Decision,
            "cannot read the item `group#1m#0/decision`: unsupported layout version 9, expected 1 (update Portpulse, \
             or delete the item to reset its state)",
        ),
        (
            GroupStateKey::Unknown("expects#EU".to_owned()),
            "cannot read the item `group#1m#0/expects#EU`: unknown kind of item (update Portpulse, or delete the item)",
        ),
        (
            GroupStateKey::Unknown("unknown".to_owned()),
            "cannot read the item `group#1m#0/unknown`: unknown kind of item (update Portpulse, or delete the item)",
        ),
    ];
    assert_eq!(errors, expected.map(|(row, text)| (row, text.to_owned())));
}
