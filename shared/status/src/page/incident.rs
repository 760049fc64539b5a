//! The page of one incident: what is or was wrong, what a person can do, timeline, affected monitors and locations.

use maud::{Markup, html};
use portpulse_core::diagnosis::Evidence;
use portpulse_core::group_state::{Status, Track};
use portpulse_history::state::State;
use portpulse_history::view::{IncidentView, MonitorInside, Overview, VisibilityState};

use super::actions;
use super::parts::{as_of, finding_text, layer, visibility_label};
use super::timeline::{address, duration_label, ending_label, progress};
use crate::access::FormToken;
use crate::display::{self, TimeFormat};

/// The maximum number of affected monitors that are listed.
const MAX_AFFECTED: usize = 50;

/// Renders the page: title and content.
pub(crate) fn page(incident: &IncidentView, known: &Overview, token: Option<&FormToken>) -> (String, Markup) {
    let monitor = known
        .monitors
        .iter()
        .find(|monitor| monitor.id == incident.id.monitor);
    let inside = monitor.and_then(|monitor| monitor.inside.as_deref());
    // Forms are for readers who see everything, and for monitors that still exist.
    let token = token.filter(|_| inside.is_some());
    let is_down = (incident.id.track, incident.status) == (Track::Health, Status::Down);
    let is_open = incident.closed.is_none();
    let is_flapping = monitor.is_some_and(|monitor| monitor.is_flapping && is_down && is_open);
    // The state of an open incident whose monitor flaps is the same as in the overview.
    let state = if is_flapping {
        State::Flapping.as_str()
    } else {
        incident.status.as_str()
    };
    let title = format!("{} {state}", incident.title);
    let main = html! {
        p .crumbs { a href="/incidents" { "All incidents" } }
        div .title {
            h1 { (incident.title) }
            @if is_flapping { (display::badge(State::Flapping)) } @else { (display::status(incident.status)) }
            span .quiet { @if incident.closed.is_some() { "closed" } @else { "open" } }
            @if let Some(inside) = inside {
                span .quiet { (inside.definition.alert_policy().severity.as_str()) }
                code { (inside.definition.target()) }
            }
        }
        (summary(incident, state, known, inside, token))
        div .columns {
            section {
                h2 { "Timeline" }
                div .card {
                    (progress(incident, token))
                }
            }
            div {
                (affected(incident, known))
                (locations(incident, inside))
            }
        }
        (as_of(known.at))
    };
    (title, main)
}

/// What is or was wrong and for how long, the diagnosis, and what a person can do.
fn summary(
    incident: &IncidentView,
    state: &str,
    known: &Overview,
    inside: Option<&MonitorInside>,
    token: Option<&FormToken>,
) -> Markup {
    let is_open = incident.closed.is_none();
    let found = incident.inside.as_ref();
    let since = display::timestamp(incident.since, TimeFormat::Full);
    html! {
        div .diagnosis.card.(if is_open { state } else { "closed" }) {
            p {
                strong { (state) }
                @match incident.closed {
                    None => { " since " (since) ", " },
                    Some((at, _)) => { " from " (since) " to " (display::timestamp(at, TimeFormat::Full)) ", " },
                }
                (duration_label(incident, known.at))
                @if let Some((_, ending)) = incident.closed { "; " (ending_label(ending)) }
            }
            @if let Some(known) = found.and_then(|found| found.diagnosis.as_ref()) { (layer(known)) }
            @if let Some(finding) = found.and_then(|found| found.finding.as_ref()) {
                p .service-text { (finding_text(finding)) }
            }
            @if let Some(inside) = inside {
                div .actions {
                    (actions::runbook(&inside.definition))
                    @if is_open { (actions::commands(&incident.id.monitor)) }
                    code .copy { "portpulse note " (incident.id) " --text \"…\"" }
                }
            }
            @if let Some(token) = token.filter(|_| is_open) {
                details .controls open {
                    summary { "Acknowledge or silence" }
                    (actions::controls(&incident.id.monitor, true, token))
                }
            }
        }
    }
}

/// The monitors of the incidents that were notified together, and this one.
fn affected(incident: &IncidentView, known: &Overview) -> Markup {
    let cluster = |of: &IncidentView| of.inside.as_ref().and_then(|inside| inside.cluster.clone());
    let own = cluster(incident);
    let is_affected =
        |other: &&IncidentView| other.id == incident.id || (own.is_some() && cluster(other) == own);
    let all: Vec<_> = known
        .open
        .iter()
        .chain(&known.closed)
        .filter(is_affected)
        .collect();
    let more = all.len().saturating_sub(MAX_AFFECTED);
    html! {
        section {
            h2 { "Affected monitors" }
            ul .card.affected {
                @for other in all.iter().take(MAX_AFFECTED) {
                    li {
                        (display::status(other.status))
                        a .name href={ "/monitors/" (other.id.monitor) } { (other.title) }
                        span .length { (duration_label(other, known.at)) }
                        @if other.id != incident.id { a .permalink href=(address(other)) { "Incident" } }
                    }
                }
                @if more > 0 { li .quiet { "and " (more) " more" } }
            }
        }
    }
}

/// What the locations see of an open incident, or how many saw a closed one; private.
fn locations(incident: &IncidentView, monitor: Option<&MonitorInside>) -> Markup {
    let evidence = incident
        .inside
        .as_ref()
        .and_then(|inside| inside.diagnosis.as_ref()?.diagnosis.evidence.as_ref());
    html! {
        @match (incident.closed, monitor) {
            (None, Some(monitor)) => section { h2 { "Locations now" } (locations_now(monitor)) },
            (Some(_), _) if incident.inside.is_some() => section {
                h2 { "Locations" }
                div .card {
                    @match evidence {
                        Some(evidence) => p { (counted(evidence)) },
                        None => p { "What the locations saw is not recorded with the incident." },
                    }
                    p .quiet {
                        "The checks of each location: " code .copy { "portpulse history " (incident.id.monitor) " --incident " (incident.id) }
                    }
                }
            },
            _ => {},
        }
    }
}

/// How many locations saw the fault, as the diagnosis of a closed incident has recorded.
fn counted(evidence: &Evidence) -> String {
    let locations = |count: u32| display::plural(usize::try_from(count).unwrap_or(usize::MAX), "location");
    let mut text = format!("{} saw the fault", locations(evidence.failing));
    if evidence.good > 0 {
        text.push_str(&format!(", {} did not", evidence.good));
    }
    if evidence.pending > 0 {
        text.push_str(&format!(", {} had no result", evidence.pending));
    }
    text + "."
}

/// The latest result of each location, and since when a location sees a failure.
fn locations_now(monitor: &MonitorInside) -> Markup {
    html! {
        ul .card.seen-by {
            @for (location, visibility) in &monitor.locations {
                @let (class, word) = visibility_label(visibility);
                @let is_bad = matches!(visibility.state, VisibilityState::Failing | VisibilityState::Impaired);
                li {
                    span .visibility.(class) { span .location { (location) } " " span .seen { (word) } }
                    @if is_bad {
                        @if let Some(since) = visibility.since {
                            span .quiet { "since " (display::timestamp(since.timestamp(), TimeFormat::Brief)) }
                        }
                        @if let Some(finding) = visibility.finding.as_ref() {
                            span .service-text { (finding_text(finding)) }
                        }
                    }
                }
            }
        }
    }
}
