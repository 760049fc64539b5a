//! Checks requests against the documentation of each service: fields, sizes, and escaped text.

mod chats;
mod pagers;

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{HeaderMap, Method};
use serde_json::Value;

/// A request as a service receives it.
pub(crate) struct Received<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a str,
}

/// Why a service would refuse a request.
pub(crate) type Refusal = String;

/// Checks a request. Returns the status of the answer if the service accepts the request.
pub(crate) fn check(kind: &str, received: &Received<'_>) -> Result<u16, Refusal> {
    let content_type = received.headers.get("content-type").map(|kind| kind.as_bytes());
    ensure(content_type == Some(b"application/json"), || {
        "the content type".to_owned()
    })?;
    let changes_alert = kind == "opsgenie" && received.path.contains("/priority?");
    let method = if changes_alert { Method::PUT } else { Method::POST };
    ensure(received.method == method, || received.method.to_string())?;
    let body: Value = serde_json::from_str(received.body).map_err(|error| error.to_string())?;
    check_characters(&body)?;
    match kind {
        "slack" => chats::slack(received, &body),
        "discord" => chats::discord(received, &body),
        "teams" => chats::teams(received, &body),
        "google_chat" => chats::google_chat(received, &body),
        "telegram" => chats::telegram(received, &body),
        "ntfy" => pagers::ntfy(received, &body),
        "pagerduty" => pagers::pagerduty(received, &body),
        "opsgenie" => pagers::opsgenie(received, &body),
        "webhook" => pagers::webhook(received, &body),
        other => Err(format!("unknown service `{other}`")),
    }
}

/// Updates the open alerts of a pager after an accepted request.
pub(crate) fn update_alerts(kind: &str, received: &Received<'_>, alerts: &mut BTreeMap<String, String>) {
    let body: Value = serde_json::from_str(received.body).unwrap_or_default();
    match kind {
        "pagerduty" => pagers::update_pagerduty(&body, alerts),
        "opsgenie" => pagers::update_opsgenie(received, &body, alerts),
        _ => {}
    }
}

fn ensure(holds: bool, why: impl FnOnce() -> Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(why()) }
}

/// Checks the fields of an object: all of `required`, and no others except `optional`.
fn fields(value: &Value, required: &[&str], optional: &[&str]) -> Result<(), Refusal> {
    let object = value
        .as_object()
        .ok_or_else(|| format!("{value} is not an object"))?;
    let names: BTreeSet<_> = object.keys().map(String::as_str).collect();
    for name in required {
        ensure(names.contains(name), || format!("`{name}` is missing in {value}"))?;
    }
    for name in names {
        let known = required.contains(&name) || optional.contains(&name);
        ensure(known, || format!("unknown field `{name}` in {value}"))?;
    }
    Ok(())
}

/// A string of 1 to `max` UTF-16 code units.
fn text(value: &Value, max: usize) -> Result<&str, Refusal> {
    let text = value.as_str().ok_or_else(|| format!("{value} is not a string"))?;
    let length = text.encode_utf16().count();
    ensure((1..=max).contains(&length), || {
        format!("{length} characters instead of 1 to {max}: {text}")
    })?;
    Ok(text)
}

fn list(value: &Value, max: usize) -> Result<&[Value], Refusal> {
    let list = value.as_array().ok_or_else(|| format!("{value} is not a list"))?;
    ensure(list.len() <= max, || {
        format!("{} entries, at most {max}", list.len())
    })?;
    Ok(list)
}

fn link(value: &Value) -> Result<(), Refusal> {
    let link = text(value, 500)?;
    let opens = link.starts_with("https://") || link.starts_with("http://");
    let breaks = |c: char| !c.is_ascii_graphic() || matches!(c, '<' | '>' | '"' | '|');
    ensure(opens && !link.contains(breaks), || format!("not a link: {link}"))
}

fn is(value: &Value, expected: &str) -> Result<(), Refusal> {
    ensure(value == expected, || format!("{value} instead of {expected}"))
}

/// Checks HTML: only these tags are allowed, and `<`, `>`, `"` and `&` are escaped otherwise. Returns the text without
/// tags.
fn html(text: &str, tags: &[&str]) -> Result<String, Refusal> {
    let mut rest = text.to_owned();
    for tag in tags {
        rest = rest.replace(tag, "");
    }
    for reference in ["&amp;", "&lt;", "&gt;", "&quot;"] {
        rest = rest.replace(reference, "_");
    }
    ensure(!rest.contains(['<', '>', '&', '"']), || {
        format!("markup in {text}")
    })?;
    Ok(rest)
}

/// No text contains control or bidirectional characters, except line breaks.
fn check_characters(value: &Value) -> Result<(), Refusal> {
    match value {
        Value::String(text) => {
            let stray = |c: char| {
                (c.is_control() && c != '\n')
                    || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            };
            ensure(!text.contains(stray), || format!("stray characters in {text:?}"))
        }
        Value::Array(items) => items.iter().try_for_each(check_characters),
        Value::Object(fields) => fields.values().try_for_each(check_characters),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}
