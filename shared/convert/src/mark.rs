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

/// Why a monitor whose address has these placeholders is not imported.
pub(crate) fn missing_address(texts: &[&str]) -> String {
    let mut names: Vec<&str> = texts.iter().flat_map(|text| placeholders(text)).collect();
    names.sort_unstable();
    names.dedup();
    format!(
        "The address needs the value of {}. Set the variable, and import again with --env.",
        names.join(" and ")
    )
}

/// The marked placeholders in a text, such as `${HOST}`.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    let marked = text.split(MARK).skip(1);
    marked.filter_map(|rest| rest.get(..=rest.find('}')?))
}

/// A text for people, without marks.
pub(crate) fn unmarked(text: &str) -> String {
    text.replace(MARK, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_of_an_address_are_named() {
        let host = format!("{MARK}${{NAME}}.{MARK}${{DOMAIN}}");
        let path = format!("/{MARK}${{NAME}}/${{known}}");
        let expected = "The address needs the value of ${DOMAIN} and ${NAME}. Set the variable, and import again with --env.";
        assert_eq!(missing_address(&[&host, &path]), expected);
    }
}
