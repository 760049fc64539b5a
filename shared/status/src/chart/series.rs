//! The times of a phase in a location over a span: median, 95th percentile and maximum, with incidents, failures and the
//! time without data on the same axis.

use std::time::Duration;

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use portpulse_core::id::Location;
use portpulse_core::outcome::Phase;
use portpulse_history::view::{IncidentView, Percentiles, Point};

use super::number;
use crate::span::Span;
use crate::words;

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 168.0;
/// Room at the left for the widest label, such as `0.02 ms`.
const EDGE: f64 = 10.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 474.0;
const TOP: f64 = 10.0;
const FOOT: f64 = 140.0;

/// The axes that the charts of one phase share, so that they can be compared: time, and the phase's times on a
/// logarithmic scale, for a maximum may be a thousand times the median.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Axis {
    phase: Phase,
    span: Span,
    from: Timestamp,
    until: Timestamp,
    /// Up to when an incident that is open has lasted.
    now: Timestamp,
    /// Seconds.
    least: f64,
    /// Seconds.
    most: f64,
}

impl Axis {
    /// The axes on which a phase of all of these fits.
    pub(crate) fn of(phase: Phase, all: &[&[Point]], span: Span, now: Timestamp) -> Self {
        let points = || all.iter().copied().flatten();
        // The last part is running: the axis goes on to its end.
        let ends = points().map(end).max();
        let until = ends.unwrap_or(now);
        let from = until.saturating_sub(span.length()).unwrap_or(Timestamp::MIN);
        let times = || points().filter_map(|point| point.times(phase));
        let least = times()
            .map(|times| times.p50)
            .min()
            .unwrap_or(Duration::from_millis(1));
        let most = times().map(|times| times.max).max().unwrap_or(least);
        // A hundredth of a millisecond is the least that is told apart.
        let least = least.as_secs_f64().max(1e-5) * 0.8;
        let most = (most.as_secs_f64() * 1.25).max(least * 4.0);
        Self {
            phase,
            span,
            from,
            until,
            now,
            least,
            most,
        }
    }

    fn x(&self, at: Timestamp) -> f64 {
        let whole = self.until.duration_since(self.from).as_secs_f64();
        let part = at.duration_since(self.from).as_secs_f64();
        LEFT + (part / whole).clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    fn y(&self, time: Duration) -> f64 {
        let share = (time.as_secs_f64().max(self.least) / self.least).ln() / (self.most / self.least).ln();
        FOOT - share.clamp(0.0, 1.0) * (FOOT - TOP)
    }

    /// Times to draw a line at: 1, 2, 5, 10 and so on, and if those are too many, only the powers of ten.
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

    /// Moments to write below, from the left.
    fn moments(&self) -> Vec<(Timestamp, String)> {
        const PARTS: i32 = 4;
        let format = match self.span {
            Span::Day => "%H:%M",
            Span::Week | Span::Month | Span::Quarter => "%b %-d",
        };
        let step = self.span.length() / PARTS;
        let moments = (1..PARTS).filter_map(|part| self.from.checked_add(step * part).ok());
        moments
            .map(|at| (at, Offset::UTC.to_datetime(at).strftime(format).to_string()))
            .collect()
    }
}

/// The chart of one phase in one location.
pub(crate) fn series(
    location: &Location,
    points: &[Point],
    axis: &Axis,
    incidents: &[&IncidentView],
) -> Markup {
    let gaps = gaps(points, axis);
    let line = |pick: fn(&Percentiles) -> Duration| line(points, axis, pick);
    html! {
        svg .series role="img" viewBox={ (-EDGE) " 0 " (WIDTH + EDGE) " " (HEIGHT) } aria-label=(meaning(location, points, axis)) {
            @for event in incidents {
                @let (from, to) = (axis.x(event.since), axis.x(event.closed.map_or(axis.now, |(closed, _)| closed)));
                rect .band.(event.status.as_str()) x=(number(from)) y=(TOP) width=(number((to - from).max(1.5)))
                    height=(FOOT - TOP) {}
            }
            @for level in axis.levels() {
                @let y = number(axis.y(level));
                path .grid d={ "M" (LEFT) " " (y) "H" (RIGHT) } {}
                text x=(LEFT - 6.0) y=(y) dy="4" text-anchor="end" { (words::time(level)) }
            }
            path .foot d={ "M" (LEFT) " " (FOOT) "H" (RIGHT) } {}
            @for (at, label) in axis.moments() {
                text x=(number(axis.x(at))) y=(HEIGHT - 8.0) text-anchor="middle" { (label) }
            }
            path .most d=(line(|times| times.max)) {}
            path .p95 d=(line(|times| times.p95)) {}
            path .p50 d=(line(|times| times.p50)) {}
            @if !gaps.is_empty() { path .gap d=(gaps) {} }
            @let failed = failures(points, axis);
            @if !failed.is_empty() { path .failed d=(failed) {} }
        }
    }
}

/// A line through the middles of the buckets; it breaks where one is missing or has no times.
fn line(points: &[Point], axis: &Axis, pick: fn(&Percentiles) -> Duration) -> String {
    let mut line = String::new();
    let mut before = None;
    for point in points {
        let Some(times) = point.times(axis.phase) else {
            before = None;
            continue;
        };
        let (x, y) = (axis.x(middle(point)), axis.y(pick(&times)));
        let joins = before == Some(point.period.start());
        // A point alone is seen too, as a dash.
        let (to, alone) = if joins { ("L", "") } else { ("M", "m-4 0h8m-4 0") };
        line.push_str(&format!("{to}{} {}{alone}", number(x), number(y)));
        before = Some(end(point));
    }
    line
}

fn end(point: &Point) -> Timestamp {
    point.period.later(1).start()
}

fn middle(point: &Point) -> Timestamp {
    let start = point.period.start();
    let half = SignedDuration::from_secs(point.period.grain().seconds() / 2);
    start.saturating_add(half).unwrap_or(start)
}

/// Strokes at the foot where a bucket has failures, the longer the more there are.
fn failures(points: &[Point], axis: &Axis) -> String {
    let failing = points.iter().filter(|point| point.failing > 0);
    let stroke = |point: &Point| {
        let share = f64::from(point.failing) / f64::from(point.failing.saturating_add(point.good));
        let x = axis.x(middle(point));
        format!("M{} {FOOT}v{}", number(x), number(-4.0 - 14.0 * share))
    };
    failing.map(stroke).collect()
}

/// Lines at the foot where nobody could tell.
fn gaps(points: &[Point], axis: &Axis) -> String {
    let mut gaps = String::new();
    let mut notified_until = axis.from;
    let notified = points.iter().filter(|point| point.good > 0 || point.failing > 0);
    let ends = notified.map(|point| (point.period.start(), end(point)));
    for (from, end) in ends.chain([(axis.until, axis.until)]) {
        if from > notified_until {
            let (left, right) = (axis.x(notified_until), axis.x(from));
            gaps.push_str(&format!("M{} {FOOT}H{}", number(left), number(right)));
        }
        notified_until = notified_until.max(end);
    }
    gaps
}

fn meaning(location: &Location, points: &[Point], axis: &Axis) -> String {
    let good: u64 = points.iter().map(|point| u64::from(point.good)).sum();
    let failing: u64 = points.iter().map(|point| u64::from(point.failing)).sum();
    let checks = good + failing;
    let times = || points.iter().filter_map(|point| point.times(axis.phase));
    let medians = times().map(|times| times.p50);
    let range = match (
        medians.clone().min(),
        medians.max(),
        times().map(|times| times.max).max(),
    ) {
        (Some(least), Some(most), Some(worst)) => format!(
            "medians from {} to {}, longest {}",
            words::time(least),
            words::time(most),
            words::time(worst)
        ),
        _ => "no times".to_owned(),
    };
    format!(
        "{location}, {}, over {}: {range}; {failing} of {checks} checks failed",
        words::phase(axis.phase),
        axis.span.words()
    )
}

#[cfg(test)]
mod tests {
    use portpulse_core::other_phases::OtherPhases;

