//! PagerDuty: alerts through the Events API v2, opened and resolved by the id of the incident.
//!
//! Source: <https://developer.pagerduty.com/docs/events-api-v2/trigger-events/> (summary 1,024 characters, `dedup_key`
//! 255, an event 512 KB).

use http::Request;
use portpulse_alert::{MAX_TEXT, headline, to_json};
use portpulse_core::choice::Severity;
use portpulse_core::decide::Notification;
use portpulse_core::outbox::Stage;
use portpulse_core::text::excerpt;
use serde_json::{Value, json};

use super::DestinationKind;
use crate::chat_message::{entity, links};
use crate::incident_id::alert_key;
use crate::request::{OutgoingRequest, RequestError, SecretValues};
use crate::setting::{Form, Setting};
use crate::settings::Settings;
use crate::text_format::{TextFormat, Unit, unescaped};

const MAX_SUMMARY: usize = 1_024;

const PLAIN: TextFormat = TextFormat {
    escape: unescaped,
    unit: Unit::Characters,
};

/// A service of PagerDuty.
pub(crate) struct PagerDuty;

impl DestinationKind for PagerDuty {
    fn name(&self) -> &'static str {
        "pagerduty"
    }

    fn title(&self) -> &'static str {
        "PagerDuty"
    }

    fn settings(&self) -> &'static [Setting] {
        const {
            let key = "the integration key for Events API v2";
            &[
                Setting::required("key", Form::Secret, key),
                Setting::server(
                    "https://events.pagerduty.com",
                    "the server; in the EU https://events.eu.pagerduty.com",
                ),
            ]
        }
    }

    fn default_severities(&self) -> &'static [Severity] {
        &[Severity::Critical]
    }

    fn requests(&self, _: &Settings, notifications: &[&Notification]) -> Vec<OutgoingRequest> {
        let request =
            |each: &&Notification| OutgoingRequest::new("/v2/enqueue", body(each), vec![each.id.clone()]);
        notifications.iter().map(request).collect()
    }

    fn complete(
        &self,
        request: &OutgoingRequest,
        secrets: &SecretValues<'_>,
    ) -> Result<Request<String>, RequestError> {
        let request = request.with_field("routing_key", secrets.token("key")?);
        let url = format!("{}{}", secrets.text("server"), request.path);
        secrets.http_request(&request, &url, "key")
    }
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
    let links: Vec<_> = links(notification)
        .iter()
        .map(|(label, link)| json!({ "href": link.as_str(), "text": label }))
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
            "group": PLAIN.fit(notification.group.as_deref().unwrap_or_default(), MAX_SUMMARY),
            "class": notification.kind.as_str(),
            "custom_details": printable(to_json(notification)),
        },
    })
}

/// The JSON with sanitized texts.
fn printable(json: Value) -> Value {
    match json {
        Value::String(text) => Value::String(excerpt(&text, MAX_TEXT)),
        Value::Array(items) => items.into_iter().map(printable).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            Value::Object(fields.map(|(name, value)| (name, printable(value))).collect())
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    }
}
