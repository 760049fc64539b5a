//! Opsgenie: alerts through the Alert API, opened and closed by the id of the incident.
//!
//! Opsgenie shows the same text as HTML in some places and as plain text in others, so no escaping fits both: angle
//! brackets are replaced by similar characters.
//!
//! Sources: <https://docs.opsgenie.com/docs/alert-api> (message 130 characters, alias and entity 512, description
//! 15,000, 20 tags of 50, details 8,000 together, source 100), and
//! <https://docs.opsgenie.com/docs/alert-api-continued#update-alert-priority>.

use http::header::AUTHORIZATION;
use http::{Method, Request};
use portpulse_alert::{headline, sentence, utc_time};
use portpulse_core::choice::Severity;
use portpulse_core::decide::Notification;
use portpulse_core::outbox::{Kind, Stage};
use serde_json::{Value, json};

use super::DestinationKind;
use crate::chat_message::{ChatMessage, entity};
use crate::incident_id::alert_key;
use crate::request::{OutgoingRequest, RequestError, SecretValues};
use crate::setting::{Form, Setting};
use crate::settings::Settings;
use crate::text_format::{TextFormat, Unit};

const MAX_MESSAGE: usize = 130;
const MAX_DESCRIPTION: usize = 15_000;
const MAX_TAGS: usize = 20;
const MAX_TAG: usize = 50;
const MAX_ENTITY: usize = 512;
const MAX_DETAIL: usize = 500;
const MAX_NOTE: usize = 1_000;

const TEXT: TextFormat = TextFormat {
    escape: replace_brackets,
    unit: Unit::Characters,
};

/// An integration of Opsgenie.
pub(crate) struct Opsgenie;

impl DestinationKind for Opsgenie {
    fn name(&self) -> &'static str {
        "opsgenie"
    }

    fn title(&self) -> &'static str {
        "Opsgenie"
    }

    fn settings(&self) -> &'static [Setting] {
        const {
            let key = "the key of the API integration";
            &[
                Setting::required("key", Form::Secret, key),
                Setting::server(
                    "https://api.opsgenie.com",
                    "the server; in the EU https://api.eu.opsgenie.com",
                ),
            ]
        }
    }

    fn default_severities(&self) -> &'static [Severity] {
        &[Severity::Critical]
    }

    fn requests(&self, _: &Settings, notifications: &[&Notification]) -> Vec<OutgoingRequest> {
        notifications.iter().flat_map(|each| requests(each)).collect()
    }

    fn complete(
        &self,
        request: &OutgoingRequest,
        secrets: &SecretValues<'_>,
    ) -> Result<Request<String>, RequestError> {
        let url = format!("{}{}", secrets.text("server"), request.path);
        let mut http = secrets.http_request(request, &url, "key")?;
        let value = secrets.authorization("GenieKey", "key")?;
        http.headers_mut().insert(AUTHORIZATION, value);
        Ok(http)
    }
}

fn requests(notification: &Notification) -> Vec<OutgoingRequest> {
    let (alias, ids) = (alert_key(notification), vec![notification.id.clone()]);
    let at_alert = |action: &str| {
        format!(
            "/v2/alerts/{}/{action}?identifierType=alias",
            percent_encode(&alias)
        )
    };
    if notification.kind.stage() == Stage::Ended {
        let note = TEXT.fit(&sentence(notification), MAX_NOTE);
        let body = json!({ "source": "Portpulse", "note": note });
        return vec![OutgoingRequest::new(at_alert("close"), body, ids)];
    }
    let open = OutgoingRequest::new("/v2/alerts", alert(notification, &alias), ids);
    if notification.kind != Kind::Escalated {
        return vec![open];
    }
    // Posting an open alert again does not change its priority. If there is no open alert, the second request opens one.
    let raise = OutgoingRequest {
        method: Method::PUT,
        ..OutgoingRequest::new(
            at_alert("priority"),
            json!({ "priority": priority(notification) }),
            Vec::new(),
        )
    };
    vec![raise, open]
}

fn priority(notification: &Notification) -> &'static str {
    match notification.severity {
        Severity::Critical => "P1",
        Severity::Warning => "P3",
        Severity::Info => "P5",
    }
}

fn alert(notification: &Notification, alias: &str) -> Value {
    let tags = notification.tags.iter().take(MAX_TAGS);
    let mut tags: Vec<_> = tags.map(|tag| TEXT.fit(tag, MAX_TAG)).collect();
    tags.retain(|tag| !tag.is_empty());
    json!({
        "message": TEXT.fit(&headline(notification), MAX_MESSAGE),
        "alias": alias,
        "description": description(notification),
        "tags": tags,
        "details": {
            "id": TEXT.fit(&notification.id, MAX_DETAIL),
            "kind": notification.kind.as_str(),
            "status": notification.status.as_str(),
            "severity": notification.severity.as_str(),
            "group": TEXT.fit(notification.group.as_deref().unwrap_or_default(), MAX_DETAIL),
            "since": utc_time(notification.since),
        },
        "entity": TEXT.fit(&entity(notification), MAX_ENTITY),
        "source": "Portpulse",
        "priority": priority(notification),
    })
}

fn description(notification: &Notification) -> String {
    let mut lines = vec![sentence(notification)];
    for message in ChatMessage::of(&[notification]) {
        lines.extend(
            message
                .facts
                .iter()
                .map(|(label, value)| format!("{label}: {value}")),
        );
        lines.extend(
            message
                .links
                .iter()
                .map(|(label, link)| format!("{label}: {}", link.as_str())),
        );
        for (title, list) in message.lists {
            lines.push(format!("{title}:"));
            lines.extend(list.into_iter().map(|line| format!("- {line}")));
        }
    }
    TEXT.lines(&lines, MAX_NOTE, MAX_DESCRIPTION)
}

fn replace_brackets(c: char, to: &mut String) {
    to.push(match c {
        '<' => '‹',
        '>' => '›',
        other => other,
    });
}

/// Percent-encodes a path segment. Source: RFC 3986, section 2.1.
fn percent_encode(text: &str) -> String {
    let bytes = text.bytes();
    bytes.fold(String::new(), |mut path, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            path.push(char::from(byte));
        } else {
            path += &format!("%{byte:02X}");
        }
        path
    })
}
