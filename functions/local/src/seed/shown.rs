//! A plan for people and for programs.

use std::collections::BTreeMap;

use portpulse_core::group::GroupId;
use serde::Serialize;
use serde_json::Value;

use super::plan::{Difference, FieldChange, Left, Plan, What};
use crate::output::{BAD, GOOD, Stopped, UNSURE};
use crate::place::Opened;
use crate::table::{self, Cell};

/// A line a monitor that differs, and the sum.
pub(crate) fn lines(plan: &Plan, dry_run: bool) -> Vec<String> {
    let rows = plan
        .differences
        .iter()
        .map(|(id, difference)| row(id, difference));
    let mut lines = table::lines(&rows.collect::<Vec<_>>());
    lines.push(sum(plan, dry_run));
    let left = |why| {
        let differences = plan.differences.values();
        differences
            .filter(|difference| difference.left == Some(why))
            .count()
    };
    if left(Left::NotOurs) > 0 {
        lines.push(format!(
            "{} not written by seed and left alone (--take-over writes over it).",
            are(left(Left::NotOurs) as u64)
        ));
    }
    if left(Left::NotPruned) > 0 {
        lines.push(format!(
            "{} not in the file any more (--prune removes what seed wrote).",
            are(left(Left::NotPruned) as u64)
        ));
    }
    if plan.others > 0 {
        let stay = "neither in the file nor written by seed, and not looked at.";
        lines.push(format!("{} {stay}", are(plan.others)));
    }
    lines
}

/// `1 is`, `2 are`.
fn are(count: u64) -> String {
    format!("{count} {}", if count == 1 { "is" } else { "are" })
}

fn sum(plan: &Plan, dry_run: bool) -> String {
    let mut counts = BTreeMap::new();
    let done = plan
        .differences
        .values()
        .filter(|difference| difference.left.is_none());
    for difference in done {
        let (order, done, to_do) = match difference.what {
            What::Added => (0, "added", "to add"),
            What::Changed(_) => (1, "changed", "to change"),
            What::Moved(..) => (2, "moved", "to move"),
            What::Removed => (3, "removed", "to remove"),
        };
        *counts
            .entry((order, if dry_run { to_do } else { done }))
            .or_insert(0u64) += 1;
    }
    let parts = counts
        .into_iter()
        .map(|((_, word), count)| format!("{count} {word}"));
    let unchanged = format!("{} unchanged", plan.unchanged);
    let parts: Vec<_> = parts.chain([unchanged]).collect();
    format!("{}.", parts.join(", "))
}

fn row(id: &str, difference: &Difference) -> Vec<Cell> {
    let (sign, style, fields) = match &difference.what {
        What::Added => ("+", GOOD, &[][..]),
        What::Changed(fields) => ("~", UNSURE, &fields[..]),
        What::Moved(_, fields) => (">", UNSURE, &fields[..]),
        What::Removed => ("-", BAD, &[][..]),
    };
    let group = match &difference.what {
        What::Moved(from, _) => format!("{} -> {}", names(from), difference.group),
        What::Added | What::Changed(_) | What::Removed => difference.group.to_string(),
    };
    let left = match difference.left {
        None => None,
        Some(Left::NotOurs) => Some("left alone: not seed's".to_owned()),
        Some(Left::NotPruned) => Some("left: no --prune".to_owned()),
    };
    let taken = matches!(&difference.what, What::Changed(fields) if fields.is_empty());
    let taken = taken.then(|| "taken over".to_owned());
    let remarks = fields.iter().map(change).chain(taken).chain(left);
    let mut cells = vec![Cell::new(sign), Cell::new(id), Cell::new(group)];
    if difference.left.is_none() {
        cells = cells.into_iter().map(|cell| cell.styled(style)).collect();
    }
    cells.push(Cell::new(remarks.collect::<Vec<_>>().join("; ")));
    cells
}

fn names<'a>(groups: impl IntoIterator<Item = &'a GroupId>) -> String {
    let names: Vec<_> = groups.into_iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// `port: 1 -> 2`, `+timeout: 5s`, `-tags: [a]`.
fn change(change: &FieldChange) -> String {
    let name = &change.name;
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => format!("{name}: {} -> {}", value(before), value(after)),
        (None, Some(after)) => format!("+{name}: {}", value(after)),
        (Some(before), None) => format!("-{name}: {}", value(before)),
        (None, None) => name.clone(),
    }
}

/// A value on one line: text as it is, unless it would not stay there.
fn value(value: &Value) -> String {
    let text = value.as_str().filter(|text| !text.chars().any(char::is_control));
    text.map_or_else(|| value.to_string(), str::to_owned)
}

/// A plan as one JSON object, in the order of the documentation.
#[derive(Serialize)]
struct PlanJson<'a> {
    table: String,
    dry_run: bool,
    differences: BTreeMap<&'a str, DifferenceJson<'a>>,
    unchanged: u64,
    others: u64,
}

#[derive(Serialize)]
struct DifferenceJson<'a> {
    what: &'static str,
    group: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    from: Vec<String>,
    fields: BTreeMap<&'a str, FieldJson<'a>>,
    left: Option<&'static str>,
}

#[derive(Serialize)]
struct FieldJson<'a> {
    before: Option<&'a Value>,
    after: Option<&'a Value>,
}

pub(crate) fn json(plan: &Plan, table: &Opened, dry_run: bool) -> Result<String, Stopped> {
    let differences = plan.differences.iter();
    let json = PlanJson {
        table: table.to_string(),
        dry_run,
        differences: differences
            .map(|(id, difference)| (id.as_str(), difference_json(difference)))
            .collect(),
        unchanged: plan.unchanged,
        others: plan.others,
    };
    serde_json::to_string(&json).map_err(|error| Stopped::unable("write JSON", error))
}

fn difference_json(difference: &Difference) -> DifferenceJson<'_> {
    let from = match &difference.what {
        What::Moved(from, _) => from.iter().map(ToString::to_string).collect(),
        What::Added | What::Changed(_) | What::Removed => Vec::new(),
    };
    let (what, fields) = match &difference.what {
        What::Added => ("added", &[][..]),
        What::Changed(fields) => ("changed", &fields[..]),
        What::Moved(_, fields) => ("moved", &fields[..]),
        What::Removed => ("removed", &[][..]),
    };
    DifferenceJson {
        what,
        group: difference.group.to_string(),
        from,
        fields: fields
            .iter()
            .map(|change| {
                let FieldChange { name, before, after } = change;
                let (before, after) = (before.as_ref(), after.as_ref());
                (name.as_str(), FieldJson { before, after })
            })
            .collect(),
        left: difference.left.map(|left| match left {
            Left::NotOurs => "not_ours",
            Left::NotPruned => "not_pruned",
        }),
    }
}
