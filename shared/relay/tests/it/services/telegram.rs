//! Telegram: HTML with foreign text in `<code>`.

use serde_json::{Value, json};

use super::{Received, Refusal, StandIn, ensure, fields, html, is, text};

pub(super) const STAND_IN: StandIn = StandIn {
    kind: "telegram",
    settings: |server| json!({ "token": "ssm:/telegram", "chat": "-100123", "server": server }),
    secrets: |_| vec![("ssm:/telegram", "123:secret-token".to_owned())],
    check,
    update_alerts: |_, _, _| {},
};

fn check(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
    ensure(received.path == "/bot123:secret-token/sendMessage", || {
        received.path.to_owned()
    })?;
    fields(
        body,
        &["chat_id", "text", "parse_mode"],
        &["link_preview_options"],
    )?;
    is(&body["parse_mode"], "HTML")?;
    // Telegram applies the limit without tags; this check includes the tags, which is stricter.
    let marked = text(&body["text"], 4_096)?;
    // Foreign text is in `<code>`; the rest is text of Portpulse.
    let mut ours = String::new();
    let mut rest = marked;
    while let Some((before, after)) = rest.split_once("<code>") {
        let (code, behind) = after.split_once("</code>").ok_or("an open <code>")?;
        html(code, &[])?;
        ours += before;
        rest = behind;
    }
    ours += rest;
    while let Some((before, after)) = ours.split_once("<a href=\"") {
        let (address, behind) = after.split_once("</a>").ok_or("an open <a>")?;
        let labelled = |label: &str| address.strip_suffix(label);
        let address = labelled("\">Status page").or_else(|| labelled("\">Runbook"));
        let address = address.ok_or("a link with another label")?;
        html(address, &[])?;
        ours = format!("{before}{behind}");
    }
    let plain = html(&ours, &["<b>", "</b>"])?;
    let tags = |tag: &str| ours.matches(tag).count();
    ensure(tags("<b>") == tags("</b>"), || "an open <b>".to_owned())?;
    ensure(!plain.contains(['@', '#', '/']), || {
        format!("a mention, tag or command: {ours}")
    })?;
    Ok(200)
}
