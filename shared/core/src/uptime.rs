//! Uptime: the share of the observed time in which a monitor was as expected.
//!
//! **Down** is the time of health incidents: from the first failing tick of an incident (the start of the streak that
//! opened it) to the tick at which it closed. The decision of all locations counts, with its quorum and thresholds, so
//! a single failing location does not change the uptime. While a monitor flaps, its incident stays open between the
//! failures; then only the share of failing checks is down.
//! **Maintenance** is the time of maintenance windows: neither up nor down, whatever the checks find.
//! **Observed** is the time for which the location with the most data had data: each check with data counts for one
//! interval. Time without data is neither up nor down, and an outage counts at most for the observed time.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

use crate::group_state::{ClosedIncident, Incident, Stability, Track};
use crate::period::Period;
use crate::rollup::Tally;
use crate::time::Interval;

/// The observed time of a monitor within a period, the part of it that was an outage, and the maintenance, which is no
/// part of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ObservedTime {
    seconds: i64,
    down: i64,
    maintenance: i64,
}

/// The uptime of a period as a level for display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UptimeLevel {
    /// No data.
    NoData,
    /// No outage in the observed time.
    Up,
    /// An outage in part of the observed time.
    Partial,
    /// An outage in all of the observed time.
    Down,
    /// Maintenance, and no outage outside of it.
    Maintenance,
}

impl ObservedTime {
    /// The sum of two periods.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            seconds: self.seconds.saturating_add(other.seconds),
            down: self.down.saturating_add(other.down),
            maintenance: self.maintenance.saturating_add(other.maintenance),
        }
    }

    /// The observed time in seconds.
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// The time of outages within the observed time, in seconds.
    pub const fn down_seconds(self) -> i64 {
        self.down
    }

    /// The time of maintenance in seconds, with or without checks.
    pub const fn maintenance_seconds(self) -> i64 {
        self.maintenance
    }

    /// Whether the observed time and the maintenance are less than nine tenths of `span`, so that a figure should say what
    /// it rests on. A few missed checks, and the current day that is not over, are no reason to doubt a figure.
    pub fn is_partial(self, span: SignedDuration) -> bool {
        self.seconds.saturating_add(self.maintenance) < span.as_secs() * 9 / 10
    }

    /// The share of the observed time without an outage, from 0 to 1; `None` without data.
    pub fn uptime(self) -> Option<f64> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds of some months are exact in a double"
        )]
        (self.seconds > 0).then(|| (self.seconds - self.down) as f64 / self.seconds as f64)
    }

    /// The level for display.
    pub const fn level(self) -> UptimeLevel {
        match (self.seconds, self.down, self.maintenance) {
            (_, ..=0, 1..) => UptimeLevel::Maintenance,
            (..=0, ..) => UptimeLevel::NoData,
            (_, ..=0, _) => UptimeLevel::Up,
            (seconds, down, _) if down < seconds => UptimeLevel::Partial,
            _ => UptimeLevel::Down,
        }
    }
}

/// The share of the watched time that should be up, below 100 %, in thousandths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objective(u32);

/// A number that is not an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {}", Self::WANTED)]
pub struct InvalidObjective;

impl InvalidObjective {
    /// What to write, for the help of a diagnostic.
    pub const WANTED: &str = "a percentage between 0 and 100 with at most 3 decimals, such as 99.9";
}

impl Objective {
    /// One hundred percent, in thousandths of a percent.
    const WHOLE: u32 = 100_000;

    /// The objective of a percentage between 0 and 100, both exclusive, with at most 3 decimals.
    ///
    /// # Errors
    /// If the percentage is not within the bounds.
    pub fn from_percent(percent: f64) -> Result<Self, InvalidObjective> {
        // The text has no binary fractions.
        percent.to_string().parse()
    }

    /// The share, from 0 to 1.
    pub fn share(self) -> f64 {
        f64::from(self.0) / f64::from(Self::WHOLE)
    }
}

impl fmt::Display for Objective {
    /// Writes `99.9%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!(".{:03}", self.0 % 1_000);
        let decimals = decimals.trim_end_matches('0').trim_end_matches('.');
        write!(f, "{}{decimals}%", self.0 / 1_000)
    }
}

impl FromStr for Objective {
    type Err = InvalidObjective;

    /// Reads `99.9` and `99.9 %`.
    fn from_str(text: &str) -> Result<Self, InvalidObjective> {
        let percent = text.trim().trim_end_matches('%').trim_end();
        let (whole, decimals) = percent.split_once('.').unwrap_or((percent, "0"));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(decimals) || whole.len() > 2 || decimals.len() > 3 {
            return Err(InvalidObjective);
        }
        let thousandths = format!("{whole}{decimals:0<3}")
            .parse()
            .map_err(|_| InvalidObjective)?;
        (0 < thousandths)
            .then_some(Self(thousandths))
            .ok_or(InvalidObjective)
    }
}

