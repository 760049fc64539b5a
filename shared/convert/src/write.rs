//! Writes drafts as a definitions file: valid ids and fields, with the names in the source as comments.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use portpulse_core::definition::{Field, FieldPath, Monitor};
use portpulse_core::id::Location;
use serde_json::{Map, Value};

use crate::draft::Draft;
use crate::id::{MAX_ID_LENGTH, id_of};
use crate::maintenance::{self, Window};
use crate::mark::{has_placeholder, missing_address};
use crate::note::{Note, sanitize};
use crate::ping::Pings;
use crate::source_fields::PLACEHOLDER;

/// A written definitions file.
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) monitors: usize,
}

/// More rounds than a monitor has fields and options.
const MAX_ROUNDS: usize = 64;

/// Writes all drafts that can be made valid, and adds notes about the rest.
pub(crate) fn write(
    from: &str,
    drafts: Vec<Draft>,
    windows: Vec<Window>,
    pings: Pings<'_>,
    notes: &mut Vec<Note>,
) -> Written {
    let mut text = format!("# From {}\n", sanitize(from));
    let mut taken = BTreeSet::new();
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut body = String::new();
    let mut agents: &[Location] = &[];
    for mut draft in drafts {
        draft.complete(pings);
        drop_placeholders(&mut draft);
        let is_ping = draft.is_ping();
        let Draft {
            key,
            name,
            comment,
            fields,
            notes: mut draft_notes,
            pending: _,
        } = draft;
        let id = unique_id(&name, &taken);
        match without_invalid_fields(&id, fields) {
            Ok((fields, dropped)) => {
                notes.append(&mut draft_notes);
                let lost = |(field, reason): (String, String)| Note::lost(&name, &field, reason);
                notes.extend(dropped.into_iter().map(lost));
                let comment = if comment.is_empty() { &name } else { &comment };
                // Writing to a String cannot fail.
                let _ = write!(
                    body,
                    "  # {comment}\n  {}:\n{}",
                    scalar_text(&id),
                    block(&fields, 2)
                );
                ids.entry(key).or_default().push(id.clone());
                taken.insert(id);
                if let (true, Pings::FromAgents(names)) = (is_ping, pings) {
                    agents = names;
                }
            }
            Err(reason) => notes.push(Note::lost(&name, "", reason)),
        }
    }
    if !agents.is_empty() {
        let names = agents.iter().map(|agent| agent.as_str().into()).collect();
        let _ = writeln!(text, "agents: {}", flow(&Value::Array(names)));
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

/// Removes optional values with placeholders. A placeholder in the host or the path stays, and makes the monitor invalid:
/// another request would be another check.
fn drop_placeholders(draft: &mut Draft) {
    let names: Vec<String> = draft.fields.keys().cloned().collect();
    for name in names {
        let Some(value) = draft.fields.get_mut(&name) else {
            continue;
        };
        if !has_placeholder(value) || name == "host" {
            continue;
        }
        match value {
            Value::Object(options) if !options.get("path").is_some_and(has_placeholder) => {
                let (dropped, kept): (Map<_, _>, Map<_, _>) = std::mem::take(options)
                    .into_iter()
                    .partition(|(_, option)| has_placeholder(option));
                *options = kept;
                for option in dropped.keys() {
                    draft.lost(&format!("{name}.{option}"), PLACEHOLDER);
                }
            }
            Value::Object(_) => {}
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                draft.fields.remove(&name);
                draft.lost(&name, PLACEHOLDER);
            }
        }
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

/// Removes invalid fields. Returns the valid fields, and the removed ones with reasons; or why the monitor is invalid.
#[expect(clippy::type_complexity, reason = "the only caller destructures the pair")]
fn without_invalid_fields(
    id: &str,
    mut fields: Map<String, Value>,
) -> Result<(Map<String, Value>, Vec<(String, String)>), String> {
    let path = fields.get("http").and_then(|http| http.get("path"));
    let address: Vec<&str> = [fields.get("host"), path]
        .into_iter()
        .flatten()
        .filter(|part| has_placeholder(part))
        .filter_map(Value::as_str)
        .collect();
    if !address.is_empty() {
        return Err(missing_address(&address));
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
            format!(
                "The value {}: {}",
                sanitize(&diagnostic.what),
                sanitize(&diagnostic.help.to_string())
            ),
        ));
    }
    Err("The monitor cannot be made valid.".to_owned())
}

/// Removes the field or option at a path, unless it is required. Returns its name.
fn remove_at(fields: &mut Map<String, Value>, at: &FieldPath) -> Option<String> {
    let mut parts = at.parts().iter();
    let field = parts.next()?;
    if let (Some(Value::Object(section)), Some(option)) = (fields.get_mut(field), parts.next()) {
        // Another path, name, type or status would be another check.
        let is_other_check = matches!(option.as_str(), "path" | "name" | "type" | "transport");
        if is_other_check {
            return None;
        }
        if section.remove(option).is_some() {
            return Some(sanitize(&format!("{field}.{option}")));
        }
    }
    let is_required = matches!(field.as_str(), "host" | "port" | "service" | "expect" | "script");
    (!is_required && fields.remove(field).is_some()).then(|| sanitize(field))
}

/// Fields, one per line.
fn block(fields: &Map<String, Value>, depth: usize) -> String {
    // In the documented order: the target before the check.
    let rank = |name: &str| Field::named(name).map_or(Field::ALL.len(), |field| field as usize);
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

/// Double-quoted YAML, with only letters, digits and printable ASCII characters.
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
            _ if c.is_alphanumeric() => quoted.push(c),
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
