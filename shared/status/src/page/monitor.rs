//! The page of one monitor: charts by location with incidents, list of incidents, last answers, definition.

use jiff::Timestamp;
use maud::{Markup, html};
use portpulse_core::choice::Expect;
use portpulse_core::decide::Explanation;
use portpulse_core::definition::{Field, Monitor};
use portpulse_core::detection::Detection;
use portpulse_core::id::Location;
use portpulse_core::outcome::Phase;
use portpulse_history::state::State;
use portpulse_history::view::{
    IncidentView, LeftOut, Maintenance, MonitorInside, MonitorPage, MonitorView, Point, Timed,
};

use super::actions;
use super::answers::answers;
use super::parts::{as_of, incidents_left_out, layer, remarks, uptime_figure, visibilities};
use super::timeline::{IncidentHeading, head, incidents, progress};
use crate::access::FormToken;
use crate::chart::{self, Axis};
use crate::display::{self, TimeFormat};
use crate::span::Span;

/// The maximum number of rows of a table with the numbers of a chart; the charts have all points.
const MAX_ROWS: usize = 90;
/// The maximum number of incidents on the page; each takes about 1 KB.
const MAX_INCIDENTS: usize = 200;

/// Renders the page: title and content.
pub(crate) fn page(span: Span, known: &MonitorPage, token: Option<&FormToken>) -> (String, Markup) {
    let monitor = &known.monitor;
    let inside = monitor.inside.as_deref();
    // Forms are for readers who see everything.
    let token = token.filter(|_| inside.is_some());
    let from = known.at.saturating_sub(span.length()).unwrap_or(Timestamp::MIN);
    let is_within = |event: &&IncidentView| event.closed.is_none_or(|(closed, _)| closed >= from);
    let mut within: Vec<_> = known.incidents.iter().filter(is_within).collect();
    let earlier = within.len().saturating_sub(MAX_INCIDENTS);
    within.truncate(MAX_INCIDENTS);
    let main = html! {
        p .crumbs { a href="/" { "All monitors" } }
        div .title {
            h1 { (monitor.title()) }
            (display::badge(State::of(monitor)))
            @if let Some(inside) = inside {
                span .quiet { (inside.definition.alert_policy().severity.as_str()) }
                code { (inside.definition.target()) }
            }
        }
        @if monitor.about.name.is_some() { p .quiet { (monitor.id) } }
        @if let Some(description) = &monitor.about.description { p { (description) } }
        (diagnosis(monitor, known, token))
        div .columns {
            div {
                (spans(monitor, span))
                @if let Some(inside) = inside { (comparison(inside, span, known.at, &within)) }
                section {
                    h2 { "90 days" }
                    div .card {
                        (chart::strip(Span::Quarter, monitor))
                        p .ends { span { "90 days ago" } span { "today" } }
                    }
                }
            }
            div {
                // The top of the page has its diagnosis.
                @if let Some(open) = worst_open(known) {
                    section {
                        h2 { "This incident" }
                        div .card { (head(open, known.at, IncidentHeading::Track)) (progress(open, token)) }
                    }
                }
                section { h2 { "Uptime" } (uptimes(monitor)) }
            }
        }
        @if let Some(inside) = inside { (times(inside, span, known.at, &within, known.left_out)) }
        section {
            h2 { "Incidents" }
            @if within.is_empty() { p .quiet { "No incidents in the last " (span.label()) "." } }
            (incidents(&within, known.at, IncidentHeading::Track, token))
            @if earlier > 0 {
                p .quiet { (display::plural(earlier, "earlier incident")) " of this time range are not shown, here and in the charts." }
            }
            (incidents_left_out(known.left_out))
        }
        @if let Some(inside) = inside {
            (answers(inside))
            section { h2 { "Definition" } (definition(&inside.definition, &monitor.maintenance)) }
        }
        (as_of(known.at))
    };
    (monitor.title().to_owned(), main)
}

/// The worst open incident.
fn worst_open(known: &MonitorPage) -> Option<&IncidentView> {
    let open = known
        .incidents
        .iter()
        .filter(|incident| incident.closed.is_none());
    open.min_by_key(|incident| incident.status.rank())
}

/// The diagnosis of the worst open incident.
fn open_diagnosis(known: &MonitorPage) -> Option<&Explanation> {
    worst_open(known)?.inside.as_ref()?.diagnosis.as_ref()
}

