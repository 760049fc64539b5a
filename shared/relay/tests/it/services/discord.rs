//! Discord: one embed of escaped Markdown.

use serde_json::{Value, json};

use super::{Received, Refusal, StandIn, ensure, fields, link, list, text};

pub(super) const STAND_IN: StandIn = StandIn {
    kind: "discord",
    settings: |_| json!({ "url": "ssm:/discord" }),
    secrets: |server| vec![("ssm:/discord", format!("{server}/api/webhooks/1/secret-token"))],
    check,
    update_alerts: |_, _, _| {},
};

fn check(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
    ensure(received.path.starts_with("/api/webhooks/"), || {
        received.path.to_owned()
    })?;
    fields(body, &["embeds", "allowed_mentions"], &[])?;
    ensure(
        body["allowed_mentions"] == serde_json::json!({ "parse": [] }),
        || "mentions".to_owned(),
    )?;
    let mut all = 0;
    for embed in list(&body["embeds"], 10)? {
        fields(
            embed,
            &["title", "description", "color", "fields", "footer"],
            &["url"],
        )?;
        let mut count = |value, max| {
            let text = text(value, max)?;
            all += text.encode_utf16().count();
            Ok::<_, Refusal>(text)
        };
        markdown(count(&embed["title"], 256)?)?;
        markdown(count(&embed["description"], 4_096)?)?;
        count(&embed["footer"]["text"], 2_048)?;
        for field in list(&embed["fields"], 25)? {
            fields(field, &["name", "value", "inline"], &[])?;
            markdown(count(&field["name"], 256)?)?;
            markdown(count(&field["value"], 1_024)?)?;
        }
        if let Some(url) = embed.get("url") {
            link(url)?;
        }
        let color = embed["color"].as_u64();
        ensure(color.is_some_and(|color| color <= 0xff_ffff), || {
            "the color".to_owned()
        })?;
    }
    ensure(all <= 6_000, || format!("{all} characters in all"))?;
    Ok(204)
}

/// Checks that every punctuation mark is escaped, except in the titles of lists and in the link to the runbook.
fn markdown(text: &str) -> Result<(), Refusal> {
    let mut rest = text.to_owned();
    if let Some((before, after)) = rest.clone().split_once("\n[Runbook](<") {
        let (address, behind) = after.split_once(">)").ok_or("an open link")?;
        link(&address.into())?;
        rest = format!("{before}{behind}");
    }
    for title in ["Monitors", "Locations", "Errors in the definition", "Changes"] {
        rest = rest.replace(&format!("**{title}**"), "");
    }
    let mut characters = rest.chars();
    while let Some(c) = characters.next() {
        if c == '\\' {
            let escaped = characters.next();
            ensure(escaped.is_some_and(|c| c.is_ascii_punctuation()), || {
                format!("a lone backslash: {text}")
            })?;
        } else {
            ensure(!c.is_ascii_punctuation(), || format!("a bare {c} in {text}"))?;
        }
    }
    Ok(())
}
