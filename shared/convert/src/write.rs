//! Drafts as a definitions file: ids that can be used, fields that are valid, and the source's names as comments.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use portpulse_core::definition::{FieldPath, Monitor, RawMonitor};
use serde_json::{Map, Value};

use crate::draft::Draft;
use crate::left::{Kind, Left, tame};
use crate::maintenance::{self, Window};

/// What was written.
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) monitors: usize,
}

/// The longest id.
const MAX_ID_LENGTH: usize = 64;
/// More than a monitor has fields and options.
const MAX_ROUNDS: usize = 64;

/// Writes the drafts that can be watched; what cannot be used of them is added to `left`.
pub(crate) fn write(from: &str, drafts: Vec<Draft>, windows: Vec<Window>, left: &mut Vec<Left>) -> Written {
    let mut text = format!("# From {}\n", tame(from));
    let mut taken = BTreeSet::new();
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut body = String::new();
    for draft in drafts {
        let Draft {
            name,
            comment,
            fields,
            left: mut told,
        } = draft;
        left.append(&mut told);
        let id = unique_id(&name, &taken);
        match usable(&id, fields) {
            Ok((fields, dropped)) => {
                left.extend(dropped.into_iter().map(|(field, why)| Left {
                    kind: Kind::Lost,
                    of: name.clone(),
                    field,
                    why,
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
            Err(why) => left.push(Left {
                kind: Kind::Lost,
                of: name,
                field: String::new(),
                why,
            }),
        }
    }
    text.push_str("monitors:\n");
    text.push_str(&body);
    let windows = maintenance::finish(windows, &ids, left);
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

/// An id like the name that no other monitor has.
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

/// The id that a name becomes, if nothing else has it.
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
        // These are no text to every reader of YAML.
        "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null" => format!("{id}-1"),
        _ => id.to_owned(),
    }
}

/// The fields without those that the rules refuse, each with the reason; or why nothing is left.
#[expect(
    clippy::type_complexity,
    reason = "the pair is taken apart where it is returned"
)]
fn usable(
    id: &str,
    mut fields: Map<String, Value>,
) -> Result<(Map<String, Value>, Vec<(String, String)>), String> {
    if !fields.contains_key("service") && fields.get("port") == Some(&Value::from(3306)) {
        // A bare connect would have the client banned.
        fields.insert("service".to_owned(), Value::from("mysql"));
    }
    let mut dropped = Vec::new();
    // Each round drops a field, or an option of one, or ends.
    for _ in 0..MAX_ROUNDS {
        let Err(diagnostics) = Monitor::from_fields(id, &Value::Object(fields.clone())) else {
            return Ok((fields, dropped));
        };
        let dropping = diagnostics
            .iter()
            .find_map(|diagnostic| Some((diagnostic, drop_at(&mut fields, &diagnostic.at)?)));
        let Some((diagnostic, field)) = dropping else {
            let all: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
            return Err(tame(&all.join("; ")));
        };
        dropped.push((
            field,
            format!("{} ({})", tame(&diagnostic.what), tame(&diagnostic.help)),
        ));
    }
    Err("cannot be made valid".to_owned())
}

/// Drops what stands at this place, if the monitor can do without; and says what that was.
fn drop_at(fields: &mut Map<String, Value>, at: &FieldPath) -> Option<String> {
    let mut parts = at.parts().iter();
    let field = parts.next()?;
    if let (Some(Value::Object(section)), Some(option)) = (fields.get_mut(field), parts.next())
        && section.remove(option).is_some()
    {
        return Some(tame(&format!("{field}.{option}")));
    }
    let is_needed = matches!(field.as_str(), "host" | "port" | "service" | "expect");
    (!is_needed && fields.remove(field).is_some()).then(|| tame(field))
}

/// Fields, one a line.
fn block(fields: &Map<String, Value>, depth: usize) -> String {
    // Where it goes before how it is checked.
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

/// A value on one line. JSON is YAML; simple words stand without quotes.
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
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let is_duration = |text: &str| {
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
        unit.len() < text.len() && matches!(unit, "ms" | "s" | "m" | "h" | "d")
    };
    let is_word = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '='))
            && !words.contains(&text.to_ascii_lowercase().as_str())
    };
    if is_word(text) || is_duration(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// In double quotes, in characters that every reader of YAML takes as they are.
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
    fn text_stands_without_quotes_only_where_nobody_can_take_it_for_anything_else() {
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
    fn names_become_ids() {
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
