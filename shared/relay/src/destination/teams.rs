//! Microsoft Teams: a workflow that starts when a webhook request is received, and an Adaptive Card.
//!
//! All text is in rich text runs, which do not interpret Markdown.
//!
//! Sources: <https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>
//! (28 KB per message), <https://learn.microsoft.com/en-us/adaptive-cards/schema-explorer/text-run>,
//! [formatting functions](https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features).

use portpulse_core::decide::Notification;
use serde_json::{Value, json};

use super::DestinationKind;
use crate::chat_message::{ChatMessage, Level};
use crate::request::OutgoingRequest;
use crate::setting::{Form, Setting};
use crate::settings::Settings;
use crate::text_format::{TextFormat, Unit};

// Shares of the 28 KB; JSON escapes double the bytes of quotes and backslashes.
const MAX_HEADLINE: usize = 400;
const MAX_SENTENCE: usize = 400;
const MAX_FACTS: usize = 10;
const MAX_FACT: usize = 300;
const MAX_LINE: usize = 400;
const MAX_LIST: usize = 2_500;
const MAX_FOOTER: usize = 400;

const RUN: TextFormat = TextFormat {
    escape: separate_braces,
    unit: Unit::Bytes,
};

/// A channel of Microsoft Teams.
pub(crate) struct Teams;

impl DestinationKind for Teams {
    fn name(&self) -> &'static str {
        "teams"
    }

    fn title(&self) -> &'static str {
        "Microsoft Teams"
    }

    fn settings(&self) -> &'static [Setting] {
        const { &[Setting::required("url", Form::Secret, "the URL of the workflow")] }
    }

    fn requests(&self, _: &Settings, notifications: &[&Notification]) -> Vec<OutgoingRequest> {
        OutgoingRequest::of_chat(notifications, body)
    }
}

fn body(message: &ChatMessage) -> Value {
    let rgb = match message.level {
        Level::Critical => "attention",
        Level::Warning => "warning",
        Level::Info => "accent",
        Level::Resolved => "good",
    };
    let headline = format!("{} {}", message.level.symbol(), message.headline);
    let mut elements = vec![
        paragraph(vec![json!({
            "type": "TextRun",
            "text": RUN.fit(&headline, MAX_HEADLINE),
            "weight": "bolder",
            "size": "large",
            "color": rgb,
        })]),
        paragraph(vec![run(&RUN.fit(&message.sentence, MAX_SENTENCE))]),
    ];
    for (label, value) in message.facts.iter().take(MAX_FACTS) {
        elements.push(labelled(label, &RUN.fit(value, MAX_FACT)));
    }
    for (title, lines) in &message.lists {
        elements.push(paragraph(vec![bold(&format!("{title}:"))]));
        let lines = RUN.lines(lines, MAX_LINE, MAX_LIST);
        elements.extend(lines.lines().map(|line| paragraph(vec![run(line)])));
    }
    let footer = json!({ "type": "TextRun", "text": RUN.fit(&message.footer, MAX_FOOTER), "isSubtle": true, "size": "small" });
    elements.push(paragraph(vec![footer]));
    let actions: Vec<_> = message
        .links
        .iter()
        .map(|(label, link)| json!({ "type": "Action.OpenUrl", "title": label, "url": link.as_str() }))
        .collect();
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": RUN.fit(&headline, MAX_HEADLINE),
        "msteams": { "width": "Full" },
        "body": elements,
        "actions": actions,
    });
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card,
        }],
    })
}

fn paragraph(runs: Vec<Value>) -> Value {
    json!({ "type": "RichTextBlock", "inlines": runs })
}

fn labelled(label: &str, value: &str) -> Value {
    paragraph(vec![bold(&format!("{label}: ")), run(value)])
}

fn run(text: &str) -> Value {
    json!({ "type": "TextRun", "text": text })
}

fn bold(text: &str) -> Value {
    json!({ "type": "TextRun", "text": text, "weight": "bolder" })
}

/// Inserts a space between two braces: `{{DATE(…)}}` would be a formatting function.
fn separate_braces(c: char, to: &mut String) {
    if matches!(c, '{' | '}') && to.ends_with(c) {
        to.push(' ');
    }
    to.push(c);
}
