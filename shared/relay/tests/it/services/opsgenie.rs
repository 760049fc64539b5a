//! Opsgenie: Alert API.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Received, Refusal, StandIn, ensure, fields, list, text};

pub(super) const STAND_IN: StandIn = StandIn {
    kind: "opsgenie",
    settings: |server| json!({ "key": "ssm:/opsgenie", "server": server }),
    secrets: |_| vec![("ssm:/opsgenie", "secret-key".to_owned())],
    check,
    update_alerts,
};

fn check(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
    let key = received.headers.get("authorization").map(|key| key.as_bytes());
    ensure(key == Some(b"GenieKey secret-key"), || "401".to_owned())?;
    let no_markup = |text: &str| ensure(!text.contains(['<', '>']), || format!("markup in {text}"));
    if received.path != "/v2/alerts" {
        let (alias, action) = action_of(received.path).ok_or_else(|| received.path.to_owned())?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~' | '%');
        ensure(!alias.is_empty() && alias.chars().all(plain), || alias.to_owned())?;
        match action {
            "close" => {
                fields(body, &[], &["user", "source", "note"])?;
                no_markup(text(&body["note"], 25_000)?)?;
            }
            "priority" => {
                fields(body, &["priority"], &[])?;
                is_priority(&body["priority"])?;
            }
            other => return Err(other.to_owned()),
        }
        return Ok(202);
    }
    let more = [
        "description",
        "tags",
        "details",
        "entity",
        "source",
        "priority",
        "note",
        "user",
    ];
    fields(body, &["message", "alias"], &more)?;
    no_markup(text(&body["message"], 130)?)?;
    text(&body["alias"], 512)?;
    no_markup(text(&body["description"], 15_000)?)?;
    for tag in list(&body["tags"], 20)? {
        no_markup(text(tag, 50)?)?;
    }
    let details = body["details"].as_object().ok_or("the details")?;
    let size: usize = details
        .iter()
        .map(|(name, value)| name.len() + value.as_str().map_or(9_000, str::len))
        .sum();
    ensure(size <= 8_000, || format!("{size} characters of details"))?;
    text(&body["entity"], 512)?;
    text(&body["source"], 100)?;
    is_priority(&body["priority"])?;
    Ok(202)
}

fn is_priority(value: &Value) -> Result<(), Refusal> {
    let priorities = ["P1", "P2", "P3", "P4", "P5"];
    ensure(priorities.iter().any(|each| value == each), || {
        "the priority".to_owned()
    })
}

/// The alias and the action of a request about an existing alert.
fn action_of(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_prefix("/v2/alerts/")?;
    path.strip_suffix("?identifierType=alias")?.split_once('/')
}

/// Posting an alert opens it with its priority; posting an open alert again does not change its priority.
fn update_alerts(received: &Received<'_>, body: &Value, alerts: &mut BTreeMap<String, String>) {
    let text_of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let Some((alias, action)) = action_of(received.path) else {
        alerts
            .entry(text_of(&body["alias"]))
            .or_insert_with(|| text_of(&body["priority"]));
        return;
    };
    let alias = alias.replace("%40", "@").replace("%3A", ":").replace("%2F", "/");
    if action == "close" {
        alerts.remove(&alias);
    } else if let Some(priority) = alerts.get_mut(&alias) {
        *priority = text_of(&body["priority"]);
    }
}
