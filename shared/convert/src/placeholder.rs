//! Placeholders in sources, such as `${HOST}`: filled from the environment on request, otherwise left and reported.

use serde_json::Value;

use crate::mark::{MARK, unmarked};
use crate::note::Note;
use crate::secret::is_secret_name;

/// Where the values of placeholders come from.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The notation of placeholders in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notation {
    /// The source has none.
    None,
    /// `$NAME` and `${NAME}`; `$$` is a dollar sign, as in Gatus.
    Shell,
    /// As `Shell`, with `${NAME:-default}`, as in Docker Compose.
    ShellWithDefaults,
    /// `$NAME` only, as in Upptime.
    Plain,
    /// `**$NAME**`, as in cloudprober.
    Starred,
}

/// Fills the placeholders in all texts. Those without a value stay, marked.
pub(crate) fn fill(
    value: &mut Value,
    notation: Notation,
    environment: Option<Environment<'_>>,
    file: &str,
    notes: &mut Vec<Note>,
) {
    match value {
        Value::String(text) => {
            if text.contains(MARK) {
                *text = unmarked(text);
            }
            if let Some(filled) = filled(text, notation, environment, file, notes) {
                *text = filled;
            }
        }
        Value::Array(values) => {
            for value in values {
                fill(value, notation, environment, file, notes);
            }
        }
        Value::Object(map) => {
            for value in map.values_mut() {
                fill(value, notation, environment, file, notes);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn filled(
    text: &str,
    notation: Notation,
    environment: Option<Environment<'_>>,
    file: &str,
    notes: &mut Vec<Note>,
) -> Option<String> {
    if notation == Notation::None || !text.contains('$') {
        return None;
    }
    let mut filled = String::new();
    let mut rest = text;
    let sign = if notation == Notation::Starred { "**$" } else { "$" };
    while let Some((before, after)) = rest.split_once(sign) {
        filled.push_str(before);
        if let Some(escaped) = after
            .strip_prefix('$')
            .filter(|_| matches!(notation, Notation::Shell | Notation::ShellWithDefaults))
        {
            filled.push('$');
            rest = escaped;
            continue;
        }
        let Some((placeholder, fallback, after)) = next(after, notation) else {
            filled.push_str(sign);
            rest = after;
            continue;
        };
        let value = environment.and_then(|environment| environment(placeholder));
        match value.filter(|value| !value.is_empty()) {
            // The value of a variable for a secret must not reach the definitions, wherever the source uses it.
            Some(_) if is_secret_name(placeholder) => {
                let reason =
                    "The name of this variable says that its value is a secret, so the value was not used.";
                notes.push(Note::lost(file, &format!("${{{placeholder}}}"), reason));
                push_marked(&mut filled, placeholder);
            }
            Some(value) => filled.push_str(&value),
            None => match fallback {
                Some(fallback) => filled.push_str(fallback),
                None => push_marked(&mut filled, placeholder),
            },
        }
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

fn push_marked(filled: &mut String, name: &str) {
    filled.push(MARK);
    filled.push_str("${");
    filled.push_str(name);
    filled.push('}');
}

/// The name and the default of a placeholder after its `$`, and the text after it.
fn next(text: &str, notation: Notation) -> Option<(&str, Option<&str>, &str)> {
    let name_end = |text: &str| {
        text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(text.len())
    };
    let is_name = |name: &str| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if notation == Notation::Starred {
        let (name, after) = text.split_once("**")?;
        return (is_name(name) && name_end(name) == name.len()).then_some((name, None, after));
    }
    if let Some(braced) = text.strip_prefix('{').filter(|_| notation != Notation::Plain) {
        let (inside, after) = braced.split_once('}')?;
        let (name, tail) = inside.split_at_checked(name_end(inside))?;
        let fallback = match notation {
            Notation::ShellWithDefaults => tail.strip_prefix(":-").or_else(|| tail.strip_prefix('-')),
            Notation::None | Notation::Shell | Notation::Plain | Notation::Starred => None,
        };
        let is_whole = tail.is_empty() || notation == Notation::ShellWithDefaults;
        return (is_name(name) && is_whole).then_some((name, fallback, after));
    }
    let (name, after) = text.split_at_checked(name_end(text))?;
    is_name(name).then_some((name, None, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mark::has_placeholder;

    #[test]
    fn placeholders_are_filled_or_marked() {
        let environment = |name: &str| match name {
            "HOST" => Some("db.example.com".to_owned()),
            "API_TOKEN" => Some("s3cret".to_owned()),
            _ => None,
        };
        let check = |text: &str, notation, expected: &str| {
            let mut value = Value::from(text);
            fill(&mut value, notation, Some(&environment), "f", &mut Vec::new());
            let text = value.as_str().map(unmarked);
            assert_eq!(text.as_deref(), Some(expected));
        };
        check("tcp://${HOST}:1", Notation::Shell, "tcp://db.example.com:1");
        check("tcp://$HOST:1", Notation::Shell, "tcp://db.example.com:1");
        check("$$HOST $", Notation::Shell, "$HOST $");
        check("${PORT}", Notation::Shell, "${PORT}");
        check("${API_TOKEN}", Notation::Shell, "${API_TOKEN}");
        check("${PORT:-80}", Notation::ShellWithDefaults, "80");
        check("${HOST}", Notation::Plain, "${HOST}");
        check("**$HOST**:1", Notation::Starred, "db.example.com:1");
        check("$HOST", Notation::None, "$HOST");
        let mut value = Value::from("${HOST}");
        fill(&mut value, Notation::Shell, None, "f", &mut Vec::new());
        assert!(has_placeholder(&value));
    }
}