/// The outages and the maintenance of a monitor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outages {
    /// Incidents, or their parts after the flapping, in which every check counts as failing.
    steady: Spans,
    /// Incidents, or their parts, in which the monitor was flapping.
    flapping: Spans,
    maintenance: Spans,
}

/// Spans of time in seconds since the epoch, in order and without overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Spans(Vec<(i64, i64)>);

impl FromIterator<(i64, i64)> for Spans {
    fn from_iter<I: IntoIterator<Item = (i64, i64)>>(spans: I) -> Self {
        let mut spans: Vec<_> = spans.into_iter().filter(|(from, to)| from < to).collect();
        spans.sort_unstable();
        let mut merged: Vec<(i64, i64)> = Vec::new();
        for (from, to) in spans {
            match merged.last_mut() {
                Some((_, end)) if from <= *end => *end = to.max(*end),
                Some(_) | None => merged.push((from, to)),
            }
        }
        Self(merged)
    }
}

impl Spans {
    /// The parts of the spans between `from` and `to`.
    fn parts(&self, from: i64, to: i64) -> impl Iterator<Item = (i64, i64)> {
        let first = self.0.partition_point(|(_, end)| *end <= from);
        let spans = self
            .0
            .iter()
            .skip(first)
            .take_while(move |(start, _)| *start < to);
        spans.map(move |(start, end)| (from.max(*start), to.min(*end)))
    }

    /// The seconds between `from`, inclusive, and `to`, exclusive.
    fn within(&self, from: i64, to: i64) -> i64 {
        self.parts(from, to).map(|(start, end)| end - start).sum()
    }

    /// The seconds between `from` and `to` that are not in `other`.
    fn outside(&self, other: &Self, from: i64, to: i64) -> i64 {
        self.parts(from, to)
            .map(|(start, end)| end - start - other.within(start, end))
            .sum()
    }
}

/// What the checks of a period rest on, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckedSeconds {
    /// The time of checks with data, at the location with the most.
    pub observed: i64,
    /// The time of failing checks, as their share of all locations' checks.
    pub failing: i64,
}

impl CheckedSeconds {
    /// From the good and failing checks of each location.
    pub fn of(locations: impl IntoIterator<Item = (u32, u32)>, interval: Interval) -> Self {
        let (mut good, mut failing, mut most) = (0i64, 0i64, 0i64);
        for (good_here, failing_here) in locations {
            let (good_here, failing_here) = (i64::from(good_here), i64::from(failing_here));
            (good, failing) = (good + good_here, failing + failing_here);
            most = most.max((good_here + failing_here).saturating_mul(interval.seconds()));
        }
        Self {
            observed: most,
            failing: most.saturating_mul(failing) / (good + failing).max(1),
        }
    }
}

impl Outages {
    /// The outages from a monitor's incidents, without maintenance. An open incident lasts until `now`. Incidents of other
    /// tracks (degraded, unknown) are not outages.
    pub fn of<'a>(
        closed: impl IntoIterator<Item = &'a ClosedIncident>,
        open: impl IntoIterator<Item = (Track, &'a Incident)>,
        now: Timestamp,
    ) -> Self {
        let closed = closed
            .into_iter()
            .map(|closed| (closed.track, &closed.incident, closed.closed.as_second()));
        let open = open
            .into_iter()
            .map(|(track, incident)| (track, incident, now.as_second()));
        let of_health = closed.chain(open).filter(|(track, _, _)| *track == Track::Health);
        let (steady, flapping): (Vec<_>, Vec<_>) = of_health
            .map(|(_, incident, to)| {
                let since = incident.since.as_second();
                let steady_from = match (incident.stability, incident.flapped_until) {
                    (Stability::Flapping { .. }, _) | (Stability::StoppedFlapping, None) => to,
                    (Stability::Steady | Stability::StoppedFlapping, Some(until)) => until.as_second(),
                    (Stability::Steady, None) => since,
                };
                let steady_from = steady_from.clamp(since, to.max(since));
                ((steady_from, to), (since, steady_from))
            })
            .unzip();
        Self {
            steady: steady.into_iter().collect(),
            flapping: flapping.into_iter().collect(),
            maintenance: Spans::default(),
        }
    }

