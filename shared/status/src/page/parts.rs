//! Elements shared by several pages.

use jiff::Timestamp;
use maud::{Markup, PreEscaped, html};
use portpulse_core::control::{Note, Silence};
use portpulse_core::decide::Explanation;
use portpulse_core::diagnosis::Layer;
use portpulse_core::group_state::{Cause, Finding, Status};
use portpulse_history::view::{
    IncidentView, LeftOut, LocationVisibility, MonitorInside, MonitorView, VisibilityState,
};

use crate::display::{self, TimeFormat};
use crate::span::Span;

/// A page of a list of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pagination {
    page: usize,
    rows: usize,
    most: usize,
}

impl Pagination {
    /// Page number `page`, counted from 0, of `rows` rows with at most `most` rows per page. Beyond the end: the last page.
    pub(crate) fn new(page: usize, rows: usize, most: usize) -> Self {
        let last = rows.saturating_sub(1) / most.max(1);
        Self {
            page: page.min(last),
            rows,
            most,
        }
    }

    /// The part of `rows` that is on this page, where `before` rows of the whole list precede `rows`.
    pub(crate) fn of<T>(self, rows: &[T], before: usize) -> &[T] {
        let first = self.page * self.most;
        let within = |index: usize| index.saturating_sub(before).min(rows.len());
        rows.get(within(first)..within(first + self.most))
            .unwrap_or_default()
    }

    /// Whether this is the first page.
    pub(crate) const fn is_first(self) -> bool {
        self.page == 0
    }

    /// Links to the previous and the next page, if there is more than one page.
    pub(crate) fn links(self, address: impl Fn(usize) -> String) -> Markup {
        let pages = self.rows.div_ceil(self.most.max(1));
        html! {
            @if pages > 1 {
                nav .spans aria-label="Pages" {
                    @if let Some(before) = self.page.checked_sub(1) {
                        a rel="prev" href=(address(before)) { "Previous" }
                    }
                    span { "Page " (self.page + 1) " of " (pages) }
                    @if self.page + 1 < pages { a rel="next" href=(address(self.page + 1)) { "Next" } }
                }
            }
        }
    }
}

/// A list of links to monitors, at most `most` of them: each with its id and its name for people.
pub(crate) fn monitor_links<'a>(
    all: impl ExactSizeIterator<Item = (&'a str, &'a str)>,
    most: usize,
) -> Markup {
    let more = all.len().saturating_sub(most);
    html! {
        ul .names {
            @for (id, title) in all.take(most) { li { a href={ "/monitors/" (id) } { (title) } } }
            @if more > 0 { li .quiet { "and " (more) " more" } }
        }
    }
}

/// The start tag of the paragraph with the time at which the data was read.
pub(crate) const AS_OF: &str = "<p class=\"asof\">";

/// The time at which the data was read.
pub(crate) fn as_of(at: Timestamp) -> Markup {
    html! { (PreEscaped(AS_OF)) "As of " (display::timestamp(at, TimeFormat::Full)) (PreEscaped("</p>")) }
}

/// A notice if incidents are missing.
pub(crate) fn incidents_left_out(left_out: LeftOut) -> Markup {
    html! {
        @if left_out.incidents {
            p .quiet { "Earlier incidents are not shown: they exceed the read limit of one request." }
        }
    }
}

/// The cause of a failure, with the text of the service.
pub(crate) fn finding_text(finding: &Finding) -> Markup {
    html! {
        (cause(finding.cause))
        @if let Some(detail) = &finding.detail { ": " q { (detail) } }
    }
}

/// The layer of a fault, and the sentence that explains it.
pub(crate) fn layer(known: &Explanation) -> Markup {
    let layer = known.diagnosis.layer;
    html! {
        p .layer {
            // The sentence says that the layer is unknown.
            @if layer != Layer::Unknown { strong { (layer) ":" } " " }
            (known.sentence)
        }
    }
}

/// The name of a cause for people.
pub(crate) fn cause(cause: Cause) -> String {
    cause.code().replace('_', " ")
}

/// The monitor's tags; none on a public page.
pub(crate) fn tags(monitor: &MonitorView) -> impl Iterator<Item = &str> {
    let inside = monitor.inside.as_deref();
    let tags = inside.map(|inside| inside.definition.alert_policy().tags.iter());
    tags.into_iter().flatten().map(String::as_str)
}

