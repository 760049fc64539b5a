//! Discord: a webhook, and a message with one embed.
//!
//! Sources: <https://discord.com/developers/docs/resources/webhook#execute-webhook>,
//! [embeds](https://discord.com/developers/docs/resources/message#embed-object-embed-limits) (title 256 characters,
//! description 4,096, 25 fields of 256 and 1,024, footer 2,048, together 6,000),
//! [mentions](https://discord.com/developers/docs/resources/message#allowed-mentions-object),
//! [pauses](https://discord.com/developers/docs/topics/rate-limits).

use portpulse_core::decide::Notification;
use serde_json::{Value, json};

use super::DestinationKind;
use crate::answer::{Answer, AnswerMeaning};
use crate::chat_message::ChatMessage;
use crate::request::OutgoingRequest;
use crate::setting::{Form, Setting};
use crate::settings::Settings;
use crate::text_format::{TextFormat, Unit, unescaped};

// Shares of the 6,000 characters of an embed: ten fields with their names take at most 2,960.
const MAX_TITLE: usize = 256;
const MAX_DESCRIPTION: usize = 2_500;
const MAX_FIELDS: usize = 10;
const MAX_FIELD: usize = 280;
const MAX_FOOTER: usize = 250;
/// The maximum length of a line in a list; every second character may be a backslash.
const MAX_LINE: usize = 230;

const MARKDOWN: TextFormat = TextFormat {
    escape: backslash,
    unit: Unit::Characters,
};
/// Footers are plain text, not Markdown.
const FOOTER: TextFormat = TextFormat {
    escape: unescaped,
    unit: Unit::Characters,
};

/// A channel of Discord.
pub(crate) struct Discord;

impl DestinationKind for Discord {
    fn name(&self) -> &'static str {
        "discord"
    }

    fn title(&self) -> &'static str {
        "Discord"
    }

    fn settings(&self) -> &'static [Setting] {
        const { &[Setting::required("url", Form::Secret, "the URL of the webhook")] }
    }

    fn requests(&self, _: &Settings, notifications: &[&Notification]) -> Vec<OutgoingRequest> {
        OutgoingRequest::of_chat(notifications, body)
    }

    fn meaning(&self, answer: &Answer) -> AnswerMeaning {
        answer.meaning(Some("/retry_after"))
    }
}

fn body(message: &ChatMessage) -> Value {
    let headline = format!("{} {}", message.level.symbol(), message.headline);
    let mut description = MARKDOWN.fit(&message.sentence, MAX_FIELD);
    // The title opens the first link. Angle brackets keep the punctuation of an address.
    for (label, link) in message.links.iter().skip(1) {
        description += &format!("\n[{label}](<{}>)", link.as_str());
    }
    for (title, lines) in &message.lists {
        let room = MAX_DESCRIPTION.saturating_sub(MARKDOWN.length(&description) + title.len() + 8);
        // Of three lists, the last may have no room.
        if room < MAX_LINE {
            break;
        }
        description += &format!("\n\n**{title}**\n{}", MARKDOWN.lines(lines, MAX_LINE, room));
    }
    let facts = message.facts.iter().take(MAX_FIELDS);
    let facts: Vec<_> = facts
        .map(|(label, value)| json!({ "name": label, "value": MARKDOWN.fit(value, MAX_FIELD), "inline": true }))
        .collect();
    let mut embed = json!({
        "title": MARKDOWN.fit(&headline, MAX_TITLE),
        "description": description,
        "color": message.level.rgb(),
        "fields": facts,
        "footer": { "text": FOOTER.fit(&message.footer, MAX_FOOTER) },
    });
    if let (Some((_, link)), Some(embed)) = (message.links.first(), embed.as_object_mut()) {
        embed.insert("url".to_owned(), json!(link.as_str()));
    }
    json!({ "embeds": [embed], "allowed_mentions": { "parse": [] } })
}

/// Escapes punctuation with a backslash.
fn backslash(c: char, to: &mut String) {
    if c.is_ascii_punctuation() {
        to.push('\\');
    }
    to.push(c);
}
