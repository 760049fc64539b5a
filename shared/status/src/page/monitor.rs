//! The page of one monitor: charts by location with incidents, list of incidents, last answers, definition.

use std::time::Duration;

use jiff::Timestamp;
use maud::{Markup, html};
use portpulse_core::definition::{AlertPolicy, LocationSelector, Monitor, Quorum};
use portpulse_core::id::Location;
use portpulse_core::outcome::Phase;
use portpulse_core::target::Check;
use portpulse_core::time::format_duration;
use portpulse_history::view::{IncidentView, LeftOut, Maintenance, MonitorInside, MonitorPage, Point};

use super::answers::answers;
use super::parts::{as_of, incidents_left_out, remarks, uptimes, visibilities};
use super::timeline::{IncidentHeading, incidents};
use crate::chart::{self, Axis};
use crate::display::{self, TimeFormat};
use crate::span::Span;

/// The maximum number of incidents on the page; each takes about 1 KB.
const MAX_INCIDENTS: usize = 200;

/// Renders the page: title and content.
pub(crate) fn page(span: Span, known: &MonitorPage) -> (String, Markup) {
    let monitor = &known.monitor;
    let inside = monitor.inside.as_deref();
    let from = known.at.saturating_sub(span.length()).unwrap_or(Timestamp::MIN);
    let is_within = |event: &&IncidentView| event.closed.is_none_or(|(closed, _)| closed >= from);
    let mut within: Vec<_> = known.incidents.iter().filter(is_within).collect();
    let earlier = within.len().saturating_sub(MAX_INCIDENTS);
    within.truncate(MAX_INCIDENTS);
    let main = html! {
        p .crumbs { a href="/" { "All monitors" } }
        div .title {
            h1 { (monitor.id) }
            (display::status(monitor.status))
            (remarks(monitor, &known.incidents, known.at))
        }
        @if let Some(inside) = inside { (visibilities(inside)) }
        section { h2 { "Uptime" } (uptimes(monitor)) }
        nav .spans aria-label="Time range" {
            @for each in Span::ALL {
                a href={ "/monitors/" (monitor.id) "?span=" (each.as_str()) }
                    aria-current=[(each == span).then_some("true")] { (each.label()) }
            }
        }
        @if let Some(inside) = inside { (times(inside, span, known.at, &within, known.left_out)) }
        section {
            h2 { "Incidents" }
            @if within.is_empty() { p .quiet { "No incidents in the last " (span.label()) "." } }
            (incidents(within, known.at, IncidentHeading::Track))
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
    (monitor.id.to_string(), main)
}

/// The phases that the monitor's checks have, in the order of a check.
fn phases(all: &[&[Point]]) -> Vec<Phase> {
    let has = |phase: &Phase| {
        all.iter()
            .copied()
            .flatten()
            .any(|point| point.times(*phase).is_some())
    };
    let phases = [Phase::Dns, Phase::Connect, Phase::Tls, Phase::Ready].into_iter();
    phases
        .filter(|phase| *phase == Phase::Connect || has(phase))
        .collect()
}

/// Charts of all phases by location, on a shared time axis.
fn times(
    inside: &MonitorInside,
    span: Span,
    now: Timestamp,
    incidents: &[&IncidentView],
    left_out: LeftOut,
) -> Markup {
    let locations = inside.locations.iter();
    let all: Vec<_> = locations
        .map(|(location, visibility)| (location, span.points(&visibility.hours, &visibility.days)))
        .collect();
    let points: Vec<_> = all.iter().map(|(_, points)| *points).collect();
    let phases = phases(&points);
    let axes: Vec<_> = phases
        .iter()
        .map(|phase| (*phase, Axis::of(*phase, &points, span, now)))
        .collect();
    html! {
        section {
            h2 { @if axes.len() > 1 { "Phase times by location" } @else { "Connect time by location" } }
            ul .legend aria-label="Legend" {
                @for (class, path, label) in LEGEND {
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
                        @for (phase, axis) in &axes {
                            @if axes.len() > 1 { p .phase { (display::phase(*phase)) } }
                            (chart::series(location, points, axis, incidents))
                        }
                        (figures(location, points, &phases, span))
                    }
                }
            }
            p .quiet {
                "The connect time is from SYN to SYN-ACK, for UDP from request to response. By " (span.unit())
                " in UTC, on a logarithmic scale."
                @if left_out.phases { " The earliest phase times other than connect are missing: they exceed the read limit of one request." }
                @if left_out.hour { " The checks of the current hour are missing: they exceed the read limit of one request." }
            }
        }
    }
}

/// The legend: CSS class, SVG path and label.
const LEGEND: [(&str, &str, &str); 6] = [
    ("p50", "M1 7h16", "median"),
    ("p95", "M1 7h16", "95th percentile"),
    ("most", "M1 7h16", "maximum"),
    ("failed", "M6 13v-5M9 13v-11M12 13v-8", "failures"),
    ("gap", "M1 12h16", "no data"),
    ("band down", "M4 1h10v12h-10z", "incident"),
];

/// Table with the numbers of a location's charts.
fn figures(location: &Location, points: &[Point], phases: &[Phase], span: Span) -> Markup {
    let has_checks = |point: &&Point| point.good > 0 || point.failing > 0 || point.no_data > 0;
    let of_phase = |phase: &Phase| ["p50", "p95", "max"].map(|which| format!("{} {which}", phase.as_str()));
    let times = |point: &Point, phase: &Phase| match point.times(*phase) {
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
                            @for title in [span.unit(), "good", "failed", "no data"] {
                                th scope="col" { (title) }
                            }
                            @for title in phases.iter().flat_map(of_phase) { th scope="col" { (title) } }
                        }
                    }
                    tbody {
                        @for point in points.iter().rev().filter(has_checks) {
                            tr {
                                th scope="row" { (display::timestamp(point.period.start(), TimeFormat::Brief)) }
                                td { (point.good) }
                                td { (point.failing) }
                                td { (point.no_data) }
                                @for time in phases.iter().flat_map(|phase| times(point, phase)) { td { (time) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The effective definition, field by field, with current and upcoming maintenance.
fn definition(monitor: &Monitor, maintenance: &[Maintenance]) -> Markup {
    let runbook = monitor.alert_policy().runbook.as_deref();
    html! {
        dl .definition.card {
            @for (field, value) in fields(monitor) {
                @if !value.is_empty() { div { dt { (field) } dd { (value) } } }
            }
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

fn fields(monitor: &Monitor) -> [(&'static str, String); 19] {
    let (target, rule) = (monitor.target(), monitor.rule());
    let AlertPolicy {
        severity,
        tags,
        depends_on,
        remind_every,
        escalate_after,
        flapping_after,
        // Rendered separately.
        runbook: _,
        maintenance: _,
    } = monitor.alert_policy();
    let duration = |length: Option<Duration>| length.map(format_duration).unwrap_or_default();
    let check = match &target.check {
        Check::Connect(close) => format!("connect (close: {close})"),
        Check::Ready(readiness) => format!("ready ({readiness})"),
    };
    let quorum = match rule.quorum {
        Quorum::Majority => "majority".to_owned(),
        Quorum::AtLeast(count) => count.to_string(),
    };
    let locations = match &rule.locations {
        LocationSelector::Everywhere => "all".to_owned(),
        LocationSelector::Only(locations) => joined(locations.iter().map(ToString::to_string)),
    };
    let service = monitor.service().map(|service| service.to_string());
    [
        ("host", target.host.to_string()),
        ("port", target.port.to_string()),
        ("service", service.unwrap_or_default()),
        ("check", check),
        ("interval", rule.interval.to_string()),
        ("timeout", format_duration(target.timeout)),
        ("slow_after", duration(rule.slow_after)),
        ("expect", rule.expect.to_string()),
        ("failures_to_open", rule.failures_to_open.to_string()),
        ("successes_to_close", rule.successes_to_close.to_string()),
        ("quorum", quorum),
        ("locations", locations),
        ("severity", severity.to_string()),
        ("ip", target.ip.to_string()),
        ("tags", joined(tags.iter().cloned())),
        ("depends_on", joined(depends_on.keys().map(ToString::to_string))),
        ("remind_every", duration(*remind_every)),
        ("escalate_after", duration(*escalate_after)),
        (
            "flapping_after",
            flapping_after
                .map(|changes| changes.to_string())
                .unwrap_or_default(),
        ),
    ]
}

fn joined(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}
