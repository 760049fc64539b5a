//! Google Chat: a card of HTML.

use serde_json::{Value, json};

use super::{Received, Refusal, StandIn, ensure, fields, html, link, list, text};

pub(super) const STAND_IN: StandIn = StandIn {
    kind: "google_chat",
    settings: |_| json!({ "url": "ssm:/google_chat" }),
    secrets: |server| {
        vec![(
            "ssm:/google_chat",
            format!("{server}/secret-token?sig=secret-token"),
        )]
    },
    check,
    update_alerts: |_, _, _| {},
};

fn check(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
    ensure(received.body.len() <= 32_000, || {
        format!("{} bytes", received.body.len())
    })?;
    fields(body, &["cardsV2"], &["fallbackText"])?;
    for card in list(&body["cardsV2"], 1)? {
        fields(card, &["cardId", "card"], &[])?;
        fields(&card["card"], &["header", "sections"], &[])?;
        text(&card["card"]["header"]["title"], 4_096)?;
        for section in list(&card["card"]["sections"], 100)? {
            fields(section, &["widgets"], &[])?;
            for widget in list(&section["widgets"], 100)? {
                let (kind, content) = widget
                    .as_object()
                    .and_then(|widget| widget.iter().next())
                    .ok_or("no widget")?;
                match kind.as_str() {
                    "textParagraph" => {
                        fields(content, &["text"], &[])?;
                        html(text(&content["text"], 8_192)?, &["<b>", "</b>", "<br>"])?;
                    }
                    "decoratedText" => {
                        fields(content, &["topLabel", "text"], &["wrapText"])?;
                        html(text(&content["text"], 4_096)?, &[])?;
                    }
                    "buttonList" => link(&content["buttons"][0]["onClick"]["openLink"]["url"])?,
                    other => return Err(format!("unknown widget: {other}")),
                }
            }
        }
    }
    Ok(200)
}
