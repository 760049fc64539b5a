//! Reads a nested map of a definition.

use std::ops::RangeInclusive;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::diagnostic::{Diagnostic, FieldPath, InvalidValue};
use super::fields::nearest;
use super::values::kind_of;

/// A nested map of a definition, with its diagnostics.
pub(super) struct Section<'a> {
    pub(super) at: FieldPath,
    pub(super) fields: &'a Map<String, Value>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Section<'_> {
    pub(super) fn diagnostic(&mut self, field: &str, what: impl Into<String>, help: impl Into<String>) {
        self.diagnostics
            .push(Diagnostic::new(self.at.field(field), what, help));
    }

    /// Whether the map has the field.
    pub(super) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// Adds a diagnostic for each unknown field.
    pub(super) fn only(&mut self, known: &[&'static str]) {
        for name in self.fields.keys().filter(|name| !known.contains(&name.as_str())) {
            let help = match nearest(name, known) {
                Some(field) => format!("did you mean `{field}`?"),
                None => format!("known fields: {}", known.join(", ")),
            };
            let at = self.at.field(name);
            self.diagnostics.push(Diagnostic::new(at, "unknown field", help));
        }
    }

    /// The value of a field, if present and of the expected type.
    pub(super) fn read<'v, T>(
        &'v mut self,
        field: &str,
        wanted: &str,
        of_kind: impl FnOnce(&'v Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.fields.get(field)?;
        let read = of_kind(value);
        if read.is_none() {
            self.diagnostics.push(Diagnostic::new(
                self.at.field(field),
                format!("is {}", kind_of(value)),
                format!("write {wanted}"),
            ));
        }
        read
    }

    pub(super) fn text(&mut self, field: &str, wanted: &str) -> Option<String> {
        self.read(field, wanted, |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn choice<T: FromStr<Err: Into<InvalidValue>>>(
        &mut self,
        field: &str,
        wanted: &str,
    ) -> Option<T> {
        let word = self.text(field, wanted)?;
        match word.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.diagnostics
                    .push(Diagnostic::of(self.at.field(field), error.into()));
                None
            }
        }
    }

    /// The texts of a list; empty if any entry is invalid.
    pub(super) fn texts(&mut self, field: &str, wanted: &str) -> Vec<String> {
        let values = self.read(field, wanted, |value| value.as_array().cloned());
        let diagnostics = self.diagnostics.len();
        let at = self.at.field(field);
        let mut texts = Vec::new();
        for (index, value) in values.into_iter().flatten().enumerate() {
            match value.as_str() {
                Some(text) => texts.push(text.to_owned()),
                None => {
                    let help = "write a string, in quotes if necessary";
                    self.diagnostics.push(Diagnostic::new(
                        at.index(index),
                        format!("is {}", kind_of(&value)),
                        help,
                    ));
                }
            }
        }
        if self.diagnostics.len() > diagnostics {
            texts.clear();
        }
        texts
    }

    /// One status, or a list of them.
    pub(super) fn statuses(&mut self, field: &str) -> Vec<RangeInclusive<u16>> {
        let at = self.at.field(field);
        let one = |at: FieldPath, value: &Value| {
            status(value).ok_or_else(|| {
                let help = "write a status such as 200, a class such as 2xx, or a range such as 200-299";
                Diagnostic::new(at, "is not a status from 100 to 599", help)
            })
        };
        let read: Vec<_> = match self.fields.get(field) {
            None => Vec::new(),
            Some(Value::Array(values)) if values.is_empty() => {
                vec![Err(Diagnostic::new(
                    at,
                    "is empty, so no response can match",
                    "add a status, or remove the field",
                ))]
            }
            Some(Value::Array(values)) => {
                let values = values.iter().enumerate();
                values.map(|(index, value)| one(at.index(index), value)).collect()
            }
            Some(value) => vec![one(at, value)],
        };
        let mut statuses = Vec::new();
        for read in read {
            match read {
                Ok(status) => statuses.push(status),
                Err(diagnostic) => self.diagnostics.push(diagnostic),
            }
        }
        statuses
    }
}

/// Parses `200`, `2xx` or `200-299`.
fn status(value: &Value) -> Option<RangeInclusive<u16>> {
    let code = |text: &str| {
        let is_code = text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
        is_code.then(|| text.parse::<u16>().ok()).flatten()
    };
    let range = match value {
        Value::Number(number) => {
            let code = number.as_u64().and_then(|code| u16::try_from(code).ok())?;
            code..=code
        }
        Value::String(text) => match (text.strip_suffix("xx"), text.split_once('-')) {
            (Some(class), _) => {
                let first = code(&format!("{class}00"))?;
                first..=first + 99
            }
            (None, Some((first, last))) => code(first)?..=code(last)?,
            (None, None) => code(text).map(|code| code..=code)?,
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (*range.start() >= 100 && *range.end() <= 599 && !range.is_empty()).then_some(range)
}
