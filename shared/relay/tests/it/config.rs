//! What a configuration may say, and what is said of one that cannot be used.

use portpulse_core::definition::NetworkAccess;
use portpulse_relay::Config;
use serde_json::{Value, json};

fn faults(written: &Value, network_access: NetworkAccess) -> Vec<String> {
    let faults = Config::validate(written, network_access)
        .err()
        .unwrap_or_default();
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn everything_that_is_wrong_is_named_at_once() {
    let written = json!({
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
    let faults = faults(&written, NetworkAccess::PlainLambda);
    assert!(!faults.join("").contains("hush"), "{faults:#?}");
    insta::assert_snapshot!("faults", faults.join("\n"));
}

#[test]
fn the_documented_configuration_is_one() {
    let written = json!({
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
    let config = Config::validate(&written, NetworkAccess::PlainLambda).unwrap();
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
fn nobody_to_tell_is_a_configuration_too() {
    for written in [
        json!({}),
        json!({ "destinations": null }),
        json!({ "destinations": {} }),
    ] {
        assert_eq!(faults(&written, NetworkAccess::PlainLambda), [""; 0]);
    }
    assert_eq!(faults(&json!([]), NetworkAccess::PlainLambda).len(), 1);
}

#[test]
fn secrets_of_this_machine_are_for_this_machine() {
    let written = json!({ "destinations": { "it": { "kind": "slack", "url": "file:/run/secrets/slack" } } });
    assert_eq!(faults(&written, NetworkAccess::OwnNetwork), [""; 0]);
    assert_eq!(faults(&written, NetworkAccess::PlainLambda).len(), 1);
}
