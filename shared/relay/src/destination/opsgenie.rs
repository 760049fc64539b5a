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

use super::{KeyedApi, Post, RequestError, secret_header, token};
use crate::chat_message::{ChatMessage, entity};
use crate::destination_fields::DestinationFields;
use crate::incident_id::alert_key;
use crate::secret::{ReadSecret, SecretCache};
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

pub(crate) fn read(fields: &mut DestinationFields<'_>) -> Option<KeyedApi> {
    // In the EU: https://api.eu.opsgenie.com
    KeyedApi::read(
        fields,
        "the key of the API integration",
        "https://api.opsgenie.com",
    )
}

pub(crate) async fn request<S: ReadSecret>(
    api: &KeyedApi,
    post: &Post,
    secrets: &SecretCache<S>,
) -> Result<Request<String>, RequestError> {
    let secret = secrets.get(api.key()).await?;
    let header = secret_header(&format!("GenieKey {}", token(api.key(), &secret)?));
    let headers: Vec<_> = header.map(|value| (AUTHORIZATION, value)).into_iter().collect();
    let mut request = super::request(&api.url(post), api.key(), &headers, post.body.to_string())?;
    *request.method_mut() = post.method.clone();
    Ok(request)
}

pub(crate) fn posts(notification: &Notification) -> Vec<Post> {
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
        return vec![Post::new(at_alert("close"), body, ids)];
    }
    let open = Post::new("/v2/alerts", alert(notification, &alias), ids);
    if notification.kind != Kind::Escalated {
        return vec![open];
    }
    // Posting an open alert again does not change its priority. If there is no open alert, the second post opens one.
    let raise = Post {
        method: Method::PUT,
        ..Post::new(
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
            "group": notification.group.map_or_else(String::new, |group| group.to_string()),
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
                .runbook
                .iter()
                .map(|link| format!("Runbook: {}", link.as_str())),
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
