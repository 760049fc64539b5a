//! A monitor's definition: attributes with the names of the definitions file.

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::definition::{Diagnostic, FieldPath, Monitor};
use portpulse_core::group::GroupId;
use serde_json::{Map, Value};

use super::attributes::kind_of;
use super::owner;
use crate::definitions::{MANAGED_BY, StoredDefinition};
use crate::keys::{Key, PK, SK};
use crate::table::Item;

/// Encodes a definition.
pub(crate) fn encode(key: &Key, attributes: &Map<String, Value>) -> Item {
    let mut item: Item = attributes
        .iter()
        .map(|(name, value)| (name.clone(), attribute(value)))
        .collect();
    item.insert(PK.to_owned(), AttributeValue::S(key.pk.clone()));
    item.insert(SK.to_owned(), AttributeValue::S(key.sk.clone()));
    item
}

/// Encodes a definition with `portpulse seed` as the owner.
pub(crate) fn encode_seeded(key: &Key, attributes: &Map<String, Value>) -> Item {
    owner::mark(encode(key, attributes))
}

/// Decodes a definition without validation.
pub(crate) fn stored(item: &Item) -> StoredDefinition {
    StoredDefinition {
        owner: owner::of(item),
        attributes: attributes(item),
    }
}

/// Decodes and validates a definition.
pub(crate) fn decode(group: GroupId, id: &str, item: &Item) -> Result<Monitor, Vec<Diagnostic>> {
    let monitor = Monitor::from_attributes(id, &Value::Object(attributes(item)?))?;
    let interval = monitor.rule().interval;
    if interval != group.interval {
        let what = format!("is {interval}, but the item is in a group of {}", group.interval);
        let help = "write the item to a group of its interval, for example with `terraform apply`";
        return Err(vec![Diagnostic::new(
            FieldPath::root().field("interval"),
            what,
            help,
        )]);
    }
    Ok(monitor)
}

/// The attributes of a definition without keys and owner.
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

/// A value of JSON as an attribute.
pub(crate) fn attribute(value: &Value) -> AttributeValue {
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

/// An attribute as a value of JSON.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the SDK hides the variant of types it does not know"
)]
pub(crate) fn json(at: &FieldPath, value: &AttributeValue) -> Result<Value, Diagnostic> {
    let list = |values: &[String]| values.iter().cloned().map(Value::String).collect();
    match value {
        AttributeValue::Null(_) => Ok(Value::Null),
        AttributeValue::Bool(value) => Ok(Value::Bool(*value)),
        AttributeValue::N(digits) => number(at, digits),
        AttributeValue::S(text) => Ok(Value::String(text.clone())),
        // The AWS console offers sets, which users mistake for lists.
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
            let what = format!("has an unsupported type: {}", kind_of(value));
            Err(Diagnostic::new(at.clone(), what, "use text or a number"))
        }
    }
}

fn number(at: &FieldPath, digits: &str) -> Result<Value, Diagnostic> {
    let whole = digits.parse::<i64>().map(Value::from);
    let number = whole.or_else(|_| digits.parse::<f64>().map(Value::from));
    number.map_err(|_| Diagnostic::new(at.clone(), "is an invalid number", "use a whole number"))
}
