//! Compares the HCL that reads destinations with the Rust code: both must report the same invalid fields.

use std::collections::BTreeSet;
use std::fs;

use portpulse_core::definition::NetworkAccess;
use portpulse_infra_tests::terraform::Terraform;
use portpulse_relay::Config;
use serde_json::json;

use crate::{copy, repository, scratch};

/// Destinations that break every rule, and some valid ones.
const DESTINATIONS: &str = include_str!("../../../relay/tests/destinations.json");

/// The place of a diagnostic: a destination and its field, without the index in a list.
fn place(diagnostic: &str) -> String {
    diagnostic.split('.').take(3).collect::<Vec<_>>().join(".")
}

#[test]
#[ignore = "needs Terraform: .ci/infra runs it"]
fn terraform_and_rust_reject_same_destination_fields() {
    let directory = scratch("destinations");
    fs::write(directory.join("destinations.yaml"), DESTINATIONS).unwrap();
    // A module must not refer to a module outside of its package: use a copy.
    copy(&repository().join("infra"), &directory.join("infra"));
    let main = r#"
        module "destinations" {
          source       = "./infra/modules/destinations"
          destinations = file("destinations.yaml")
        }
        output "diagnostics" { value = module.destinations.diagnostics }
    "#;
    fs::write(directory.join("main.tf"), main).unwrap();
    let terraform = Terraform::init(&directory, Vec::new()).unwrap();
    terraform.apply(&json!({})).unwrap();
    let output = terraform.output("diagnostics").unwrap();
    let diagnostics: Vec<_> = output
        .as_array()
        .unwrap()
        .iter()
        .map(|diagnostic| diagnostic.as_str().unwrap())
        .collect();
    assert!(!diagnostics.join("").contains("hush"), "{diagnostics:#?}");
    // `place: what (help)`
    let terraform: BTreeSet<_> = diagnostics
        .iter()
        .map(|diagnostic| place(diagnostic.split(": ").next().unwrap()))
        .collect();

    let destinations = serde_json::from_str(DESTINATIONS).unwrap();
    let diagnostics = Config::validate(&destinations, NetworkAccess::PlainLambda).unwrap_err();
    let rust: BTreeSet<_> = diagnostics
        .iter()
        .map(|diagnostic| place(&diagnostic.at.to_string()))
        .collect();
    assert_eq!(terraform, rust);
}
