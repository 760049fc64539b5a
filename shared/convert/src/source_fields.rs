//! The fields of a map in a source, removed one by one when they are converted. The rest is reported as unused.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::duration::{duration, scaled};
use crate::mark::has_placeholder;
use crate::note::{Note, NoteKind};

const UNKNOWN: &str = "The setting is not known, or its value is not supported.";
/// The value depends on a variable that was not filled.
pub(crate) const PLACEHOLDER: &str =
    "The value has a placeholder without a value. Set the variable, and import again with --env.";

/// The fields of a map that are not converted yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SourceFields(Map<String, Value>);

/// A known field that is not converted: its key, the kind of note, and the reason.
pub(crate) type UnusedKey = (&'static str, NoteKind, &'static str);

impl SourceFields {
    /// The fields of a map; `None` for other values.
    pub(crate) fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self(map)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether a field is an empty text.
    pub(crate) fn has_empty(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_str) == Some("")
    }

    /// Removes a value; `None` if it is absent, null or empty.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(has_content)
    }

    /// Removes a string, or a number as text. A value of another type stays and is reported.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let text = text_of(self.0.get(name)?)?;
        self.0.remove(name);
        (!text.is_empty()).then_some(text)
    }

    /// Removes a boolean, in any notation of YAML.
    pub(crate) fn switch(&mut self, name: &str) -> Option<bool> {
        let switch = match self.0.get(name)? {
            Value::Bool(switch) => *switch,
            Value::Number(number) => match number.as_u64()? {
                0 => false,
                1 => true,
                _ => return None,
            },
            Value::String(text) => match text.to_ascii_lowercase().as_str() {
                "y" | "yes" | "on" | "true" => true,
                "n" | "no" | "off" | "false" => false,
                _ => return None,
            },
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        self.0.remove(name);
        Some(switch)
    }

    pub(crate) fn number(&mut self, name: &str) -> Option<f64> {
        let number = match self.0.get(name)? {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => text.trim().parse().ok()?,
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        self.0.remove(name);
        number.is_finite().then_some(number)
    }

    /// Removes a duration in the notation of Go, or a number in the unit `bare`. An invalid value stays and is reported.
    pub(crate) fn duration(&mut self, name: &str, bare: Duration) -> Option<Duration> {
        let length = match self.0.get(name)? {
            Value::String(text) => duration(text, bare)?,
            Value::Number(number) => scaled(bare, number.as_f64()?)?,
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        self.0.remove(name);
        Some(length)
    }

    /// Removes a boolean that is false, which is its default.
    pub(crate) fn ignore_if_off(&mut self, name: &str) {
        let is_off = match self.0.get(name) {
            Some(Value::Number(number)) => number.as_u64() == Some(0),
            value => value == Some(&Value::Bool(false)),
        };
        if is_off {
            self.0.remove(name);
        }
    }

    /// Removes a number that is 0, which is its default.
    pub(crate) fn ignore_if_zero(&mut self, name: &str) {
        if self.0.get(name).and_then(Value::as_f64) == Some(0.0) {
            self.0.remove(name);
        }
    }

    pub(crate) fn list(&mut self, name: &str) -> Vec<Value> {
        match self.0.remove(name) {
            Some(Value::Array(values)) => values,
            Some(other) => {
                self.0.insert(name.to_owned(), other);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// Removes a list of strings, or a single string. A list with other values stays and is reported.
    pub(crate) fn texts(&mut self, name: &str) -> Vec<String> {
        let texts: Option<Vec<_>> = match self.0.get(name) {
            Some(Value::Array(values)) => values.iter().map(text_of).collect(),
            Some(Value::String(text)) => Some(vec![text.clone()]),
            _ => None,
        };
        if texts.is_some() {
            self.0.remove(name);
        }
        texts.unwrap_or_default()
    }

    /// Removes a list of maps. A list with other values stays and is reported.
    pub(crate) fn maps(&mut self, name: &str) -> Vec<Self> {
        let all_maps =
            matches!(self.0.get(name), Some(Value::Array(values)) if values.iter().all(Value::is_object));
        if all_maps {
            self.list(name).into_iter().filter_map(Self::from_value).collect()
        } else {
            Vec::new()
        }
    }

    pub(crate) fn map(&mut self, name: &str) -> Option<Self> {
        self.0.get(name)?.as_object()?;
        self.0.remove(name).and_then(Self::from_value)
    }

    /// All fields with their values.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = (String, Value)> {
        self.0.into_iter()
    }

    /// The names of the fields.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Adds the fields that this map does not have.
    pub(crate) fn fill(&mut self, defaults: &Self) {
        for (name, value) in &defaults.0 {
            if !self.0.get(name).is_some_and(has_content) {
                self.0.insert(name.clone(), value.clone());
            }
        }
    }

    /// Adds a note for each remaining field, with `prefix`, except for null and empty values.
    pub(crate) fn note_unused(self, item: &str, prefix: &str, known: &[UnusedKey], notes: &mut Vec<Note>) {
        for (name, value) in self.0 {
            if !has_content(&value) {
                continue;
            }
            let found = known.iter().find(|(known, _, _)| *known == name);
            let (kind, reason) = match found {
                Some((_, kind, reason)) => (*kind, *reason),
                None if has_placeholder(&value) => (NoteKind::Lost, PLACEHOLDER),
                None => (NoteKind::Lost, UNKNOWN),
            };
            notes.push(Note::new(kind, item, &format!("{prefix}{name}"), reason));
        }
    }
}

pub(crate) fn has_content(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// A string, or a number as text.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