    use super::*;

    fn point(period: &str, p50: Option<u64>, failing: u32) -> Point {
        Point {
            period: period.parse().unwrap(),
            good: 60 - failing,
            failing,
            no_data: 0,
            connect: p50.map(|ms| Percentiles {
                p50: Duration::from_millis(ms),
                p95: Duration::from_millis(2 * ms),
                max: Duration::from_millis(4 * ms),
            }),
            others: OtherPhases::default(),
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
        let axis = Axis::of(Phase::Connect, &[&points], Span::Day, Timestamp::UNIX_EPOCH);
        (points, axis)
    }

    #[test]
    fn a_line_breaks_where_there_is_nothing_to_join() {
        let (points, axis) = sample();
        let line = line(&points, &axis, |connect| connect.p50);
        assert_eq!(line.matches('M').count(), 2, "{line}");
        assert_eq!(line.matches('L').count(), 1, "{line}");
        assert!(line.starts_with("M60.79 "), "{line}");
    }

    #[test]
    fn failures_and_missing_data_stand_at_the_foot() {
        let (points, axis) = sample();
        assert_eq!(failures(&points, &axis), "M78.38 140v-11M95.96 140v-18");
        assert_eq!(gaps(&points, &axis), "M104.75 140H263M280.58 140H474");
    }

    #[test]
    fn the_words_tell_what_the_chart_shows() {
        let (points, axis) = sample();
        assert_eq!(
            meaning(&"eu-west-1".parse().unwrap(), &points, &axis),
            "eu-west-1, connect, over 24 hours: medians from 10 ms to 20 ms, longest 80 ms; 90 of 240 checks failed"
        );
        let levels: Vec<_> = axis.levels().into_iter().map(words::time).collect();
        assert_eq!(levels, ["10 ms", "20 ms", "50 ms", "100 ms"]);
    }

    #[test]
    fn a_phase_has_its_own_line_and_scale() {
        let (mut points, connect) = sample();
        points[1].others.tls = points[0].times(Phase::Connect);
        let tls = Axis::of(Phase::Tls, &[&points], Span::Day, Timestamp::UNIX_EPOCH);
        assert_eq!(line(&points, &tls, |times| times.p50).matches('M').count(), 1);
        assert_ne!((tls.least, tls.most), (connect.least, connect.most));
        assert_eq!(
            (tls.from, tls.until),
            (connect.from, connect.until),
            "one axis of time"
        );
        assert_eq!(
            meaning(&"eu-west-1".parse().unwrap(), &points, &tls),
            "eu-west-1, TLS handshake, over 24 hours: medians from 10 ms to 10 ms, longest 40 ms; 90 of 240 checks failed"
        );
    }

    #[test]
    fn no_data_at_all_is_a_gap_and_no_nonsense() {
        let axis = Axis::of(
            Phase::Tls,
            &[],
            Span::Quarter,
            "2026-11-23T00:00:00Z".parse().unwrap(),
        );
        let text = series(&"here".parse().unwrap(), &[], &axis, &[]).into_string();
        assert!(text.contains("class=\"gap\" d=\"M52 140H474\""), "{text}");
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }
}
