//! The JSON Schemas of `infra/`, which `infra/modules/schema` reads: their keywords and their depth.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Map, Value};

use crate::repository;

/// Keywords that say nothing about validity, or that repeat a pattern.
const ANNOTATIONS: [&str; 7] = [
    "$schema",
    "title",
    "description",
    "default",
    "examples",
    "definitions",
    "format",
];

fn read(name: &str) -> Value {
    let text = fs::read_to_string(repository().join("infra").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Adds the keywords of a schema and of the schemas in it, and returns the number of levels of a document that they describe.
fn walk(schema: &Value, keywords: &mut BTreeSet<String>) -> usize {
    let Some(schema) = schema.as_object() else {
        return 1;
    };
    keywords.extend(schema.keys().cloned());
    let values = |name: &str| {
        schema
            .get(name)
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(Map::values)
    };
    let children = values("properties")
        .chain(values("patternProperties"))
        .chain(schema.get("additionalProperties"))
        .chain(schema.get("items"));
    let below = children.map(|child| 1 + walk(child, keywords)).max();
    assert!(
        !schema.contains_key("anyOf"),
        "modules/schema supports `anyOf` only within `not`"
    );
    let alternatives = schema.get("oneOf").and_then(Value::as_array);
    let beside = alternatives
        .into_iter()
        .flatten()
        .map(|each| walk(each, keywords))
        .max();
    below.max(beside).unwrap_or(1)
}

#[test]
fn terraform_supports_keywords_and_depth_of_schemas() {
    let module = repository().join("infra/modules/schema");
    let hcl = fs::read_to_string(module.join("level/main.tf")).unwrap()
        + &fs::read_to_string(repository().join("infra/modules/definitions/main.tf")).unwrap();
    let levels = fs::read_to_string(module.join("main.tf"))
        .unwrap()
        .matches("\nmodule \"level_")
        .count();
    for name in ["monitors.schema.json", "relay.schema.json"] {
        let mut schema = read(name);
        // A rule between sections, which HCL leaves to `portpulse validate`.
        schema.as_object_mut().unwrap().remove("anyOf");
        let mut keywords = BTreeSet::new();
        let depth = walk(&schema, &mut keywords);
        assert!(
            depth > 3 && depth <= levels,
            "{name} has {depth} levels, and modules/schema has {levels}"
        );
        let unknown: Vec<_> = keywords
            .iter()
            .filter(|keyword| !ANNOTATIONS.contains(&keyword.as_str()))
            .filter(|keyword| {
                !hcl.contains(&format!(".{keyword}")) && !hcl.contains(&format!("\"{keyword}\""))
            })
            .collect();
        assert!(
            unknown.is_empty(),
            "modules/schema does not support {unknown:?} of {name}"
        );
    }
}
