//! Telegram: a bot that writes to a chat, in HTML.
//!
//! Foreign text is in `<code>`, where Telegram does not detect links, mentions or commands.
//!
//! Sources: <https://core.telegram.org/bots/api#sendmessage> (4,096 characters),
//! <https://core.telegram.org/bots/api#html-style>, <https://core.telegram.org/bots/api#responseparameters>.

use http::Request;
use portpulse_core::decide::Notification;
use serde_json::{Value, json};

use super::DestinationKind;
use crate::answer::{Answer, AnswerMeaning};
use crate::chat_message::ChatMessage;
use crate::request::{OutgoingRequest, RequestError, SecretValues};
use crate::setting::{Form, Setting, TextRule};
use crate::settings::Settings;
use crate::text_format::{TextFormat, Unit, html};

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

const CHAT: TextRule = TextRule {
    is_valid: is_chat,
    pattern: "^(-?[0-9]{1,20}|@[A-Za-z0-9_]{1,64})$",
    help: "use the number of a chat, such as \"-1001234567890\", or the @name of a channel, in quotes",
};

/// A chat of Telegram.
pub(crate) struct Telegram;

impl DestinationKind for Telegram {
    fn name(&self) -> &'static str {
        "telegram"
    }

    fn title(&self) -> &'static str {
        "Telegram"
    }

    fn settings(&self) -> &'static [Setting] {
        const {
            &[
                Setting::required("token", Form::Secret, "the token of the bot"),
                Setting::required("chat", Form::Text(&CHAT), "the number or @name of the chat"),
                // https://core.telegram.org/bots/api#using-a-local-bot-api-server
                Setting::server("https://api.telegram.org", "the Bot API server"),
            ]
        }
    }

    fn requests(&self, settings: &Settings, notifications: &[&Notification]) -> Vec<OutgoingRequest> {
        OutgoingRequest::of_chat(notifications, |message| body(message, settings.text("chat")))
    }

    fn complete(
        &self,
        request: &OutgoingRequest,
        secrets: &SecretValues<'_>,
    ) -> Result<Request<String>, RequestError> {
        let url = format!(
            "{}/bot{}/sendMessage",
            secrets.text("server"),
            secrets.token("token")?
        );
        secrets.http_request(request, &url, "token")
    }

    fn meaning(&self, answer: &Answer) -> AnswerMeaning {
        answer.meaning(Some("/parameters/retry_after"))
    }
}

fn body(message: &ChatMessage, chat: &str) -> Value {
    let mut text = format!(
        "{} <b><code>{}</code></b>\n{}",
        message.level.symbol(),
        HTML.fit(&message.headline, MAX_HEADLINE),
        code(&message.sentence, MAX_SENTENCE)
    );
    for (label, value) in message.facts.iter().take(MAX_FACTS) {
        text += &format!("\n{label}: {}", code(value, MAX_FACT));
    }
    for (label, link) in &message.links {
        let link = HTML.fit(link.as_str(), MAX_LINK);
        text += &format!("\n<a href=\"{link}\">{label}</a>");
    }
    let footer = format!("\n\n{}", code(&message.footer, MAX_FOOTER));
    for (title, lines) in &message.lists {
        let used = HTML.length(&text) + HTML.length(&footer) + title.len() + 30;
        let room = MAX_LIST.min(MAX_TEXT.saturating_sub(used));
        // Of three lists, the last may have no room.
        if room < MAX_LINE {
            break;
        }
        text += &format!(
            "\n\n<b>{title}</b>\n<code>{}</code>",
            HTML.lines(lines, MAX_LINE, room)
        );
    }
    json!({
        "chat_id": chat,
        "text": text + &footer,
        "parse_mode": "HTML",
        "link_preview_options": { "is_disabled": true },
    })
}

fn code(text: &str, max: usize) -> String {
    format!("<code>{}</code>", HTML.fit(text, max))
}

fn is_chat(text: &str) -> bool {
    if let Some(name) = text.strip_prefix('@') {
        return (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    }
    let number = text.strip_prefix('-').unwrap_or(text);
    (1..=20).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit())
}
