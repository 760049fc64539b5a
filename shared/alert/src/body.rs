//! The text of an email about one notification.

use portpulse_core::decide::{Notification, RegionView, View};
use portpulse_core::id::Region;
use portpulse_core::outbox::{Kind, Stage, Subject};

use crate::json::{MOST_ENTRIES, MOST_FAULT, MOST_TAG, MOST_TEXT};
use crate::text::plain;
use crate::words::{clock, sentence, words};

/// What, since when, what each region sees, in the service's own words, and what to do about it.
pub(crate) fn body(notification: &Notification) -> String {
    let mut lines = vec![sentence(notification), String::new()];
    let mut say = |label: &str, text: String| lines.push(format!("{label:<10}{text}"));
    if let Some(target) = &notification.target {
        say("Target", plain(target, MOST_TEXT));
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
    if !notification.regions.is_empty() {
        lines.push(String::new());
        lines.push("What each region sees:".to_owned());
        let regions = notification.regions.iter().take(MOST_ENTRIES);
        lines.extend(regions.map(|(region, view)| format!("  {}", of_region(region, view))));
        lines.extend(more(notification.regions.len()));
    }
    if !notification.faults.is_empty() {
        lines.push(String::new());
        lines.push("What is wrong with it:".to_owned());
        let faults = notification.faults.iter().take(MOST_ENTRIES);
        lines.extend(faults.map(|fault| format!("  - {}", plain(fault, MOST_FAULT))));
        lines.extend(more(notification.faults.len()));
    }
    lines.push(String::new());
    let mut say = |label: &str, text: String| lines.push(format!("{label:<10}{text}"));
    if let Some(runbook) = &notification.runbook {
        say("Runbook", plain(runbook, MOST_TEXT));
    }
    if !notification.tags.is_empty() {
        let tags = notification.tags.iter().take(MOST_ENTRIES);
        let tags: Vec<_> = tags.map(|tag| plain(tag, MOST_TAG)).collect();
        say("Tags", tags.join(", "));
    }
    for (label, command) in commands(notification) {
        say(label, command);
    }
    if let Some(group) = notification.group {
        say("Group", group.to_string());
    }
    say("Id", plain(&notification.id, MOST_TEXT));
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

fn of_region(region: &Region, view: &RegionView) -> String {
    format!("{:<16} {}", region.as_str(), region_words(view))
}

/// What one region sees, on one line.
pub fn region_words(view: &RegionView) -> String {
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
    format!("\"{}\"", plain(text, MOST_TEXT))
}

fn more(all: usize) -> Option<String> {
    let left = all.saturating_sub(MOST_ENTRIES);
    (left > 0).then(|| format!("  … {left} more"))
}
