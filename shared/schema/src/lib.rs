//! The JSON Schema of the definitions file, for completion and validation in editors, and for Terraform, which reads fields,
//! types, enumerations, patterns and bounds from it.
//!
//! Everything comes from the declarations of the core. A schema cannot express every rule: what the schema refuses is invalid,
//! but `portpulse validate` may refuse what the schema accepts.
//!
//! Annotations that validators ignore: `patternErrorMessage` says what to write, as editors show it; `x-merge` is `union` or
//! `keys` if a monitor's value is combined with the one in `defaults`, and absent if it replaces it; `x-expands` names the
//! field that an entry of the list sets, in one monitor for each entry.

mod range;
mod shape;
pub mod table;

use portpulse_core::choice::{CheckKind, Tier};
use portpulse_core::definition::{
    Field, FieldDeclaration, LOCATION, MAX_WINDOWS, MONITOR_ID, Merge, window_fields,
};
use portpulse_core::preset;
use portpulse_core::service::Service;
use serde_json::{Map, Value, json};

use shape::schema_of;

/// The schema, in draft 7, which all editors support.
pub fn definitions() -> Value {
    let fields_of = |fields: &mut dyn Iterator<Item = Field>| -> Map<String, Value> {
        fields
            .map(|field| (field.name().to_owned(), of_field(field)))
            .collect()
    };
    let is_ping =
        json!({ "required": ["check"], "properties": { "check": { "const": CheckKind::Ping.as_str() } } });
    let has_port = json!({ "anyOf": [{ "required": ["port"] }, { "required": ["service"] }, is_ping] });
    let monitor = json!({
        "type": "object",
        "additionalProperties": false,
        "oneOf": [{ "required": ["host"] }, { "required": ["hosts"] }],
        "not": { "anyOf": [
            { "required": ["port", "ports"] },
            { "required": ["script", "service"] },
        ] },
        "properties": fields_of(&mut Field::of_monitors()),
    });
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Portpulse monitors",
        "type": "object",
        "required": ["monitors"],
        "additionalProperties": false,
        // For anchors; not read.
        "patternProperties": { "^x-": {} },
        "properties": {
            "monitors": {
                "description": "The monitors: a map from ids to monitors.",
                "type": "object",
                "minProperties": 1,
                "propertyNames": { "pattern": MONITOR_ID.patterns.first() },
                "additionalProperties": monitor,
            },
            "defaults": {
                "description": "Default fields for all monitors.",
                "type": ["object", "null"],
                "additionalProperties": false,
                "properties": fields_of(&mut Field::of_defaults()),
            },
            "maintenance": {
                "description": "Maintenance windows: notifications are suppressed, checks continue.",
                "type": ["array", "null"],
                "maxItems": MAX_WINDOWS,
                "items": window(),
            },
            "agents": {
                "description": "The names of locations that are agents on your own networks, not AWS regions.",
                "type": ["array", "null"],
                "items": { "type": "string", "pattern": LOCATION.patterns.first() },
            },
        },
        // A monitor needs a port: its own, that of a service, or one in `defaults`; a ping needs none.
        "anyOf": [
            { "required": ["defaults"], "properties": { "defaults": has_port } },
            { "properties": { "monitors": { "additionalProperties": {
                "anyOf": [{ "required": ["port"] }, { "required": ["ports"] }, { "required": ["service"] }, is_ping],
            } } } },
        ],
    })
}

/// The schema of a field, with its default.
fn of_field(field: Field) -> Value {
    let FieldDeclaration {
        about,
        shape,
        examples,
        merge,
        ..
    } = field.declaration();
    let mut schema = if field == Field::Service {
        described(Service::ALL.iter().map(|service| about_service(*service)))
    } else if field == Field::Tier {
        described(Tier::ALL.iter().map(|tier| about_tier(*tier)))
    } else {
        schema_of(shape, examples.first().copied().unwrap_or_default())
    };
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_owned(), json!(format!("{about}.")));
        if let Some(value) = preset::default().get(field.name()) {
            schema.insert("default".to_owned(), value.clone());
        }
        match merge {
            Merge::Replace => {}
            Merge::Union => drop(schema.insert("x-merge".to_owned(), json!("union"))),
            Merge::Keys => drop(schema.insert("x-merge".to_owned(), json!("keys"))),
        }
        if let Some(single) = field.of_entries() {
            schema.insert("x-expands".to_owned(), json!(single.name()));
        }
    }
    schema
}

/// The schema of words with a description each.
fn described(words: impl Iterator<Item = (&'static str, String)>) -> Value {
    let one = |(word, about): (&str, String)| json!({ "const": word, "description": about });
    json!({ "oneOf": words.map(one).collect::<Vec<_>>() })
}

fn about_service(service: Service) -> (&'static str, String) {
    let about = format!("{}, port {}", service.title(), service.port());
    (service.as_str(), about)
}

fn about_tier(tier: Tier) -> (&'static str, String) {
    let sets = preset::tier(tier)
        .iter()
        .map(|(name, value)| format!("{name}: {value}"));
    let about = sets.collect::<Vec<_>>().join(", ").replace('"', "");
    (tier.as_str(), about)
}

fn window() -> Value {
    let once = ["from", "until"];
    let recurring = ["every", "for", "zone"];
    let without =
        |names: &[&str]| -> Vec<Value> { names.iter().map(|name| json!({ "required": [name] })).collect() };
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": shape::properties(window_fields()),
        "oneOf": [
            { "required": once, "not": { "anyOf": without(&recurring) } },
            { "required": ["every", "for"], "not": { "anyOf": without(&once) } },
        ],
    })
}
