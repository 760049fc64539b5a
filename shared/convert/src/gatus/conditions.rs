//! Converts conditions of Gatus to options of a check.
//!
//! Source: <https://github.com/TwiN/gatus/blob/master/README.md#conditions>

use std::time::Duration;

use portpulse_core::time::format_duration;
use serde_json::{Value, json};

use crate::draft::{Draft, duration, scaled};
use crate::note::NoteKind;

/// The accepted statuses, narrowed by conditions.
struct Statuses {
    exact: Option<Vec<Value>>,
    from: u32,
    to: u32,
}

/// Applies the conditions to the draft, with a note for each unsupported one.
pub(super) fn apply(draft: &mut Draft, conditions: &[String], is_dns: bool) {
    let mut statuses = Statuses {
        exact: None,
        from: 100,
        to: 599,
    };
    for condition in conditions {
        let mut parts = condition.trim().splitn(3, ' ');
        let (subject, operator) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let value = parts.next().unwrap_or_default().trim();
        let field = format!("conditions: {condition}");
        match (subject, operator) {
            ("[CONNECTED]", "==") if value == "true" => {}
            ("[DNS_RCODE]", "==") if value == "NOERROR" && is_dns => {}
            ("[STATUS]", _) if draft.fields.contains_key("http") && statuses.narrow(operator, value) => {}
            ("[RESPONSE_TIME]", "<" | "<=") => slow(draft, &field, value),
            ("[CERTIFICATE_EXPIRATION]", ">" | ">=") => certificate(draft, &field, value),
            ("[BODY]", "==") if is_dns => match plain_values(value) {
                Some(records) => draft.set_option("dns", "must", records),
                None => draft.add_note(NoteKind::Lost, &field, "only complete records can be required"),
            },
            ("[BODY]", "==") if draft.fields.contains_key("http") => body(draft, &field, value),
            _ => draft.add_note(NoteKind::Lost, &field, "this condition is not supported"),
        }
    }
    match statuses.exact {
        Some(exact) => draft.set_option("http", "status", exact),
        None if (statuses.from, statuses.to) != (100, 599) => {
            draft.set_option(
                "http",
                "status",
                json!([format!("{}-{}", statuses.from, statuses.to)]),
            );
        }
        None => {}
    }
}

impl Statuses {
    /// Applies a condition; `false` if it is unsupported.
    fn narrow(&mut self, operator: &str, value: &str) -> bool {
        let number = value
            .parse::<u32>()
            .ok()
            .filter(|number| (100..=599).contains(number));
        match (operator, number) {
            ("==", Some(number)) => self.exact = Some(vec![json!(number)]),
            ("==", None) => {
                let Some(values) = plain_values(value) else {
                    return false;
                };
                let codes: Option<Vec<_>> = values
                    .iter()
                    .map(|code| code.parse::<u32>().ok().map(Value::from))
                    .collect();
                let Some(codes) = codes else { return false };
                self.exact = Some(codes);
            }
            ("<", Some(number)) => self.to = self.to.min(number - 1),
            ("<=", Some(number)) => self.to = self.to.min(number),
            (">", Some(number)) => self.from = self.from.max(number + 1),
            (">=", Some(number)) => self.from = self.from.max(number),
            _ => return false,
        }
        true
    }
}

/// A literal, or the values of `any(a, b)`; `None` for other functions and placeholders.
fn plain_values(value: &str) -> Option<Vec<String>> {
    let values = match value.strip_prefix("any(").and_then(|rest| rest.strip_suffix(')')) {
        Some(list) => list.split(',').map(|each| each.trim().to_owned()).collect(),
        None => vec![value.to_owned()],
    };
    let is_plain = |text: &String| !text.is_empty() && !text.contains(['(', ')', '[', ']', '*']);
    values.iter().all(is_plain).then_some(values)
}

fn slow(draft: &mut Draft, field: &str, value: &str) {
    match duration(value, Duration::from_millis(1)) {
        Some(limit) if !limit.is_zero() => {
            draft.set("slow_after", format_duration(limit));
            let reason = "became `slow_after`: a slower connect makes the monitor degraded, not down";
            draft.add_note(NoteKind::Changed, field, reason);
        }
        Some(_) | None => draft.add_note(NoteKind::Lost, field, "is not a time in milliseconds"),
    }
}

fn certificate(draft: &mut Draft, field: &str, value: &str) {
    match duration(value, Duration::from_millis(1)).and_then(|notes| scaled(notes, 1.0 / 86_400.0)) {
        Some(days) => {
            let whole = days.as_secs() + u64::from(days.subsec_nanos() > 0);
            draft.set("warn_days", whole);
            draft.add_note(
                NoteKind::Changed,
                field,
                "became `warn_days`: an expiring certificate makes the monitor degraded, not down",
            );
        }
        None => draft.add_note(NoteKind::Lost, field, "is not a duration"),
    }
}

fn body(draft: &mut Draft, field: &str, value: &str) {
    let pattern = value.strip_prefix("pat(").and_then(|rest| rest.strip_suffix(')'));
    let inside = pattern.and_then(|pattern| pattern.strip_prefix('*')?.strip_suffix('*'));
    let is_literal = |text: &str| !text.is_empty() && !text.contains(['*', '?', '[', '\\']);
    match (inside, pattern) {
        (Some(text), _) if is_literal(text) => draft.set_option("http", "text", text),
        (None, None) if is_literal(value) && !value.contains('(') => {
            draft.set_option("http", "text", value);
            draft.add_note(
                NoteKind::Changed,
                field,
                "the body must contain the text, not equal it",
            );
        }
        _ => draft.add_note(NoteKind::Lost, field, "only plain text is supported"),
    }
}
