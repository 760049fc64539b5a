//! Incidents with their timelines.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use portpulse_core::group_state::{Ending, Track};
use portpulse_history::view::{IncidentInside, IncidentView};

use super::parts::finding_text;
use crate::display::{self, TimeFormat};

/// What the heading of an incident shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IncidentHeading {
    /// A link to the monitor, on pages with several monitors.
    Monitor,
    /// The kind of incident, on the page of its monitor.
    Track,
}

/// Renders a list of incidents; nothing if there are none.
pub(crate) fn incidents<'a>(
    all: impl IntoIterator<Item = &'a IncidentView>,
    now: Timestamp,
    on: IncidentHeading,
) -> Markup {
    let mut all = all.into_iter().peekable();
    html! {
        @if all.peek().is_some() {
            ul .incidents { @for each in all { (incident(each, now, on)) } }
        }
    }
}

fn incident(incident: &IncidentView, now: Timestamp, on: IncidentHeading) -> Markup {
    let name = incident.id.monitor.as_str();
    let inside = incident.inside.as_ref();
    html! {
        li .card.incident {
            div .head {
                (display::status(incident.status))
                @match on {
                    IncidentHeading::Monitor => a .name href={ "/monitors/" (name) } { (name) },
                    IncidentHeading::Track => span .name { (track_label(incident.id.track)) },
                }
                span .length { (duration_label(incident, now)) }
            }
            @if let Some(finding) = inside.and_then(|inside| inside.finding.as_ref()) {
                p .service-text { (finding_text(finding)) }
            }
            ol .timeline {
                @if incident.since < incident.opened { (entry(incident.since, "first failure")) }
                (entry(incident.opened, opened_label(incident.id.track)))
                @if let Some(inside) = inside { (notified(inside)) }
                @match incident.closed {
                    Some((at, Ending::Recovered)) => (entry(at, "recovered")),
                    Some((at, Ending::Removed)) => (entry(at, "closed: monitor removed or disabled")),
                    None => li .quiet { "still open" },
                }
            }
        }
    }
}

fn entry(at: Timestamp, what: &str) -> Markup {
    html! { li { (display::timestamp(at, TimeFormat::Full)) " " span .what { (what) } } }
}

fn notified(inside: &IncidentInside) -> Markup {
    match (inside.notified, inside.reminders) {
        (None, _) => html! { li .quiet { "not notified" } },
        (Some(at), 0) => entry(at, "notified"),
        (Some(at), 1) => entry(at, "reminder 1 sent"),
        (Some(at), count) => entry(at, &format!("reminder {count} sent")),
    }
}

const fn opened_label(track: Track) -> &'static str {
    match track {
        Track::Health | Track::Quality => "opened: quorum reached",
        Track::Visibility => "opened: no data",
    }
}

const fn track_label(track: Track) -> &'static str {
    match track {
        Track::Health => "not as expected",
        Track::Quality => "slow or warning",
        Track::Visibility => "no data",
    }
}

/// The duration of the incident.
fn duration_label(incident: &IncidentView, now: Timestamp) -> String {
    let end = incident.closed.map_or(now, |(closed, _)| closed);
    let length = display::duration(end.duration_since(incident.since).max(SignedDuration::ZERO));
    match incident.closed {
        Some(_) => format!("for {length}"),
        None => format!("for {length} so far"),
    }
}
