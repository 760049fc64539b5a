//! Microsoft Teams: an Adaptive Card of text runs.

use serde_json::{Value, json};

use super::{Received, Refusal, StandIn, ensure, fields, is, link, list, text};

pub(super) const STAND_IN: StandIn = StandIn {
    kind: "teams",
    settings: |_| json!({ "url": "ssm:/teams" }),
    secrets: |server| vec![("ssm:/teams", format!("{server}/secret-token?sig=secret-token"))],
    check,
    update_alerts: |_, _, _| {},
};

fn check(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
    ensure(received.body.len() <= 28 * 1024, || {
        format!("{} bytes", received.body.len())
    })?;
    fields(body, &["type", "attachments"], &[])?;
    is(&body["type"], "message")?;
    for attachment in list(&body["attachments"], 1)? {
        fields(attachment, &["contentType", "content"], &["contentUrl"])?;
        is(
            &attachment["contentType"],
            "application/vnd.microsoft.card.adaptive",
        )?;
        let card = &attachment["content"];
        fields(
            card,
            &["$schema", "type", "version", "body", "actions"],
            &["fallbackText", "msteams"],
        )?;
        is(&card["type"], "AdaptiveCard")?;
        for element in list(&card["body"], 200)? {
            fields(element, &["type", "inlines"], &[])?;
            // The only element whose text is not Markdown.
            is(&element["type"], "RichTextBlock")?;
            for run in list(&element["inlines"], 10)? {
                fields(run, &["type", "text"], &["weight", "size", "color", "isSubtle"])?;
                is(&run["type"], "TextRun")?;
                let text = text(&run["text"], 4_096)?;
                ensure(!text.contains("{{") && !text.contains("}}"), || {
                    format!("a function in {text}")
                })?;
            }
        }
        for action in list(&card["actions"], 6)? {
            fields(action, &["type", "title", "url"], &[])?;
            is(&action["type"], "Action.OpenUrl")?;
            link(&action["url"])?;
        }
    }
    Ok(202)
}
