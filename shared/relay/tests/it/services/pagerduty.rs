//! PagerDuty: Events API v2.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Received, Refusal, StandIn, ensure, fields, link, list, text};

pub(super) const STAND_IN: StandIn = StandIn {
    kind: "pagerduty",
    settings: |server| json!({ "key": "ssm:/pagerduty", "server": server }),
    secrets: |_| vec![("ssm:/pagerduty", "secret0123456789secret0123456789".to_owned())],
    check,
    update_alerts,
};

fn check(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
    ensure(received.path == "/v2/enqueue", || received.path.to_owned())?;
    ensure(received.body.len() <= 512 * 1024, || {
        format!("{} bytes", received.body.len())
    })?;
    let more = ["payload", "client", "client_url", "links", "images"];
    fields(body, &["routing_key", "event_action", "dedup_key"], &more)?;
    ensure(text(&body["routing_key"], 32)?.len() == 32, || {
        "Length of 'routing_key' is incorrect".to_owned()
    })?;
    text(&body["dedup_key"], 255)?;
    match body["event_action"].as_str() {
        Some("resolve" | "acknowledge") => {}
        Some("trigger") => {
            let payload = &body["payload"];
            let more = ["timestamp", "component", "group", "class", "custom_details"];
            fields(payload, &["summary", "source", "severity"], &more)?;
            text(&payload["summary"], 1_024)?;
            text(&payload["source"], 1_024)?;
            let severities = ["critical", "error", "warning", "info"];
            ensure(severities.iter().any(|each| payload["severity"] == *each), || {
                "the severity".to_owned()
            })?;
            let time = payload["timestamp"]
                .as_str()
                .and_then(|time| time.parse::<jiff::Timestamp>().ok());
            ensure(time.is_some(), || "the time".to_owned())?;
            for each in list(&body["links"], 10)? {
                fields(each, &["href"], &["text"])?;
                link(&each["href"])?;
            }
        }
        _ => return Err("the action".to_owned()),
    }
    Ok(202)
}

/// A trigger opens the alert of its key, or updates its severity; a resolve closes the alert.
fn update_alerts(_: &Received<'_>, body: &Value, alerts: &mut BTreeMap<String, String>) {
    let text_of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let key = text_of(&body["dedup_key"]);
    if body["event_action"] == "trigger" {
        alerts.insert(key, text_of(&body["payload"]["severity"]));
    } else {
        alerts.remove(&key);
    }
}
