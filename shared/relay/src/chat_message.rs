//! The content of a chat message for one notification, or for several at once, independent of the chat service.

use portpulse_alert::{
    MAX_ENTRIES, cause_text, headline, location_text, monitor_text, sentence, summary, utc_time,
};
use portpulse_core::choice::Severity;
use portpulse_core::decide::Notification;
use portpulse_core::group_state::Status;
use portpulse_core::outbox::{Kind, Stage};
use portpulse_core::text::{is_url_byte, one_line};

/// The maximum number of notifications that get a message each; more of them share messages, as in emails.
const MAX_SINGLE: usize = portpulse_alert::MAX_SINGLE;
/// The maximum number of headlines in one message: every chat service has room for that many.
const MAX_HEADLINES: usize = 10;

/// One chat message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChatMessage {
    /// The ids of the notifications in the message.
    pub(crate) ids: Vec<String>,
    pub(crate) level: Level,
    pub(crate) headline: String,
    pub(crate) sentence: String,
    /// Short facts with their labels; foreign text.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// Lists with their titles; foreign text.
    pub(crate) lists: Vec<(&'static str, Vec<String>)>,
    /// Links with their labels: the status page, then the runbook.
    pub(crate) links: Vec<(&'static str, Link)>,
    /// The group, in small print.
    pub(crate) footer: String,
}

/// The urgency of a message, shown by color and symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Action is required now.
    Critical,
    /// Action is required soon.
    Warning,
    /// For information.
    Info,
    /// The problem is over.
    Resolved,
}

impl Level {
    pub(crate) fn of(notification: &Notification) -> Self {
        if notification.kind == Kind::AdvisoryOver && notification.status != Status::Up {
            // The advisory became an incident.
            return Self::Info;
        }
        match (notification.kind.stage(), notification.severity) {
            (Stage::Ended, _) => Self::Resolved,
            (Stage::Active, Severity::Critical) => Self::Critical,
            (Stage::Active, Severity::Warning) => Self::Warning,
            (Stage::Active, Severity::Info) | (Stage::Test, _) => Self::Info,
        }
    }

    /// A symbol for plain text without color.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Critical => "🔴",
            Self::Warning => "🟡",
            Self::Info => "🔵",
            Self::Resolved => "🟢",
        }
    }

    /// Red, amber, blue or green, as 0xRRGGBB.
    pub(crate) fn rgb(self) -> u32 {
        match self {
            Self::Critical => 0x00d7_263d,
            Self::Warning => 0x00f4_a261,
            Self::Info => 0x003a_86ff,
            Self::Resolved => 0x002a_9d8f,
        }
    }
}

/// A URL that a browser can open: http or https, with a host, at most 500 ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link(String);

