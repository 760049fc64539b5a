//! Uptime: of the time that a monitor was watched, the share in which it was as expected.
//!
//! **Down** is what was found to be an outage: from the first failing tick of an incident of the monitor's health (the
//! start of the streak that opened it) to the tick at which it closed. So what all locations together decided counts,
//! with its quorum and thresholds, and neither one location's blip nor one bad location moves the figure.
//! **Watched** is the time for which the location that saw most could tell: each check that could tell stands for its
//! interval. Time that nobody watched is neither up nor down, and no outage counts for more than was watched.

use jiff::Timestamp;

use crate::group_state::{ClosedIncident, Incident, Track};
use crate::period::Period;
use crate::rollup::Tally;
use crate::time::Interval;

/// The time that a monitor was watched within some span, and how much of it was an outage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Watched {
    seconds: i64,
    down: i64,
}

/// What colour a span has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shade {
    /// Nobody watched.
    NoData,
    /// As expected throughout, as far as it was watched.
    Up,
    /// An outage for part of it.
    Partly,
    /// An outage for all of it, as far as it was watched.
    Down,
}

impl Watched {
    /// The sum of two spans.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            seconds: self.seconds.saturating_add(other.seconds),
            down: self.down.saturating_add(other.down),
        }
    }

    /// The seconds that it was watched.
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// The seconds of them that were an outage.
    pub const fn down_seconds(self) -> i64 {
        self.down
    }

    /// The share of the watched time that was no outage, from 0 to 1; `None` where nobody watched.
    pub fn uptime(self) -> Option<f64> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds of some months are exact in a double"
        )]
        (self.seconds > 0).then(|| (self.seconds - self.down) as f64 / self.seconds as f64)
    }

    /// What colour it has.
    pub const fn shade(self) -> Shade {
        match (self.seconds, self.down) {
            (..=0, _) => Shade::NoData,
            (_, ..=0) => Shade::Up,
            (seconds, down) if down < seconds => Shade::Partly,
            _ => Shade::Down,
        }
    }
}

/// When a monitor was not as expected: spans in order, none touching another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outages(Vec<(i64, i64)>);

impl Outages {
    /// Those of a monitor's incidents; one that is still open lasts until `now`. Incidents of other tracks (slow,
    /// unseen) are no outages.
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

    /// The seconds of outage from one second, inclusive, to another, exclusive.
    fn within(&self, from: i64, to: i64) -> i64 {
        let overlap = |(start, end): &(i64, i64)| (to.min(*end) - from.max(*start)).max(0);
        self.0.iter().map(overlap).sum()
    }

    /// How much of a period was watched, and how much of that was an outage, where `tallies` is what each location saw.
    ///
    /// Only the part before `until` counts, the time up to which the tallies reach.
    pub fn watched<'a>(
        &self,
        period: Period,
        until: Timestamp,
        interval: Interval,
        tallies: impl IntoIterator<Item = &'a Tally>,
    ) -> Watched {
        let most = tallies
            .into_iter()
            .map(|tally| tally.observed_seconds(interval))
            .max();
        self.watched_for(period, until, most.unwrap_or(0))
    }

    /// As [`Outages::watched`], where it is known for how many seconds the location that saw most could tell.
    pub fn watched_for(&self, period: Period, until: Timestamp, observed_seconds: i64) -> Watched {
        let from = period.first_second();
        let to = period.end_second().min(until.as_second());
        let seconds = observed_seconds.clamp(0, (to - from).max(0));
        Watched {
            seconds,
            down: self.within(from, to).min(seconds),
        }
    }
}

#[cfg(test)]
mod tests;
