//! The output of `portpulse seed`: a plan as text or JSON.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::text::is_plain;
use serde_json::{Map, Value, json};

use super::location_changes::{LocationChange, LocationChangeKind, LocationChanges};
use super::plan::{Difference, FieldChange, Plan, SkipReason, What};
use crate::output::{BAD, GOOD, WARNING, count_of, present};
use crate::table_access::OpenTable;
use crate::text_table::{self, Cell};

/// One line per difference, followed by the totals.
pub(crate) fn lines(plan: &Plan, location_changes: Option<&LocationChanges>, dry_run: bool) -> Vec<String> {
    let rows = plan
        .differences
        .iter()
        .map(|(id, difference)| row(id, difference));
    let of_locations = location_changes
        .into_iter()
        .flat_map(|changes| &changes.differences);
    let of_locations = of_locations.map(|((group, location), change)| location_row(*group, location, change));
    let mut lines = text_table::lines(&rows.chain(of_locations).collect::<Vec<_>>());
    // The shards of an interval have equal rows.
    lines.dedup();
    lines.push(monitor_totals(plan, dry_run));
    lines.extend(location_changes.map(|location_changes| location_totals(location_changes, dry_run)));
    let skipped = |why| {
        let monitors = plan.differences.values().map(|difference| difference.skipped);
        let of_locations = location_changes
            .into_iter()
            .flat_map(|location_changes| location_changes.differences.values());
        let all = monitors.chain(of_locations.map(|change| change.skipped));
        all.filter(|skipped| *skipped == Some(why)).count()
    };
    if skipped(SkipReason::NotOurs) > 0 {
        lines.push(format!(
            "{} not managed by seed (use --take-over to overwrite).",
            skipped(SkipReason::NotOurs)
        ));
    }
    if skipped(SkipReason::NotPruned) > 0 {
        lines.push(format!(
            "{} not in the {} (use --prune to delete).",
            skipped(SkipReason::NotPruned),
            if location_changes.is_some() {
                "file or in --locations"
            } else {
                "file"
            },
        ));
    }
    if plan.others > 0 {
        lines.push(format!(
            "{} not in the file and not managed by seed.",
            count_of(plan.others, "other definition")
        ));
    }
    lines
}