    /// Adds the monitor's maintenance, which is neither up nor down.
    #[must_use]
    pub fn except(self, maintenance: impl IntoIterator<Item = (Timestamp, Timestamp)>) -> Self {
        let spans = maintenance
            .into_iter()
            .map(|(from, to)| (from.as_second(), to.as_second()));
        Self {
            maintenance: spans.collect(),
            ..self
        }
    }

    /// The window of `seconds` within `days` with the most downtime, as the observed time of that window; `None` if the days
    /// are shorter, or without data. One long outage has a worse window than many short ones of the same sum. The uptime is no
    /// measure to choose by: that of a window with few checks can be low after one failure.
    ///
    /// `days` are consecutive, each with the time of its checks. A part of a day counts as observed for its length, at most
    /// for the observed time of the day: where within the day the checks were is not known.
    ///
    /// Source: Hauer, Hoffmann, Lunney, Ardelean and Diwan, "Meaningful Availability", NSDI 2020.
    pub fn worst_window(
        &self,
        days: &[(Period, CheckedSeconds)],
        until: Timestamp,
        seconds: i64,
    ) -> Option<ObservedTime> {
        let from = days.first()?.0.first_second();
        let to = days.last()?.0.end_second().min(until.as_second());
        if seconds <= 0 || to - from < seconds {
            return None;
        }
        // The downtime of a sliding window has its maximum where the window begins or ends with one of these.
        let spans = [&self.steady, &self.flapping, &self.maintenance];
        let edges = spans.into_iter().flat_map(|spans| &spans.0);
        let days_edges = days.iter().map(|(day, _)| (day.first_second(), day.end_second()));
        let edges = edges.copied().chain(days_edges);
        let starts = edges.flat_map(|(start, end)| [start, end, start - seconds, end - seconds]);
        let starts: BTreeSet<_> = starts.map(|start| start.clamp(from, to - seconds)).collect();
        let windows = starts.into_iter().map(|start| {
            let end = start + seconds;
            let first = days.partition_point(|(day, _)| day.end_second() <= start);
            let touched = days
                .iter()
                .skip(first)
                .take_while(|(day, _)| day.first_second() < end);
            touched.fold(ObservedTime::default(), |sum, (day, checked)| {
                sum.and(self.observed_between(*day, start, end, *checked))
            })
        });
        let observed = windows.filter(|window| window.seconds > 0);
        // Of windows with the same downtime, the one with the most data.
        observed.max_by_key(|window| (window.down, window.seconds))
    }

    /// The observed time of a period and its outages, where `tallies` holds the results of each location.
    ///
    /// Only the part of the period before `until` counts, the end of the results.
    pub fn observed<'a>(
        &self,
        period: Period,
        until: Timestamp,
        interval: Interval,
        tallies: impl IntoIterator<Item = &'a Tally>,
    ) -> ObservedTime {
        let checks = tallies.into_iter().map(|tally| (tally.good, tally.failures()));
        self.observed_for(period, until, CheckedSeconds::of(checks, interval))
    }

    /// Like [`Outages::observed`], from the time of the checks.
    pub fn observed_for(&self, period: Period, until: Timestamp, checked: CheckedSeconds) -> ObservedTime {
        self.observed_between(period, i64::MIN, until.as_second(), checked)
    }

    /// The observed time of the part of a period from `start`, inclusive, to `end`, exclusive, in seconds since the epoch.
    fn observed_between(
        &self,
        period: Period,
        start: i64,
        end: i64,
        checked: CheckedSeconds,
    ) -> ObservedTime {
        let from = period.first_second().max(start);
        let to = period.end_second().min(end).max(from);
        let maintenance = self.maintenance.within(from, to);
        // Which checks were made during maintenance is unknown: as many as possible.
        let outside = checked.observed - self.maintenance.within(period.first_second(), to);
        let seconds = outside.clamp(0, to - from - maintenance);
        let down_in = |spans: &Spans, from, to| spans.outside(&self.maintenance, from, to);
        let steady = down_in(&self.steady, from, to);
        let flapping = down_in(&self.flapping, from, to);
        // The failing checks of the steady outages, also those during maintenance, are not counted twice. Those of the flapping
        // are spread over all of it.
        let whole = (period.first_second(), period.end_second());
        let flapping_of_period = down_in(&self.flapping, whole.0, whole.1);
        let failing = (checked.failing - self.steady.within(whole.0, whole.1)).max(0);
        let flapping_down = match failing < flapping_of_period {
            true => flapping.saturating_mul(failing) / flapping_of_period,
            false => flapping,
        };
        ObservedTime {
            seconds,
            down: (steady + flapping_down).min(seconds),
            maintenance,
        }
    }
}

#[cfg(test)]
mod tests;
