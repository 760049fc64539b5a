//! ntfy: a message to a topic, as plain text.
//!
//! Source: <https://docs.ntfy.sh/publish/#publish-as-json> (a message of more than 4,096 bytes becomes an attachment;
//! the topic works like a password, so it is a secret here).

use http::Request;
use http::header::AUTHORIZATION;
use portpulse_core::decide::Notification;
use serde_json::{Value, json};

use super::DestinationKind;
use crate::chat_message::{ChatMessage, Level};
use crate::request::{OutgoingRequest, RequestError, SecretValues};
use crate::setting::{Form, Setting};
use crate::settings::Settings;
use crate::text_format::{TextFormat, Unit, unescaped};

const MAX_TITLE: usize = 250;
const MAX_MESSAGE: usize = 4_096;
const MAX_LINE: usize = 300;

const PLAIN: TextFormat = TextFormat {
    escape: unescaped,
    unit: Unit::Bytes,
};

/// A topic of ntfy.
pub(crate) struct Ntfy;

impl DestinationKind for Ntfy {
    fn name(&self) -> &'static str {
        "ntfy"
    }

    fn title(&self) -> &'static str {
        "ntfy"
    }

    fn settings(&self) -> &'static [Setting] {
        const {
            &[
                Setting::required("topic", Form::Secret, "the topic"),
                Setting::optional("token", Form::Secret, "the access token"),
                Setting::server("https://ntfy.sh", "the server"),
            ]
        }
    }

    fn requests(&self, _: &Settings, notifications: &[&Notification]) -> Vec<OutgoingRequest> {
        OutgoingRequest::of_chat(notifications, body)
    }

    fn complete(
        &self,
        request: &OutgoingRequest,
        secrets: &SecretValues<'_>,
    ) -> Result<Request<String>, RequestError> {
        let request = request.with_field("topic", secrets.token("topic")?);
        let mut http = secrets.http_request(&request, secrets.text("server"), "topic")?;
        if !secrets.text("token").is_empty() {
            let value = secrets.authorization("Bearer", "token")?;
            http.headers_mut().insert(AUTHORIZATION, value);
        }
        Ok(http)
    }
}

fn body(message: &ChatMessage) -> Value {
    // Priority 5 rings repeatedly; 3 is the default.
    let (priority, tag) = match message.level {
        Level::Critical => (5, "rotating_light"),
        Level::Warning => (4, "warning"),
        Level::Info => (3, "information_source"),
        Level::Resolved => (3, "white_check_mark"),
    };
    let mut lines = vec![message.sentence.clone()];
    lines.extend(
        message
            .facts
            .iter()
            .map(|(label, value)| format!("{label}: {value}")),
    );
    let other_links = message.links.iter().skip(1);
    lines.extend(other_links.map(|(label, link)| format!("{label}: {}", link.as_str())));
    for (title, list) in &message.lists {
        lines.push(format!("{title}:"));
        lines.extend(list.iter().map(|line| format!("- {line}")));
    }
    let mut body = json!({
        "title": PLAIN.fit(&message.headline, MAX_TITLE),
        "message": PLAIN.lines(&lines, MAX_LINE, MAX_MESSAGE),
        "priority": priority,
        "tags": [tag],
    });
    // The message itself opens the first link; the others are text.
    if let (Some((_, link)), Some(body)) = (message.links.first(), body.as_object_mut()) {
        body.insert("click".to_owned(), json!(link.as_str()));
    }
    body
}
