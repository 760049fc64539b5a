//! The email text of one notification.

use portpulse_core::decide::{AffectedMonitor, LocationView, Notification, View};
use portpulse_core::id::Location;
use portpulse_core::outbox::{Kind, Stage, Subject};
use portpulse_core::text::excerpt;

use crate::json::{MAX_DIAGNOSTIC_LENGTH, MAX_ENTRIES, MAX_TAG, MAX_TEXT};
use crate::phrases::{cause_text, sentence, utc_time};

/// The email text: the diagnosis and since when, the severity, the cause with the service's own message, the view of each
/// location, and what to do.
pub(crate) fn body(notification: &Notification) -> String {
    let mut lines = vec![sentence(notification), String::new()];
    let mut add = |label: &str, text: String| lines.push(format!("{label:<11}{text}"));
    add("Severity", notification.severity.to_string());
    if let Some(target) = &notification.target {
        add("Target", excerpt(target, MAX_TEXT));
    }
    if let Some(finding) = &notification.finding {
        let label = match notification.kind.stage() {
            Stage::Active | Stage::Test => "Cause",
            Stage::Ended => "Cause was",
        };
        add(label, cause_text(finding.cause).to_owned());
        if let Some(detail) = &finding.detail {
            add("Detail", quoted(detail.as_str()));
        }
    }
    add("Since", utc_time(notification.since));
    add("Changed", utc_time(notification.at));
    if notification.monitor_count > 1 {
        lines.push(String::new());
        lines.push(format!("Monitors ({}):", notification.monitor_count));
        let monitors = notification.monitors.iter().take(MAX_ENTRIES);
        lines.extend(monitors.map(|monitor| format!("  {}", monitor_text(monitor, notification))));
        lines.extend(more(notification.monitor_count as usize));
    }
    if !notification.locations.is_empty() {
        lines.push(String::new());
        lines.push("Locations:".to_owned());
        let locations = notification.locations.iter().take(MAX_ENTRIES);
        lines.extend(locations.map(|(location, view)| format!("  {}", location_line(location, view))));
        lines.extend(more(notification.locations.len()));
    }
    if !notification.diagnostics.is_empty() {
        lines.push(String::new());
        let heading = if notification.kind == Kind::HomeUnreachable {
            "What the location sees:"
        } else {
            "Errors in the definition:"
        };
        lines.push(heading.to_owned());
        let diagnostics = notification.diagnostics.iter().take(MAX_ENTRIES);
        lines.extend(
            diagnostics.map(|diagnostic| format!("  - {}", excerpt(diagnostic, MAX_DIAGNOSTIC_LENGTH))),
        );
        lines.extend(more(notification.diagnostics.len()));
    }
    lines.push(String::new());
    let mut add = |label: &str, text: String| lines.push(format!("{label:<11}{text}"));
    if let Some(page) = &notification.page {
        add("Page", excerpt(page, MAX_TEXT));
    }
    if let Some(runbook) = &notification.runbook {
        add("Runbook", excerpt(runbook, MAX_TEXT));
    }
    if !notification.tags.is_empty() {
        let tags = notification.tags.iter().take(MAX_ENTRIES);
        let tags: Vec<_> = tags.map(|tag| excerpt(tag, MAX_TAG)).collect();
        add("Tags", tags.join(", "));
    }
    for (label, command) in commands(notification) {
        add(label, command);
    }
    if let Some(group) = notification.check_group {
        add("Checked", format!("every {}", group.interval));
    }
    lines.join("\n") + "\n"
}

/// Commands that the reader may need: to silence the monitor and to acknowledge the incident.
fn commands(notification: &Notification) -> Vec<(&'static str, String)> {
    let (Subject::Monitor(id), Stage::Active) = (&notification.subject, notification.kind.stage()) else {
        return Vec::new();
    };
    let silence = (
        "Silence",
        format!("portpulse silence {id} --for 2h --reason \"…\""),
    );
    let acknowledge = ("Ack", format!("portpulse ack {id}"));
    // Only incidents can be acknowledged, and an advisory is none.
    if notification.kind == Kind::Advisory {
        vec![silence]
    } else {
        vec![silence, acknowledge]
    }
}

fn location_line(location: &Location, view: &LocationView) -> String {
    format!("{:<16} {}", location.as_str(), location_text(view))
}

/// An affected monitor with its name, its id and its target, on one line, and its cause if the notification has another.
pub fn monitor_text(monitor: &AffectedMonitor, notification: &Notification) -> String {
    let mut text = match &monitor.name {
        Some(name) => format!("{}: {}", excerpt(name, MAX_TEXT), monitor.id),
        None => monitor.id.to_string(),
    };
    if let Some(target) = &monitor.target {
        text += &format!(" ({})", excerpt(target, MAX_TEXT));
    }
    let common = notification.finding.as_ref().map(|finding| finding.cause);
    match monitor.cause {
        Some(cause) if notification.kind.stage() == Stage::Active && monitor.cause != common => {
            format!("{text} - {}", cause_text(cause))
        }
        _ => text,
    }
}

/// The view of one location, on one line.
pub fn location_text(view: &LocationView) -> String {
    let state = match view.view {
        View::Good => "ok",
        View::Failing => "failing",
        View::NoData => "no data",
        View::Silent => "no reports",
        View::Suspect => "failing, not counted: only this location sees most monitors failing",
    };
    let mut text = state.to_owned();
    if let (Some(since), true) = (view.since, view.ticks > 0) {
        let unit = if view.ticks == 1 { "check" } else { "checks" };
        text += &format!(", {} {unit} since {}", view.ticks, utc_time(since.timestamp()));
    }
    if let Some(finding) = &view.finding {
        text += &format!(": {}", cause_text(finding.cause));
        if let Some(detail) = &finding.detail {
            text += &format!(" ({})", quoted(detail.as_str()));
        }
    }
    text
}

/// Foreign text in quotation marks.
fn quoted(text: &str) -> String {
    format!("\"{}\"", excerpt(text, MAX_TEXT))
}

/// A line for the entries beyond the limit; `None` if there are none.
fn more(all: usize) -> Option<String> {
    let left = all.saturating_sub(MAX_ENTRIES);
    (left > 0).then(|| format!("  … {left} more"))
}
