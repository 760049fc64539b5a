//! Chart that compares the median times from all locations, with a tooltip for each period.

use jiff::Timestamp;
use jiff::tz::Offset;
use maud::{Markup, html};
use portpulse_core::id::Location;
use portpulse_history::view::{IncidentView, Point};

use super::number;
use super::series::{Axis, FOOT, TOP, VIEW_BOX, line};
use crate::display;
use crate::span::Span;

/// The number of line styles. With more locations the styles repeat.
const STYLES: usize = 6;

/// Renders the chart and its legend.
pub(crate) fn compare(
    all: &[(&Location, &[Point])],
    axis: &Axis,
    incidents: &[&IncidentView],
    span: Span,
) -> Markup {
    let style = |index: usize| format!("line line-{}", index % STYLES);
    html! {
        svg .series.compare role="img" tabindex="0" viewBox=(VIEW_BOX) aria-label=(description(all, axis, span)) {
            (axis.bands(incidents))
            (axis.grid())
            @for (index, (_, points)) in all.iter().enumerate() {
                path class=(style(index)) d=(line(points, axis, |times| times.p50)) {}
            }
            @for (left, right, text) in tips(all, axis, span) {
                rect .tip x=(number(left)) y=(TOP) width=(number(right - left)) height=(FOOT - TOP) data-tip=(text) {}
            }
        }
        ul .legend aria-label="Locations of the chart" {
            @for (index, (location, _)) in all.iter().enumerate() {
                li {
                    svg .series width="18" height="14" viewBox="0 0 18 14" aria-hidden="true" {
                        path class=(style(index)) d="M1 7h16" {}
                    }
                    (location)
                }
            }
            li {
                svg .series width="18" height="14" viewBox="0 0 18 14" aria-hidden="true" {
                    path class="band down" d="M4 1h10v12h-10z" {}
                }
                "incident"
            }
        }
    }
}

/// For each period with data: its ends on the axis, and the values of all locations.
fn tips(all: &[(&Location, &[Point])], axis: &Axis, span: Span) -> Vec<(f64, f64, String)> {
    let longest = all
        .iter()
        .map(|(_, points)| *points)
        .max_by_key(|points| points.len());
    let with_data = |point: &&Point| point.good > 0 || point.failing > 0 || point.no_data > 0;
    let periods = longest.unwrap_or_default().iter();
    periods
        .filter_map(|period| {
            let values: Vec<_> = all
                .iter()
                .filter_map(|(location, points)| {
                    let same = |point: &&Point| point.slot == period.slot;
                    let point = points.iter().find(same).filter(with_data)?;
                    Some(format!("{location} {}", value(point, axis)))
                })
                .collect();
            let (left, right) = axis.ends(period);
            let start = label(period.slot.start(), span);
            (!values.is_empty()).then(|| (left, right, format!("{start}: {}", values.join(", "))))
        })
        .collect()
}

/// The median of a period, and its failed checks.
fn value(point: &Point, axis: &Axis) -> String {
    let time = point
        .times(axis.timed())
        .map(|times| display::phase_time(times.p50));
    match (time, point.failing) {
        (Some(time), 0) => time,
        (Some(time), failed) => format!("{time}, {failed} failed"),
        (None, 0) => "no data".to_owned(),
        (None, failed) => format!("{failed} failed"),
    }
}

fn label(at: Timestamp, span: Span) -> String {
    let format = match span {
        Span::Hours | Span::Day => "%b %-d, %H:%M UTC",
        Span::Week | Span::Month | Span::Quarter => "%b %-d",
    };
    Offset::UTC.to_datetime(at).strftime(format).to_string()
}

fn description(all: &[(&Location, &[Point])], axis: &Axis, span: Span) -> String {
    let mut text = format!(
        "Median of the {} time by location over {}",
        display::timed(axis.timed()),
        span.label()
    );
    for (location, points) in all {
        let last = points.iter().rev().find_map(|point| point.times(axis.timed()));
        let last = last.map_or_else(|| "no times".to_owned(), |times| display::phase_time(times.p50));
        text.push_str(&format!("; {location}: last {last}"));
    }
    text
}
