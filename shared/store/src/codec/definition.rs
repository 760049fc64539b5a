//! A monitor's definition: native attributes under the names of the definitions file.

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::definition::{Diagnostic, FieldPath, Monitor};
use portpulse_core::group::GroupId;
use serde_json::{Map, Value};

use super::fields::kind_of;
use super::owner;
use crate::definitions::{MANAGED_BY, Standing};
use crate::keys::{Key, PK, SK};
use crate::table::Item;

/// The item of a definition with these attributes.
pub(crate) fn encode(key: &Key, attributes: &Map<String, Value>) -> Item {
    let mut item: Item = attributes
        .iter()
        .map(|(name, value)| (name.clone(), attribute(value)))
        .collect();
    item.insert(PK.to_owned(), AttributeValue::S(key.pk.clone()));
    item.insert(SK.to_owned(), AttributeValue::S(key.sk.clone()));
    item
}

/// The same, with the mark of `portpulse seed`.
pub(crate) fn encode_seeded(key: &Key, attributes: &Map<String, Value>) -> Item {
    owner::mark(encode(key, attributes))
}

/// A definition as it stands, whatever it says.
pub(crate) fn standing(item: &Item) -> Standing {
    Standing {
        owner: owner::of(item),
        attributes: attributes(item),
    }
}

/// Reads a definition, or every fault that it has.
pub(crate) fn decode(group: GroupId, id: &str, item: &Item) -> Result<Monitor, Vec<Diagnostic>> {
    let monitor = Monitor::from_attributes(id, &Value::Object(attributes(item)?))?;
    let interval = monitor.rule().interval;
    if interval != group.interval {
        let what = format!(
            "is {interval}, but the item stands among those of {}",
            group.interval
        );
        let help = "write it into the group of its interval; `terraform apply` does";
        return Err(vec![Diagnostic::new(
            FieldPath::root().field("interval"),
            what,
            help,
        )]);
    }
    Ok(monitor)
}

/// What a definition says, apart from where it stands and who looks after it.
fn attributes(item: &Item) -> Result<Map<String, Value>, Vec<Diagnostic>> {
    let (mut attributes, mut diagnostics) = (Map::new(), Vec::new());
    let own = item
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), PK | SK | MANAGED_BY));
    for (name, value) in own {
        match json(&FieldPath::root().field(name), value) {
            Ok(value) => {
                attributes.insert(name.clone(), value);
            }
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    if diagnostics.is_empty() {
        return Ok(attributes);
    }
    diagnostics.sort();
    Err(diagnostics)
}

fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(value) => AttributeValue::Bool(*value),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text.clone()),
        Value::Array(values) => AttributeValue::L(values.iter().map(attribute).collect()),
        Value::Object(map) => {
            let entries = map.iter().map(|(name, value)| (name.clone(), attribute(value)));
            AttributeValue::M(entries.collect())
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the SDK hides the variant of types it does not know"
)]
fn json(at: &FieldPath, value: &AttributeValue) -> Result<Value, Diagnostic> {
    let list = |values: &[String]| values.iter().cloned().map(Value::String).collect();
    match value {
        AttributeValue::Null(_) => Ok(Value::Null),
        AttributeValue::Bool(value) => Ok(Value::Bool(*value)),
        AttributeValue::N(digits) => number(at, digits),
        AttributeValue::S(text) => Ok(Value::String(text.clone())),
        // People make sets in the console where lists are meant.
        AttributeValue::Ss(texts) => Ok(Value::Array(list(texts))),
        AttributeValue::Ns(numbers) => numbers.iter().map(|digits| number(at, digits)).collect(),
        AttributeValue::L(values) => {
            let values = values.iter().enumerate();
            values
                .map(|(index, value)| json(&at.index(index), value))
                .collect()
        }
        AttributeValue::M(map) => {
            let entries = map.iter();
            let entries = entries.map(|(name, value)| Ok((name.clone(), json(&at.field(name), value)?)));
            entries.collect::<Result<_, _>>().map(Value::Object)
        }
        _ => {
            let what = format!("is {}, which does not belong here", kind_of(value));
            Err(Diagnostic::new(at.clone(), what, "write it as text or a number"))
        }
    }
}

fn number(at: &FieldPath, digits: &str) -> Result<Value, Diagnostic> {
    let whole = digits.parse::<i64>().map(Value::from);
    let number = whole.or_else(|_| digits.parse::<f64>().map(Value::from));
    number.map_err(|_| {
        Diagnostic::new(
            at.clone(),
            "is no number that can be read",
            "write a whole number",
        )
    })
}
