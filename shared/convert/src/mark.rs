//! Marks placeholders without a value in texts of sources.

use serde_json::Value;

/// Precedes a placeholder without a value: a noncharacter, which is removed from sources.
pub(crate) const MARK: char = '\u{fdd0}';

/// Whether a value contains a placeholder without a value.
pub(crate) fn has_placeholder(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(MARK),
        Value::Array(values) => values.iter().any(has_placeholder),
        Value::Object(map) => map.values().any(has_placeholder),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A text for people, without marks.
pub(crate) fn unmarked(text: &str) -> String {
    text.replace(MARK, "")
}
