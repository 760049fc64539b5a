//! The schema of a value.

use portpulse_core::definition::{SECRET, Shape, Subfield};
use serde_json::{Map, Value, json};

use crate::range;

/// The schema of a shape; `example` is a value in YAML.
pub(crate) fn schema_of(shape: &Shape, example: &str) -> Value {
    match shape {
        Shape::Text(text) => {
            let mut schema = Map::new();
            schema.insert("type".to_owned(), json!("string"));
            schema.insert("maxLength".to_owned(), json!(text.max));
            if let Some((first, others)) = text.patterns.split_first() {
                schema.insert("pattern".to_owned(), json!(first));
                if !others.is_empty() {
                    let others: Vec<_> = others
                        .iter()
                        .map(|pattern| json!({ "pattern": pattern }))
                        .collect();
                    schema.insert("allOf".to_owned(), json!(others));
                }
                let message = format!("write {}", text.wanted);
                schema.insert("patternErrorMessage".to_owned(), json!(message));
            }
            Value::Object(schema)
        }
        Shape::Choice(words) => json!({ "enum": words() }),
        Shape::Duration { min, max } => json!({
            "type": "string",
            "pattern": range::durations(*min, *max),
            "patternErrorMessage": format!("write {}", shape.wanted(example)),
        }),
        Shape::Number { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        // A schema cannot bound the decimals: `multipleOf` fails on the binary fractions of some validators.
        Shape::Percent => json!({
            "type": "number",
            "minimum": 0.001,
            "maximum": 99.999,
            "errorMessage": format!("write {}", shape.wanted(example)),
        }),
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::List { of, min, max } => json!({
            "type": "array",
            "minItems": min,
            "maxItems": max,
            "items": schema_of(of, example),
        }),
        Shape::Map(fields) => json!({
            "type": "object",
            "additionalProperties": false,
            "properties": properties(fields),
        }),
        Shape::OneField(fields) => json!({
            "type": "object",
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
            "properties": properties(fields),
        }),
        Shape::ByName { name, of, max } => json!({
            "type": "object",
            "maxProperties": max,
            "propertyNames": { "pattern": name.patterns.first() },
            "additionalProperties": schema_of(of, example),
        }),
        // Terraform does not show the value.
        Shape::Secret => {
            let mut schema = schema_of(&Shape::Text(SECRET), example);
            if let Some(schema) = schema.as_object_mut() {
                schema.insert("writeOnly".to_owned(), json!(true));
            }
            schema
        }
        Shape::Scalar => json!({ "type": ["string", "number", "boolean"] }),
        Shape::ById(of) => json!({ "type": "object", "additionalProperties": schema_of(of, example) }),
        Shape::Either { of, wanted } => {
            let mut schema = either(of.iter().map(|one| schema_of(one, example)));
            schema.insert("errorMessage".to_owned(), json!(format!("write {wanted}")));
            Value::Object(schema)
        }
    }
}

/// The schema of values that match one of several schemas of different types. Each keyword of a type has no effect on values of
/// other types, so that one schema has the keywords of all.
fn either(schemas: impl Iterator<Item = Value>) -> Map<String, Value> {
    let mut all = Map::new();
    let mut types = Vec::new();
    let mut words = Vec::new();
    for schema in schemas {
        let Value::Object(schema) = schema else { continue };
        for (keyword, value) in schema {
            match (keyword.as_str(), value) {
                ("type", Value::Array(several)) => types.extend(several),
                ("type", one) => types.push(one),
                ("enum", Value::Array(several)) => words.extend(several),
                ("patternErrorMessage" | "errorMessage", _) => {}
                (_, value) => drop(all.insert(keyword, value)),
            }
        }
    }
    if !words.is_empty() && types.iter().all(|one| one == "boolean") {
        words.extend([json!(true), json!(false)]);
        all.insert("enum".to_owned(), Value::Array(words));
    } else {
        // `enum` would refuse the values of the other types.
        if !words.is_empty() {
            let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
            all.insert("pattern".to_owned(), json!(format!("^({})$", words.join("|"))));
            types.push(json!("string"));
        }
        all.insert("type".to_owned(), Value::Array(types));
    }
    all
}

/// The schemas of the fields of a map.
pub(crate) fn properties(fields: &[Subfield]) -> Map<String, Value> {
    let one = |field: &Subfield| {
        let mut schema = schema_of(&field.shape, field.example);
        if let Value::Object(schema) = &mut schema {
            schema.insert("description".to_owned(), json!(format!("{}.", field.about)));
        }
        (field.name.to_owned(), schema)
    };
    fields.iter().map(one).collect()
}
