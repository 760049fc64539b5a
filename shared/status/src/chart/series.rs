//! Chart of the total time, or of one phase, in one location: median, 95th percentile and maximum over time, with incidents, failures and
//! gaps on the same time axis.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;
use maud::{Markup, html};
use portpulse_core::id::Location;
use portpulse_history::view::{IncidentView, Percentiles, Point, Timed};

use super::number;
use crate::display;
use crate::span::Span;

/// Extra space of 10 at the left for the widest label, such as `0.02 ms`.
pub(super) const VIEW_BOX: &str = "-10 0 490 168";
const HEIGHT: f64 = 168.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 474.0;
pub(super) const TOP: f64 = 10.0;
pub(super) const FOOT: f64 = 140.0;

/// Axes shared by all charts of the total time or of one phase, so that locations can be compared: time, and the duration on a logarithmic
/// scale, because a maximum can be a thousand times the median.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Axis {
    timed: Timed,
    span: Span,
    from: Timestamp,
    /// The end of the axis, and of open incidents.
    now: Timestamp,
    /// Seconds.
    least: f64,
    /// Seconds.
    most: f64,
}

impl Axis {
    /// Axes that fit the times of all given points, up to now: the last period is not over.
    pub(crate) fn of(timed: Timed, all: &[&[Point]], span: Span, now: Timestamp) -> Self {
        let points = || all.iter().copied().flatten();
        let times = || points().filter_map(|point| point.times(timed));
        let least = times()
            .map(|times| times.p50)
            .min()
            .unwrap_or(Duration::from_millis(1));
        let most = times().map(|times| times.max).max().unwrap_or(least);
        // Times are stored with a resolution of 0.01 ms.
        let least = least.as_secs_f64().max(1e-5) * 0.8;
        let most = (most.as_secs_f64() * 1.25).max(least * 4.0);
        Self {
            timed,
            span,
            from: span.from(now),
            now,
            least,
            most,
        }
    }

