//! ntfy: a message of plain text.

use serde_json::{Value, json};

use super::{Received, Refusal, StandIn, ensure, fields, link, text};

pub(super) const STAND_IN: StandIn = StandIn {
    kind: "ntfy",
    settings: |server| json!({ "topic": "ssm:/topic", "token": "ssm:/ntfy", "server": server }),
    secrets: |_| {
        vec![
            ("ssm:/topic", "secret-topic".to_owned()),
            ("ssm:/ntfy", "secret-token".to_owned()),
        ]
    },
    check,
    update_alerts: |_, _, _| {},
};

fn check(received: &Received<'_>, body: &Value) -> Result<u16, Refusal> {
    ensure(received.path == "/", || received.path.to_owned())?;
    fields(
        body,
        &["topic", "message"],
        &["title", "priority", "tags", "click"],
    )?;
    let topic = text(&body["topic"], 64)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    ensure(topic.chars().all(fits), || topic.to_owned())?;
    // Longer messages become attachments.
    let message = text(&body["message"], 4_096)?;
    ensure(message.len() <= 4_096, || format!("{} bytes", message.len()))?;
    ensure(text(&body["title"], 250)?.len() <= 250, || "the title".to_owned())?;
    let priority = body["priority"].as_u64();
    ensure(
        priority.is_some_and(|priority| (1..=5).contains(&priority)),
        || "the priority".to_owned(),
    )?;
    body.get("click").map_or(Ok(()), link)?;
    Ok(200)
}
