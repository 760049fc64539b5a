//! A plan for people and for programs.

use std::collections::BTreeMap;

use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::text::is_plain;
use serde::Serialize;
use serde_json::Value;

use super::lists::{Listed, Listing, Lists};
use super::plan::{Difference, FieldChange, Left, Plan, What};
use crate::output::{GOOD, INVALID, Stopped, UNSURE};
use crate::place::Opened;
use crate::table::{self, Cell};

/// A line a monitor that differs, and a location that does, and the sums.
pub(crate) fn lines(plan: &Plan, lists: Option<&Lists>, dry_run: bool) -> Vec<String> {
    let rows = plan
        .differences
        .iter()
        .map(|(id, difference)| row(id, difference));
    let of_locations = lists.into_iter().flat_map(|lists| &lists.differences);
    let rows = rows
        .chain(of_locations.map(|((group, location), listing)| location_state(*group, location, listing)));
    let mut lines = table::lines(&rows.collect::<Vec<_>>());
    lines.push(sum(plan, dry_run));
    lines.extend(lists.map(|lists| sum_of_locations(lists, dry_run)));
    let left = |why| {
        let monitors = plan.differences.values().map(|difference| difference.left);
        let of_locations = lists.into_iter().flat_map(|lists| lists.differences.values());
        let all = monitors.chain(of_locations.map(|listing| listing.left));
        all.filter(|left| *left == Some(why)).count()
    };
    if left(Left::NotOurs) > 0 {
        lines.push(format!(
            "{} not written by seed and left alone (--take-over writes over it).",
            are(left(Left::NotOurs) as u64)
        ));
    }
    if left(Left::NotPruned) > 0 {
        lines.push(format!(
            "{} not {} any more (--prune removes what seed wrote).",
            are(left(Left::NotPruned) as u64),
            if lists.is_some() {
                "asked for"
            } else {
                "in the file"
            },
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

fn sum_of_locations(lists: &Lists, dry_run: bool) -> String {
    let count = |what| {
        let done = lists
            .differences
            .values()
            .filter(|listing| listing.left.is_none());
        done.filter(|listing| listing.what == what).count()
    };
    let (added, removed) = (count(Listed::Added), count(Listed::Removed));
    let words = if dry_run {
        ["to list", "to take off"]
    } else {
        ["listed", "taken off"]
    };
    let parts = [added, removed].into_iter().zip(words);
    let parts = parts
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"));
    let parts: Vec<_> = parts.chain([format!("{} unchanged", lists.unchanged)]).collect();
    format!("Regions: {}.", parts.join(", "))
}

fn location_state(group: GroupId, location: &Location, listing: &Listing) -> Vec<Cell> {
    let (sign, style) = match listing.what {
        Listed::Added => ("+", GOOD),
        Listed::Removed => ("-", INVALID),
    };
    let mut cells = vec![
        Cell::new(sign),
        Cell::new(location.as_str()),
        Cell::new(group.to_string()),
    ];
    if listing.left.is_none() {
        cells = cells.into_iter().map(|cell| cell.styled(style)).collect();
    }
    let remarks = ["location".to_owned()].into_iter().chain(why_left(listing.left));
    cells.push(Cell::new(remarks.collect::<Vec<_>>().join("; ")));
    cells
}

fn why_left(left: Option<Left>) -> Option<String> {
    match left? {
        Left::NotOurs => Some("left alone: not seed's".to_owned()),
        Left::NotPruned => Some("left: no --prune".to_owned()),
    }
}

fn row(id: &str, difference: &Difference) -> Vec<Cell> {
    let (sign, style, fields) = match &difference.what {
        What::Added => ("+", GOOD, &[][..]),
        What::Changed(fields) => ("~", UNSURE, &fields[..]),
        What::Moved(_, fields) => (">", UNSURE, &fields[..]),
        What::Removed => ("-", INVALID, &[][..]),
    };
    let group = match &difference.what {
        What::Moved(from, _) => format!("{} -> {}", names(from), difference.group),
        What::Added | What::Changed(_) | What::Removed => difference.group.to_string(),
    };
    let left = why_left(difference.left);
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

/// A value on one line: text as it is, unless it would not show so.
fn value(value: &Value) -> String {
    let text = value.as_str().filter(|text| text.chars().all(is_plain));
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
    #[serde(skip_serializing_if = "Option::is_none")]
    locations: Option<Vec<ListingJson<'a>>>,
}

#[derive(Serialize)]
struct ListingJson<'a> {
    what: &'static str,
    location: &'a str,
    group: String,
    left: Option<&'static str>,
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

pub(crate) fn json(
    plan: &Plan,
    lists: Option<&Lists>,
    table: &Opened,
    dry_run: bool,
) -> Result<String, Stopped> {
    let differences = plan.differences.iter();
    let json = PlanJson {
        table: table.to_string(),
        dry_run,
        differences: differences
            .map(|(id, difference)| (id.as_str(), difference_json(difference)))
            .collect(),
        unchanged: plan.unchanged,
        others: plan.others,
        locations: lists.map(|lists| lists.differences.iter().map(listing_json).collect()),
    };
    serde_json::to_string(&json).map_err(|error| Stopped::unable("write JSON", error))
}

fn listing_json<'a>(((group, location), listing): (&'a (GroupId, Location), &Listing)) -> ListingJson<'a> {
    ListingJson {
        what: match listing.what {
            Listed::Added => "added",
            Listed::Removed => "removed",
        },
        location: location.as_str(),
        group: group.to_string(),
        left: listing.left.map(left_word),
    }
}

const fn left_word(left: Left) -> &'static str {
    match left {
        Left::NotOurs => "not_ours",
        Left::NotPruned => "not_pruned",
    }
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
        left: difference.left.map(left_word),
    }
}
