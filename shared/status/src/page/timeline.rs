//! An incident as a list of what happened when.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use portpulse_core::group_state::{Ending, Track};
use portpulse_history::view::{IncidentInside, IncidentView};

use super::parts::found;
use crate::words::{self, Show};

/// Which page an incident stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// One with incidents of many monitors.
    AnyPage,
    /// The page of its monitor.
    ItsMonitorsPage,
}

/// Incidents with their timelines; nothing, where there are none.
pub(crate) fn incidents<'a>(
    all: impl IntoIterator<Item = &'a IncidentView>,
    now: Timestamp,
    on: On,
) -> Markup {
    let mut all = all.into_iter().peekable();
    html! {
        @if all.peek().is_some() {
            ul .incidents { @for each in all { (incident(each, now, on)) } }
        }
    }
}

fn incident(incident: &IncidentView, now: Timestamp, on: On) -> Markup {
    let name = incident.id.monitor.as_str();
    let inside = incident.inside.as_ref();
    html! {
        li .card.incident {
            div .head {
                (words::status(incident.status))
                @match on {
                    On::AnyPage => a .name href={ "/monitors/" (name) } { (name) },
                    On::ItsMonitorsPage => span .name { (side(incident.id.track)) },
                }
                span .length { (lasted(incident, now)) }
            }
            @if let Some(finding) = inside.and_then(|inside| inside.finding.as_ref()) {
                p .words { (found(finding)) }
            }
            ol .timeline {
                @if incident.since < incident.opened { (entry(incident.since, "first seen")) }
                (entry(incident.opened, opened(incident.id.track)))
                @if let Some(inside) = inside { (notified(inside)) }
                @match incident.closed {
                    Some((at, Ending::Recovered)) => (entry(at, "recovered")),
                    Some((at, Ending::Removed)) => (entry(at, "the monitor was removed or disabled")),
                    None => li .quiet { "still open" },
                }
            }
        }
    }
}

fn entry(at: Timestamp, what: &str) -> Markup {
    html! { li { (words::moment(at, Show::Full)) " " span .what { (what) } } }
}

fn notified(inside: &IncidentInside) -> Markup {
    match (inside.notified, inside.reminders) {
        (None, _) => html! { li .quiet { "not told: held back" } },
        (Some(at), 0) => entry(at, "notified"),
        (Some(at), 1) => entry(at, "told again, the first reminder"),
        (Some(at), count) => entry(at, &format!("told again, reminder {count}")),
    }
}

const fn opened(track: Track) -> &'static str {
    match track {
        Track::Health | Track::Quality => "opened: enough locations agree",
        Track::Visibility => "opened: nobody could tell",
    }
}

const fn side(track: Track) -> &'static str {
    match track {
        Track::Health => "not as expected",
        Track::Quality => "not answering well",
        Track::Visibility => "nobody could tell",
    }
}

/// How long it has lasted, or did.
fn lasted(incident: &IncidentView, now: Timestamp) -> String {
    let end = incident.closed.map_or(now, |(closed, _)| closed);
    let length = words::length(end.duration_since(incident.since).max(SignedDuration::ZERO));
    match incident.closed {
        Some(_) => format!("for {length}"),
        None => format!("for {length} so far"),
    }
}
