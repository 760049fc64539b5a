//! Converts `query_response` of the exporter to plain text.

use serde_json::{Value, json};

/// The steps of a script; `None` if one of them is unsupported.
pub(super) fn script(steps: &[Value]) -> Option<Value> {
    let mut script = Vec::new();
    for step in steps {
        // The exporter handles `expect` before `send`, which is also the order of the keys.
        for (name, value) in step.as_object()? {
            match (name.as_str(), value.as_str()) {
                ("expect", Some("")) | ("send", Some("")) => {}
                ("expect", Some(pattern)) => script.push(json!({ "expect": literal(pattern)? })),
                // The exporter appends a line feed.
                ("send", Some(text)) if !text.contains('$') => {
                    script.push(json!({ "send": format!("{text}\n") }));
                }
                ("starttls", _) => {}
                _ => return None,
            }
        }
    }
    Some(Value::Array(script))
}

/// The text that a regular expression matches, if it matches only one. Anchors are dropped.
pub(super) fn literal(pattern: &str) -> Option<String> {
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    let (mut text, mut escaped) = (String::new(), false);
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        if escaped {
            if c.is_ascii_alphanumeric() {
                return None;
            }
            text.push(c);
            escaped = false;
        } else {
            match c {
                '\\' => escaped = true,
                '$' if rest.peek().is_none() => {}
                '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '^' | '$' => return None,
                _ => text.push(c),
            }
        }
    }
    (!escaped && !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_accepts_only_expressions_of_one_text() {
        for (pattern, text) in [
            ("^220", Some("220")),
            ("all well$", Some("all well")),
            (r"^\+OK \(x\)", Some("+OK (x)")),
            (r"a\.b", Some("a.b")),
            ("a.b", None),
            (r"\d+", None),
            ("a|b", None),
            (r"a\", None),
            ("", None),
            ("^$", None),
        ] {
            assert_eq!(literal(pattern).as_deref(), text, "{pattern}");
        }
    }
}