/// What is wrong, where it is seen, and what a person can do.
fn diagnosis(monitor: &MonitorView, known: &MonitorPage, token: Option<&FormToken>) -> Markup {
    let inside = monitor.inside.as_deref();
    let state = State::of(monitor);
    html! {
        div .diagnosis.card.(state.as_str()) {
            @if let Some(known) = open_diagnosis(known) { (layer(known)) }
            (remarks(monitor, &known.incidents, known.at))
            @if let Some(inside) = inside {
                (visibilities(inside))
                @if state.is_bad() {
                    div .actions {
                        (actions::runbook(&inside.definition))
                        (actions::commands(&monitor.id))
                    }
                }
                @if let Some(token) = token {
                    @let has_open = known.incidents.iter().any(|incident| incident.closed.is_none());
                    details .controls open[state.is_bad()] {
                        summary { "Acknowledge or silence" }
                        (actions::controls(&monitor.id, has_open, token))
                    }
                }
            }
        }
    }
}

fn spans(monitor: &MonitorView, span: Span) -> Markup {
    html! {
        nav .spans aria-label="Time range" {
            @for each in Span::ALL {
                a href={ "/monitors/" (monitor.id) "?span=" (each.as_str()) }
                    aria-current=[(each == span).then_some("true")] { (each.label()) }
            }
        }
    }
}

/// Uptime over each span.
fn uptimes(monitor: &MonitorView) -> Markup {
    html! {
        dl .uptimes.card {
            @for span in Span::OF_UPTIME { div { dt { (span.label()) } dd { (uptime_figure(monitor, span)) } } }
        }
    }
}

/// The total times of all locations in one chart.
fn comparison(inside: &MonitorInside, span: Span, now: Timestamp, incidents: &[&IncidentView]) -> Markup {
    let all = by_location(inside, span);
    let points: Vec<_> = all.iter().map(|(_, points)| *points).collect();
    let axis = Axis::of(Timed::Total, &points, span, now);
    html! {
        section {
            h2 { "Response time by location" }
            div .card { (chart::compare(&all, &axis, incidents, span)) }
        }
    }
}

/// The chart points of each location.
fn by_location(inside: &MonitorInside, span: Span) -> Vec<(&Location, &[Point])> {
    let locations = inside.locations.iter();
    locations
        .map(|(location, seen)| (location, span.points(seen)))
        .collect()
}

/// The total, then the phases that the monitor's checks have, in the order of a check; the total alone if the connect is
/// the only phase.
fn timed(all: &[&[Point]]) -> Vec<Timed> {
    let has = |what: &Timed| {
        let mut points = all.iter().copied().flatten();
        points.any(|point| point.times(*what).is_some())
    };
    let phases = [Phase::Dns, Phase::Connect, Phase::Tls, Phase::Ready].map(Timed::Phase);
    let phases: Vec<_> = phases.into_iter().filter(has).collect();
    match phases[..] {
        [Timed::Phase(Phase::Connect)] => vec![Timed::Total],
        _ => [Timed::Total].into_iter().chain(phases).collect(),
    }
}

/// Charts of the total and of all phases by location, on a shared time axis.
fn times(
    inside: &MonitorInside,
    span: Span,
    now: Timestamp,
    incidents: &[&IncidentView],
    left_out: LeftOut,
) -> Markup {
    let all = by_location(inside, span);
    let points: Vec<_> = all.iter().map(|(_, points)| *points).collect();
    let timed = timed(&points);
    let axes: Vec<_> = timed
        .iter()
        .map(|what| (*what, Axis::of(*what, &points, span, now)))
        .collect();
    html! {
        section {
            h2 { "Response time of each location" }
            ul .legend aria-label="Legend" {
                @for (class, path, label) in legend(span) {
                    li {
                        svg .series width="18" height="14" viewBox="0 0 18 14" aria-hidden="true" {
                            path class=(class) d=(path) {}
                        }
                        (label)
                    }
                }
            }
            div .charts {
                @for (location, points) in &all {
                    figure .card {
                        figcaption { (location) }
                        @for (what, axis) in &axes {
                            @if axes.len() > 1 { p .phase { (display::timed(*what)) } }
                            (chart::series(location, points, axis, incidents))
                        }
                        (figures(location, points, &timed, span))
                    }
                }
            }
            p .quiet {
                "The total is the time of a whole check: name resolution, connect (from SYN to SYN-ACK, for UDP from request to \
                response), TLS handshake and answer. By " (span.unit()) " in UTC, on a logarithmic scale."
                @if left_out.phases { " The earliest times of the phases are missing: they exceed the read limit of one request." }
                @if left_out.hour { " The checks of the current hour are missing: they exceed the read limit of one request." }
            }
        }
    }
}

