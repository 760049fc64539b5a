//! What the exporter sends and waits for, as plain text.

use serde_json::{Value, json};

/// Steps as they are written here; nothing where one of them cannot be.
pub(super) fn script(steps: &[Value]) -> Option<Value> {
    let mut script = Vec::new();
    for step in steps {
        // In the order of their names, an `expect` comes before its `send`, as the exporter has it.
        for (name, value) in step.as_object()? {
            match (name.as_str(), value.as_str()) {
                ("expect", Some("")) | ("send", Some("")) => {}
                ("expect", Some(pattern)) => script.push(json!({ "expect": literal(pattern)? })),
                // The exporter ends each with a line feed.
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

/// The text that a regular expression stands for, if it stands for one alone. What it is anchored to is not kept.
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
    fn only_expressions_of_one_text_are_taken() {
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
