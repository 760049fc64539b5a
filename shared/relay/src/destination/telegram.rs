//! Telegram: a bot that writes to a chat, in HTML.
//!
//! Foreign text is in `<code>`, where Telegram does not detect links, mentions or commands.
//!
//! Sources: <https://core.telegram.org/bots/api#sendmessage> (4,096 characters),
//! <https://core.telegram.org/bots/api#html-style>, <https://core.telegram.org/bots/api#responseparameters>.

use http::Request;
use serde_json::{Value, json};

use super::{Post, RequestError, request, token};
use crate::address::Server;
use crate::chat_message::ChatMessage;
use crate::destination_fields::DestinationFields;
use crate::secret::{ReadSecret, SecretCache, SecretName};
use crate::text_format::{TextFormat, Unit, html};

/// The JSON pointer to the requested pause in seconds, in an answer with status 429.
pub(crate) const PAUSE_POINTER: &str = "/parameters/retry_after";

// Shares of the 4,096 characters. Tags are counted here, although Telegram does not count them.
const MAX_HEADLINE: usize = 200;
const MAX_SENTENCE: usize = 300;
const MAX_FACTS: usize = 10;
const MAX_FACT: usize = 100;
const MAX_LINE: usize = 160;
const MAX_LIST: usize = 1_700;
const MAX_LINK: usize = 600;
const MAX_FOOTER: usize = 150;
const MAX_TEXT: usize = 4_096;

const HTML: TextFormat = TextFormat {
    escape: html,
    unit: Unit::Characters,
};

/// A chat of Telegram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telegram {
    server: Server,
    token: SecretName,
    chat: String,
}

impl Telegram {
    pub(crate) fn read(fields: &mut DestinationFields<'_>) -> Option<Self> {
        let token = fields.secret("token", "the token of the bot");
        let help = "use the number of a chat, such as \"-1001234567890\", or the @name of a channel";
        let chat = fields.required("chat", help).and_then(|chat| {
            let number = chat.strip_prefix('-').unwrap_or(chat);
            let is_number = (1..=20).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
            let is_name = chat.strip_prefix('@').is_some_and(is_name);
            if !is_number && !is_name {
                fields.diagnostic("chat", "is not a valid chat", help);
                return None;
            }
            Some(chat.to_owned())
        });
        // For a self-hosted Bot API server: https://core.telegram.org/bots/api#using-a-local-bot-api-server
        let server = fields.server("server", "https://api.telegram.org");
        Some(Self {
            server: server?,
            token: token?,
            chat: chat?,
        })
    }

    pub(crate) fn token(&self) -> &SecretName {
        &self.token
    }

    pub(crate) fn body(&self, message: &ChatMessage) -> Value {
        let mut text = format!(
            "{} <b><code>{}</code></b>\n{}",
            message.level.symbol(),
            HTML.fit(&message.headline, MAX_HEADLINE),
            code(&message.sentence, MAX_SENTENCE)
        );
        for (label, value) in message.facts.iter().take(MAX_FACTS) {
            text += &format!("\n{label}: {}", code(value, MAX_FACT));
        }
        if let Some(runbook) = &message.runbook {
            let link = HTML.fit(runbook.as_str(), MAX_LINK);
            text += &format!("\n<a href=\"{link}\">Runbook</a>");
        }
        let footer = format!("\n\n{}", code(&message.footer, MAX_FOOTER));
        for (title, lines) in &message.lists {
            let used = HTML.length(&text) + HTML.length(&footer) + title.len() + 30;
            let room = MAX_LIST.min(MAX_TEXT.saturating_sub(used));
            text += &format!(
                "\n\n<b>{title}</b>\n<code>{}</code>",
                HTML.lines(lines, MAX_LINE, room)
            );
        }
        json!({
            "chat_id": self.chat,
            "text": text + &footer,
            "parse_mode": "HTML",
            "link_preview_options": { "is_disabled": true },
        })
    }

    pub(crate) async fn request<S: ReadSecret>(
        &self,
        post: &Post,
        secrets: &SecretCache<S>,
    ) -> Result<Request<String>, RequestError> {
        let secret = secrets.get(&self.token).await?;
        let token = token(&self.token, &secret)?;
        let url = format!("{}/bot{token}/sendMessage", self.server.as_str());
        request(&url, &self.token, &[], post.body.to_string())
    }
}

fn code(text: &str, max: usize) -> String {
    format!("<code>{}</code>", HTML.fit(text, max))
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
