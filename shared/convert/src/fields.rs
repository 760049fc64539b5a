//! The keys of a map, taken one by one, so that those that nobody took can be told.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::draft::{duration, scaled};
use crate::left::{Kind, Left, tame};

const UNKNOWN: &str = "is not known here, or cannot be used as it is written";

/// What has not been taken yet of a map.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(Map<String, Value>);

/// What is known of keys that are not used: the key, how it fares, and why.
pub(crate) type Known = (&'static str, Kind, &'static str);

impl Fields {
    /// The map, or nothing where there is something else.
    pub(crate) fn of(value: Value) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self(map)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A value that says something.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(says_something)
    }

    /// A value that is text, or a number as text. One of another kind stays, and is told.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let text = text_of(self.0.get(name)?)?;
        self.0.remove(name);
        (!text.is_empty()).then_some(text)
    }

    /// A value that is true or false, in any of YAML's words.
    pub(crate) fn switch(&mut self, name: &str) -> Option<bool> {
        let switch = match self.0.get(name)? {
            Value::Bool(switch) => *switch,
            Value::Number(number) => match number.as_u64()? {
                0 => false,
                1 => true,
                _ => return None,
            },
            Value::String(word) => match word.to_ascii_lowercase().as_str() {
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

    /// A length of time, in Go's words or as a number of units; one that is none stays, and is told.
    pub(crate) fn duration(&mut self, name: &str, bare: Duration) -> Option<Duration> {
        let length = match self.0.get(name)? {
            Value::String(text) => duration(text, bare)?,
            Value::Number(number) => scaled(bare, number.as_f64()?)?,
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        self.0.remove(name);
        Some(length)
    }

    /// Forgets a switch that is off, as it is when nothing is said.
    pub(crate) fn forget_if_off(&mut self, name: &str) {
        if self.0.get(name) == Some(&Value::Bool(false)) {
            self.0.remove(name);
        }
    }

    /// Forgets a value that is 0, as it is when nothing is said.
    pub(crate) fn forget_if_zero(&mut self, name: &str) {
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

    /// A list's entries, or the one that stands alone, as texts. A list that holds something else stays, and is told.
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

    /// A list's entries as maps. A list that holds something else stays, and is told.
    pub(crate) fn maps(&mut self, name: &str) -> Vec<Self> {
        let all_maps =
            matches!(self.0.get(name), Some(Value::Array(values)) if values.iter().all(Value::is_object));
        if all_maps {
            self.list(name).into_iter().filter_map(Self::of).collect()
        } else {
            Vec::new()
        }
    }

    pub(crate) fn map(&mut self, name: &str) -> Option<Self> {
        self.0.get(name)?.as_object()?;
        self.0.remove(name).and_then(Self::of)
    }

    /// Each key with its value.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = (String, Value)> {
        self.0.into_iter()
    }

    /// Tells of everything that was not taken, under `prefix`; what is null or empty says nothing.
    pub(crate) fn rest(self, of: &str, prefix: &str, known: &[Known], left: &mut Vec<Left>) {
        for (name, value) in self.0 {
            if !says_something(&value) {
                continue;
            }
            let found = known.iter().find(|(known, _, _)| *known == name);
            let (kind, why) = found.map_or((Kind::Unknown, UNKNOWN), |(_, kind, why)| (*kind, *why));
            left.push(Left {
                kind,
                of: tame(of),
                field: tame(&format!("{prefix}{name}")),
                why: why.to_owned(),
            });
        }
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Text, or a number as text.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
