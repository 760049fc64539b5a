//! Properties of any text.

use std::collections::BTreeMap;

use portpulse_core::definition::NetworkAccess;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A value in YAML flow style; strings of lower-case letters have no quotes unless they are ambiguous.
fn yaml(value: &Value) -> String {
    match value {
        Value::String(text) if matches!(text.as_str(), "y" | "n" | "yes" | "no" | "on" | "off") => {
            value.to_string()
        }
        Value::String(text) if text.bytes().all(|b| b.is_ascii_lowercase()) => text.clone(),
        Value::Array(values) => format!("[{}]", values.iter().map(yaml).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| format!("{name}: {}", yaml(value)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// A value in block style, at this indentation.
fn block(value: &Value, indent: usize) -> String {
    let pad = "  ".repeat(indent);
    match value.as_object() {
        Some(fields) if indent < 2 => fields
            .iter()
            .map(|(name, value)| format!("\n{pad}{name}: {}", block(value, indent + 1)))
            .collect(),
        _ => yaml(value),
    }
}

prop_compose! {
    fn fields()(
        host in "[a-z]{1,9}(\\.[a-z]{1,9}){0,2}",
        port in 1u16..3000,
        interval in prop::option::of(prop::sample::select(&["1m", "5m", "1h"][..])),
        timeout in prop::option::of(100u32..30_000),
        expect in prop::option::of(prop::sample::select(&["open", "closed", "reachable"][..])),
        tags in prop::option::of(prop::collection::vec("[a-zA-Z0-9=_.:/-]{1,12}", 0..4)),
        enabled in prop::option::of(any::<bool>()),
        quorum in prop::option::of(1u32..=100),
    ) -> Value {
        let mut fields = Map::from_iter([("host".to_owned(), json!(host)), ("port".to_owned(), json!(port))]);
        let optional = [
            ("interval", interval.map(|interval| json!(interval))),
            ("timeout", timeout.map(|ms| json!(format!("{ms}ms")))),
            ("expect", expect.map(|expect| json!(expect))),
            ("tags", tags.map(|tags| json!(tags))),
            ("enabled", enabled.map(|enabled| json!(enabled))),
            ("quorum", quorum.map(|quorum| json!(quorum))),
        ];
        fields.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        Value::Object(fields)
    }
}

proptest! {
    #[test]
    fn generated_file_is_read_back(
        monitors in prop::collection::btree_map("[a-z][a-z0-9_.-]{0,12}x", fields(), 1..6),
        in_blocks in any::<bool>(),
    ) {
        let whole = json!({ "monitors": monitors });
        let text = if in_blocks { block(&whole, 0) } else { yaml(&whole) };
        let file = portpulse_monitors_file::read(&text, NetworkAccess::OwnNetwork);
        let file = file.map_err(|mistakes| TestCaseError::fail(format!("{text}\n{mistakes:?}")))?;
        let read: BTreeMap<_, _> = file
            .monitors()
            .iter()
            .map(|defined| (defined.monitor.id().to_string(), Value::Object(defined.attributes.clone())))
            .collect();
        prop_assert_eq!(read, monitors);
    }

    #[test]
    fn reading_never_panics(text in "(\\PC|\n| |\t|\u{0}){0,200}") {
        let _ = portpulse_monitors_file::read(&text, NetworkAccess::PlainLambda);
    }

    #[test]
    fn reading_never_panics_on_yaml_fragments(
        parts in prop::collection::vec(prop::sample::select(&[
            "monitors", "defaults", "maintenance", "a", "host", "port", "tags", ": ", ":", "\n", "\n  ", "\n    ",
            "- ", "[", "]", "{", "}", ", ", "&a ", "*a", "<<", "!!str ", "\"", "'", "|\n", ">-\n", "---\n", "...\n",
            "? ", "#", "%YAML 1.2\n", "~", "0x1", "1e9", "\t", "\u{feff}", "\u{85}", "\r\n", "\\",
        ][..]), 0..60)
    ) {
        let text = parts.concat();
        if let Err(mistakes) = portpulse_monitors_file::read(&text, NetworkAccess::PlainLambda) {
            prop_assert!(!mistakes.is_empty());
            let lines = text.lines().count() + 1;
            for mistake in &mistakes {
                prop_assert!((1..=lines).contains(&mistake.line), "{}: {:?}", mistake, text);
                prop_assert_eq!(mistake.to_string().lines().count(), 1);
            }
        }
    }

    /// A truncated file is read or refused quickly.
    #[test]
    fn reading_never_panics_on_truncated_file(at in 0usize..2000) {
        let text = include_str!("../valid/every-field.yaml");
        let cut: String = text.chars().take(at).collect();
        let _ = portpulse_monitors_file::read(&cut, NetworkAccess::OwnNetwork);
    }
}