/// Why a bad monitor does not call for action now.
pub(crate) enum Handling<'a> {
    /// Somebody acknowledged the open incident.
    Acknowledged(&'a Note),
    /// Notifications are silenced.
    Silenced(&'a Silence),
}

/// Who handles a monitor, if anybody does. `incidents` may contain other monitors' too.
pub(crate) fn handling<'a>(
    monitor: &'a MonitorView,
    incidents: &[IncidentView],
    now: Timestamp,
) -> Option<Handling<'a>> {
    let control = monitor.inside.as_deref()?.control.as_ref()?;
    let own = |incident: &&IncidentView| incident.id.monitor == monitor.id && incident.closed.is_none();
    let mut open = incidents.iter().filter(own);
    if let Some(acknowledgement) = control
        .acknowledgement
        .as_ref()
        .filter(|_| open.any(|incident| control.has_acknowledged(&incident.id)))
    {
        return Some(Handling::Acknowledged(&acknowledgement.note));
    }
    let silence = control.silence.as_ref().filter(|_| control.is_silenced(now));
    silence.map(Handling::Silenced)
}

/// Notes beside the state: cause, duration, failing locations, maintenance, silence and acknowledgement. `incidents` may
/// contain other monitors' too.
pub(crate) fn remarks(monitor: &MonitorView, incidents: &[IncidentView], now: Timestamp) -> Markup {
    let inside = monitor.inside.as_deref();
    let is_bad = monitor.status != Status::Up;
    let finding = inside.and_then(|inside| inside.finding.as_ref());
    let maintenance = monitor.maintenance.first().filter(|_| monitor.in_maintenance);
    html! {
        span .remarks {
            @if is_bad && monitor.in_maintenance { span { (monitor.status.as_str()) } }
            // The duration precedes the text of the service, which can be long.
            @if let Some(since) = monitor.since {
                span { "for " (display::duration(now.duration_since(since))) }
            }
            @if let Some(finding) = finding.filter(|_| is_bad) {
                span .service-text { strong { (cause(finding.cause)) }
                    @if let Some(detail) = &finding.detail { ": " q { (detail) } } }
            }
            @if let Some((inside, advisory)) = inside.and_then(|inside| Some((inside, inside.advisory.as_ref()?))) {
                span .flag { "failing from " (failing_locations(inside)) " only" }
                @if let Some(reason) = &advisory.withheld { span { "not notified: " (reason) } }
            }
            @if let Some(window) = maintenance {
                span .flag { "until " (display::timestamp(window.until, TimeFormat::Brief))
                    @if let Some(why) = &window.why { ": " q { (why) } } }
            }
            @match handling(monitor, incidents, now) {
                Some(Handling::Acknowledged(note)) => span .flag { "acknowledged" (note_author(note)) },
                Some(Handling::Silenced(silence)) => span .flag {
                    "silenced until " (display::timestamp(silence.until, TimeFormat::Brief)) (note_author(&silence.note))
                },
                None => {},
            }
        }
    }
}

/// The locations that see a failure.
fn failing_locations(inside: &MonitorInside) -> String {
    let failing = inside
        .locations
        .iter()
        .filter(|(_, seen)| seen.state == VisibilityState::Failing);
    let names: Vec<_> = failing.map(|(location, _)| location.as_str()).collect();
    if names.is_empty() {
        "some locations".to_owned()
    } else {
        names.join(", ")
    }
}

/// Author and reason of a silence or an acknowledgement.
fn note_author(note: &Note) -> Markup {
    html! {
        " by " (note.by())
        @if let Some(why) = note.why() { ": " q { (why) } }
    }
}

/// The result of each location, so that differences between locations are visible.
pub(crate) fn visibilities(inside: &MonitorInside) -> Markup {
    html! {
        ul .locations aria-label="Locations" {
            @for (location, visibility) in &inside.locations {
                @let (class, word) = visibility_label(visibility);
                li .visibility.(class) { span .location { (location) } " " span .seen { (word) } }
            }
        }
    }
}

/// CSS class and label for a location's result: the latest median total time, or the cause of the failure.
pub(crate) fn visibility_label(visibility: &LocationVisibility) -> (&'static str, String) {
    let time = || visibility.total.map(|total| display::phase_time(total.p50));
    let finding = || visibility.finding.as_ref().map(|finding| cause(finding.cause));
    match visibility.state {
        VisibilityState::Good => ("good", time().unwrap_or_else(|| "good".to_owned())),
        VisibilityState::Impaired => ("poor", finding().unwrap_or_else(|| "impaired".to_owned())),
        VisibilityState::Failing => ("bad", finding().unwrap_or_else(|| "failing".to_owned())),
        VisibilityState::NoData => ("none", "no data".to_owned()),
        VisibilityState::Silent => ("none", "silent".to_owned()),
    }
}

/// The uptime of a span, and what it rests on if that is less than the span.
pub(crate) fn uptime_figure(monitor: &MonitorView, span: Span) -> Markup {
    let watched = span.uptime(monitor);
    html! {
        span .figure { (display::uptime(watched)) }
        @if let Some(basis) = display::uptime_basis(watched, span.length()) { " " span .basis { (basis) } }
    }
}