    fn x(&self, at: Timestamp) -> f64 {
        let whole = self.now.duration_since(self.from).as_secs_f64();
        let part = at.duration_since(self.from).as_secs_f64();
        LEFT + (part / whole).clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    /// What the times cover.
    pub(super) const fn timed(&self) -> Timed {
        self.timed
    }

    /// The left and the right end of a period on the axis.
    pub(super) fn ends(&self, point: &Point) -> (f64, f64) {
        (self.x(point.slot.start()), self.x(point.slot.end()))
    }

    fn y(&self, time: Duration) -> f64 {
        let share = (time.as_secs_f64().max(self.least) / self.least).ln() / (self.most / self.least).ln();
        FOOT - share.clamp(0.0, 1.0) * (FOOT - TOP)
    }

    /// Grid lines: 1, 2, 5, 10 and so on; only powers of ten if there would be more than five.
    fn levels(&self) -> Vec<Duration> {
        let between = |steps: &[f64]| -> Vec<f64> {
            let decades = (-5..=5).map(|power| 10f64.powi(power));
            let all = decades.flat_map(|decade| steps.iter().map(move |step| step * decade));
            all.filter(|level| (self.least..=self.most).contains(level))
                .collect()
        };
        let fine = between(&[1.0, 2.0, 5.0]);
        let levels = if fine.len() > 5 { between(&[1.0]) } else { fine };
        levels.into_iter().map(Duration::from_secs_f64).collect()
    }

    /// Grid lines and labels.
    pub(super) fn grid(&self) -> Markup {
        html! {
            @for level in self.levels() {
                @let y = number(self.y(level));
                path .grid d={ "M" (LEFT) " " (y) "H" (RIGHT) } {}
                text x=(LEFT - 6.0) y=(y) dy="4" text-anchor="end" { (display::phase_time(level)) }
            }
            path .foot d={ "M" (LEFT) " " (FOOT) "H" (RIGHT) } {}
            @for (at, label) in self.time_labels() {
                text x=(number(self.x(at))) y=(HEIGHT - 8.0) text-anchor="middle" { (label) }
            }
        }
    }

    /// Bands over the time of incidents.
    pub(super) fn bands(&self, incidents: &[&IncidentView]) -> Markup {
        html! {
            @for event in incidents {
                @let (from, to) = (self.x(event.since), self.x(event.closed.map_or(self.now, |(closed, _)| closed)));
                rect .band.(event.status.as_str()) x=(number(from)) y=(TOP) width=(number((to - from).max(1.5)))
                    height=(FOOT - TOP) {}
            }
        }
    }

    /// Labels of the time axis at whole hours or days, from left to right.
    fn time_labels(&self) -> Vec<(Timestamp, String)> {
        let (minutes, format) = match self.span {
            Span::Hours => (30, "%H:%M"),
            Span::Day => (6 * 60, "%H:%M"),
            Span::Week => (2 * 24 * 60, "%b %-d"),
            Span::Month => (7 * 24 * 60, "%b %-d"),
            Span::Quarter => (21 * 24 * 60, "%b %-d"),
        };
        let step = minutes * 60;
        let first = self.from.as_second().div_euclid(step) * step;
        let times = (0..=8).filter_map(|count| Timestamp::from_second(first + count * step).ok());
        times
            .filter(|at| (LEFT + 20.0..RIGHT - 20.0).contains(&self.x(*at)))
            .map(|at| (at, Offset::UTC.to_datetime(at).strftime(format).to_string()))
            .collect()
    }
}

/// Renders the chart of one location.
pub(crate) fn series(
    location: &Location,
    points: &[Point],
    axis: &Axis,
    incidents: &[&IncidentView],
) -> Markup {
    let gaps = gaps(points, axis);
    let line = |pick: fn(&Percentiles) -> Duration| line(points, axis, pick);
    html! {
        svg .series role="img" viewBox=(VIEW_BOX) aria-label=(description(location, points, axis)) {
            (axis.bands(incidents))
            (axis.grid())
            // A single check has one time.
            @if axis.span != Span::Hours {
                path .most d=(line(|times| times.max)) {}
                path .p95 d=(line(|times| times.p95)) {}
            }
            path .p50 d=(line(|times| times.p50)) {}
            @if !gaps.is_empty() { path .gap d=(gaps) {} }
            @let failed = failures(points, axis);
            @if !failed.is_empty() { path .failed d=(failed) {} }
        }
    }
}

/// A line with one level step for each period. The line breaks where a period is missing or has no times.
pub(super) fn line(points: &[Point], axis: &Axis, pick: fn(&Percentiles) -> Duration) -> String {
    let mut line = String::new();
    let mut before = None;
    for point in points {
        let Some(times) = point.times(axis.timed) else {
            before = None;
            continue;
        };
        let (left, right) = axis.ends(point);
        let y = number(axis.y(pick(&times)));
        if before == Some(point.slot.start()) {
            line.push_str(&format!("V{y}H{}", number(right)));
        } else {
            line.push_str(&format!("M{} {y}H{}", number(left), number(right)));
        }
        before = Some(point.slot.end());
    }
    line
}

/// Bars at the bottom for periods with failures, as wide as the period. The height is the share of failed checks.
fn failures(points: &[Point], axis: &Axis) -> String {
    let failing = points.iter().filter(|point| point.failing > 0);
    let bar = |point: &Point| {
        let share = f64::from(point.failing) / f64::from(point.failing.saturating_add(point.good));
        let (left, right) = axis.ends(point);
        format!(
            "M{} {FOOT}V{}H{}V{FOOT}z",
            number(left),
            number(FOOT - 4.0 - 14.0 * share),
            number(right.max(left + 1.0))
        )
    };
    failing.map(bar).collect()
}

/// Lines at the bottom for time without data.
fn gaps(points: &[Point], axis: &Axis) -> String {
    let mut gaps = String::new();
    let mut covered_until = axis.from;
    let with_data = points.iter().filter(|point| point.good > 0 || point.failing > 0);
    let ends = with_data.map(|point| (point.slot.start(), point.slot.end()));
    for (from, end) in ends.chain([(axis.now, axis.now)]) {
        if from > covered_until {
            let (left, right) = (axis.x(covered_until), axis.x(from));
            gaps.push_str(&format!("M{} {FOOT}H{}", number(left), number(right)));
        }
        covered_until = covered_until.max(end);
    }
    gaps
}

fn description(location: &Location, points: &[Point], axis: &Axis) -> String {
    let good: u64 = points.iter().map(|point| u64::from(point.good)).sum();
    let failing: u64 = points.iter().map(|point| u64::from(point.failing)).sum();
    let checks = good + failing;
    let times = || points.iter().filter_map(|point| point.times(axis.timed));
    let medians = times().map(|times| times.p50);
    let range = match (
        medians.clone().min(),
        medians.max(),
        times().map(|times| times.max).max(),
    ) {
        (Some(least), Some(most), Some(worst)) => format!(
            "medians from {} to {}, longest {}",
            display::phase_time(least),
            display::phase_time(most),
            display::phase_time(worst)
        ),
        _ => "no times".to_owned(),
    };
    format!(
        "{location}, {}, over {}: {range}; {failing} of {checks} checks failed",
        display::timed(axis.timed),
        axis.span.label()
    )
}

#[cfg(test)]
mod tests {
    use portpulse_core::by_phase::ByPhase;
    use portpulse_core::outcome::Phase;
    use portpulse_history::view::Slot;

