//! The schema and the documentation: committed, and true to the validation.

use portpulse_core::definition::NetworkAccess;
use portpulse_relay::{Config, documentation, schema};
use serde_json::{Value, json};

use crate::harness::destination;
use crate::services::kinds;

#[test]
fn committed_schema_and_documentation_are_current() {
    let infra = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra");
    let committed = std::fs::read_to_string(format!("{infra}/relay.schema.json")).unwrap();
    let help = "cargo run -q -p portpulse-relay --example relay_schema > infra/relay.schema.json";
    assert_eq!(committed, format!("{:#}\n", schema()), "run {help}");
    let readme = std::fs::read_to_string(format!("{infra}/README.md")).unwrap();
    let documentation = documentation();
    assert!(
        readme.contains(&documentation),
        "infra/README.md must contain:\n{documentation}"
    );
}

/// The destinations that infra-tests compare with Terraform too: those that break rules, and those called `good-…`.
const SAMPLES: &str = include_str!("../destinations.json");

#[test]
fn schema_and_validation_refuse_the_same_destinations() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let samples: Value = serde_json::from_str(SAMPLES).unwrap();
    let samples = samples["destinations"].as_object().unwrap().clone();
    let every_kind = kinds()
        .into_iter()
        .map(|kind| (format!("good-{kind}").replace('_', "-"), destination(kind, None)));
    let mut all: Vec<_> = samples.into_iter().chain(every_kind).collect();
    for timeout in [
        "0s",
        "000s",
        "030s",
        "0100ms",
        "099ms",
        "0000100ms",
        "1m",
        "0.5s",
        "1000ms",
        "29999ms",
        "9s",
    ] {
        let is_good = !["0s", "000s", "099ms", "1m", "0.5s"].contains(&timeout);
        let name = if is_good { "good-timeout" } else { "timeout" };
        all.push((
            name.to_owned(),
            json!({ "kind": "slack", "url": "ssm:/slack", "timeout": timeout }),
        ));
    }
    for (name, fields) in all {
        let file = json!({ "destinations": { &name: fields } });
        let is_valid = name.starts_with("good-");
        let validated = Config::validate(&file, NetworkAccess::PlainLambda);
        assert_eq!(validated.is_ok(), is_valid, "{file}: {validated:?}");
        assert_eq!(validator.is_valid(&file), is_valid, "{file}");
    }
}
