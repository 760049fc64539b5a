//! ntfy: a message to a topic, as plain text.
//!
//! Source: <https://docs.ntfy.sh/publish/#publish-as-json> (a message of more than 4,096 bytes becomes an attachment;
//! the topic works like a password, so it is a secret here).

use http::Request;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::{Post, RequestError, request, secret_header, token};
use crate::address::Server;
use crate::chat_message::{ChatMessage, Level};
use crate::destination_fields::DestinationFields;
use crate::secret::{ReadSecret, SecretCache, SecretName};
use crate::text_format::{TextFormat, Unit, unescaped};

const MAX_TITLE: usize = 250;
const MAX_MESSAGE: usize = 4_096;
const MAX_LINE: usize = 300;

const PLAIN: TextFormat = TextFormat {
    escape: unescaped,
    unit: Unit::Bytes,
};

/// A topic of ntfy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ntfy {
    server: Server,
    topic: SecretName,
    token: Option<SecretName>,
}

impl Ntfy {
    pub(crate) fn read(fields: &mut DestinationFields<'_>) -> Option<Self> {
        let topic = fields.secret("topic", "the topic");
        let token = fields.optional_secret("token", "the access token");
        let server = fields.server("server", "https://ntfy.sh");
        Some(Self {
            server: server?,
            topic: topic?,
            token,
        })
    }

    pub(crate) fn secrets(&self) -> Vec<&SecretName> {
        [&self.topic].into_iter().chain(&self.token).collect()
    }

    pub(crate) async fn request<S: ReadSecret>(
        &self,
        post: &Post,
        secrets: &SecretCache<S>,
    ) -> Result<Request<String>, RequestError> {
        let topic = secrets.get(&self.topic).await?;
        let mut body = post.body.clone();
        if let Some(body) = body.as_object_mut() {
            body.insert("topic".to_owned(), json!(token(&self.topic, &topic)?));
        }
        let mut headers = Vec::new();
        if let Some(name) = &self.token {
            let secret = secrets.get(name).await?;
            let header = secret_header(&format!("Bearer {}", token(name, &secret)?));
            headers.extend(header.map(|value| (AUTHORIZATION, value)));
        }
        request(self.server.as_str(), &self.topic, &headers, body.to_string())
    }
}

pub(crate) fn body(message: &ChatMessage) -> Value {
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
    if let (Some(runbook), Some(body)) = (&message.runbook, body.as_object_mut()) {
        body.insert("click".to_owned(), json!(runbook.as_str()));
    }
    body
}
