//! Discord: a webhook, and a message with one embed.
//!
//! Sources: <https://discord.com/developers/docs/resources/webhook#execute-webhook>,
//! [embeds](https://discord.com/developers/docs/resources/message#embed-object-embed-limits) (title 256 characters,
//! description 4,096, 25 fields of 256 and 1,024, footer 2,048, together 6,000),
//! [mentions](https://discord.com/developers/docs/resources/message#allowed-mentions-object),
//! [pauses](https://discord.com/developers/docs/topics/rate-limits).

use serde_json::{Value, json};

use super::IncomingWebhook;
use crate::fields::Fields;
use crate::page::Page;
use crate::text::{Place, Unit};

/// Where a refusal says for how many seconds it wants to be left alone.
pub(crate) const PAUSE: &str = "/retry_after";

// Shares of the 6,000 characters that an embed has in all: ten fields with their names take 2,960 at most.
const MAX_TITLE: usize = 256;
const MAX_DESCRIPTION: usize = 2_500;
const MAX_FIELDS: usize = 10;
const MAX_FIELD: usize = 280;
const MAX_FOOTER: usize = 250;
/// A headline among others; every second character may be a backslash.
const MAX_LINE: usize = 230;

const MARKDOWN: Place = Place {
    escape: backslash,
    unit: Unit::Characters,
};
/// A footer is no Markdown.
const FOOTER: Place = Place {
    escape: crate::text::as_it_is,
    unit: Unit::Characters,
};

pub(crate) fn read(fields: &mut Fields<'_>) -> Option<IncomingWebhook> {
    IncomingWebhook::read(fields, "the address of the webhook")
}

pub(crate) fn body(page: &Page) -> Value {
    let headline = format!("{} {}", page.tone.mark(), page.headline);
    let mut description = MARKDOWN.fit(&page.sentence, MAX_FIELD);
    for (title, lines) in &page.lists {
        let room = MAX_DESCRIPTION.saturating_sub(MARKDOWN.length(&description) + title.len() + 8);
        description += &format!("\n\n**{title}**\n{}", MARKDOWN.lines(lines, MAX_LINE, room));
    }
    let facts = page.facts.iter().take(MAX_FIELDS);
    let facts: Vec<_> = facts
        .map(|(label, value)| json!({ "name": label, "value": MARKDOWN.fit(value, MAX_FIELD), "inline": true }))
        .collect();
    let mut embed = json!({
        "title": MARKDOWN.fit(&headline, MAX_TITLE),
        "description": description,
        "color": page.tone.colour(),
        "fields": facts,
        "footer": { "text": FOOTER.fit(&page.footer, MAX_FOOTER) },
    });
    if let (Some(runbook), Some(embed)) = (&page.runbook, embed.as_object_mut()) {
        embed.insert("url".to_owned(), json!(runbook.as_str()));
    }
    json!({ "embeds": [embed], "allowed_mentions": { "parse": [] } })
}

/// Before punctuation, a backslash makes it stand for itself.
fn backslash(c: char, to: &mut String) {
    if c.is_ascii_punctuation() {
        to.push('\\');
    }
    to.push(c);
}
