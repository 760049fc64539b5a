//! Mattermost: one attachment, with foreign text in code spans.

use serde_json::{Value, json};

use super::{Received, Refusal, StandIn, ensure, fields, list, text};

pub(super) const STAND_IN: StandIn = StandIn {
    kind: "mattermost",
    settings: |_| json!({ "url": "ssm:/mattermost" }),
    secrets: |server| vec![("ssm:/mattermost", format!("{server}/hooks/secret-token"))],
    check,
    update_alerts: |_, _, _| {},
};

fn check(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
    ensure(received.path.starts_with("/hooks/"), || received.path.to_owned())?;
    fields(body, &["attachments"], &[])?;
    for attachment in list(&body["attachments"], 1)? {
        fields(attachment, &["fallback", "color", "text"], &[])?;
        text(&attachment["fallback"], 4_000)?;
        let color = attachment["color"].as_str().unwrap_or_default();
        ensure(color.len() == 7 && color.starts_with('#'), || color.to_owned())?;
        // Outside code spans there is only text of Portpulse.
        let spans: Vec<_> = text(&attachment["text"], 4_000)?.split('`').collect();
        ensure(spans.len() % 2 == 1, || "an open code span".to_owned())?;
        ensure(
            spans.iter().skip(1).step_by(2).all(|code| !code.is_empty()),
            || "an empty span".to_owned(),
        )?;
        let mut ours: String = spans.iter().step_by(2).copied().collect();
        for label in ["[Status page](", "[Runbook]("] {
            let Some((before, after)) = ours.split_once(label) else {
                continue;
            };
            let (address, behind) = after.split_once(')').ok_or("an open link")?;
            let breaks = |c: char| !c.is_ascii_graphic() || matches!(c, '(' | '<' | '>' | '|');
            ensure(address.starts_with("http") && !address.contains(breaks), || {
                address.to_owned()
            })?;
            ours = format!("{before}{behind}");
        }
        let markup = ours.replace("**", "");
        ensure(ours.matches("**").count().is_multiple_of(2), || {
            "open emphasis".to_owned()
        })?;
        ensure(
            !markup.contains(['@', '#', '/', '<', '*', '_', '[', '\\']),
            || format!("markup in {ours}"),
        )?;
    }
    Ok(200)
}
