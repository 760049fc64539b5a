//! Chats. `src/destination` lists the sources.

use serde_json::Value;

use super::{Received, Refusal, ensure, fields, html, is, link, list, text};

pub(super) fn slack(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
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
                let address = marked
                    .strip_prefix('<')
                    .and_then(|rest| rest.strip_suffix("|Runbook>"));
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

pub(super) fn discord(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
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

/// Checks that every punctuation mark is escaped, except in the titles of lists.
fn markdown(text: &str) -> Result<(), Refusal> {
    let mut rest = text.to_owned();
    for title in ["Locations", "Errors in the definition", "Changes"] {
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

pub(super) fn teams(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
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

pub(super) fn google_chat(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
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

pub(super) fn telegram(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
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
    if let Some((before, after)) = ours.clone().split_once("<a href=\"") {
        let (address, behind) = after.split_once("\">Runbook</a>").ok_or("an open <a>")?;
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
