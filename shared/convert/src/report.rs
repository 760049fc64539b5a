//! The account of an import: how many monitors were imported, and each difference once, with the monitors that it concerns.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::note::{Note, NoteKind};

/// The account of an import or an export.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The number of monitors in the source.
    pub found: usize,
    /// The number of imported monitors.
    pub imported: usize,
    /// What was not carried over: whole monitors first.
    pub lost: Vec<Difference>,
    /// What behaves differently.
    pub changed: Vec<Difference>,
    /// What does not concern monitoring.
    pub not_needed: Vec<Difference>,
}

/// A difference between the source and the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The field of the source; empty for whole monitors.
    pub field: String,
    /// The reason, as a sentence.
    pub reason: String,
    /// The monitors or files, by their names in the source.
    pub items: Vec<String>,
}

impl Report {
    /// The account of these notes.
    pub fn new(found: usize, imported: usize, notes: &[Note]) -> Self {
        let of = |kind| {
            let mut grouped: BTreeMap<(&str, String), Vec<String>> = BTreeMap::new();
            for note in notes.iter().filter(|note| note.kind == kind) {
                let items = grouped
                    .entry((note.field.as_str(), sentence(&note.reason)))
                    .or_default();
                if !items.contains(&note.item) {
                    items.push(note.item.clone());
                }
            }
            let difference = |((field, reason), items): ((&str, String), Vec<String>)| Difference {
                field: field.to_owned(),
                reason,
                items,
            };
            grouped.into_iter().map(difference).collect()
        };
        Self {
            found,
            imported,
            lost: of(NoteKind::Lost),
            changed: of(NoteKind::Changed),
            not_needed: of(NoteKind::NotNeeded),
        }
    }
}

/// A reason as a whole sentence.
fn sentence(reason: &str) -> String {
    let mut characters = reason.trim().chars();
    let mut sentence: String = match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => return String::new(),
    };
    if !sentence.ends_with(['.', '?', '!']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_differences_are_folded_into_whole_sentences() {
        let notes = [
            Note::lost("b", "body", "requests have no body"),
            Note::lost("a", "body", "requests have no body"),
            Note::lost("a", "", "SCTP is not supported."),
            Note::changed("a", "interval", "30s became 1m"),
        ];
        let report = Report::new(3, 2, &notes);
        let shown: Vec<_> = report
            .lost
            .iter()
            .chain(&report.changed)
            .map(|each| format!("{}|{}|{}", each.field, each.reason, each.items.join(",")))
            .collect();
        assert_eq!(
            shown,
            [
                "|SCTP is not supported.|a",
                "body|Requests have no body.|b,a",
                "interval|30s became 1m.|a"
            ]
        );
    }
}
