//! Slack: an incoming webhook, and a message of Block Kit.
//!
//! Sources: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>,
//! <https://docs.slack.dev/reference/block-kit/blocks> (50 blocks per message),
//! [header](https://docs.slack.dev/reference/block-kit/blocks/header-block) (150 characters),
//! [section](https://docs.slack.dev/reference/block-kit/blocks/section-block) (text 3,000 characters, 10 fields of
//! 2,000), [context](https://docs.slack.dev/reference/block-kit/blocks/context-block) (10 elements),
//! [escaping](https://docs.slack.dev/messaging/formatting-message-text#escaping).

use portpulse_core::decide::Notification;
use serde_json::{Value, json};

use super::DestinationKind;
use crate::chat_message::ChatMessage;
use crate::request::OutgoingRequest;
use crate::setting::{Form, Setting};
use crate::settings::Settings;
use crate::text_format::{TextFormat, Unit, unescaped};

const MAX_HEADER: usize = 150;
const MAX_SECTION: usize = 3_000;
const MAX_FIELDS: usize = 10;
const MAX_FIELD: usize = 2_000;

/// Text of type `plain_text`: no markup, no mentions, no escapes.
const PLAIN: TextFormat = TextFormat {
    escape: unescaped,
    unit: Unit::Characters,
};
/// The `text` that Slack shows in push notifications. It is markup: an unescaped `<!channel>` would be a mention.
const MARKED: TextFormat = TextFormat {
    escape: escape_entities,
    unit: Unit::Characters,
};

/// A channel of Slack.
pub(crate) struct Slack;

impl DestinationKind for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    fn title(&self) -> &'static str {
        "Slack"
    }

    fn settings(&self) -> &'static [Setting] {
        const {
            &[Setting::required(
                "url",
                Form::Secret,
                "the URL of the incoming webhook",
            )]
        }
    }

    fn requests(&self, _: &Settings, notifications: &[&Notification]) -> Vec<OutgoingRequest> {
        OutgoingRequest::of_chat(notifications, body)
    }
}

fn body(message: &ChatMessage) -> Value {
    let headline = format!("{} {}", message.level.symbol(), message.headline);
    let mut blocks = vec![
        json!({ "type": "header", "text": plain_text(&PLAIN.fit(&headline, MAX_HEADER)) }),
        json!({ "type": "section", "text": plain_text(&PLAIN.fit(&message.sentence, MAX_SECTION)) }),
    ];
    if !message.facts.is_empty() {
        let facts = message.facts.iter().take(MAX_FIELDS);
        let fields =
            facts.map(|(label, value)| plain_text(&PLAIN.fit(&format!("{label}: {value}"), MAX_FIELD)));
        blocks.push(json!({ "type": "section", "fields": fields.collect::<Vec<_>>() }));
    }
    for (title, lines) in &message.lists {
        let room = MAX_SECTION - title.len() - 2;
        let text = format!("{title}:\n{}", PLAIN.lines(lines, room, room));
        blocks.push(json!({ "type": "section", "text": plain_text(&text) }));
    }
    for (label, link) in &message.links {
        let link = MARKED.fit(link.as_str(), MAX_SECTION);
        let text = json!({ "type": "mrkdwn", "text": format!("<{link}|{label}>"), "verbatim": true });
        blocks.push(json!({ "type": "section", "text": text }));
    }
    let footer = plain_text(&PLAIN.fit(&message.footer, MAX_FIELD));
    blocks.push(json!({ "type": "context", "elements": [footer] }));
    json!({
        "text": MARKED.fit(&headline, MAX_SECTION),
        "blocks": blocks,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

fn plain_text(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

fn escape_entities(c: char, to: &mut String) {
    match c {
        '&' => to.push_str("&amp;"),
        '<' => to.push_str("&lt;"),
        '>' => to.push_str("&gt;"),
        other => to.push(other),
    }
}
