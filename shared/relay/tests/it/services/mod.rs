//! Stand-ins for the services: each checks requests against its documentation (fields, sizes, escaped text), whose sources
//! `src/destination` lists. A new service is a file in this folder and a line in `STAND_INS`.

mod discord;
mod google_chat;
mod mattermost;
mod ntfy;
mod opsgenie;
mod pagerduty;
mod slack;
mod teams;
mod telegram;
mod webhook;

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

/// A stand-in for a service.
pub(crate) struct StandIn {
    pub(crate) kind: &'static str,
    /// The settings of a destination, for the URL of the server.
    pub(crate) settings: fn(server: &str) -> Value,
    /// The secrets with their names, for the URL of the server.
    pub(crate) secrets: fn(server: &str) -> Vec<(&'static str, String)>,
    /// Checks the path, the headers and the body of a request. Returns the status of the answer.
    check: fn(&Received<'_>, &Value) -> Result<u16, Refusal>,
    /// Updates the open alerts of a pager, with their severities, after an accepted request.
    update_alerts: fn(&Received<'_>, &Value, &mut Alerts),
}

/// The open alerts of a pager, with their severity or priority.
pub(crate) type Alerts = BTreeMap<String, String>;

const STAND_INS: [StandIn; 10] = [
    slack::STAND_IN,
    discord::STAND_IN,
    teams::STAND_IN,
    google_chat::STAND_IN,
    mattermost::STAND_IN,
    telegram::STAND_IN,
    ntfy::STAND_IN,
    pagerduty::STAND_IN,
    opsgenie::STAND_IN,
    webhook::STAND_IN,
];

/// The kinds of destinations, each with a stand-in.
pub(crate) fn kinds() -> Vec<&'static str> {
    let kinds = STAND_INS.map(|stand_in| stand_in.kind).to_vec();
    assert_eq!(kinds, portpulse_relay::Destination::kinds());
    kinds
}

pub(crate) fn stand_in(kind: &str) -> StandIn {
    let found = STAND_INS.into_iter().find(|stand_in| stand_in.kind == kind);
    found.unwrap()
}

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
    (stand_in(kind).check)(received, &body)
}

/// Updates the open alerts of a pager after an accepted request.
pub(crate) fn update_alerts(kind: &str, received: &Received<'_>, alerts: &mut Alerts) {
    let body: Value = serde_json::from_str(received.body).unwrap_or_default();
    (stand_in(kind).update_alerts)(received, &body, alerts);
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