fn monitor_totals(plan: &Plan, dry_run: bool) -> String {
    let mut counts = BTreeMap::new();
    let done = plan
        .differences
        .values()
        .filter(|difference| difference.skipped.is_none());
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

fn location_totals(location_changes: &LocationChanges, dry_run: bool) -> String {
    let count = |what| {
        let done = location_changes
            .differences
            .values()
            .filter(|change| change.skipped.is_none());
        done.filter(|change| change.what == what).count()
    };
    let words = if dry_run {
        ["to add", "to remove"]
    } else {
        ["added", "removed"]
    };
    let parts = [LocationChangeKind::Added, LocationChangeKind::Removed]
        .map(count)
        .into_iter()
        .zip(words);
    let parts = parts
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"));
    let parts: Vec<_> = parts
        .chain([format!("{} unchanged", location_changes.unchanged)])
        .collect();
    format!("Locations: {}.", parts.join(", "))
}

fn location_row(group: GroupId, location: &Location, change: &LocationChange) -> Vec<Cell> {
    let (sign, style) = match change.what {
        LocationChangeKind::Added => ("+", GOOD),
        LocationChangeKind::Removed => ("-", BAD),
    };
    let mut cells = vec![
        Cell::new(sign),
        Cell::new(location.as_str()),
        Cell::new(format!("every {}", group.interval)),
    ];
    if change.skipped.is_none() {
        cells = cells.into_iter().map(|cell| cell.styled(style)).collect();
    }
    let remarks = ["location".to_owned()]
        .into_iter()
        .chain(skip_note(change.skipped));
    cells.push(Cell::new(remarks.collect::<Vec<_>>().join("; ")));
    cells
}

fn skip_note(skipped: Option<SkipReason>) -> Option<String> {
    match skipped? {
        SkipReason::NotOurs => Some("skipped: not managed by seed".to_owned()),
        SkipReason::NotPruned => Some("skipped: requires --prune".to_owned()),
    }
}

fn row(id: &str, difference: &Difference) -> Vec<Cell> {
    let (sign, style, fields) = match &difference.what {
        What::Added => ("+", GOOD, &[][..]),
        What::Changed(fields) => ("~", WARNING, &fields[..]),
        What::Moved(_, fields) => (">", WARNING, &fields[..]),
        What::Removed => ("-", BAD, &[][..]),
    };
    let interval = difference.group.interval;
    let from = match &difference.what {
        What::Moved(from, _) => from.iter().map(|group| group.interval).collect(),
        What::Added | What::Changed(_) | What::Removed => BTreeSet::new(),
    };
    // A monitor may also move between the shards of an interval.
    let from: Vec<_> = from
        .iter()
        .map(|from| from.as_str())
        .filter(|from| *from != interval.as_str())
        .collect();
    let intervals = match from.as_slice() {
        [] => format!("every {interval}"),
        from => format!("every {} -> {interval}", from.join(", ")),
    };
    let skipped = skip_note(difference.skipped);
    let taken = matches!(&difference.what, What::Changed(fields) if fields.is_empty());
    let taken = taken.then(|| "owner changed".to_owned());
    let remarks = fields.iter().map(change).chain(taken).chain(skipped);
    let mut cells = vec![Cell::new(sign), Cell::new(id), Cell::new(intervals)];
    if difference.skipped.is_none() {
        cells = cells.into_iter().map(|cell| cell.styled(style)).collect();
    }
    cells.push(Cell::new(remarks.collect::<Vec<_>>().join("; ")));
    cells
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

/// A value on one line: printable text as it is, other values as JSON.
fn value(value: &Value) -> String {
    let text = value.as_str().filter(|text| text.chars().all(is_plain));
    text.map_or_else(|| value.to_string(), str::to_owned)
}

/// A plan as one JSON object.
pub(crate) fn json(
    plan: &Plan,
    location_changes: Option<&LocationChanges>,
    table: &OpenTable,
    dry_run: bool,
) -> Value {
    let differences = plan.differences.iter();
    let differences: Map<_, _> = differences
        .map(|(id, difference)| (id.clone(), difference_json(difference)))
        .collect();
    let mut json = json!({
        "table": table.to_string(),
        "dry_run": dry_run,
        "differences": differences,
        "unchanged": plan.unchanged,
        "others": plan.others,
    });
    if let (Some(changes), Some(json)) = (location_changes, json.as_object_mut()) {
        let changes = changes.differences.iter().map(location_change_json);
        json.insert("locations".to_owned(), changes.collect());
    }
    json
}

fn location_change_json(((group, location), change): (&(GroupId, Location), &LocationChange)) -> Value {
    json!({
        "what": match change.what {
            LocationChangeKind::Added => "added",
            LocationChangeKind::Removed => "removed",
        },
        "location": location.as_str(),
        "group": group.to_string(),
        "skipped": change.skipped.map(skip_reason_code),
    })
}

const fn skip_reason_code(skipped: SkipReason) -> &'static str {
    match skipped {
        SkipReason::NotOurs => "not_ours",
        SkipReason::NotPruned => "not_pruned",
    }
}

fn difference_json(difference: &Difference) -> Value {
    let (what, from, fields) = match &difference.what {
        What::Added => ("added", None, &[][..]),
        What::Changed(fields) => ("changed", None, &fields[..]),
        What::Moved(from, fields) => ("moved", Some(from), &fields[..]),
        What::Removed => ("removed", None, &[][..]),
    };
    let fields = fields.iter().map(|FieldChange { name, before, after }| {
        (name.clone(), json!({ "before": before, "after": after }))
    });
    let from = from.map(|from| from.iter().map(ToString::to_string).collect());
    Value::Object(present([
        ("what", Some(what.into())),
        ("group", Some(difference.group.to_string().into())),
        ("from", from),
        ("fields", Some(fields.collect::<Map<_, _>>().into())),
        ("skipped", Some(json!(difference.skipped.map(skip_reason_code)))),
    ]))
}
