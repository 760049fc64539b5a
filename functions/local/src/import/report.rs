//! Shows the report of an import or an export: for people on standard error, for programs as JSON.

use std::fmt;
use std::path::Path;

use portpulse_convert::{Changes, Difference, Report};
use serde_json::{Value, json};

use crate::output::{count_of, print_note};

/// The maximum number of names in one line.
const MAX_NAMES: usize = 6;

/// The report as one JSON object.
pub(super) fn json(report: &Report, definitions: Option<&str>, changes: Option<&Changes>) -> Value {
    let mut object = json!({ "report": report });
    if let Some(object) = object.as_object_mut() {
        object.extend(definitions.map(|definitions| ("definitions".to_owned(), json!(definitions))));
        object.extend(changes.map(|changes| ("changes".to_owned(), json!(changes))));
    }
    object
}

/// Prints the differences between the output file and the import.
pub(super) fn print_changes(changes: &Changes, path: &Path) {
    if changes.is_empty() {
        print_note(&format!("{} is up to date.", path.display()));
        return;
    }
    print_note(&format!("Compared with {}:", path.display()));
    for id in &changes.new {
        print_note(&format!("  new      {id}"));
    }
    for changed in &changes.changed {
        print_note(&format!(
            "  changed  {}: {}",
            changed.id,
            changed.fields.join(", ")
        ));
    }
    for id in &changes.gone {
        print_note(&format!("  gone     {id}"));
    }
}

/// How many of how many monitors were imported.
pub(super) fn summary(report: &Report, from: &impl fmt::Display) -> String {
    let Report { found, imported, .. } = report;
    if found == imported {
        format!("Imported {} from {from}.", count_of(*imported as u64, "monitor"))
    } else {
        format!(
            "Imported {imported} of {} from {from}.",
            count_of(*found as u64, "monitor")
        )
    }
}

/// Prints the report: first what was not carried over, then what behaves differently, then what was not needed.
pub(crate) fn print_report(report: &Report) {
    for (title, differences) in [
        ("Not carried over:", &report.lost),
        ("Behaves differently:", &report.changed),
        ("Not needed:", &report.not_needed),
    ] {
        if differences.is_empty() {
            continue;
        }
        print_note(title);
        for difference in differences {
            print_note(&line(difference));
        }
    }
}

fn line(difference: &Difference) -> String {
    let Difference { field, reason, items } = difference;
    let shown: Vec<&str> = items.iter().take(MAX_NAMES).map(String::as_str).collect();
    let mut names = shown.join(", ");
    if items.len() > shown.len() {
        names.push_str(&format!(" and {} more", items.len() - shown.len()));
    }
    let field = if field.is_empty() {
        String::new()
    } else {
        format!("{field}: ")
    };
    format!("  {field}{reason} ({names})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_line_are_folded() {
        let difference = |count: usize| Difference {
            field: "body".to_owned(),
            reason: "Requests have no body.".to_owned(),
            items: (1..=count).map(|index| format!("m{index}")).collect(),
        };
        assert_eq!(line(&difference(1)), "  body: Requests have no body. (m1)");
        assert_eq!(
            line(&difference(9)),
            "  body: Requests have no body. (m1, m2, m3, m4, m5, m6 and 3 more)"
        );
    }
}
