//! Stored definitions and their owners.

use portpulse_core::id::MonitorId;
use portpulse_store::definitions::{Owner, StoredDefinition, WriteMode, WriteResult};
use portpulse_store::store::Store;
use portpulse_store::table::{Condition, Delete, Table};
use serde_json::json;

use crate::items::{item, text};
use crate::store::group;

on_both_tables!(
    valid_and_broken_definitions_are_separated,
    definitions_of_other_owners_are_kept
);

async fn valid_and_broken_definitions_are_separated<T: Table + Delete>(table: T) {
    let store = Store::new(table);
    let definitions = [
        (
            "good",
            json!({ "host": "a.example.com", "port": 22, "interval": "1m" }),
        ),
        (
            "off",
            json!({ "host": "a.example.com", "port": 22, "interval": "1m", "enabled": false }),
        ),
        ("no port", json!({ "host": "a.example.com", "interval": "1m" })),
    ];
    for (id, attributes) in &definitions {
        store
            .put_definition(group(), id, attributes.as_object().unwrap())
            .await
            .unwrap();
    }
    let read = store.definitions(group()).await.unwrap();
    let monitors: Vec<_> = read.monitors.keys().map(MonitorId::as_str).collect();
    assert_eq!(monitors, ["good"]);
    let broken: Vec<_> = read.broken.keys().map(String::as_str).collect();
    assert_eq!(broken, ["no port"]);
    let diagnostics = read.broken["no port"].iter().map(ToString::to_string);
    assert_eq!(diagnostics.filter(|text| text.contains("port:")).count(), 1);

    let stored = store.stored_definitions(group()).await.unwrap();
    let listed: Vec<_> = stored.keys().map(String::as_str).collect();
    assert_eq!(listed, ["good", "no port", "off"]);
    let no_port = StoredDefinition {
        owner: Owner::Other,
        attributes: Ok(definitions[2].1.as_object().unwrap().clone()),
    };
    assert_eq!(stored["no port"], no_port);
    for id in ["no port", "never there"] {
        let deleted = store
            .delete_definition(group(), id, WriteMode::TakeOver)
            .await
            .unwrap();
        assert_eq!(deleted, WriteResult::Done, "{id}");
    }
    assert!(store.definitions(group()).await.unwrap().broken.is_empty());
}

/// Definitions of other owners are overwritten and deleted with [`WriteMode::TakeOver`] only.
async fn definitions_of_other_owners_are_kept<T: Table + Delete>(table: T) {
    let foreign = item("monitors#1m#0", "theirs", &[("host", text("a.example.com"))]);
    table.put(foreign, Condition::Always).await.unwrap();
    let store = Store::new(table);
    let attributes = json!({ "host": "b.example.com" });
    let attributes = attributes.as_object().unwrap();
    for (id, mode, expected) in [
        ("ours", WriteMode::UpdateOwn, WriteResult::Refused),
        ("ours", WriteMode::Create, WriteResult::Done),
        ("ours", WriteMode::Create, WriteResult::Refused),
        ("ours", WriteMode::UpdateOwn, WriteResult::Done),
        ("theirs", WriteMode::Create, WriteResult::Refused),
        ("theirs", WriteMode::UpdateOwn, WriteResult::Refused),
    ] {
        let result = store
            .write_definition(group(), id, attributes, mode)
            .await
            .unwrap();
        assert_eq!(result, expected, "{id} {mode:?}");
    }
    let owners = async || {
        let stored = store.stored_definitions(group()).await.unwrap();
        let owners = stored.into_iter().map(|(id, stored)| (id, stored.owner));
        owners.collect::<Vec<_>>()
    };
    let named = |id: &str, owner| (id.to_owned(), owner);
    let both = [named("ours", Owner::Seed), named("theirs", Owner::Other)];
    assert_eq!(owners().await, both);
    let delete = async |id, mode| store.delete_definition(group(), id, mode).await.unwrap();
    assert_eq!(delete("theirs", WriteMode::UpdateOwn).await, WriteResult::Refused);
    assert_eq!(delete("ours", WriteMode::UpdateOwn).await, WriteResult::Done);
    assert_eq!(owners().await, [named("theirs", Owner::Other)]);
    let taken = store
        .write_definition(group(), "theirs", attributes, WriteMode::TakeOver)
        .await;
    assert_eq!(taken.unwrap(), WriteResult::Done);
    assert_eq!(owners().await, [named("theirs", Owner::Seed)]);
}

#[tokio::test]
async fn invalid_definition_with_long_key_gets_short_id() {
    let store = Store::new(portpulse_testkit::memory_table::MemoryTable::new());
    let keys = ["a", "b"].map(|end| "x".repeat(1_023) + end);
    for key in &keys {
        let nothing = serde_json::Map::new();
        store.put_definition(group(), key, &nothing).await.unwrap();
    }
    let broken = store.definitions(group()).await.unwrap().broken;
    assert_eq!(broken.len(), 2);
    assert!(broken.keys().all(|id| id.len() == 64), "{:?}", broken.keys());
}
