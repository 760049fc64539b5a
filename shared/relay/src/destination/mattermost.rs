//! Mattermost: an incoming webhook, and a message with one attachment in Markdown.
//!
//! Foreign text is in code spans, where Mattermost reads no mentions, links, emoji or markup.
//!
//! Sources: <https://developers.mattermost.com/integrate/webhooks/incoming/>,
//! [attachments](https://developers.mattermost.com/integrate/reference/message-attachments) (`text` supports mentions; long
//! texts are collapsed), [limits](https://github.com/mattermost/mattermost/blob/master/server/public/model/post.go) (16,383
//! characters, 4,000 before version 5.0).

use portpulse_core::decide::Notification;
use serde_json::{Value, json};

use super::DestinationKind;
use crate::chat_message::ChatMessage;
use crate::request::OutgoingRequest;
use crate::setting::{Form, Setting};
use crate::settings::Settings;
use crate::text_format::{TextFormat, Unit, unescaped};

// Shares of 4,000 characters: ten facts with their labels take at most 1,200, and the link three times its 500 characters.
const MAX_HEADLINE: usize = 200;
const MAX_SENTENCE: usize = 300;
const MAX_FACTS: usize = 10;
const MAX_FACT: usize = 100;
const MAX_LINE: usize = 160;
const MAX_LIST: usize = 1_700;
const MAX_FOOTER: usize = 150;
const MAX_TEXT: usize = 4_000;

const PLAIN: TextFormat = TextFormat {
    escape: unescaped,
    unit: Unit::Characters,
};
/// The inside of a code span, which has no escapes.
const CODE: TextFormat = TextFormat {
    escape: |c, to| to.push(if c == '`' { '\'' } else { c }),
    unit: Unit::Characters,
};

/// A channel of Mattermost.
pub(crate) struct Mattermost;

impl DestinationKind for Mattermost {
    fn name(&self) -> &'static str {
        "mattermost"
    }

    fn title(&self) -> &'static str {
        "Mattermost"
    }

    fn settings(&self) -> &'static [Setting] {
        const {
            &[Setting::required(
                "url",
                Form::Secret,
                "the URL of the incoming webhook",
            )]
        }
    }

    fn requests(&self, _: &Settings, notifications: &[&Notification]) -> Vec<OutgoingRequest> {
        OutgoingRequest::of_chat(notifications, body)
    }
}

fn body(message: &ChatMessage) -> Value {
    let headline = format!("{} {}", message.level.symbol(), message.headline);
    let mut text = format!(
        "{} **{}**\n{}",
        message.level.symbol(),
        code(&message.headline, MAX_HEADLINE),
        code(&message.sentence, MAX_SENTENCE)
    );
    for (label, value) in message.facts.iter().take(MAX_FACTS) {
        text += &format!("\n{label}: {}", code(value, MAX_FACT));
    }
    for (label, link) in &message.links {
        let link = link.as_str().replace('(', "%28").replace(')', "%29");
        text += &format!("\n[{label}]({link})");
    }
    let footer = format!("\n\n{}", code(&message.footer, MAX_FOOTER));
    for (title, lines) in &message.lists {
        // Each line is in a code span of its own, which takes two more characters.
        let used = CODE.length(&text) + CODE.length(&footer) + title.len() + 2 * lines.len() + 10;
        let room = MAX_LIST.min(MAX_TEXT.saturating_sub(used));
        // Of three lists, the last may have no room.
        if room < MAX_LINE {
            break;
        }
        let lines = CODE.lines(lines, MAX_LINE, room);
        let lines: Vec<_> = lines.lines().map(|line| format!("`{line}`")).collect();
        text += &format!("\n\n**{title}**\n{}", lines.join("\n"));
    }
    json!({
        "attachments": [{
            "fallback": PLAIN.fit(&headline, MAX_HEADLINE),
            "color": format!("#{:06x}", message.level.rgb()),
            "text": text + &footer,
        }],
    })
}

fn code(text: &str, max: usize) -> String {
    format!("`{}`", CODE.fit(text, max))
}
