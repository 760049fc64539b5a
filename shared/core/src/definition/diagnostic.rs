//! Diagnostics: mistakes in a definition, each with its place and a fix.

use std::fmt;

use serde_json::Value;

use super::help::Help;
use super::nearest::nearest;
use crate::choice::InvalidChoice;
use crate::group::InvalidGroup;
use crate::id::InvalidName;
use crate::target::InvalidHost;
use crate::text::quoted;
use crate::time::InvalidDuration;

/// The place of a value in a file or item, such as `monitors.orders-db.timeout`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<String>);

impl FieldPath {
    /// The whole file or item.
    pub fn root() -> Self {
        Self(Vec::new())
    }

    /// The value called `name` in this one.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        let mut parts = self.0.clone();
        parts.push(name.to_owned());
        Self(parts)
    }

    /// The value at `index`, from 0, of this list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.field(&index.to_string())
    }

    /// The value at `rest` within this one.
    #[must_use]
    pub fn join(&self, rest: &Self) -> Self {
        Self([self.0.as_slice(), rest.0.as_slice()].concat())
    }

    /// The part of `value` at this place.
    pub fn within<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(value, |value, part| match value {
            Value::Array(values) => values.get(part.parse::<usize>().ok()?),
            Value::Object(fields) => fields.get(part),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
    }

    /// The enclosing value; `None` at the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, parents) = self.0.split_last()?;
        Some(Self(parents.to_vec()))
    }

    /// The names and indices from the root.
    pub fn parts(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            f.write_str(&quoted(part))?;
        }
        Ok(())
    }
}

/// Describes a value of the wrong type.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "a boolean, which is the wrong type",
        Value::Number(number) if number.is_f64() => "a number that is not whole or is too large",
        Value::Number(_) => "a number, which is the wrong type",
        Value::String(_) => "a string, which is the wrong type",
        Value::Array(_) => "a list, which is the wrong type",
        Value::Object(_) => "a map, which is the wrong type",
    }
}

/// One mistake in a definition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{}{}{what} ({help})", at, if at.parts().is_empty() { "" } else { ": " })]
pub struct Diagnostic {
    /// The place of the mistake.
    pub at: FieldPath,
    /// The mistake.
    pub what: String,
    /// How to fix the mistake.
    pub help: Help,
}

impl Diagnostic {
    /// Creates a diagnostic.
    pub fn new(at: FieldPath, what: impl Into<String>, help: impl Into<Help>) -> Self {
        Self {
            at,
            what: what.into(),
            help: help.into(),
        }
    }

    pub(crate) fn of(at: FieldPath, invalid_value: InvalidValue) -> Self {
        Self::new(at, invalid_value.what, invalid_value.help)
    }
}

/// A mistake in a value and its fix: a diagnostic without a place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InvalidValue {
    pub(crate) what: String,
    pub(crate) help: String,
}

impl InvalidValue {
    pub(crate) fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            help: help.into(),
        }
    }
}

impl From<InvalidChoice> for InvalidValue {
    fn from(error: InvalidChoice) -> Self {
        let what = format!("unknown value `{}`", error.found);
        let guess = nearest(&error.found, error.allowed().iter().copied());
        let guess = guess.map_or(String::new(), |word| format!("; did you mean `{word}`?"));
        Self::new(what, format!("write {}{guess}", one_of(error.allowed())))
    }
}

impl From<InvalidHost> for InvalidValue {
    fn from(error: InvalidHost) -> Self {
        Self::new(format!("`{}` is not a host", error.shown), error.rule)
    }
}

impl From<InvalidName> for InvalidValue {
    fn from(error: InvalidName) -> Self {
        let what = format!("`{}` is not a {}", error.shown, error.kind);
        Self::new(what, error.rule)
    }
}

impl From<InvalidDuration> for InvalidValue {
    fn from(error: InvalidDuration) -> Self {
        let help = "write a whole number and a unit (ms, s, m, h, d), such as 500ms, 5s or 2h";
        Self::new(format!("`{}` is not a duration", error.found), help)
    }
}

impl From<InvalidGroup> for InvalidValue {
    fn from(error: InvalidGroup) -> Self {
        let what = format!("`{}` is not a group", error.found);
        Self::new(what, "write an interval and a shard, such as 1m#0")
    }
}

/// `a, b or c`.
pub(super) fn one_of(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diagnostic_is_one_line_for_any_field_name() {
        let at = FieldPath::root()
            .field("monitors")
            .field("a\n\u{1b}[31mb\u{202e}")
            .field("port");
        let diagnostic = Diagnostic::new(at, "is missing", "write a port");
        let text = "monitors.a\\n\\u001b[31mb\\u202e.port: is missing (write a port)";
        assert_eq!(diagnostic.to_string(), text);
        assert_eq!(
            Diagnostic::new(FieldPath::root(), "is empty", "fill it").to_string(),
            "is empty (fill it)"
        );
    }

    #[test]
    fn one_of_joins_choices_with_or() {
        assert_eq!(one_of(&["a", "b", "c"]), "a, b or c");
        assert_eq!(one_of(&["a"]), "a");
        assert_eq!(one_of(&[]), "");
    }
}
