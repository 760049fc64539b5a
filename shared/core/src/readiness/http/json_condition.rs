//! Conditions on values in the JSON body of an HTTP response.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;

use super::json_path::JsonPath;
use super::pattern::{InvalidPattern, Pattern};
use crate::choice::choice;
use crate::text::excerpt;

/// The maximum length of a value in a message, in bytes.
const MAX_SHOWN_BYTES: usize = 60;

choice! {
    /// How a value in the body is compared.
    Operator {
        /// The value is equal. Values of different types are compared as text.
        Equal = "==",
        /// The value differs.
        NotEqual = "!=",
        /// The value is a smaller number.
        Less = "<",
        /// The value is a number that is not greater.
        AtMost = "<=",
        /// The value is a greater number.
        Greater = ">",
        /// The value is a number that is not smaller.
        AtLeast = ">=",
        /// The value is a text that contains the other, or a list that has it as an entry.
        Contains = "contains",
        /// The value is a text that matches a pattern.
        Matches = "matches",
        /// The path selects a value.
        Exists = "exists",
        /// The path selects no value.
        Absent = "absent",
    }
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The value itself.
    Value,
    /// The number of characters, entries or fields.
    Length,
}

/// A condition on a value of a JSON body. It must hold for each value that the path selects, and the path must select one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonCondition {
    path: JsonPath,
    measure: Measure,
    comparison: Comparison,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Comparison {
    Exists,
    Absent,
    Matches(Pattern),
    Value(Operator, Value),
}

/// An invalid combination of operator and value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCondition {
    /// The operator compares with a value, which is missing.
    #[error("`{0}` requires a value")]
    MissingValue(Operator),
    /// The operator has no value.
    #[error("`{0}` has no value")]
    SurplusValue(Operator),
    /// The operator compares numbers.
    #[error("`{0}` requires a number")]
    NotANumber(Operator),
    /// The value is not a pattern.
    #[error(transparent)]
    Pattern(#[from] InvalidPattern),
}

impl JsonCondition {
    /// Creates a condition.
    ///
    /// # Errors
    /// If the operator cannot be combined with the value.
    pub fn new(
        path: JsonPath,
        measure: Measure,
        operator: Operator,
        value: Option<Value>,
    ) -> Result<Self, InvalidCondition> {
        let comparison = match (operator, value) {
            (Operator::Exists, None) => Comparison::Exists,
            (Operator::Absent, None) => Comparison::Absent,
            (Operator::Exists | Operator::Absent, Some(_)) => {
                return Err(InvalidCondition::SurplusValue(operator));
            }
            (_, None) => return Err(InvalidCondition::MissingValue(operator)),
            (Operator::Matches, Some(value)) => Comparison::Matches(text_of(&value).parse()?),
            (Operator::Less | Operator::AtMost | Operator::Greater | Operator::AtLeast, Some(value))
                if number(&value).is_none() =>
            {
                return Err(InvalidCondition::NotANumber(operator));
            }
            (_, Some(value)) => Comparison::Value(operator, value),
        };
        Ok(Self {
            path,
            measure,
            comparison,
        })
    }

    /// Checks a body.
    ///
    /// # Errors
    /// What differs, such as ``$.status is `down`, not == `up` ``.
    pub fn check(&self, body: &Value) -> Result<(), String> {
        let selected = self.path.select(body);
        let path = self.path.as_str();
        match (&self.comparison, selected.as_slice()) {
            (Comparison::Absent, []) => Ok(()),
            (Comparison::Absent, [found, ..]) => {
                Err(format!("{path} is {}, and must be absent", shown(found)))
            }
            (Comparison::Exists | Comparison::Matches(_) | Comparison::Value(..), []) => {
                Err(format!("{path} selects nothing"))
            }
            (Comparison::Exists, [_, ..]) => Ok(()),
            (Comparison::Matches(_) | Comparison::Value(..), [_, ..]) => {
                let failing = selected.into_iter().find_map(|value| self.difference(value));
                failing.map_or(Ok(()), Err)
            }
        }
    }

    /// What differs about one selected value.
    fn difference(&self, value: &Value) -> Option<String> {
        let path = self.path.as_str();
        let length;
        let (name, value) = match self.measure {
            Measure::Value => (path.to_owned(), value),
            Measure::Length => {
                let Some(count) = length_of(value) else {
                    return Some(format!("{path} is {}, which has no length", shown(value)));
                };
                length = Value::from(count);
                (format!("the length of {path}"), &length)
            }
        };
        match &self.comparison {
            Comparison::Exists | Comparison::Absent => None,
            Comparison::Matches(pattern) => (!pattern.is_match(&text_of(value)))
                .then(|| format!("{name} is {}, which does not match", shown(value))),
            Comparison::Value(operator, expected) => (!holds(*operator, value, expected))
                .then(|| format!("{name} is {}, not {operator} {}", shown(value), shown(expected))),
        }
    }
}

impl fmt::Display for JsonCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.as_str();
        match self.measure {
            Measure::Value => write!(f, "{path}")?,
            Measure::Length => write!(f, "length of {path}")?,
        }
        match &self.comparison {
            Comparison::Exists => f.write_str(" exists"),
            Comparison::Absent => f.write_str(" absent"),
            Comparison::Matches(pattern) => write!(f, " matches `{}`", pattern.as_str()),
            Comparison::Value(operator, value) => write!(f, " {operator} {}", shown(value)),
        }
    }
}

