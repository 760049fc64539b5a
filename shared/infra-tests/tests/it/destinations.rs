//! Compares the HCL that reads destinations with the Rust code: both must report the same invalid fields.

use std::collections::BTreeSet;
use std::fs;

use portpulse_core::definition::NetworkAccess;
use portpulse_infra_tests::terraform::Terraform;
use portpulse_relay::Config;
use serde_json::{Value, json};

use crate::{repository, scratch};

/// Destinations that break every rule, and some valid ones.
fn destinations() -> Value {
    let long = "x".repeat(33);
    json!({
        "relay": {},
        "destinations": {
            "Ops Chat": { "kind": "slack", "url": "ssm:/slack" },
            &long: { "kind": "slack", "url": "ssm:/slack" },
            "clear": { "kind": "slack", "url": "https://hooks.slack.com/services/hush" },
            "here": { "kind": "discord", "url": "env:DISCORD" },
            "file": { "kind": "teams", "url": "file:/run/secrets/teams" },
            "mystery": { "kind": "pigeon", "loft": "roof" },
            "nothing": null,
            "text": "slack",
            "bare": {},
            "number": { "kind": 7 },
            "empty": { "kind": "google_chat", "url": null },
            "bot": { "kind": "telegram", "token": "ssm:/bot", "chat": "my friends", "server": "http://telegram.example.com" },
            "bot-number": { "kind": "telegram", "token": "ssm:/bot", "chat": -1_001_234 },
            "pager": {
                "kind": "pagerduty", "key": "ssm:/key", "sevrities": ["critical"],
                "severities": ["loud", 7], "tags": [], "monitors": "all", "timeout": "1h",
            },
            "phone": { "kind": "ntfy", "topic": 7, "token": "hush", "timeout": "soon" },
            "eu": { "kind": "opsgenie", "key": "ssm:no-slash", "server": "https://me@api.eu.opsgenie.com" },
            "query": { "kind": "opsgenie", "key": "ssm:/key", "server": "https://api.eu.opsgenie.com/?x" },
            "hook": { "kind": "webhook", "url": "ftp://hook.example.com", "monitors": ["A"], "tags": [7] },
            "hook-clear": { "kind": "webhook", "url": "http://hook.example.com/", "key": "hush" },
            "hook-user": { "kind": "webhook", "url": "https://me:you@hook.example.com/", "key": "ssm:/hook" },
            "hook-host": { "kind": "webhook", "url": "http://127.0.0.1.example.com/", "key": "ssm:/hook" },
            "quick": { "kind": "slack", "url": "ssm:/slack", "timeout": "99ms" },
            "slow": { "kind": "slack", "url": "ssm:/slack", "timeout": "31s" },
            "slower": { "kind": "slack", "url": "ssm:/slack", "timeout": "30001ms" },
            "good-0": { "kind": "slack", "url": "ssm:/slack", "timeout": "30s", "severities": ["info"], "tags": ["env=prod"] },
            "good-1": { "kind": "telegram", "token": "secretsmanager:a/b+c", "chat": "@orders_9", "timeout": "100ms" },
            "good-2": { "kind": "ntfy", "topic": "ssm:/t", "server": "https://ntfy.example.com:8443/base/", "timeout": "30000ms" },
            "good-3": { "kind": "webhook", "url": "http://[::1]:8080/x?y=z", "key": "ssm:/hook", "monitors": ["*", "web-*", "a"] },
            "good-4": { "kind": "webhook", "url": "secretsmanager:url", "key": "ssm:/hook", "timeout": null },
            "good-5": { "kind": "opsgenie", "key": "ssm:/key", "server": "https://api.eu.opsgenie.com", "timeout": "1500ms" },
        },
    })
}

/// The place of a diagnostic: a destination and its field, without the index in a list.
fn place(diagnostic: &str) -> String {
    diagnostic.split('.').take(3).collect::<Vec<_>>().join(".")
}

#[test]
#[ignore = "needs Terraform: .ci/infra runs it"]
fn terraform_and_rust_reject_same_destination_fields() {
    let directory = scratch("destinations");
    fs::write(directory.join("destinations.yaml"), destinations().to_string()).unwrap();
    let main = format!(
        r#"
        module "destinations" {{
          source       = "{}/infra/modules/destinations"
          destinations = file("${{path.module}}/destinations.yaml")
        }}
        output "diagnostics" {{ value = module.destinations.diagnostics }}
        "#,
        repository().display()
    );
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

    let diagnostics = Config::validate(&destinations(), NetworkAccess::PlainLambda).unwrap_err();
    let rust: BTreeSet<_> = diagnostics
        .iter()
        .map(|diagnostic| place(&diagnostic.at.to_string()))
        .collect();
    assert_eq!(terraform, rust);
}
