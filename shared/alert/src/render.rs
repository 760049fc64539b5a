//! From notifications to messages: one each, or together when they are many, never more than SNS takes.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_core::decide::Notification;
use portpulse_core::group_state::Status;
use portpulse_core::outbox::{Kind, Subject};
use serde_json::{Value, json};

use crate::body::body;
use crate::json::{MAX_ENTRIES, MAX_TAG, VERSION, to_json};
use crate::message::{Attribute, MAX_BYTES, MAX_SMS, MAX_SUBJECT, Message};
use crate::text::{accepted, ascii, gsm, plain};
use crate::words::{headline, name};

/// The most notifications that go out one by one; more than these go together.
pub const MAX_SINGLE: usize = 3;

/// What a group's own words, its subject and the names of its parts take at most.
const FRAME_BYTES: usize = 4 * 1024;
/// Between the parts of a group's text.
const RULE: &str = "\n----------------------------------------\n\n";

/// The messages that tell these notifications, in their order.
pub fn messages(notifications: &[Notification]) -> Vec<Message> {
    if notifications.len() <= MAX_SINGLE {
        return notifications.iter().map(single).collect();
    }
    let parts: Vec<_> = notifications.iter().map(Part::of).collect();
    let groups = split(&parts, MAX_BYTES - FRAME_BYTES);
    let count = groups.len();
    let groups = groups.into_iter().enumerate();
    groups
        .map(|(index, group)| together(group, (index + 1, count)))
        .collect()
}

fn single(notification: &Notification) -> Message {
    let headline = headline(notification);
    Message {
        ids: vec![notification.id.clone()],
        subject: ascii(&headline, MAX_SUBJECT),
        body: body(notification),
        sms: gsm(&headline, MAX_SMS),
        json: to_json(notification),
        attributes: attributes(&[notification]),
    }
}

/// A notification of many, rendered once.
struct Part<'a> {
    notification: &'a Notification,
    headline: String,
    body: String,
    json: Value,
    /// What it adds to a group's message at most.
    bytes: usize,
}

impl<'a> Part<'a> {
    fn of(notification: &'a Notification) -> Self {
        let (headline, body, json) = (headline(notification), body(notification), to_json(notification));
        // The JSON and the texts become strings of the message's own JSON.
        let escaped = |text: &str| json!(text).to_string().len();
        let tags: usize = tags(notification).map(|tag| escaped(&tag) + 1).sum();
        let bytes = escaped(&accepted(&json.to_string()))
            + escaped(&body)
            + escaped(&headline)
            + escaped(RULE)
            + escaped(&name(&notification.subject))
            + tags;
        Self {
            notification,
            headline,
            body,
            json,
            bytes,
        }
    }
}

/// Cuts the parts into groups of at most `most` bytes; a part that is larger stands alone.
fn split<'a, 'b>(parts: &'b [Part<'a>], most: usize) -> Vec<&'b [Part<'a>]> {
    let (mut groups, mut rest) = (Vec::new(), parts);
    while !rest.is_empty() {
        let mut bytes = 0;
        let fitting = rest.iter().take_while(|part| {
            bytes += part.bytes;
            bytes <= most
        });
        let (group, after) = rest.split_at(fitting.count().max(1));
        groups.push(group);
        rest = after;
    }
    groups
}

fn together(parts: &[Part<'_>], (number, count): (usize, usize)) -> Message {
    let notifications: Vec<_> = parts.iter().map(|part| part.notification).collect();
    let mut summary = summary(&notifications);
    if count > 1 {
        summary += &format!(" ({number} of {count})");
    }
    let headlines: Vec<_> = parts.iter().map(|part| part.headline.as_str()).collect();
    let bodies: Vec<_> = parts.iter().map(|part| part.body.as_str()).collect();
    let names: Vec<_> = notifications.iter().map(|each| name(&each.subject)).collect();
    let json: Vec<_> = parts.iter().map(|part| &part.json).collect();
    Message {
        ids: notifications.iter().map(|each| each.id.clone()).collect(),
        subject: ascii(&summary, MAX_SUBJECT),
        body: format!(
            "{summary}\n\n{}\n{RULE}{}",
            headlines.join("\n"),
            bodies.join(RULE)
        ),
        sms: gsm(&format!("{summary}: {}", names.join(", ")), MAX_SMS),
        json: json!({ "type": "notifications", "version": VERSION, "notifications": json }),
        attributes: attributes(&notifications),
    }
}

/// How many of each kind, such as `9 down, 3 recovered`.
pub fn summary(notifications: &[&Notification]) -> String {
    let mut counts = BTreeMap::<Kind, usize>::new();
    for notification in notifications {
        *counts.entry(notification.kind).or_default() += 1;
    }
    let counts = counts.into_iter();
    let counts: Vec<_> = counts
        .map(|(kind, count)| format!("{count} {}", kind.as_str().replace('_', " ")))
        .collect();
    counts.join(", ")
}

/// What can be filtered by.
fn attributes(notifications: &[&Notification]) -> BTreeMap<&'static str, Attribute> {
    let each = notifications.iter();
    let subjects = |pick: fn(&Subject) -> bool| {
        let subjects = each.clone().map(|each| &each.subject);
        one_or_more(subjects.filter(|subject| pick(subject)).map(name))
    };
    let all = [
        (
            "severity",
            one_or_more(
                each.clone()
                    .flat_map(|each| &each.audience)
                    .map(ToString::to_string),
            ),
        ),
        (
            "kind",
            one_or_more(each.clone().flat_map(|each| kinds(each)).map(ToString::to_string)),
        ),
        (
            "status",
            one_or_more(
                each.clone()
                    .flat_map(|each| statuses(each))
                    .map(ToString::to_string),
            ),
        ),
        (
            "monitor",
            subjects(|subject| matches!(subject, Subject::Monitor(_))),
        ),
        (
            "location",
            subjects(|subject| matches!(subject, Subject::Location(_))),
        ),
        ("tag", list(each.clone().flat_map(|each| tags(each)).collect())),
    ];
    let all = all.into_iter();
    all.filter_map(|(name, attribute)| Some((name, attribute?)))
        .collect()
}

/// A test passes every filter by kind.
fn kinds(notification: &Notification) -> &[Kind] {
    if notification.kind == Kind::Test {
        Kind::ALL
    } else {
        std::slice::from_ref(&notification.kind)
    }
}

/// A test passes every filter by status.
fn statuses(notification: &Notification) -> &[Status] {
    if notification.kind == Kind::Test {
        Status::ALL
    } else {
        std::slice::from_ref(&notification.status)
    }
}

/// One word where all agree, else a list.
fn one_or_more(words: impl Iterator<Item = String>) -> Option<Attribute> {
    let words: BTreeSet<_> = words.collect();
    match words.first() {
        Some(word) if words.len() == 1 => Some(Attribute::Text(word.clone())),
        Some(_) | None => list(words),
    }
}

fn list(words: BTreeSet<String>) -> Option<Attribute> {
    (!words.is_empty()).then(|| Attribute::List(words.into_iter().collect()))
}

fn tags(notification: &Notification) -> impl Iterator<Item = String> {
    let tags = notification.tags.iter().take(MAX_ENTRIES);
    tags.map(|tag| plain(tag, MAX_TAG)).filter(|tag| !tag.is_empty())
}

#[cfg(test)]
mod tests;
