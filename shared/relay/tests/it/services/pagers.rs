//! Pagers, ntfy and webhooks. `src/destination` lists the sources.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Received, Refusal, ensure, fields, is, link, list, text};

pub(super) fn ntfy(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
    ensure(received.path == "/", || received.path.to_owned())?;
    fields(
        body,
        &["topic", "message"],
        &["title", "priority", "tags", "click"],
    )?;
    let topic = text(&body["topic"], 64)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    ensure(topic.chars().all(fits), || topic.to_owned())?;
    // Longer messages become attachments.
    let message = text(&body["message"], 4_096)?;
    ensure(message.len() <= 4_096, || format!("{} bytes", message.len()))?;
    ensure(text(&body["title"], 250)?.len() <= 250, || "the title".to_owned())?;
    let priority = body["priority"].as_u64();
    ensure(
        priority.is_some_and(|priority| (1..=5).contains(&priority)),
        || "the priority".to_owned(),
    )?;
    body.get("click").map_or(Ok(()), link)?;
    Ok(200)
}

pub(super) fn pagerduty(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
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
pub(super) fn update_pagerduty(body: &Value, alerts: &mut BTreeMap<String, String>) {
    let text_of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let key = text_of(&body["dedup_key"]);
    if body["event_action"] == "trigger" {
        alerts.insert(key, text_of(&body["payload"]["severity"]));
    } else {
        alerts.remove(&key);
    }
}

/// Posting an alert opens it with its priority; posting an open alert again does not change its priority.
pub(super) fn update_opsgenie(received: &Received<'_>, body: &Value, alerts: &mut BTreeMap<String, String>) {
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

/// The alias and the action of a request about an existing alert.
fn action_of(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_prefix("/v2/alerts/")?;
    path.strip_suffix("?identifierType=alias")?.split_once('/')
}

pub(super) fn opsgenie(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
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

pub(super) fn webhook(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
    use hmac::{Hmac, KeyInit, Mac};
    is(&body["type"], "notification")?;
    let header = |name| received.headers.get(name).and_then(|value| value.to_str().ok());
    let timestamp = header("portpulse-timestamp").ok_or("no timestamp")?;
    let signature = header("portpulse-signature").ok_or("no signature")?;
    let mut mac =
        Hmac::<sha2::Sha256>::new_from_slice(b"secret-signing-key").map_err(|error| error.to_string())?;
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(received.body.as_bytes());
    let hex: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    ensure(signature == format!("v1={hex}"), || "the signature".to_owned())?;
    Ok(200)
}
