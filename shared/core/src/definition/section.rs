//! A map of fields within a definition, read field by field: its values, and what is wrong with them.

use std::ops::RangeInclusive;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::fields::nearest;
use super::values::kind_of;
use super::{Fault, FieldPath, Unfit};

/// A map of fields inside a definition, and what is wrong with it.
pub(super) struct Section<'a> {
    pub(super) at: FieldPath,
    pub(super) fields: &'a Map<String, Value>,
    pub(super) faults: Vec<Fault>,
}

impl Section<'_> {
    pub(super) fn fault(&mut self, field: &str, what: impl Into<String>, mend: impl Into<String>) {
        self.faults.push(Fault::new(self.at.field(field), what, mend));
    }

    /// Whether a field is there, and says something.
    pub(super) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// Names every field that is none of these.
    pub(super) fn only(&mut self, known: &[&'static str]) {
        for name in self.fields.keys().filter(|name| !known.contains(&name.as_str())) {
            let mend = match nearest(name, known) {
                Some(field) => format!("did you mean `{field}`?"),
                None => format!("known here: {}", known.join(", ")),
            };
            let at = self.at.field(name);
            self.faults.push(Fault::new(at, "is not known here", mend));
        }
    }

    /// A field's value, if it is there and of the right kind.
    pub(super) fn read<'v, T>(
        &'v mut self,
        field: &str,
        wanted: &str,
        of_kind: impl FnOnce(&'v Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.fields.get(field)?;
        let read = of_kind(value);
        if read.is_none() {
            self.faults.push(Fault::new(
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

    pub(super) fn word<T: FromStr<Err: Into<Unfit>>>(&mut self, field: &str, wanted: &str) -> Option<T> {
        let word = self.text(field, wanted)?;
        match word.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.faults.push(Fault::of(self.at.field(field), error.into()));
                None
            }
        }
    }

    /// The texts of a list; none if one of them is none.
    pub(super) fn texts(&mut self, field: &str, wanted: &str) -> Vec<String> {
        let values = self.read(field, wanted, |value| value.as_array().cloned());
        let faults = self.faults.len();
        let at = self.at.field(field);
        let mut texts = Vec::new();
        for (index, value) in values.into_iter().flatten().enumerate() {
            match value.as_str() {
                Some(text) => texts.push(text.to_owned()),
                None => {
                    let mend = "write text, in quotes if need be";
                    self.faults.push(Fault::new(
                        at.index(index),
                        format!("is {}", kind_of(&value)),
                        mend,
                    ));
                }
            }
        }
        if self.faults.len() > faults {
            texts.clear();
        }
        texts
    }

    /// One status, or a list of them.
    pub(super) fn statuses(&mut self, field: &str) -> Vec<RangeInclusive<u16>> {
        let at = self.at.field(field);
        let one = |at: FieldPath, value: &Value| {
            status(value).ok_or_else(|| {
                let mend = "write a status such as 200, a class such as 2xx, or a range such as 200-299";
                Fault::new(at, "is no status from 100 to 599", mend)
            })
        };
        let read: Vec<_> = match self.fields.get(field) {
            None => Vec::new(),
            Some(Value::Array(values)) if values.is_empty() => {
                vec![Err(Fault::new(
                    at,
                    "is empty, so that no answer would do",
                    "name a status, or leave it out",
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
                Err(fault) => self.faults.push(fault),
            }
        }
        statuses
    }
}

/// `200`, `2xx` or `200-299`.
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
