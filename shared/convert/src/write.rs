//! Writes drafts as a definitions file: valid ids and fields, with the names in the source as comments.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use portpulse_core::definition::{FieldPath, Monitor, RawMonitor};
use serde_json::{Map, Value};

use crate::draft::Draft;
use crate::maintenance::{self, Window};
use crate::note::{Note, NoteKind, sanitize};

/// A written definitions file.
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) monitors: usize,
}

/// The maximum length of an id.
const MAX_ID_LENGTH: usize = 64;
/// More rounds than a monitor has fields and options.
const MAX_ROUNDS: usize = 64;

/// Writes all drafts that can be made valid, and adds notes about the rest.
pub(crate) fn write(from: &str, drafts: Vec<Draft>, windows: Vec<Window>, notes: &mut Vec<Note>) -> Written {
    let mut text = format!("# From {}\n", sanitize(from));
    let mut taken = BTreeSet::new();
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut body = String::new();
    for draft in drafts {
        let Draft {
            name,
            comment,
            fields,
            notes: mut draft_notes,
        } = draft;
        notes.append(&mut draft_notes);
        let id = unique_id(&name, &taken);
        match without_invalid_fields(&id, fields) {
            Ok((fields, dropped)) => {
                notes.extend(dropped.into_iter().map(|(field, reason)| Note {
                    kind: NoteKind::Lost,
                    item: name.clone(),
                    field,
                    reason,
                }));
                let comment = if comment.is_empty() { &name } else { &comment };
                // Writing to a String cannot fail.
                let _ = write!(
                    body,
                    "  # {comment}\n  {}:\n{}",
                    scalar_text(&id),
                    block(&fields, 2)
                );
                ids.entry(name).or_default().push(id.clone());
                taken.insert(id);
            }
            Err(reason) => notes.push(Note {
                kind: NoteKind::Lost,
                item: name,
                field: String::new(),
                reason,
            }),
        }
    }
    text.push_str("monitors:\n");
    text.push_str(&body);
    let windows = maintenance::finish(windows, &ids, notes);
    if !windows.is_empty() && !taken.is_empty() {
        text.push_str("maintenance:\n");
        for window in windows {
            let _ = writeln!(text, "  - {}", flow(&window));
        }
    }
    Written {
        text,
        monitors: taken.len(),
    }
}

/// An id derived from the name that is not in use.
fn unique_id(name: &str, taken: &BTreeSet<String>) -> String {
    let base = id_of(name);
    if !taken.contains(&base) {
        return base;
    }
    let mut number = 2u32;
    loop {
        let ending = format!("-{number}");
        let room = MAX_ID_LENGTH.saturating_sub(ending.len());
        let id: String = base.chars().take(room).chain(ending.chars()).collect();
        if !taken.contains(&id) {
            return id;
        }
        number = number.saturating_add(1);
    }
}

/// The id derived from a name, if it is not in use.
fn id_of(name: &str) -> String {
    let mut id = String::new();
    for c in name.to_ascii_lowercase().chars() {
        let c = if c.is_ascii_alphanumeric() || matches!(c, '_' | '.') {
            c
        } else {
            '-'
        };
        if id.is_empty() && !c.is_ascii_alphanumeric() || c == '-' && id.ends_with('-') {
            continue;
        }
        id.push(c);
        if id.len() == MAX_ID_LENGTH {
            break;
        }
    }
    let id = id.trim_end_matches('-');
    match id {
        "" => "monitor".to_owned(),
        // Some YAML parsers do not read these as strings.
        "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null" => format!("{id}-1"),
        _ => id.to_owned(),
    }
}

/// Removes invalid fields. Returns the valid fields, and the removed ones with reasons; or why the monitor is invalid.
#[expect(clippy::type_complexity, reason = "the only caller destructures the pair")]
fn without_invalid_fields(
    id: &str,
    mut fields: Map<String, Value>,
) -> Result<(Map<String, Value>, Vec<(String, String)>), String> {
    if !fields.contains_key("service") && fields.get("port") == Some(&Value::from(3306)) {
        // MySQL blocks clients after repeated connects without a handshake.
        fields.insert("service".to_owned(), Value::from("mysql"));
    }
    let mut dropped = Vec::new();
    // Each round removes a field or an option, or ends.
    for _ in 0..MAX_ROUNDS {
        let Err(diagnostics) = Monitor::from_fields(id, &Value::Object(fields.clone())) else {
            return Ok((fields, dropped));
        };
        let dropping = diagnostics
            .iter()
            .find_map(|diagnostic| Some((diagnostic, remove_at(&mut fields, &diagnostic.at)?)));
        let Some((diagnostic, field)) = dropping else {
            let all: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
            return Err(sanitize(&all.join("; ")));
        };
        dropped.push((
            field,
            format!("{} ({})", sanitize(&diagnostic.what), sanitize(&diagnostic.help)),
        ));
    }
    Err("the monitor cannot be made valid".to_owned())
}

