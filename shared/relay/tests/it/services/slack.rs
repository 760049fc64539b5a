//! Slack: blocks of plain text.

use serde_json::{Value, json};

use super::{Received, Refusal, StandIn, ensure, fields, html, is, list, text};

pub(super) const STAND_IN: StandIn = StandIn {
    kind: "slack",
    settings: |_| json!({ "url": "ssm:/slack" }),
    secrets: |server| vec![("ssm:/slack", format!("{server}/services/secret-token"))],
    check,
    update_alerts: |_, _, _| {},
};

fn check(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
    ensure(received.path.starts_with("/services/"), || {
        received.path.to_owned()
    })?;
    fields(body, &["text", "blocks"], &["unfurl_links", "unfurl_media"])?;
    // Quotation marks have no meaning in Slack markup.
    html(&text(&body["text"], 4_000)?.replace('"', ""), &[])?;
    for block in list(&body["blocks"], 50)? {
        match block["type"].as_str() {
            Some("header") => {
                fields(block, &["type", "text"], &[])?;
                plain_text(&block["text"], 150)?;
            }
            Some("section") if block["fields"].is_array() => {
                fields(block, &["type", "fields"], &[])?;
                let texts = list(&block["fields"], 10)?;
                texts.iter().try_for_each(|field| plain_text(field, 2_000))?;
            }
            Some("section") if block["text"]["type"] == "mrkdwn" => {
                fields(&block["text"], &["type", "text"], &["verbatim"])?;
                let marked = text(&block["text"]["text"], 3_000)?;
                let link = marked.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
                let labelled = |label: &str| link.and_then(|link| link.strip_suffix(label));
                let address = labelled("|Status page").or_else(|| labelled("|Runbook"));
                let address = address.ok_or_else(|| format!("not a link: {marked}"))?;
                html(address, &[])?;
                ensure(!address.contains(['|', ' ']), || marked.to_owned())?;
            }
            Some("section") => {
                fields(block, &["type", "text"], &[])?;
                plain_text(&block["text"], 3_000)?;
            }
            Some("context") => {
                fields(block, &["type", "elements"], &[])?;
                let texts = list(&block["elements"], 10)?;
                texts.iter().try_for_each(|element| plain_text(element, 3_000))?;
            }
            _ => return Err(format!("unknown block: {block}")),
        }
    }
    Ok(200)
}

/// Plain text without `:emoji:` codes, of at most `max` characters.
fn plain_text(value: &Value, max: usize) -> Result<(), Refusal> {
    fields(value, &["type", "text", "emoji"], &[])?;
    is(&value["type"], "plain_text")?;
    ensure(value["emoji"] == false, || format!("emoji in {value}"))?;
    text(&value["text"], max).map(drop)
}
