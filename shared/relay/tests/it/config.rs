//! Validation of configurations and its diagnostics.

use portpulse_core::definition::NetworkAccess;
use portpulse_relay::{Config, Destination};
use serde_json::{Value, json};

fn diagnostics(input: &Value, network_access: NetworkAccess) -> Vec<String> {
    let diagnostics = Config::validate(input, network_access).err().unwrap_or_default();
    diagnostics.iter().map(ToString::to_string).collect()
}

#[test]
fn all_diagnostics_are_reported_at_once() {
    let input = json!({
        "destination": {},
        "destinations": {
            "Ops Chat": { "kind": "slack", "url": "ssm:/slack" },
            "clear": { "kind": "slack", "url": "https://hooks.slack.com/services/hush" },
            "here": { "kind": "discord", "url": "env:DISCORD" },
            "mystery": { "kind": "pigeon", "loft": "roof" },
            "nothing": null,
            "bare": {},
            "bot": { "kind": "telegram", "chat": "my friends", "server": "http://telegram.example.com" },
            "pager": {
                "kind": "pagerduty", "key": "ssm:/key", "sevrities": ["critical"],
                "severities": ["loud", 7], "tags": [], "monitors": "all", "timeout": "1h",
            },
            "phone": { "kind": "ntfy", "topic": 7, "token": "hush", "timeout": "soon" },
            "hook": { "kind": "webhook", "url": "ftp://hook.example.com", "monitors": ["A"] },
        },
    });
    let diagnostics = diagnostics(&input, NetworkAccess::PlainLambda);
    assert!(!diagnostics.join("").contains("hush"), "{diagnostics:#?}");
    let shown = diagnostics
        .join("\n")
        .replace(&Destination::kinds().join(", "), "KIND");
    insta::assert_snapshot!("diagnostics", shown);
}

#[test]
fn documented_configuration_is_valid() {
    let input = json!({
        "destinations": {
            "ops-chat": {
                "kind": "slack", "url": "ssm:/portpulse/ops-chat", "severities": ["critical", "warning"],
                "tags": ["prod"], "monitors": ["orders-db", "web-*"], "timeout": "10s",
            },
            "pager": { "kind": "pagerduty", "key": "secretsmanager:pager" },
            "bot": { "kind": "telegram", "token": "ssm:/portpulse/bot", "chat": "-1001234567890" },
            "phone": { "kind": "ntfy", "topic": "ssm:/portpulse/topic" },
            "audit": { "kind": "webhook", "url": "https://audit.example.com/portpulse", "key": "ssm:/portpulse/audit" },
        },
    });
    let config = Config::validate(&input, NetworkAccess::PlainLambda).unwrap();
    let kinds: Vec<_> = config
        .destinations()
        .map(|(name, to)| format!("{name} {}", to.kind()))
        .collect();
    assert_eq!(
        kinds,
        [
            "audit webhook",
            "bot telegram",
            "ops-chat slack",
            "pager pagerduty",
            "phone ntfy"
        ]
    );
}

#[test]
fn configuration_without_destinations_is_valid() {
    for input in [
        json!({}),
        json!({ "destinations": null }),
        json!({ "destinations": {} }),
    ] {
        assert_eq!(diagnostics(&input, NetworkAccess::PlainLambda), [""; 0]);
    }
    assert_eq!(diagnostics(&json!([]), NetworkAccess::PlainLambda).len(), 1);
}

#[test]
fn local_secrets_are_refused_in_lambda() {
    let input = json!({ "destinations": { "it": { "kind": "slack", "url": "file:/run/secrets/slack" } } });
    assert_eq!(diagnostics(&input, NetworkAccess::OwnNetwork), [""; 0]);
    assert_eq!(diagnostics(&input, NetworkAccess::PlainLambda).len(), 1);
}
