//! The differences and the resulting writes.

use std::collections::BTreeMap;

use portpulse_core::definition::NetworkAccess;
use portpulse_store::definitions::{Owner, StoredDefinition};
use serde_json::Value;

use super::super::render;
use super::*;

/// Stored definitions, one `GROUP OWNER ID: {fields}` per line.
fn table(text: &str) -> Definitions {
    let mut existing: Definitions = BTreeMap::new();
    for line in text.lines() {
        let (key, attributes) = line.split_once(": ").unwrap();
        let mut parts = key.split(' ');
        let group = parts.next().unwrap().parse().unwrap();
        let owner = match parts.next().unwrap() {
            "seed" => Owner::Seed,
            _ => Owner::Other,
        };
        let attributes: Value = serde_json::from_str(attributes).unwrap();
        let standing = StoredDefinition {
            owner,
            attributes: Ok(attributes.as_object().unwrap().clone()),
        };
        let id = parts.next().unwrap().to_owned();
        existing.entry(group).or_default().insert(id, standing);
    }
    existing
}

fn check(file: &str, existing: &str, (ours, prune): (Ownership, bool), differences: &str, work: &str) {
    let text = format!("monitors:\n{file}");
    let file = portpulse_monitors_file::read(&text, NetworkAccess::PlainLambda).unwrap();
    let plan = Plan::between(&file, &table(existing), Rules { ours, prune });
    let render = render::lines(&plan, None, false).join("\n");
    assert_eq!(anstream::adapter::strip_str(&render).to_string(), differences);
    let puts = plan
        .puts
        .iter()
        .map(|put| format!("put {} {} {:?}", put.group, put.id, put.mode));
    let deletions = plan.deletions.iter();
    let deletions =
        deletions.map(|deletion| format!("delete {} {} {:?}", deletion.group, deletion.id, deletion.mode));
    assert_eq!(puts.chain(deletions).collect::<Vec<_>>().join("\n"), work);
}

const FILE: &str =
    "  a: { host: a.example.com, port: 1 }\n  b: { host: b.example.com, port: 2, timeout: 3s }\n";
const A: &str = r#"{"host":"a.example.com","port":1}"#;
const B: &str = r#"{"host":"b.example.com","port":2,"timeout":"3s"}"#;
const OLD_B: &str = r#"{"host":"b.example.com","port":1,"tags":["x"]}"#;

#[test]
fn equal_definitions_are_not_written() {
    let existing = format!("5m#0 seed a: {A}\n5m#0 terraform b: {B}");
    check(FILE, &existing, (Ownership::Marked, true), "2 unchanged.", "");
    check(FILE, &existing, (Ownership::Everything, true), "2 unchanged.", "");
    check(
        FILE,
        &existing,
        (Ownership::Named, true),
        "~  b  every 5m  owner changed\n1 changed, 1 unchanged.",
        "put 5m#0 b TakeOver",
    );
}

#[test]
fn differences_are_shown_field_by_field() {
    check(
        FILE,
        &format!("5m#0 seed b: {OLD_B}"),
        (Ownership::Marked, false),
        "+  a  every 5m\n~  b  every 5m  port: 1 -> 2; -tags: [\"x\"]; +timeout: 3s\n1 added, 1 changed, 0 unchanged.",
        "put 5m#0 a Create\nput 5m#0 b UpdateOwn",
    );
}

#[test]
fn definitions_of_other_owners_are_skipped_without_take_over() {
    let existing = format!("5m#0 seed a: {A}\n5m#0 terraform b: {OLD_B}\n5m#0 terraform c: {A}");
    check(
        FILE,
        &existing,
        (Ownership::Marked, true),
        "~  b  every 5m  port: 1 -> 2; -tags: [\"x\"]; +timeout: 3s; skipped: not managed by seed\n1 unchanged.\n\
         1 not managed by seed (use --take-over to overwrite).\n\
         1 other definition not in the file and not managed by seed.",
        "",
    );
    check(
        FILE,
        &existing,
        (Ownership::Named, true),
        "~  b  every 5m  port: 1 -> 2; -tags: [\"x\"]; +timeout: 3s\n1 changed, 1 unchanged.\n\
         1 other definition not in the file and not managed by seed.",
        "put 5m#0 b TakeOver",
    );
    check(
        FILE,
        &existing,
        (Ownership::Everything, true),
        "~  b  every 5m  port: 1 -> 2; -tags: [\"x\"]; +timeout: 3s\n-  c  every 5m\n1 changed, 1 removed, 1 unchanged.",
        "put 5m#0 b TakeOver\ndelete 5m#0 c TakeOver",
    );
}

#[test]
fn definitions_missing_in_the_file_are_deleted_with_prune() {
    let existing = format!("5m#0 seed a: {A}\n5m#0 seed b: {B}\n1m#0 seed c: {A}\n1m#1 seed d: {A}");
    check(
        FILE,
        &existing,
        (Ownership::Marked, false),
        "-  c  every 1m  skipped: requires --prune\n-  d  every 1m  skipped: requires --prune\n2 unchanged.\n\
         2 not in the file (use --prune to delete).",
        "",
    );
    check(
        FILE,
        &existing,
        (Ownership::Marked, true),
        "-  c  every 1m\n-  d  every 1m\n2 removed, 2 unchanged.",
        "delete 1m#1 d UpdateOwn\ndelete 1m#0 c UpdateOwn",
    );
}

#[test]
fn moved_definition_is_written_before_the_old_one_is_deleted() {
    for (existing, differences, work) in [
        (
            format!("5m#0 seed a: {A}\n1m#0 seed b: {OLD_B}"),
            ">  b  every 1m -> 5m  port: 1 -> 2; -tags: [\"x\"]; +timeout: 3s\n1 moved, 1 unchanged.",
            "put 5m#0 b Create\ndelete 1m#0 b UpdateOwn",
        ),
        // An earlier run was interrupted between the two writes.
        (
            format!("5m#0 seed a: {A}\n1m#0 seed b: {OLD_B}\n5m#0 seed b: {B}"),
            ">  b  every 1m -> 5m\n1 moved, 1 unchanged.",
            "delete 1m#0 b UpdateOwn",
        ),
        // The monitor is not written twice if the old definition must stay.
        (
            format!("5m#0 seed a: {A}\n1m#0 terraform b: {B}"),
            ">  b  every 1m -> 5m  skipped: not managed by seed\n1 unchanged.\n\
             1 not managed by seed (use --take-over to overwrite).",
            "",
        ),
        // Terraform owns the new definition; our old one is deleted.
        (
            format!("5m#0 seed a: {A}\n1m#0 seed b: {B}\n5m#0 terraform b: {B}"),
            ">  b  every 1m -> 5m\n1 moved, 1 unchanged.",
            "delete 1m#0 b UpdateOwn",
        ),
    ] {
        check(FILE, &existing, (Ownership::Marked, false), differences, work);
    }
}
