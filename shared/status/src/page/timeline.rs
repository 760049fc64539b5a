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
    date(incident.since)
}

/// The day of a time in UTC.
fn date(at: Timestamp) -> Date {
    Offset::UTC.to_datetime(at).date()
}

/// The path of the page of an incident.
pub(crate) fn address(incident: &IncidentView) -> String {
    format!("/incidents/{}", incident.id)
}

/// The id of an incident's element, for links to it.
pub(crate) fn anchor(incident: &IncidentView) -> String {
    format!("incident-{}", incident.id)
}

/// Renders one incident with its diagnosis. With a token, notes can be added.
pub(crate) fn incident(
    incident: &IncidentView,
    now: Timestamp,
    on: IncidentHeading,
    token: Option<&FormToken>,
) -> Markup {
    let inside = incident.inside.as_ref();
    html! {
        (head(incident, now, on))
        @if let Some(known) = inside.and_then(|inside| inside.diagnosis.as_ref()) { (layer(known)) }
        @if let Some(finding) = inside.and_then(|inside| inside.finding.as_ref()) {
            p .service-text { (finding_text(finding)) }
        }
        (progress(incident, token))
    }
}

/// The status, the monitor or the track, the duration, and a link to the page of the incident.
pub(crate) fn head(incident: &IncidentView, now: Timestamp, on: IncidentHeading) -> Markup {
    html! {
        div .head {
            (display::status(incident.status))
            @match on {
                IncidentHeading::Monitor => a .name href={ "/monitors/" (incident.id.monitor) } { (incident.title) },
                IncidentHeading::Track => span .name { (track_label(incident.id.track)) },
            }
            span .length { (duration_label(incident, now)) }
            a .permalink href=(address(incident)) aria-label={ "Details of this incident of " (incident.title) } { "Details" }
        }
    }
}

/// The timeline, and with a token the form that adds a note.
pub(crate) fn progress(incident: &IncidentView, token: Option<&FormToken>) -> Markup {
    html! {
        (timeline(incident))
        @if let Some(token) = token { (actions::note(incident, token)) }
    }
}

/// Renders the events of an incident, and what holds for it. The date stands with the first event of each day.
fn timeline(incident: &IncidentView) -> Markup {
    let mut shown = None;
    let events = events(incident).into_iter().map(|(at, what)| {
        let day = date(at);
        let format = match shown.replace(day) == Some(day) {
            true => TimeFormat::Clock,
            false => TimeFormat::Full,
        };
        (display::timestamp(at, format), what)
    });
    html! {
        ol .timeline {
            @for (time, what) in events { li { (time) " " (what) } }
            @for state in present(incident) { li .quiet { (state) } }
        }
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
    present
}

pub(crate) const fn ending_label(ending: Ending) -> &'static str {
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
pub(crate) fn duration_label(incident: &IncidentView, now: Timestamp) -> String {
    let end = incident.closed.map_or(now, |(closed, _)| closed);
    let length = display::duration(end.duration_since(incident.since).max(SignedDuration::ZERO));
    match incident.closed {
        Some(_) => format!("for {length}"),
        None => format!("for {length} so far"),
    }
}
