//! Google Chat: an incoming webhook, and a card.
//!
//! Sources: <https://developers.google.com/workspace/chat/quickstart/webhooks>,
//! [messages](https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create) (32,000 bytes),
//! [cards](https://developers.google.com/workspace/chat/api/reference/rest/v1/cards) (100 widgets; paragraphs and
//! decorated text read HTML).

use serde_json::{Value, json};

use super::IncomingWebhook;
use crate::fields::Fields;
use crate::page::Page;
use crate::text::{Place, Unit, as_it_is, html};

// Shares of the 32,000 bytes; JSON doubles the bytes of a quote, and of a backslash.
const MAX_HEADLINE: usize = 500;
const MAX_SENTENCE: usize = 500;
const MAX_FACTS: usize = 10;
const MAX_FACT: usize = 600;
const MAX_LINE: usize = 600;
const MAX_LIST: usize = 4_000;
const MAX_FOOTER: usize = 500;

const HTML: Place = Place {
    escape: html,
    unit: Unit::Bytes,
};
const PLAIN: Place = Place {
    escape: as_it_is,
    unit: Unit::Bytes,
};

pub(crate) fn read(fields: &mut Fields<'_>) -> Option<IncomingWebhook> {
    IncomingWebhook::read(fields, "the address of the webhook")
}

pub(crate) fn body(page: &Page) -> Value {
    let headline = format!("{} {}", page.tone.mark(), page.headline);
    let mut widgets = vec![paragraph(&HTML.fit(&page.sentence, MAX_SENTENCE))];
    for (label, value) in page.facts.iter().take(MAX_FACTS) {
        widgets.push(json!({
            "decoratedText": { "topLabel": label, "text": HTML.fit(value, MAX_FACT), "wrapText": true },
        }));
    }
    for (title, lines) in &page.lists {
        let lines = HTML.lines(lines, MAX_LINE, MAX_LIST).replace('\n', "<br>");
        widgets.push(paragraph(&format!("<b>{title}</b><br>{lines}")));
    }
    if let Some(runbook) = &page.runbook {
        let open = json!({ "openLink": { "url": runbook.as_str() } });
        widgets.push(json!({ "buttonList": { "buttons": [{ "text": "Runbook", "onClick": open }] } }));
    }
    let footer = PLAIN.fit(&page.footer, MAX_FOOTER);
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
