//! Discord: a webhook, and a message with one embed.
//!
//! Sources: <https://discord.com/developers/docs/resources/webhook#execute-webhook>,
//! [embeds](https://discord.com/developers/docs/resources/message#embed-object-embed-limits) (title 256 characters,
//! description 4,096, 25 fields of 256 and 1,024, footer 2,048, together 6,000),
//! [mentions](https://discord.com/developers/docs/resources/message#allowed-mentions-object),
//! [pauses](https://discord.com/developers/docs/topics/rate-limits).

use serde_json::{Value, json};

use super::IncomingWebhook;
use crate::chat_message::ChatMessage;
use crate::destination_fields::DestinationFields;
use crate::text_format::{TextFormat, Unit};

/// The JSON pointer to the requested pause in seconds, in an answer with status 429.
pub(crate) const PAUSE_POINTER: &str = "/retry_after";

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
    escape: crate::text_format::unescaped,
    unit: Unit::Characters,
};

pub(crate) fn read(fields: &mut DestinationFields<'_>) -> Option<IncomingWebhook> {
    IncomingWebhook::read(fields, "the URL of the webhook")
}

pub(crate) fn body(message: &ChatMessage) -> Value {
    let headline = format!("{} {}", message.level.symbol(), message.headline);
    let mut description = MARKDOWN.fit(&message.sentence, MAX_FIELD);
    for (title, lines) in &message.lists {
        let room = MAX_DESCRIPTION.saturating_sub(MARKDOWN.length(&description) + title.len() + 8);
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
    if let (Some(runbook), Some(embed)) = (&message.runbook, embed.as_object_mut()) {
        embed.insert("url".to_owned(), json!(runbook.as_str()));
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
