//! Incidents with their timelines.

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use portpulse_core::control::Note;
use portpulse_core::definition::Visibility;
use portpulse_core::group_state::{Ending, Stability, Track, Urgency};
use portpulse_core::operator_note::OperatorNote;
use portpulse_history::view::{IncidentInside, IncidentView};

use super::actions;
use super::parts::{cause, finding_text, layer};
use crate::access::FormToken;
use crate::display::{self, TimeFormat};

/// What the heading of an incident shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IncidentHeading {
    /// A link to the monitor, on pages with several monitors.
    Monitor,
    /// The kind of incident, on the page of its monitor.
    Track,
}

/// Renders incidents by the day of their first failure, latest first; nothing if there are none.
pub(crate) fn incidents(
    all: &[&IncidentView],
    now: Timestamp,
    on: IncidentHeading,
    token: Option<&FormToken>,
) -> Markup {
    html! {
        @for same_day in all.chunk_by(|one, other| day(one) == day(other)) {
            @if let Some(first) = same_day.first() {
                h3 #{ "day-" (day(first)) } { (day(first)) }
                ul .incidents {
                    @for each in same_day { li .card.incident #(anchor(each)) { (incident(each, now, on, token)) } }
                }
            }
        }
    }
}

/// The day of an incident in UTC.
fn day(incident: &IncidentView) -> Date {
    Offset::UTC.to_datetime(incident.since).date()
}

/// The id of an incident's element, for links to it.
pub(crate) fn anchor(incident: &IncidentView) -> String {
    format!("incident-{}", incident.id)
}

/// Renders one incident. With a token, notes can be added.
pub(crate) fn incident(
    incident: &IncidentView,
    now: Timestamp,
    on: IncidentHeading,
    token: Option<&FormToken>,
) -> Markup {
    let name = incident.id.monitor.as_str();
    let inside = incident.inside.as_ref();
    html! {
        div .head {
            (display::status(incident.status))
            @match on {
                IncidentHeading::Monitor => a .name href={ "/monitors/" (name) } { (incident.title) },
                IncidentHeading::Track => span .name { (track_label(incident.id.track)) },
            }
            span .length { (duration_label(incident, now)) }
            a .permalink href={ "/monitors/" (name) "?span=90d#" (anchor(incident)) } aria-label="Link to this incident" { "#" }
        }
        @if let Some(known) = inside.and_then(|inside| inside.diagnosis.as_ref()) { (layer(known)) }
        @if let Some(finding) = inside.and_then(|inside| inside.finding.as_ref()) {
            p .service-text { (finding_text(finding)) }
        }
        ol .timeline {
            @for (at, what) in events(incident) {
                li { (display::timestamp(at, TimeFormat::Full)) " " (what) }
            }
            @for state in present(incident) { li .quiet { (state) } }
        }
        @if let Some(token) = token { (actions::note(incident, token)) }
    }
}

/// The events of an incident in chronological order.
fn events(incident: &IncidentView) -> Vec<(Timestamp, Markup)> {
    let what = |text: &str| html! { span .what { (text) } };
    let mut events = Vec::new();
    if incident.since < incident.opened {
        events.push((incident.since, what("first failure")));
    }
    events.push((incident.opened, what(opened_label(incident.id.track))));
    if let Some(inside) = &incident.inside {
        events.extend(private_events(incident, inside));
    }
    let notes = incident.notes.iter();
    events.extend(notes.map(|note| (note.at, operator_note(note, incident.inside.is_some()))));
    if let Some((at, ending)) = incident.closed {
        events.push((at, what(ending_label(ending))));
    }
    // Stable: events of the same time stay in the order above.
    events.sort_by_key(|(at, _)| *at);
    events
}

/// Changes of the cause, notifications, flapping, acknowledgement and silence.
fn private_events(incident: &IncidentView, inside: &IncidentInside) -> Vec<(Timestamp, Markup)> {
    let what = |text: &str| html! { span .what { (text) } };
    let by = |text: &str, note: &Note| {
        html! { span .what { (text) } " by " (note.by()) @if let Some(why) = note.why() { ": " q { (why) } } }
    };
    let causes = inside.cause_changes.iter().map(|(at, before, after)| {
        let text = format!("cause changed from {} to {}", cause(*before), cause(*after));
        (*at, what(&text))
    });
    let mut events: Vec<_> = causes.collect();
    if let Some((first, last)) = inside.notified {
        let cluster = inside.cluster.as_ref().map(|cluster| &cluster.monitor);
        let together = cluster.filter(|first| **first != incident.id.monitor);
        events.push(match together {
            Some(other) => (first, what(&format!("notified together with {other}"))),
            None => (first, what("notified")),
        });
        // The last notification can be a reminder or an escalation: only the time and the number of reminders are stored.
        if last > first {
            let again = match inside.reminders {
                0 => "notified again".to_owned(),
                1 => "notified again (1 reminder in total)".to_owned(),
                reminders => format!("notified again ({reminders} reminders in total)"),
            };
            events.push((last, what(&again)));
        }
    }
    if let Stability::Flapping {
        notified: Some(at), ..
    } = inside.stability
    {
        events.push((at, what("flapping: changes too often for notifications")));
    }
    if let Some(note) = &inside.acknowledged {
        events.push((note.at(), by("acknowledged", note)));
    }
    if let Some(silence) = &inside.silenced {
        let until = display::timestamp(silence.until, TimeFormat::Brief);
        let silenced = html! { (by("silenced", &silence.note)) ", until " (until) };
        events.push((silence.note.at(), silenced));
    }
    events
}

/// A note. Public pages do not name the author.
fn operator_note(note: &OperatorNote, is_private: bool) -> Markup {
    html! {
        q .note { (note.text()) }
        @if is_private {
            " " span .quiet { (note.by()) @if note.visibility == Visibility::Public { ", public" } }
        }
    }
}

/// What holds for an incident, without a time of its own.
fn present(incident: &IncidentView) -> Vec<String> {
    let mut present = Vec::new();
    if let Some(inside) = &incident.inside {
        let is_open = incident.closed.is_none();
        let never_notified = inside.never_notified.as_ref();
        let never_notified = never_notified.map(|reason| format!("never notified: {reason}"));
        match (inside.notified, &inside.withheld) {
            (None, Some(reason)) => present.push(format!("not notified: {reason}")),
            (None, None) if is_open => {
                present.push("not notified yet: the next check notifies it".to_owned());
            }
            (None, None) => present.extend(never_notified),
            (Some(_), Some(reason)) => present.push(format!("nothing more is notified now: {reason}")),
            (Some(_), None) => {}
        }
        if inside.urgency == Urgency::Escalated {
            present.push("escalated to critical".to_owned());
        }
        match inside.stability {
            // A notified flapping is an event.
            Stability::Steady
            | Stability::Flapping {
                notified: Some(_), ..
            } => {}
            Stability::Flapping { notified: None, .. } => present.push("flapping".to_owned()),
            Stability::StoppedFlapping => present.push("was flapping".to_owned()),
        }
        if !inside.dependencies.is_empty() {
            let names: Vec<_> = inside.dependencies.iter().map(|id| id.as_str()).collect();
            present.push(format!(
                "depends on {}, which has an open incident",
                names.join(", ")
            ));
        }
    }
    if incident.closed.is_none() {
        present.push("still open".to_owned());
    }
    present
}

const fn ending_label(ending: Ending) -> &'static str {
    match ending {
        Ending::Recovered => "recovered",
        Ending::Removed => "closed: monitor removed or disabled",
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
