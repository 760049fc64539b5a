//! Uptime: the share of the observed time in which a monitor was as expected.
//!
//! **Down** is the time of health incidents: from the first failing tick of an incident (the start of the streak that
//! opened it) to the tick at which it closed. The decision of all locations counts, with its quorum and thresholds, so
//! a single failing location does not change the uptime.
//! **Observed** is the time for which the location with the most data had data: each check with data counts for one
//! interval. Time without data is neither up nor down, and an outage counts at most for the observed time.

use jiff::Timestamp;

use crate::group_state::{ClosedIncident, Incident, Track};
use crate::period::Period;
use crate::rollup::Tally;
use crate::time::Interval;

/// The observed time of a monitor within a period, and the part of it that was an outage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ObservedTime {
    seconds: i64,
    down: i64,
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
}

impl ObservedTime {
    /// The sum of two periods.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            seconds: self.seconds.saturating_add(other.seconds),
            down: self.down.saturating_add(other.down),
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
        match (self.seconds, self.down) {
            (..=0, _) => UptimeLevel::NoData,
            (_, ..=0) => UptimeLevel::Up,
            (seconds, down) if down < seconds => UptimeLevel::Partial,
            _ => UptimeLevel::Down,
        }
    }
}

/// The outages of a monitor, in order and without overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outages(Vec<(i64, i64)>);

impl Outages {
    /// The outages from a monitor's incidents. An open incident lasts until `now`. Incidents of other tracks (degraded,
    /// unknown) are not outages.
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
        let mut spans: Vec<_> = of_health
            .map(|(_, incident, to)| (incident.since.as_second(), to))
            .filter(|(from, to)| from < to)
            .collect();
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

    /// The seconds of outage between `from`, inclusive, and `to`, exclusive.
    fn within(&self, from: i64, to: i64) -> i64 {
        let overlap = |(start, end): &(i64, i64)| (to.min(*end) - from.max(*start)).max(0);
        self.0.iter().map(overlap).sum()
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
        let most = tallies
            .into_iter()
            .map(|tally| tally.observed_seconds(interval))
            .max();
        self.observed_for(period, until, most.unwrap_or(0))
    }

    /// Like [`Outages::observed`], from the observed seconds of the location with the most data.
    pub fn observed_for(&self, period: Period, until: Timestamp, observed_seconds: i64) -> ObservedTime {
        let from = period.first_second();
        let to = period.end_second().min(until.as_second());
        let seconds = observed_seconds.clamp(0, (to - from).max(0));
        ObservedTime {
            seconds,
            down: self.within(from, to).min(seconds),
        }
    }
}

#[cfg(test)]
mod tests;