/// Removes the field or option at a path, unless it is required. Returns its name.
fn remove_at(fields: &mut Map<String, Value>, at: &FieldPath) -> Option<String> {
    let mut parts = at.parts().iter();
    let field = parts.next()?;
    if let (Some(Value::Object(section)), Some(option)) = (fields.get_mut(field), parts.next())
        && section.remove(option).is_some()
    {
        return Some(sanitize(&format!("{field}.{option}")));
    }
    let is_required = matches!(field.as_str(), "host" | "port" | "service" | "expect");
    (!is_required && fields.remove(field).is_some()).then(|| sanitize(field))
}

/// Fields, one per line.
fn block(fields: &Map<String, Value>, depth: usize) -> String {
    // In the documented order: the target before the check.
    let rank = |name: &str| {
        let mut documented = RawMonitor::FIELDS.iter();
        documented
            .position(|field| *field == name)
            .unwrap_or(RawMonitor::FIELDS.len())
    };
    let mut names: Vec<&String> = fields.keys().collect();
    names.sort_by_key(|name| (rank(name), name.as_str()));
    let pad = "  ".repeat(depth);
    let lines = names
        .into_iter()
        .filter_map(|name| Some((name, fields.get(name)?)));
    lines
        .map(|(name, value)| format!("{pad}{name}: {}\n", flow(value)))
        .collect()
}

/// A value on one line, in YAML flow style; simple strings have no quotes.
pub(crate) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar_text(text),
        Value::Array(values) => format!("[{}]", values.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entries = map
                .iter()
                .map(|(name, value)| format!("{}: {}", scalar_text(name), flow(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn scalar_text(text: &str) -> String {
    let reserved = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let is_duration = |text: &str| {
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
        unit.len() < text.len() && matches!(unit, "ms" | "s" | "m" | "h" | "d")
    };
    let is_simple = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '='))
            && !reserved.contains(&text.to_ascii_lowercase().as_str())
    };
    if is_simple(text) || is_duration(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Double-quoted YAML, with only printable ASCII characters.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            ' '..='~' => quoted.push(c),
            // Writing to a String cannot fail.
            _ if u32::from(c) > 0xffff => drop(write!(quoted, "\\U{:08x}", u32::from(c))),
            _ => drop(write!(quoted, "\\u{:04x}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unambiguous_strings_are_unquoted() {
        for (text, written) in [
            ("db.example.com", "db.example.com"),
            ("env=prod", "env=prod"),
            ("1500ms", "1500ms"),
            ("5432", "\"5432\""),
            ("10.0.0.1", "\"10.0.0.1\""),
            ("No", "\"No\""),
            ("a: b", "\"a: b\""),
            ("", "\"\""),
            (
                "\u{2028}\u{7}\u{1f4a5}\"\\\n",
                r#""\u2028\u0007\U0001f4a5\"\\\n""#,
            ),
        ] {
            assert_eq!(scalar_text(text), written, "{text:?}");
            let read = portpulse_monitors_file::read_value(&format!("a: {written}\n"));
            assert_eq!(read, Ok(serde_json::json!({ "a": text })));
        }
    }

    #[test]
    fn id_is_derived_from_name() {
        for (name, id) in [
            ("Orders DB (primary)", "orders-db-primary"),
            ("  --x", "x"),
            ("Ärzte", "rzte"),
            ("☃", "monitor"),
            ("", "monitor"),
            ("No", "no-1"),
            ("a/b_c.d", "a-b_c.d"),
        ] {
            assert_eq!(id_of(name), id, "{name}");
        }
        assert_eq!(id_of(&"x".repeat(100)).len(), MAX_ID_LENGTH);
        let taken = BTreeSet::from(["x".repeat(64), format!("{}-2", "x".repeat(62))]);
        let third = unique_id(&"x".repeat(80), &taken);
        assert_eq!((third.len(), third.ends_with("x-3")), (64, true), "{third}");
    }
}
