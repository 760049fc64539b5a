//! What a chat shows of one notification, or of several at once, before it takes the form of any channel.

use portpulse_alert::{MAX_ENTRIES, clock, headline, location_words, plain, sentence, summary, words};
use portpulse_core::choice::Severity;
use portpulse_core::decide::Notification;
use portpulse_core::group_state::Status;
use portpulse_core::outbox::{Kind, Stage};

/// The most notifications that are shown one by one; more of them share pages, as they share an email.
const MAX_SINGLE: usize = portpulse_alert::MAX_SINGLE;
/// The most headlines on one page: every channel has room for that many.
const MAX_HEADLINES: usize = 10;

/// One message of a chat.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Page {
    /// The ids of the notifications that it tells.
    pub(crate) ids: Vec<String>,
    pub(crate) tone: Tone,
    pub(crate) headline: String,
    pub(crate) sentence: String,
    /// Short facts by their labels; foreign text.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// Lists by their titles; foreign text.
    pub(crate) lists: Vec<(&'static str, Vec<String>)>,
    pub(crate) runbook: Option<Link>,
    /// Small print: where it comes from.
    pub(crate) footer: String,
}

/// How a message looks from afar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tone {
    /// Somebody has to act.
    Alarm,
    /// Somebody should look.
    Warning,
    /// Good to know.
    Note,
    /// It is over.
    Relief,
}

impl Tone {
    pub(crate) fn of(notification: &Notification) -> Self {
        if notification.kind == Kind::AdvisoryOver && notification.status != Status::Up {
            // It ended in an incident.
            return Self::Note;
        }
        match (notification.kind.stage(), notification.severity) {
            (Stage::Over, _) => Self::Relief,
            (Stage::On, Severity::Critical) => Self::Alarm,
            (Stage::On, Severity::Warning) => Self::Warning,
            (Stage::On, Severity::Info) | (Stage::Test, _) => Self::Note,
        }
    }

    /// A mark that can be told at a glance, where text has no colour.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Self::Alarm => "🔴",
            Self::Warning => "🟡",
            Self::Note => "🔵",
            Self::Relief => "🟢",
        }
    }

    /// Red, amber, blue or green, as 0xRRGGBB.
    pub(crate) fn colour(self) -> u32 {
        match self {
            Self::Alarm => 0x00d7_263d,
            Self::Warning => 0x00f4_a261,
            Self::Note => 0x003a_86ff,
            Self::Relief => 0x002a_9d8f,
        }
    }
}

/// An address that can be opened: http or https, with a host, at most 500 ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link(String);

impl Link {
    pub(crate) fn new(text: &str) -> Option<Self> {
        let uri = text.parse::<http::Uri>().ok()?;
        let opens = matches!(uri.scheme_str(), Some("http" | "https"));
        let host = uri.host().unwrap_or_default();
        let named = host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
        let graphic = |b: u8| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"' | b'`' | b'|' | b'\\');
        (opens && named && text.len() <= 500 && text.bytes().all(graphic)).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Page {
    /// The pages that tell these notifications, in their order.
    pub(crate) fn of(notifications: &[&Notification]) -> Vec<Self> {
        if notifications.len() <= MAX_SINGLE {
            return notifications.iter().map(|each| Self::single(each)).collect();
        }
        notifications.chunks(MAX_HEADLINES).map(Self::together).collect()
    }

    fn single(notification: &Notification) -> Self {
        let runbook = notification.runbook.as_deref().and_then(Link::new);
        let mut lists = vec![
            ("What each location sees", locations(notification)),
            ("What is wrong with it", notification.diagnostics.clone()),
        ];
        lists
            .iter_mut()
            .for_each(|(_, lines)| lines.retain(|line| is_seen(line)));
        lists.retain(|(_, lines)| !lines.is_empty());
        Self {
            ids: vec![notification.id.clone()],
            tone: Tone::of(notification),
            headline: headline(notification),
            sentence: sentence(notification),
            facts: facts(notification, runbook.as_ref()),
            lists,
            runbook,
            footer: footer(notification),
        }
    }

    fn together(notifications: &[&Notification]) -> Self {
        let tones = notifications.iter().map(|each| Tone::of(each));
        let line = |each: &&Notification| format!("{} {}", Tone::of(each).mark(), headline(each));
        let changes = if notifications.len() == 1 {
            "change"
        } else {
            "changes"
        };
        Self {
            ids: notifications.iter().map(|each| each.id.clone()).collect(),
            tone: tones.min().unwrap_or(Tone::Note),
            headline: summary(notifications),
            sentence: format!("{} {changes} at once.", notifications.len()),
            facts: Vec::new(),
            lists: vec![("Changes", notifications.iter().map(line).collect())],
            runbook: None,
            footer: "Portpulse".to_owned(),
        }
    }
}

fn footer(notification: &Notification) -> String {
    let group = notification.group.map(|group| format!("{group} · "));
    group.unwrap_or_default() + &notification.id
}

/// What is known of it, each in a few words.
fn facts(notification: &Notification, runbook: Option<&Link>) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    facts.extend(notification.target.clone().map(|target| ("Target", target)));
    if let Some(finding) = &notification.finding {
        let label = match notification.kind.stage() {
            Stage::On | Stage::Test => "Cause",
            Stage::Over => "Was",
        };
        facts.push((label, words(finding.cause).to_owned()));
        let detail = finding.detail.as_ref();
        facts.extend(detail.map(|detail| ("Detail", format!("\"{detail}\""))));
    }
    facts.push(("Since", clock(notification.since)));
    facts.push(("Changed", clock(notification.at)));
    facts.push(("Severity", notification.severity.to_string()));
    if !notification.tags.is_empty() {
        facts.push(("Tags", notification.tags.join(", ")));
    }
    // What cannot be opened is still worth reading.
    if let (Some(text), None) = (&notification.runbook, runbook) {
        facts.push(("Runbook", text.clone()));
    }
    facts.retain(|(_, value)| is_seen(value));
    facts
}

/// Where it happened, in a word or two for pagers.
pub(crate) fn place(notification: &Notification) -> String {
    let target = notification.target.clone().filter(|target| is_seen(target));
    let place = target.unwrap_or_else(|| notification.subject.to_string());
    if is_seen(&place) {
        place
    } else {
        "portpulse".to_owned()
    }
}

/// Whether anything of a text is to be seen; some channels refuse a field without a value.
fn is_seen(text: &str) -> bool {
    !plain(text, usize::MAX).is_empty()
}

fn locations(notification: &Notification) -> Vec<String> {
    let locations = notification.locations.iter().take(MAX_ENTRIES);
    locations
        .map(|(location, view)| format!("{location}: {}", location_words(view)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_opens_is_a_link() {
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
