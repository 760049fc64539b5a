//! Renders notifications as messages: one each, or several in one message, within the limits of SNS.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_core::decide::Notification;
use portpulse_core::group_state::{MAX_TAGS, Status};
use portpulse_core::outbox::{Kind, Subject};
use portpulse_core::text::excerpt;
use serde_json::{Value, json};

use crate::body::body;
use crate::json::{MAX_ENTRIES, MAX_TAG, VERSION, to_json};
use crate::message::{Attribute, MAX_BYTES, MAX_SMS, MAX_SUBJECT, Message};
use crate::phrases::{ascii_headline, ascii_title, headline, subject_name};
use crate::text::{accepted, ascii, gsm};

/// The maximum number of notifications that are sent one by one; more of them share messages.
pub const MAX_SINGLE: usize = 3;

/// The bytes reserved in a combined message for its summary, its subject and the names of its parts.
const FRAME_BYTES: usize = 4 * 1024;
/// The separator between the notifications in a combined email.
const RULE: &str = "\n----------------------------------------\n\n";

/// Renders the messages for these notifications, in their order.
pub fn messages(notifications: &[Notification]) -> Vec<Message> {
    if notifications.len() <= MAX_SINGLE {
        return notifications.iter().map(|each| fit(single(each))).collect();
    }
    let parts: Vec<_> = notifications.iter().map(Part::of).collect();
    let groups = split(&parts, MAX_BYTES - FRAME_BYTES);
    let count = groups.len();
    let groups = groups.into_iter().enumerate();
    groups
        .map(|(index, group)| fit(together(group, (index + 1, count))))
        .collect()
}

/// The message with as much of its email text as SNS accepts. Only texts that consist of escapes exceed the limit.
fn fit(message: Message) -> Message {
    let excess = message.bytes().saturating_sub(MAX_BYTES);
    if excess == 0 {
        return message;
    }
    // Each byte of the text takes at least one byte of the message.
    let mark = "\n…\n";
    let length = message.body.len().saturating_sub(excess + mark.len() * 2);
    let body = message.body.get(..message.body.floor_char_boundary(length));
    Message {
        body: format!("{}{mark}", body.unwrap_or_default()),
        ..message
    }
}

fn single(notification: &Notification) -> Message {
    let headline = ascii_headline(notification);
    Message {
        ids: vec![notification.id.clone()],
        subject: ascii(&headline, MAX_SUBJECT),
        body: body(notification),
        sms: gsm(&headline, MAX_SMS),
        json: to_json(notification),
        attributes: attributes(&[notification]),
    }
}

/// One notification of a combined message, rendered once.
struct Part<'a> {
    notification: &'a Notification,
    headline: String,
    body: String,
    json: Value,
    /// The maximum number of bytes that the part adds to a combined message.
    bytes: usize,
}

impl<'a> Part<'a> {
    fn of(notification: &'a Notification) -> Self {
        let (headline, body, json) = (headline(notification), body(notification), to_json(notification));
        // The JSON and the texts become strings in the JSON of the message, so they are escaped.
        let escaped = |text: &str| json!(text).to_string().len();
        let names = monitor_names(notification)
            .map(|name| escaped(&name) + 1)
            .sum::<usize>();
        let names =
            names + escaped(&subject_name(&notification.subject)).max(escaped(&ascii_title(notification)));
        let tags: usize = tags(notification).map(|tag| escaped(&tag) + 1).sum();
        let bytes = escaped(&accepted(&json.to_string()))
            + escaped(&body)
            + escaped(&headline)
            + escaped(RULE)
            + names
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

/// Splits the parts into groups of at most `max` bytes; a larger part is a group of its own.
fn split<'a, 'b>(parts: &'b [Part<'a>], max: usize) -> Vec<&'b [Part<'a>]> {
    let (mut groups, mut rest) = (Vec::new(), parts);
    while !rest.is_empty() {
        let mut bytes = 0;
        let fitting = rest.iter().take_while(|part| {
            bytes += part.bytes;
            bytes <= max
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
    let names: Vec<_> = notifications.iter().map(|each| ascii_title(each)).collect();
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

/// The number of notifications of each kind, such as `9 down, 3 recovered`.
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

/// The message attributes that subscriptions can filter by.
fn attributes(notifications: &[&Notification]) -> BTreeMap<&'static str, Attribute> {
    let each = notifications.iter();
    let locations = each.clone().map(|each| &each.subject);
    let locations = locations.filter(|subject| matches!(subject, Subject::Location(_)));
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
            one_or_more(each.clone().flat_map(|each| monitor_names(each))),
        ),
        ("location", one_or_more(locations.map(subject_name))),
        ("tag", list(each.clone().flat_map(|each| tags(each)).collect())),
    ];
    let all = all.into_iter();
    all.filter_map(|(name, attribute)| Some((name, attribute?)))
        .collect()
}

/// The kinds for the `kind` attribute: a test has all kinds, so it passes every filter.
fn kinds(notification: &Notification) -> &[Kind] {
    if notification.kind == Kind::Test {
        Kind::ALL
    } else {
        std::slice::from_ref(&notification.kind)
    }
}

/// The statuses for the `status` attribute: a test has all statuses, so it passes every filter.
fn statuses(notification: &Notification) -> &[Status] {
    if notification.kind == Kind::Test {
        Status::ALL
    } else {
        std::slice::from_ref(&notification.status)
    }
}

/// A single value if all are equal, otherwise a list; `None` if there are none.
fn one_or_more(values: impl Iterator<Item = String>) -> Option<Attribute> {
    let values: BTreeSet<_> = values.collect();
    match values.first() {
        Some(value) if values.len() == 1 => Some(Attribute::Text(value.clone())),
        Some(_) | None => list(values),
    }
}

fn list(values: BTreeSet<String>) -> Option<Attribute> {
    (!values.is_empty()).then(|| Attribute::List(values.into_iter().collect()))
}

/// The ids of the affected monitors.
fn monitor_names(notification: &Notification) -> impl Iterator<Item = String> {
    let monitors = notification.monitors.iter().take(MAX_ENTRIES);
    monitors.map(|monitor| monitor.id.to_string())
}

fn tags(notification: &Notification) -> impl Iterator<Item = String> {
    let tags = notification.tags.iter().take(MAX_TAGS);
    tags.map(|tag| excerpt(tag, MAX_TAG))
        .filter(|tag| !tag.is_empty())
}

#[cfg(test)]
mod tests;
