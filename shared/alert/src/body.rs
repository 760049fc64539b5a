//! The text of an email about one notification.

use portpulse_core::decide::{LocationView, Notification, View};
use portpulse_core::id::Location;
use portpulse_core::outbox::{Kind, Stage, Subject};

use crate::json::{MAX_DIAGNOSTIC_LENGTH, MAX_ENTRIES, MAX_TAG, MAX_TEXT};
use crate::text::plain;
use crate::words::{clock, sentence, words};

/// What, since when, what each location sees, in the service's own words, and what to do about it.
pub(crate) fn body(notification: &Notification) -> String {
    let mut lines = vec![sentence(notification), String::new()];
    let mut say = |label: &str, text: String| lines.push(format!("{label:<10}{text}"));
    if let Some(target) = &notification.target {
        say("Target", plain(target, MAX_TEXT));
    }
    if let Some(finding) = &notification.finding {
        let label = match notification.kind.stage() {
            Stage::On | Stage::Test => "Cause",
            Stage::Over => "Was",
        };
        say(label, words(finding.cause).to_owned());
        if let Some(detail) = &finding.detail {
            say("Detail", quoted(detail.as_str()));
        }
    }
    say("Since", clock(notification.since));
    say("Changed", clock(notification.at));
    say("Severity", notification.severity.to_string());
    if !notification.locations.is_empty() {
        lines.push(String::new());
        lines.push("What each location sees:".to_owned());
        let locations = notification.locations.iter().take(MAX_ENTRIES);
        lines.extend(locations.map(|(location, view)| format!("  {}", of_location(location, view))));
        lines.extend(more(notification.locations.len()));
    }
    if !notification.diagnostics.is_empty() {
        lines.push(String::new());
        lines.push("What is wrong with it:".to_owned());
        let diagnostics = notification.diagnostics.iter().take(MAX_ENTRIES);
        lines.extend(
            diagnostics.map(|diagnostic| format!("  - {}", plain(diagnostic, MAX_DIAGNOSTIC_LENGTH))),
        );
        lines.extend(more(notification.diagnostics.len()));
    }
    lines.push(String::new());
    let mut say = |label: &str, text: String| lines.push(format!("{label:<10}{text}"));
    if let Some(runbook) = &notification.runbook {
        say("Runbook", plain(runbook, MAX_TEXT));
    }
    if !notification.tags.is_empty() {
        let tags = notification.tags.iter().take(MAX_ENTRIES);
        let tags: Vec<_> = tags.map(|tag| plain(tag, MAX_TAG)).collect();
        say("Tags", tags.join(", "));
    }
    for (label, command) in commands(notification) {
        say(label, command);
    }
    if let Some(group) = notification.group {
        say("Group", group.to_string());
    }
    say("Id", plain(&notification.id, MAX_TEXT));
    lines.join("\n") + "\n"
}

/// What its reader may want to type.
fn commands(notification: &Notification) -> Vec<(&'static str, String)> {
    let (Subject::Monitor(id), Stage::On) = (&notification.subject, notification.kind.stage()) else {
        return Vec::new();
    };
    let silence = ("Silence", format!("portpulse silence {id} --for 2h --why \"…\""));
    let acknowledge = ("Ack", format!("portpulse ack {id}"));
    // An advisory is no incident that could be acknowledged.
    if notification.kind == Kind::Advisory {
        vec![silence]
    } else {
        vec![silence, acknowledge]
    }
}

fn of_location(location: &Location, view: &LocationView) -> String {
    format!("{:<16} {}", location.as_str(), location_words(view))
}

/// What one location sees, on one line.
pub fn location_words(view: &LocationView) -> String {
    let state = match view.view {
        View::Good => "good",
        View::Failing => "failing",
        View::NoData => "could not tell",
        View::Silent => "does not report",
        View::Suspect => "failing, not counted: it alone sees most monitors failing",
    };
    let mut text = state.to_owned();
    if let (Some(since), true) = (view.since, view.ticks > 0) {
        let unit = if view.ticks == 1 { "tick" } else { "ticks" };
        text += &format!(", {} {unit} since {}", view.ticks, clock(since.timestamp()));
    }
    if let Some(finding) = &view.finding {
        text += &format!(": {}", words(finding.cause));
        if let Some(detail) = &finding.detail {
            text += &format!(" ({})", quoted(detail.as_str()));
        }
    }
    text
}

/// Another's words, marked as such.
fn quoted(text: &str) -> String {
    format!("\"{}\"", plain(text, MAX_TEXT))
}

fn more(all: usize) -> Option<String> {
    let left = all.saturating_sub(MAX_ENTRIES);
    (left > 0).then(|| format!("  … {left} more"))
}
