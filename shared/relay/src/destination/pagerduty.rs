//! PagerDuty: alerts through the Events API v2, opened and resolved by the id of the incident.
//!
//! Source: <https://developer.pagerduty.com/docs/events-api-v2/trigger-events/> (summary 1,024 characters, `dedup_key`
//! 255, an event 512 KB).

use http::Request;
use portpulse_alert::{MAX_TEXT, headline, plain, to_json};
use portpulse_core::choice::Severity;
use portpulse_core::decide::Notification;
use portpulse_core::outbox::Stage;
use serde_json::{Value, json};

use super::{KeyedApi, Post, RequestError, token};
use crate::chat_message::{Link, entity};
use crate::destination_fields::DestinationFields;
use crate::incident_id::alert_key;
use crate::secret::{ReadSecret, SecretCache};
use crate::text_format::{TextFormat, Unit, unescaped};

const MAX_SUMMARY: usize = 1_024;

const PLAIN: TextFormat = TextFormat {
    escape: unescaped,
    unit: Unit::Characters,
};

pub(crate) fn read(fields: &mut DestinationFields<'_>) -> Option<KeyedApi> {
    let key = "the integration key of the service (Events API v2)";
    // In the service location EU: https://events.eu.pagerduty.com
    KeyedApi::read(fields, key, "https://events.pagerduty.com")
}

pub(crate) async fn request<S: ReadSecret>(
    api: &KeyedApi,
    post: &Post,
    secrets: &SecretCache<S>,
) -> Result<Request<String>, RequestError> {
    let secret = secrets.get(api.key()).await?;
    let mut body = post.body.clone();
    if let Some(body) = body.as_object_mut() {
        body.insert("routing_key".to_owned(), json!(token(api.key(), &secret)?));
    }
    super::request(&api.url(post), api.key(), &[], body.to_string())
}

pub(crate) fn post(notification: &Notification) -> Post {
    let ids = vec![notification.id.clone()];
    Post::new("/v2/enqueue", body(notification), ids)
}

fn body(notification: &Notification) -> Value {
    let dedup_key = alert_key(notification);
    if notification.kind.stage() == Stage::Ended {
        return json!({ "event_action": "resolve", "dedup_key": dedup_key });
    }
    let severity = match notification.severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let links: Vec<_> = notification
        .runbook
        .as_deref()
        .and_then(Link::new)
        .map(|link| json!({ "href": link.as_str(), "text": "Runbook" }))
        .into_iter()
        .collect();
    json!({
        "event_action": "trigger",
        "dedup_key": dedup_key,
        "client": "Portpulse",
        "links": links,
        "payload": {
            "summary": PLAIN.fit(&headline(notification), MAX_SUMMARY),
            "source": PLAIN.fit(&entity(notification), MAX_SUMMARY),
            "severity": severity,
            "timestamp": notification.at.to_string(),
            "group": notification.group.map_or_else(String::new, |group| group.to_string()),
            "class": notification.kind.as_str(),
            "custom_details": printable(to_json(notification)),
        },
    })
}

/// The JSON with sanitized texts.
fn printable(json: Value) -> Value {
    match json {
        Value::String(text) => Value::String(plain(&text, MAX_TEXT)),
        Value::Array(items) => items.into_iter().map(printable).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            Value::Object(fields.map(|(name, value)| (name, printable(value))).collect())
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    }
}
