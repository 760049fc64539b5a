//! What each service documents of the requests that it takes, enforced: fields, sizes, and text that means only itself.

mod chats;
mod pagers;

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{HeaderMap, Method};
use serde_json::Value;

/// A request as a service sees it.
pub(crate) struct Received<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a str,
}

/// Why a service would refuse a request.
pub(crate) type Refusal = String;

/// Whether the service of this kind takes the request; if it does, the status of its answer.
pub(crate) fn takes(kind: &str, received: &Received<'_>) -> Result<u16, Refusal> {
    let ensure_json = received.headers.get("content-type").map(|kind| kind.as_bytes());
    ensure(ensure_json == Some(b"application/json"), || {
        "the content type".to_owned()
    })?;
    let may_change = kind == "opsgenie" && received.path.contains("/priority?");
    let method = if may_change { Method::PUT } else { Method::POST };
    ensure(received.method == method, || received.method.to_string())?;
    let body: Value = serde_json::from_str(received.body).map_err(|error| error.to_string())?;
    no_stray_characters(&body)?;
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
        other => Err(format!("no service `{other}`")),
    }
}

/// What becomes of a pager's open alerts by a request that it has taken.
pub(crate) fn keep(kind: &str, received: &Received<'_>, alerts: &mut BTreeMap<String, String>) {
    let body: Value = serde_json::from_str(received.body).unwrap_or_default();
    match kind {
        "pagerduty" => pagers::keep_at_pagerduty(&body, alerts),
        "opsgenie" => pagers::keep_at_opsgenie(received, &body, alerts),
        _ => {}
    }
}

fn ensure(holds: bool, why: impl FnOnce() -> Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(why()) }
}

/// The fields of an object: all of `needed`, none beyond those and `more`.
fn fields(value: &Value, needed: &[&str], more: &[&str]) -> Result<(), Refusal> {
    let object = value.as_object().ok_or_else(|| format!("{value} is no object"))?;
    let names: BTreeSet<_> = object.keys().map(String::as_str).collect();
    for name in needed {
        ensure(names.contains(name), || format!("`{name}` is missing in {value}"))?;
    }
    for name in names {
        let known = needed.contains(&name) || more.contains(&name);
        ensure(known, || format!("`{name}` is not known in {value}"))?;
    }
    Ok(())
}

/// A text of 1 to `most` characters (of UTF-16).
fn text(value: &Value, most: usize) -> Result<&str, Refusal> {
    let text = value.as_str().ok_or_else(|| format!("{value} is no text"))?;
    let length = text.encode_utf16().count();
    ensure((1..=most).contains(&length), || {
        format!("{length} characters, where 1 to {most} may stand: {text}")
    })?;
    Ok(text)
}

fn list(value: &Value, most: usize) -> Result<&[Value], Refusal> {
    let list = value.as_array().ok_or_else(|| format!("{value} is no list"))?;
    ensure(list.len() <= most, || {
        format!("{} entries, at most {most}", list.len())
    })?;
    Ok(list)
}

fn link(value: &Value) -> Result<(), Refusal> {
    let link = text(value, 500)?;
    let opens = link.starts_with("https://") || link.starts_with("http://");
    let breaks = |c: char| !c.is_ascii_graphic() || matches!(c, '<' | '>' | '"' | '|');
    ensure(opens && !link.contains(breaks), || format!("no link: {link}"))
}

fn is(value: &Value, wanted: &str) -> Result<(), Refusal> {
    ensure(value == wanted, || format!("{value} instead of {wanted}"))
}

/// HTML with these tags, each other `<`, `>`, `"` and `&` as a reference. Gives what is not within a tag's brackets.
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

/// No text, anywhere, moves the cursor or the reading direction; only a line break may.
fn no_stray_characters(value: &Value) -> Result<(), Refusal> {
    match value {
        Value::String(text) => {
            let stray = |c: char| {
                (c.is_control() && c != '\n')
                    || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            };
            ensure(!text.contains(stray), || format!("stray characters in {text:?}"))
        }
        Value::Array(items) => items.iter().try_for_each(no_stray_characters),
        Value::Object(fields) => fields.values().try_for_each(no_stray_characters),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}
