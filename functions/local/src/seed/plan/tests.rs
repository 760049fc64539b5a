//! What differs, and what is done about it.

use std::collections::BTreeMap;

use portpulse_core::definition::NetworkAccess;
use portpulse_store::definitions::{Owner, Standing};
use serde_json::Value;

use super::super::shown;
use super::*;

/// Definitions as `GROUP KEEPER ID: {fields}`, a line each.
fn table(text: &str) -> Definitions {
    let mut there: Definitions = BTreeMap::new();
    for line in text.lines() {
        let (place, attributes) = line.split_once(": ").unwrap();
        let mut words = place.split(' ');
        let group = words.next().unwrap().parse().unwrap();
        let owner = match words.next().unwrap() {
            "seed" => Owner::Seed,
            _ => Owner::Other,
        };
        let attributes: Value = serde_json::from_str(attributes).unwrap();
        let standing = Standing {
            owner,
            attributes: Ok(attributes.as_object().unwrap().clone()),
        };
        let id = words.next().unwrap().to_owned();
        there.entry(group).or_default().insert(id, standing);
    }
    there
}

fn check(file: &str, there: &str, (ours, prune): (Ours, bool), differences: &str, work: &str) {
    let text = format!("monitors:\n{file}");
    let file = portpulse_monitors_file::read(&text, NetworkAccess::PlainLambda).unwrap();
    let plan = Plan::between(&file, &table(there), Rules { ours, prune });
    let shown = shown::lines(&plan, None, false).join("\n");
    assert_eq!(anstream::adapter::strip_str(&shown).to_string(), differences);
    let puts = plan
        .puts
        .iter()
        .map(|put| format!("put {} {} {:?}", put.group, put.id, put.may));
    let deletions = plan.deletions.iter();
    let deletions =
        deletions.map(|deletion| format!("delete {} {} {:?}", deletion.group, deletion.id, deletion.may));
    assert_eq!(puts.chain(deletions).collect::<Vec<_>>().join("\n"), work);
}

const FILE: &str =
    "  a: { host: a.example.com, port: 1 }\n  b: { host: b.example.com, port: 2, timeout: 3s }\n";
const A: &str = r#"{"host":"a.example.com","port":1}"#;
const B: &str = r#"{"host":"b.example.com","port":2,"timeout":"3s"}"#;
const OLD_B: &str = r#"{"host":"b.example.com","port":1,"tags":["x"]}"#;

#[test]
fn what_is_as_the_file_says_is_left() {
    let there = format!("5m#0 seed a: {A}\n5m#0 terraform b: {B}");
    check(FILE, &there, (Ours::Marked, true), "2 unchanged.", "");
    check(FILE, &there, (Ours::Everything, true), "2 unchanged.", "");
    check(
        FILE,
        &there,
        (Ours::Named, true),
        "~  b  5m#0  taken over\n1 changed, 1 unchanged.",
        "put 5m#0 b TakeOver",
    );
}

#[test]
fn what_differs_is_written_field_by_field() {
    check(
        FILE,
        &format!("5m#0 seed b: {OLD_B}"),
        (Ours::Marked, false),
        "+  a  5m#0\n~  b  5m#0  port: 1 -> 2; -tags: [\"x\"]; +timeout: 3s\n1 added, 1 changed, 0 unchanged.",
        "put 5m#0 a Add\nput 5m#0 b Keep",
    );
}

#[test]
fn what_is_not_ours_is_left_unless_it_is_taken_over() {
    let there = format!("5m#0 seed a: {A}\n5m#0 terraform b: {OLD_B}\n5m#0 terraform c: {A}");
    check(
        FILE,
        &there,
        (Ours::Marked, true),
        "~  b  5m#0  port: 1 -> 2; -tags: [\"x\"]; +timeout: 3s; left alone: not seed's\n1 unchanged.\n\
         1 is not written by seed and left alone (--take-over writes over it).\n\
         1 is neither in the file nor written by seed, and not looked at.",
        "",
    );
    check(
        FILE,
        &there,
        (Ours::Named, true),
        "~  b  5m#0  port: 1 -> 2; -tags: [\"x\"]; +timeout: 3s\n1 changed, 1 unchanged.\n\
         1 is neither in the file nor written by seed, and not looked at.",
        "put 5m#0 b TakeOver",
    );
    check(
        FILE,
        &there,
        (Ours::Everything, true),
        "~  b  5m#0  port: 1 -> 2; -tags: [\"x\"]; +timeout: 3s\n-  c  5m#0\n1 changed, 1 removed, 1 unchanged.",
        "put 5m#0 b TakeOver\ndelete 5m#0 c TakeOver",
    );
}

#[test]
fn what_the_file_no_longer_has_is_removed_when_told() {
    let there = format!("5m#0 seed a: {A}\n5m#0 seed b: {B}\n1m#0 seed c: {A}\n1m#1 seed d: {A}");
    check(
        FILE,
        &there,
        (Ours::Marked, false),
        "-  c  1m#0  left: no --prune\n-  d  1m#1  left: no --prune\n2 unchanged.\n\
         2 are not in the file any more (--prune removes what seed wrote).",
        "",
    );
    check(
        FILE,
        &there,
        (Ours::Marked, true),
        "-  c  1m#0\n-  d  1m#1\n2 removed, 2 unchanged.",
        "delete 1m#1 d Keep\ndelete 1m#0 c Keep",
    );
}

#[test]
fn what_moves_is_written_before_it_is_removed() {
    for (there, differences, work) in [
        (
            format!("5m#0 seed a: {A}\n1m#0 seed b: {OLD_B}"),
            ">  b  1m#0 -> 5m#0  port: 1 -> 2; -tags: [\"x\"]; +timeout: 3s\n1 moved, 1 unchanged.",
            "put 5m#0 b Add\ndelete 1m#0 b Keep",
        ),
        // A run that was interrupted between the two.
        (
            format!("5m#0 seed a: {A}\n1m#0 seed b: {OLD_B}\n5m#0 seed b: {B}"),
            ">  b  1m#0 -> 5m#0\n1 moved, 1 unchanged.",
            "delete 1m#0 b Keep",
        ),
        // Nor would it be written twice where the old one must stay.
        (
            format!("5m#0 seed a: {A}\n1m#0 terraform b: {B}"),
            ">  b  1m#0 -> 5m#0  left alone: not seed's\n1 unchanged.\n\
             1 is not written by seed and left alone (--take-over writes over it).",
            "",
        ),
        // Terraform has it now: our own is in the way.
        (
            format!("5m#0 seed a: {A}\n1m#0 seed b: {B}\n5m#0 terraform b: {B}"),
            ">  b  1m#0 -> 5m#0\n1 moved, 1 unchanged.",
            "delete 1m#0 b Keep",
        ),
    ] {
        check(FILE, &there, (Ours::Marked, false), differences, work);
    }
}
