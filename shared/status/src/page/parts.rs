//! What several pages show of a monitor.

use jiff::Timestamp;
use maud::{Markup, html};
use portpulse_core::control::Note;
use portpulse_core::group_state::{Cause, Finding, Status};
use portpulse_history::view::{
    IncidentView, LeftOut, LocationVisibility, MonitorInside, MonitorView, VisibilityState,
};

use crate::chart;
use crate::span::Span;
use crate::words::{self, Show};

/// Which of several pages one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageOf {
    page: usize,
    rows: usize,
    most: usize,
}

impl PageOf {
    /// The page, from 0 on, of so many rows with at most so many on each; the last, where there are fewer pages.
    pub(crate) fn new(page: usize, rows: usize, most: usize) -> Self {
        let last = rows.saturating_sub(1) / most.max(1);
        Self {
            page: page.min(last),
            rows,
            most,
        }
    }

    /// Those of some rows that are on it, where so many others come before them.
    pub(crate) fn of<T>(self, rows: &[T], before: usize) -> &[T] {
        let first = self.page * self.most;
        let within = |place: usize| place.saturating_sub(before).min(rows.len());
        rows.get(within(first)..within(first + self.most))
            .unwrap_or_default()
    }

    /// Whether it is the first.
    pub(crate) const fn is_first(self) -> bool {
        self.page == 0
    }

    /// The way to those beside it, if there are any.
    pub(crate) fn links(self, address: impl Fn(usize) -> String) -> Markup {
        let pages = self.rows.div_ceil(self.most.max(1));
        html! {
            @if pages > 1 {
                nav .spans aria-label="Further pages" {
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

/// Monitors by name, at most so many.
pub(crate) fn names<'a>(all: impl ExactSizeIterator<Item = &'a str>, most: usize) -> Markup {
    let more = all.len().saturating_sub(most);
    html! {
        ul .names {
            @for id in all.take(most) { li { a href={ "/monitors/" (id) } { (id) } } }
            @if more > 0 { li .quiet { "and " (more) " more" } }
        }
    }
}

/// When what stands above was read.
pub(crate) fn as_of(at: Timestamp) -> Markup {
    html! { p .asof { "As of " (words::moment(at, Show::Full)) } }
}

/// That incidents are missing, if they are.
pub(crate) fn incidents_left_out(left_out: LeftOut) -> Markup {
    html! {
        @if left_out.incidents {
            p .quiet { "Earlier incidents are not shown: one page does not read more." }
        }
    }
}

/// What was found, in a word, and in the service's own.
pub(crate) fn found(finding: &Finding) -> Markup {
    html! {
        (cause(finding.cause))
        @if let Some(detail) = &finding.detail { ": " q { (detail) } }
    }
}

fn cause(cause: Cause) -> String {
    cause.code().replace('_', " ")
}

/// A monitor's tags; a public page has none.
pub(crate) fn tags(monitor: &MonitorView) -> impl Iterator<Item = &str> {
    let inside = monitor.inside.as_deref();
    let tags = inside.map(|inside| inside.definition.alert_policy().tags.iter());
    tags.into_iter().flatten().map(String::as_str)
}

/// What is to be said beside a verdict: since when, and why; `incidents` holds the monitor's own, and maybe others.
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
                span { "for " (words::length(now.duration_since(since))) }
            }
            @if let Some(finding) = finding.filter(|_| is_bad) { span .words { (found(finding)) } }
            @if inside.is_some_and(|inside| inside.advisory) {
                span .hold { "some locations see it failing" }
            }
            @if monitor.in_maintenance { span .hold { "in maintenance" } }
            @if let Some(silence) = silence {
                span .hold { "silenced until " (words::moment(silence.until, Show::Brief)) (by(&silence.note)) }
            }
            @if let Some(acknowledgement) = acknowledgement {
                span .hold { "acknowledged" (by(&acknowledgement.note)) }
            }
        }
    }
}

/// Who said something, and why.
fn by(note: &Note) -> Markup {
    html! {
        " by " (note.by())
        @if let Some(why) = note.why() { ": " q { (why) } }
    }
}

/// What each location sees: a port that is open from one and blocked from another shows at once.
pub(crate) fn visibilities(inside: &MonitorInside) -> Markup {
    html! {
        ul .locations aria-label="Locations" {
            @for (location, visibility) in &inside.locations {
                @let (class, word) = look(visibility);
                li .visibility.(class) { span .location { (location) } " " span .seen { (word) } }
            }
        }
    }
}

/// The style sheet's name for what a location sees, and the words: the last median connect time, or what is wrong.
pub(crate) fn look(visibility: &LocationVisibility) -> (&'static str, String) {
    let time = || visibility.connect.map(|connect| words::time(connect.p50));
    let finding = || visibility.finding.as_ref().map(|finding| cause(finding.cause));
    match visibility.state {
        VisibilityState::Good => ("good", time().unwrap_or_else(|| "good".to_owned())),
        VisibilityState::Impaired => ("poor", finding().unwrap_or_else(|| "impaired".to_owned())),
        VisibilityState::Failing => ("bad", finding().unwrap_or_else(|| "failing".to_owned())),
        VisibilityState::NoData => ("none", "no data".to_owned()),
        VisibilityState::Silent => ("none", "silent".to_owned()),
    }
}

/// How a monitor fared over the usual spans, as figures and bars.
pub(crate) fn uptimes(monitor: &MonitorView) -> Markup {
    html! {
        dl .uptime {
            @for span in Span::ALL {
                div {
                    dt { (span.as_str()) " " span .figure { (words::uptime(span.uptime(monitor))) } }
                    dd { (chart::strip(span, monitor)) }
                }
            }
        }
    }
}
