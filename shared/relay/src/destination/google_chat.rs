//! Google Chat: an incoming webhook, and a card.
//!
//! Sources: <https://developers.google.com/workspace/chat/quickstart/webhooks>,
//! [messages](https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create) (32,000 bytes),
//! [cards](https://developers.google.com/workspace/chat/api/reference/rest/v1/cards) (100 widgets; paragraphs and
//! decorated text read HTML).

use portpulse_core::decide::Notification;
use serde_json::{Value, json};

use super::DestinationKind;
use crate::chat_message::ChatMessage;
use crate::request::OutgoingRequest;
use crate::setting::{Form, Setting};
use crate::settings::Settings;
use crate::text_format::{TextFormat, Unit, html, unescaped};

// Shares of the 32,000 bytes; JSON escapes double the bytes of quotes and backslashes.
const MAX_HEADLINE: usize = 500;
const MAX_SENTENCE: usize = 500;
const MAX_FACTS: usize = 10;
const MAX_FACT: usize = 600;
const MAX_LINE: usize = 600;
const MAX_LIST: usize = 4_000;
const MAX_FOOTER: usize = 500;

const HTML: TextFormat = TextFormat {
    escape: html,
    unit: Unit::Bytes,
};
const PLAIN: TextFormat = TextFormat {
    escape: unescaped,
    unit: Unit::Bytes,
};

/// A channel of Google Chat.
pub(crate) struct GoogleChat;

impl DestinationKind for GoogleChat {
    fn name(&self) -> &'static str {
        "google_chat"
    }

    fn title(&self) -> &'static str {
        "Google Chat"
    }

    fn settings(&self) -> &'static [Setting] {
        const { &[Setting::required("url", Form::Secret, "the URL of the webhook")] }
    }

    fn requests(&self, _: &Settings, notifications: &[&Notification]) -> Vec<OutgoingRequest> {
        OutgoingRequest::of_chat(notifications, body)
    }
}

fn body(message: &ChatMessage) -> Value {
    let headline = format!("{} {}", message.level.symbol(), message.headline);
    let mut widgets = vec![paragraph(&HTML.fit(&message.sentence, MAX_SENTENCE))];
    for (label, value) in message.facts.iter().take(MAX_FACTS) {
        widgets.push(json!({
            "decoratedText": { "topLabel": label, "text": HTML.fit(value, MAX_FACT), "wrapText": true },
        }));
    }
    for (title, lines) in &message.lists {
        let lines = HTML.lines(lines, MAX_LINE, MAX_LIST).replace('\n', "<br>");
        widgets.push(paragraph(&format!("<b>{title}</b><br>{lines}")));
    }
    let buttons = message.links.iter().map(|(label, link)| {
        let open = json!({ "openLink": { "url": link.as_str() } });
        json!({ "text": label, "onClick": open })
    });
    if !message.links.is_empty() {
        widgets.push(json!({ "buttonList": { "buttons": buttons.collect::<Vec<_>>() } }));
    }
    let footer = PLAIN.fit(&message.footer, MAX_FOOTER);
    json!({
        "fallbackText": PLAIN.fit(&headline, MAX_HEADLINE),
        "cardsV2": [{
            "cardId": "notification",
            "card": {
                "header": { "title": PLAIN.fit(&headline, MAX_HEADLINE), "subtitle": footer },
                "sections": [{ "widgets": widgets }],
            },
        }],
    })
}

fn paragraph(text: &str) -> Value {
    json!({ "textParagraph": { "text": text } })
}
