//! Reads the fields of a map of JSON or YAML and collects diagnostics.

use std::ops::RangeInclusive;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::diagnostic::{Diagnostic, FieldPath, InvalidValue, kind_of};
use super::help::Help;
use super::nearest::nearest;
use crate::secret::SecretName;

/// The fields of a map, with the diagnostics so far.
pub struct MapReader<'a> {
    at: FieldPath,
    fields: &'a Map<String, Value>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> MapReader<'a> {
    /// Reads `fields`, which are at `at`.
    pub fn new(at: FieldPath, fields: &'a Map<String, Value>) -> Self {
        Self {
            at,
            fields,
            diagnostics: Vec::new(),
        }
    }

    /// The value if there are no diagnostics.
    ///
    /// # Errors
    /// All diagnostics.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Vec<Diagnostic>> {
        match value {
            Some(value) if self.diagnostics.is_empty() => Ok(value),
            _ => Err(self.diagnostics),
        }
    }

    /// The place of a field.
    pub fn place(&self, field: &str) -> FieldPath {
        self.at.field(field)
    }

    /// Adds a diagnostic for a field.
    pub fn diagnostic(&mut self, field: &str, what: impl Into<String>, help: impl Into<Help>) {
        let at = self.place(field);
        self.report(Diagnostic::new(at, what, help));
    }

    /// Adds a diagnostic.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Whether the map has the field.
    pub fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// The entries of a field that is a list.
    pub(crate) fn entries(&self, field: &str) -> Option<&'a [Value]> {
        self.fields.get(field)?.as_array().map(Vec::as_slice)
    }

    /// Adds a diagnostic for each unknown field.
    pub fn only(&mut self, known: &[&str]) {
        for name in self.fields.keys().filter(|name| !known.contains(&name.as_str())) {
            let help = match nearest(name, known.iter().copied()) {
                Some(field) => format!("did you mean `{field}`?"),
                None => format!("known fields: {}", known.join(", ")),
            };
            let at = self.at.field(name);
            self.diagnostics.push(Diagnostic::new(at, "unknown field", help));
        }
    }

    /// The value of a field, if present and of the expected type.
    pub fn read<T>(
        &mut self,
        field: &str,
        wanted: &str,
        of_kind: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.fields.get(field)?;
        let read = of_kind(value);
        if read.is_none() {
            self.diagnostic(field, format!("is {}", kind_of(value)), format!("write {wanted}"));
        }
        read
    }

    /// A text.
    pub fn text(&mut self, field: &str, wanted: &str) -> Option<&'a str> {
        self.read(field, wanted, Value::as_str)
    }

    /// A text that its type parses.
    pub(crate) fn choice<T: FromStr<Err: Into<InvalidValue>>>(
        &mut self,
        field: &str,
        wanted: &str,
    ) -> Option<T> {
        let word = self.text(field, wanted)?;
        match word.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                let diagnostic = Diagnostic::of(self.place(field), error.into());
                self.report(diagnostic);
                None
            }
        }
    }

    /// The texts of a list; empty if any entry is invalid.
    pub fn texts(&mut self, field: &str, wanted: &str) -> Vec<String> {
        let values = self.read(field, wanted, Value::as_array);
        let diagnostics = self.diagnostics.len();
        let at = self.at.field(field);
        let mut texts = Vec::new();
        for (index, value) in values.into_iter().flatten().enumerate() {
            match value.as_str() {
                Some(text) => texts.push(text.to_owned()),
                None => {
                    let help = "write a string, in quotes if necessary";
                    let what = format!("is {}", kind_of(value));
                    self.report(Diagnostic::new(at.index(index), what, help));
                }
            }
        }
        if self.diagnostics.len() > diagnostics {
            texts.clear();
        }
        texts
    }

    /// The name of a secret. The diagnostic does not contain the text, which may be the secret itself.
    pub(super) fn secret(&mut self, at: FieldPath, value: &Value) -> Option<SecretName> {
        let parsed = value.as_str().map(SecretName::parse);
        if let Some(Ok(name)) = parsed {
            return Some(name);
        }
        let help = "write the name of a secret: ssm:/path, secretsmanager:name, or on one machine env:NAME or file:/path";
        self.report(Diagnostic::new(at, "is not the name of a secret", help));
        None
    }

    /// One status, or a list of them.
    pub(crate) fn statuses(&mut self, field: &str) -> Vec<RangeInclusive<u16>> {
        let at = self.at.field(field);
        let one = |at: FieldPath, value: &Value| {
            status(value).ok_or_else(|| {
                let help = "write a status such as 200, a class such as 2xx, or a range such as 200-299";
                Diagnostic::new(at, "is not a status from 100 to 999", help)
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
                Err(diagnostic) => self.report(diagnostic),
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
    (*range.start() >= 100 && *range.end() <= 999 && !range.is_empty()).then_some(range)
}
