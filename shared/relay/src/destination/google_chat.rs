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
const MOST_HEADLINE: usize = 500;
const MOST_SENTENCE: usize = 500;
const MOST_FACTS: usize = 10;
const MOST_FACT: usize = 600;
const MOST_LINE: usize = 600;
const MOST_LIST: usize = 4_000;
const MOST_FOOTER: usize = 500;

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
    let mut widgets = vec![paragraph(&HTML.fit(&page.sentence, MOST_SENTENCE))];
    for (label, value) in page.facts.iter().take(MOST_FACTS) {
        widgets.push(json!({
            "decoratedText": { "topLabel": label, "text": HTML.fit(value, MOST_FACT), "wrapText": true },
        }));
    }
    for (title, lines) in &page.lists {
        let lines = HTML.lines(lines, MOST_LINE, MOST_LIST).replace('\n', "<br>");
        widgets.push(paragraph(&format!("<b>{title}</b><br>{lines}")));
    }
    if let Some(runbook) = &page.runbook {
        let open = json!({ "openLink": { "url": runbook.as_str() } });
        widgets.push(json!({ "buttonList": { "buttons": [{ "text": "Runbook", "onClick": open }] } }));
    }
    let footer = PLAIN.fit(&page.footer, MOST_FOOTER);
    json!({
        "fallbackText": PLAIN.fit(&headline, MOST_HEADLINE),
        "cardsV2": [{
            "cardId": "notification",
            "card": {
                "header": { "title": PLAIN.fit(&headline, MOST_HEADLINE), "subtitle": footer },
                "sections": [{ "widgets": widgets }],
            },
        }],
    })
}

fn paragraph(text: &str) -> Value {
    json!({ "textParagraph": { "text": text } })
}