/// The entries of the legend that charts of this span have: a single check has one time.
fn legend(span: Span) -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str)> {
    let is_shown =
        move |(class, _, _): &&(&str, _, _)| span != Span::Hours || !matches!(*class, "p95" | "most");
    LEGEND.iter().filter(is_shown)
}

/// The legend: CSS class, SVG path and label.
const LEGEND: [(&str, &str, &str); 6] = [
    ("p50", "M1 7h16", "median"),
    ("p95", "M1 7h16", "95th percentile"),
    ("most", "M1 7h16", "maximum"),
    ("failed", "M3 13V8H7V13zM8 13V3H12V13z", "failures"),
    ("gap", "M1 12h16", "no data"),
    ("band down", "M4 1h10v12h-10z", "incident"),
];

/// Table with the numbers of a location's charts.
fn figures(location: &Location, points: &[Point], timed: &[Timed], span: Span) -> Markup {
    let has_checks = |point: &&Point| point.good > 0 || point.failing > 0 || point.no_data > 0;
    let titles =
        |what: &Timed| ["p50", "p95", "max"].map(|which| format!("{} {which}", display::timed(*what)));
    let times = |point: &Point, what: &Timed| match point.times(*what) {
        Some(times) => [times.p50, times.p95, times.max].map(display::phase_time),
        None => ["–", "–", "–"].map(str::to_owned),
    };
    html! {
        details {
            summary { "Data of " (location) }
            div .scroll tabindex="0" role="group" aria-label={ "Data of " (location) } {
                table {
                    thead {
                        tr {
                            @for title in [span.unit(), "good", "retried", "failed", "no data"] {
                                th scope="col" { (title) }
                            }
                            @for title in timed.iter().flat_map(titles) { th scope="col" { (title) } }
                        }
                    }
                    tbody {
                        @for point in points.iter().rev().filter(has_checks).take(MAX_ROWS) {
                            tr {
                                th scope="row" { (display::timestamp(point.slot.start(), TimeFormat::Brief)) }
                                td { (point.good) }
                                td { (point.retried) }
                                td { (point.failing) }
                                td { (point.no_data) }
                                @for time in timed.iter().flat_map(|what| times(point, what)) { td { (time) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Whether the page renders the field in a form of its own: the heading, or a list or link in the definition.
fn is_rendered_apart(field: Field) -> bool {
    matches!(
        field,
        Field::Name | Field::Description | Field::Runbook | Field::Maintenance
    )
}

/// The maximum time from an outage to its notification, as in `portpulse plan`. That with other failing monitors is left out,
/// because the definitions of the group are not read for this page.
fn detection_time(monitor: &Monitor) -> String {
    let detection = Detection::of(monitor, []);
    let at_once = match monitor.rule().expect {
        Expect::Open | Expect::Reachable => "refused",
        Expect::Closed => "the port is open",
    };
    let cases = [
        (detection.refused, at_once),
        (detection.dropped, "packets are dropped"),
    ];
    let times = cases
        .into_iter()
        .filter_map(|(time, case)| Some(format!("{} if {case}", display::waiting_time(time?.max))));
    format!("at most {}", times.collect::<Vec<_>>().join(", "))
}

/// The effective definition, field by field, with detection time, current and upcoming maintenance.
fn definition(monitor: &Monitor, maintenance: &[Maintenance]) -> Markup {
    let runbook = monitor.alert_policy().runbook.as_deref();
    html! {
        dl .definition.card {
            @for field in Field::ALL.iter().filter(|field| !is_rendered_apart(**field)) {
                @if let Some(value) = monitor.effective(*field) { div { dt { (field.name()) } dd { (value) } } }
            }
            div { dt { "Detection time" } dd { (detection_time(monitor)) } }
            @if !maintenance.is_empty() {
                div {
                    dt { "maintenance" }
                    dd {
                        @for Maintenance { from, until, why } in maintenance {
                            p {
                                (display::timestamp(*from, TimeFormat::Full)) " to " (display::timestamp(*until, TimeFormat::Full))
                                @if let Some(why) = why { ": " (why) }
                            }
                        }
                    }
                }
            }
            @if let Some(runbook) = runbook {
                div {
                    dt { "runbook" }
                    // Validation admits only `http` and `https` URLs.
                    dd { a href=(runbook) rel="noreferrer noopener" { (runbook) } }
                }
            }
        }
    }
}
