//! Elements shared by several pages.

use jiff::Timestamp;
use maud::{Markup, html};
use portpulse_core::control::Note;
use portpulse_core::group_state::{Cause, Finding, Status};
use portpulse_history::view::{
    IncidentView, LeftOut, LocationVisibility, MonitorInside, MonitorView, VisibilityState,
};

use crate::chart;
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

/// A list of links to monitors, at most `most` of them.
pub(crate) fn monitor_links<'a>(all: impl ExactSizeIterator<Item = &'a str>, most: usize) -> Markup {
    let more = all.len().saturating_sub(most);
    html! {
        ul .names {
            @for id in all.take(most) { li { a href={ "/monitors/" (id) } { (id) } } }
            @if more > 0 { li .quiet { "and " (more) " more" } }
        }
    }
}

/// The time at which the data was read.
pub(crate) fn as_of(at: Timestamp) -> Markup {
    html! { p .asof { "As of " (display::timestamp(at, TimeFormat::Full)) } }
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

fn cause(cause: Cause) -> String {
    cause.code().replace('_', " ")
}

/// The monitor's tags; none on a public page.
pub(crate) fn tags(monitor: &MonitorView) -> impl Iterator<Item = &str> {
    let inside = monitor.inside.as_deref();
    let tags = inside.map(|inside| inside.definition.alert_policy().tags.iter());
    tags.into_iter().flatten().map(String::as_str)
}

/// Notes beside the status: duration, cause, silence and acknowledgement. `incidents` may contain other monitors' too.
pub(crate) fn remarks(monitor: &MonitorView, incidents: &[IncidentView], now: Timestamp) -> Markup {
    let inside = monitor.inside.as_deref();
    let is_bad = monitor.status != Status::Up;
    let finding = inside.and_then(|inside| inside.finding.as_ref());
    let control = inside.and_then(|inside| inside.control.as_ref());
    let silence = control.and_then(|control| control.silence.as_ref().filter(|_| control.is_silenced(now)));
    let acknowledgement = control.and_then(|control| {
        let own = |incident: &IncidentView| incident.id.monitor == monitor.id && incident.closed.is_none();
        let mut open = incidents.iter().filter(|incident| own(incident));
        let is_acknowledged = open.any(|incident| control.has_acknowledged(&incident.id));
        control.acknowledgement.as_ref().filter(|_| is_acknowledged)
    });
    html! {
        span .remarks {
            @if let Some(since) = monitor.since {
                span { "for " (display::duration(now.duration_since(since))) }
            }
            @if let Some(finding) = finding.filter(|_| is_bad) { span .service-text { (finding_text(finding)) } }
            @if inside.is_some_and(|inside| inside.advisory) {
                span .flag { "failing in some locations" }
            }
            @if monitor.in_maintenance { span .flag { "in maintenance" } }
            @if let Some(silence) = silence {
                span .flag { "silenced until " (display::timestamp(silence.until, TimeFormat::Brief)) (note_author(&silence.note)) }
            }
            @if let Some(acknowledgement) = acknowledgement {
                span .flag { "acknowledged" (note_author(&acknowledgement.note)) }
            }
        }
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

/// CSS class and label for a location's result: the latest median connect time, or the cause of the failure.
pub(crate) fn visibility_label(visibility: &LocationVisibility) -> (&'static str, String) {
    let time = || visibility.connect.map(|connect| display::phase_time(connect.p50));
    let finding = || visibility.finding.as_ref().map(|finding| cause(finding.cause));
    match visibility.state {
        VisibilityState::Good => ("good", time().unwrap_or_else(|| "good".to_owned())),
        VisibilityState::Impaired => ("poor", finding().unwrap_or_else(|| "impaired".to_owned())),
        VisibilityState::Failing => ("bad", finding().unwrap_or_else(|| "failing".to_owned())),
        VisibilityState::NoData => ("none", "no data".to_owned()),
        VisibilityState::Silent => ("none", "silent".to_owned()),
    }
}

/// Uptime over 24 hours, 7, 30 and 90 days, as percentages and strips.
pub(crate) fn uptimes(monitor: &MonitorView) -> Markup {
    html! {
        dl .uptime {
            @for span in Span::ALL {
                div {
                    dt { (span.as_str()) " " span .figure { (display::uptime(span.uptime(monitor))) } }
                    dd { (chart::strip(span, monitor)) }
                }
            }
        }
    }
}