impl Link {
    pub(crate) fn new(text: &str) -> Option<Self> {
        let uri = text.parse::<http::Uri>().ok()?;
        let opens = matches!(uri.scheme_str(), Some("http" | "https"));
        let host = uri.host().unwrap_or_default();
        let named = host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
        let stays_in_link = |b: u8| is_url_byte(b) && !matches!(b, b'|' | b'\\');
        (opens && named && text.len() <= 500 && text.bytes().all(stays_in_link))
            .then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl ChatMessage {
    /// The messages for these notifications, in their order.
    pub(crate) fn of(notifications: &[&Notification]) -> Vec<Self> {
        if notifications.len() <= MAX_SINGLE {
            return notifications.iter().map(|each| Self::single(each)).collect();
        }
        notifications.chunks(MAX_HEADLINES).map(Self::together).collect()
    }

    fn single(notification: &Notification) -> Self {
        let mut lists = vec![
            ("Monitors", monitor_lines(notification)),
            ("Locations", location_lines(notification)),
            ("Errors in the definition", notification.diagnostics.clone()),
        ];
        lists
            .iter_mut()
            .for_each(|(_, lines)| lines.retain(|line| is_visible(line)));
        lists.retain(|(_, lines)| !lines.is_empty());
        Self {
            ids: vec![notification.id.clone()],
            level: Level::of(notification),
            headline: headline(notification),
            sentence: sentence(notification),
            facts: facts(notification),
            lists,
            links: links(notification),
            footer: footer(notification),
        }
    }

    fn together(notifications: &[&Notification]) -> Self {
        let levels = notifications.iter().map(|each| Level::of(each));
        let line = |each: &&Notification| format!("{} {}", Level::of(each).symbol(), headline(each));
        let changes = if notifications.len() == 1 {
            "change"
        } else {
            "changes"
        };
        Self {
            ids: notifications.iter().map(|each| each.id.clone()).collect(),
            level: levels.min().unwrap_or(Level::Info),
            headline: summary(notifications),
            sentence: format!("{} {changes} at once.", notifications.len()),
            facts: Vec::new(),
            lists: vec![("Changes", notifications.iter().map(line).collect())],
            links: Vec::new(),
            footer: "Portpulse".to_owned(),
        }
    }
}

fn footer(notification: &Notification) -> String {
    let group = notification.group.clone().filter(|group| is_visible(group));
    group.unwrap_or_else(|| "Portpulse".to_owned())
}

/// The addresses of a notification with their labels: the status page, then the runbook.
fn addresses(notification: &Notification) -> impl Iterator<Item = (&'static str, &str)> {
    let addresses = [
        ("Status page", &notification.page),
        ("Runbook", &notification.runbook),
    ];
    addresses
        .into_iter()
        .filter_map(|(label, address)| Some((label, address.as_deref()?)))
}

/// The addresses that a browser can open, with their labels.
pub(crate) fn links(notification: &Notification) -> Vec<(&'static str, Link)> {
    addresses(notification)
        .filter_map(|(label, address)| Some((label, Link::new(address)?)))
        .collect()
}

/// The facts with their labels. An address that is not a link is a fact too.
fn facts(notification: &Notification) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Severity", notification.severity.to_string())];
    facts.extend(notification.target.clone().map(|target| ("Target", target)));
    if let Some(finding) = &notification.finding {
        let label = match notification.kind.stage() {
            Stage::Active | Stage::Test => "Cause",
            Stage::Ended => "Cause was",
        };
        facts.push((label, cause_text(finding.cause).to_owned()));
        let detail = finding.detail.as_ref();
        facts.extend(detail.map(|detail| ("Detail", format!("\"{detail}\""))));
    }
    facts.push(("Since", utc_time(notification.since)));
    facts.push(("Changed", utc_time(notification.at)));
    if !notification.tags.is_empty() {
        facts.push(("Tags", notification.tags.join(", ")));
    }
    let texts = addresses(notification).filter(|(_, address)| Link::new(address).is_none());
    facts.extend(texts.map(|(label, address)| (label, address.to_owned())));
    facts.retain(|(_, value)| is_visible(value));
    facts
}

/// The target, or the name of the subject: the affected entity for pagers.
pub(crate) fn entity(notification: &Notification) -> String {
    let target = notification.target.clone().filter(|target| is_visible(target));
    let entity = target.unwrap_or_else(|| notification.subject.to_string());
    if is_visible(&entity) {
        entity
    } else {
        "portpulse".to_owned()
    }
}

/// Whether a text contains visible characters; some services refuse empty fields.
fn is_visible(text: &str) -> bool {
    !one_line(text).is_empty()
}

/// The affected monitors, if there are several.
fn monitor_lines(notification: &Notification) -> Vec<String> {
    if notification.monitor_count < 2 {
        return Vec::new();
    }
    let monitors = notification.monitors.iter().take(MAX_ENTRIES);
    monitors
        .map(|monitor| monitor_text(monitor, notification))
        .collect()
}

fn location_lines(notification: &Notification) -> Vec<String> {
    let locations = notification.locations.iter().take(MAX_ENTRIES);
    locations
        .map(|(location, view)| format!("{location}: {}", location_text(view)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_accepts_only_http_urls() {
        for good in [
            "https://wiki.example.com/a?b=c&d#e",
            "http://[2001:db8::1]/x",
            "http://h",
        ] {
            assert!(Link::new(good).is_some(), "{good}");
        }
        let long = format!("https://h/{}", "x".repeat(500));
        for bad in [
            "javascript:alert(1)",
            "https://",
            "https:///x",
            "https://h/<script>",
            "https://h/a b",
            "https://h/a|b",
            "https://h/\u{fc}",
            "wiki.example.com",
            "",
            &long,
        ] {
            assert!(Link::new(bad).is_none(), "{bad}");
        }
    }
}