    use super::*;

    fn point(period: &str, p50: Option<u64>, failing: u32) -> Point {
        Point {
            slot: Slot::Period(period.parse().unwrap()),
            good: 60 - failing,
            retried: 0,
            failing,
            no_data: 0,
            total: p50.map(|ms| Percentiles {
                p50: Duration::from_millis(ms),
                p95: Duration::from_millis(2 * ms),
                max: Duration::from_millis(4 * ms),
            }),
            phases: ByPhase::default(),
        }
    }

    fn sample() -> (Vec<Point>, Axis) {
        let mut points = vec![
            point("2026-11-22T00", Some(10), 0),
            point("2026-11-22T01", Some(20), 30),
            point("2026-11-22T02", None, 60),
            point("2026-11-22T12", Some(10), 0),
            point("2026-11-22T23", None, 0),
        ];
        points[4].good = 0;
        let axis = Axis::of(
            Timed::Total,
            &[&points],
            Span::Day,
            "2026-11-22T23:59:59.999Z".parse().unwrap(),
        );
        (points, axis)
    }

    #[test]
    fn line_breaks_at_missing_periods() {
        let (points, axis) = sample();
        let line = line(&points, &axis, |connect| connect.p50);
        assert_eq!(line.matches('M').count(), 2, "{line}");
        assert_eq!(line, "M52 128.51H69.58V92.84H87.17M263 128.51H280.58");
    }

    #[test]
    fn failures_and_gaps_are_drawn_at_bottom() {
        let (points, axis) = sample();
        assert_eq!(
            failures(&points, &axis),
            "M69.58 140V129H87.17V140zM87.17 140V122H104.75V140z"
        );
        assert_eq!(gaps(&points, &axis), "M104.75 140H263M280.58 140H474");
    }

    #[test]
    fn description_summarises_chart() {
        let (points, axis) = sample();
        assert_eq!(
            description(&"eu-west-1".parse().unwrap(), &points, &axis),
            "eu-west-1, total, over 24 hours: medians from 10 ms to 20 ms, longest 80 ms; 90 of 240 checks failed"
        );
        let levels: Vec<_> = axis.levels().into_iter().map(display::phase_time).collect();
        assert_eq!(levels, ["10 ms", "20 ms", "50 ms", "100 ms"]);
    }

    #[test]
    fn each_phase_has_own_line_and_scale() {
        let (mut points, connect) = sample();
        points[1].phases.tls = points[0].times(Timed::Total);
        let tls = Axis::of(
            Timed::Phase(Phase::Tls),
            &[&points],
            Span::Day,
            "2026-11-22T23:59:59.999Z".parse().unwrap(),
        );
        assert_eq!(line(&points, &tls, |times| times.p50).matches('M').count(), 1);
        assert_ne!((tls.least, tls.most), (connect.least, connect.most));
        assert_eq!(
            (tls.from, tls.now),
            (connect.from, connect.now),
            "the time axis is shared"
        );
        assert_eq!(
            description(&"eu-west-1".parse().unwrap(), &points, &tls),
            "eu-west-1, TLS handshake, over 24 hours: medians from 10 ms to 10 ms, longest 40 ms; 90 of 240 checks failed"
        );
    }

    #[test]
    fn no_data_is_one_gap_without_nan() {
        let axis = Axis::of(
            Timed::Phase(Phase::Tls),
            &[],
            Span::Quarter,
            "2026-11-23T00:00:00Z".parse().unwrap(),
        );
        let text = series(&"here".parse().unwrap(), &[], &axis, &[]).into_string();
        assert!(text.contains("class=\"gap\" d=\"M52 140H474\""), "{text}");
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }
}