fn holds(operator: Operator, found: &Value, expected: &Value) -> bool {
    let compared = || number(found)?.partial_cmp(&number(expected)?);
    match operator {
        Operator::Equal => is_equal(found, expected),
        Operator::NotEqual => !is_equal(found, expected),
        Operator::Less => compared() == Some(Ordering::Less),
        Operator::AtMost => compared().is_some_and(Ordering::is_le),
        Operator::Greater => compared() == Some(Ordering::Greater),
        Operator::AtLeast => compared().is_some_and(Ordering::is_ge),
        Operator::Contains => match found {
            Value::Array(entries) => entries.iter().any(|entry| is_equal(entry, expected)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                text_of(found).contains(&text_of(expected))
            }
        },
        // Compared without a value.
        Operator::Matches | Operator::Exists | Operator::Absent => false,
    }
}

/// Numbers are equal by value, and values of different types if their texts are equal: a file may quote a number.
fn is_equal(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(_), Value::Number(_)) => number(found) == number(expected),
        _ => found == expected || text_of(found) == text_of(expected),
    }
}

/// A number, or a text that is one.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

fn length_of(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.chars().count()),
        Value::Array(entries) => Some(entries.len()),
        Value::Object(fields) => Some(fields.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn shown(value: &Value) -> String {
    format!("`{}`", excerpt(&text_of(value), MAX_SHOWN_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn condition(path: &str, measure: Measure, operator: &str, value: Option<Value>) -> JsonCondition {
        let (path, operator) = (path.parse().unwrap(), operator.parse().unwrap());
        JsonCondition::new(path, measure, operator, value).unwrap()
    }

    #[test]
    fn condition_compares_each_selected_value() {
        let body = json!({
            "status": "up", "count": 5, "text": "5", "on": true, "none": null,
            "items": [{ "n": 1 }, { "n": 2 }], "tags": ["a", "b"],
        });
        let rows = [
            ("$.status", "==", json!("up"), ""),
            ("$.status", "==", json!("down"), "$.status is `up`, not == `down`"),
            ("$.status", "!=", json!("up"), "$.status is `up`, not != `up`"),
            ("$.count", "==", json!(5.0), ""),
            ("$.count", "==", json!("5"), ""),
            ("$.text", ">=", json!(5), ""),
            ("$.on", "==", json!(true), ""),
            ("$.none", "==", json!("null"), ""),
            ("$.count", "<", json!(5), "$.count is `5`, not < `5`"),
            ("$.count", "<=", json!(5), ""),
            ("$.count", ">", json!("4"), ""),
            ("$.status", ">", json!(1), "$.status is `up`, not > `1`"),
            ("$.items[*].n", "<", json!(3), ""),
            ("$.items[*].n", "<", json!(2), "$.items[*].n is `2`, not < `2`"),
            ("$.tags", "contains", json!("b"), ""),
            (
                "$.tags",
                "contains",
                json!("c"),
                "$.tags is `[\"a\",\"b\"]`, not contains `c`",
            ),
            ("$.status", "contains", json!("u"), ""),
            ("$.status", "matches", json!("^u.$"), ""),
            (
                "$.status",
                "matches",
                json!("^d"),
                "$.status is `up`, which does not match",
            ),
            ("$.gone", "==", json!(1), "$.gone selects nothing"),
        ];
        for (path, operator, value, expected) in rows {
            let condition = condition(path, Measure::Value, operator, Some(value));
            let found = condition.check(&body).err().unwrap_or_default();
            assert_eq!(found, expected, "{condition}");
        }
        for (path, operator, value, expected) in [
            ("$.items", "==", 2, ""),
            ("$.status", "==", 2, ""),
            ("$.tags", ">", 2, "the length of $.tags is `2`, not > `2`"),
            ("$.count", ">", 0, "$.count is `5`, which has no length"),
        ] {
            let condition = condition(path, Measure::Length, operator, Some(json!(value)));
            let found = condition.check(&body).err().unwrap_or_default();
            assert_eq!(found, expected, "{condition}");
        }
        for (path, operator, expected) in [
            ("$.none", "exists", ""),
            ("$.gone", "exists", "$.gone selects nothing"),
            ("$.gone", "absent", ""),
            ("$.on", "absent", "$.on is `true`, and must be absent"),
        ] {
            let condition = condition(path, Measure::Value, operator, None);
            assert_eq!(
                condition.check(&body).err().unwrap_or_default(),
                expected,
                "{condition}"
            );
        }
    }

    #[test]
    fn operator_and_value_must_fit() {
        let new = |operator: &str, value| {
            let operator = operator.parse().unwrap();
            let made = JsonCondition::new("$".parse().unwrap(), Measure::Value, operator, value);
            made.err().map(|error| error.to_string())
        };
        assert_eq!(new("==", None).as_deref(), Some("`==` requires a value"));
        assert_eq!(
            new("exists", Some(json!(1))).as_deref(),
            Some("`exists` has no value")
        );
        assert_eq!(
            new(">", Some(json!("x"))).as_deref(),
            Some("`>` requires a number")
        );
        assert!(new("matches", Some(json!("("))).is_some());
        assert!("status".parse::<JsonPath>().is_err());
    }
}
