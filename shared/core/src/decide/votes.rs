//! Counting: what the locations that may vote say of one monitor.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::Input;
use crate::choice::Expect;
use crate::definition::{Monitor, Quorum};
use crate::group_state::{Entry, Finding, Health, Impairment, LocationState, Streak, Streaks};
use crate::id::Location;
use crate::time::{Interval, Tick};

/// Everybody who could vote: the fresh rows of the expected locations.
pub(crate) struct Electorate<'a> {
    pub(crate) now: Timestamp,
    pub(crate) interval: Interval,
    pub(crate) expected: &'a BTreeSet<Location>,
    fresh: BTreeMap<&'a Location, &'a LocationState>,
    /// Locations whose votes do not count.
    pub(crate) suspects: BTreeSet<Location>,
}

impl<'a> Electorate<'a> {
    pub(crate) fn new(input: &Input<'a>) -> Self {
        let (now, interval, expected) = (input.now, input.group.interval, input.expected());
        let rows = input.group_state.rows.iter();
        let rows = rows.filter(|(location, _)| expected.contains(*location));
        let fresh = rows
            .filter(|(_, row)| row.tick.age(now) <= interval.freshness())
            .collect();
        Self {
            now,
            interval,
            expected,
            fresh,
            suspects: BTreeSet::new(),
        }
    }

    /// The row of a location, if it is fresh.
    pub(crate) fn fresh_row(&self, location: &Location) -> Option<&'a LocationState> {
        self.fresh.get(location).copied()
    }

    /// The fresh locations that check this monitor, suspect or not.
    pub(crate) fn checking(
        &self,
        monitor: &'a Monitor,
    ) -> impl Iterator<Item = (&'a Location, &'a LocationState)> {
        let locations = &monitor.rule().locations;
        self.fresh
            .iter()
            .filter(|(location, _)| locations.includes(location))
            .map(|(location, row)| (*location, *row))
    }

    /// The latest tick that any fresh location has reported.
    pub(crate) fn latest_tick(&self) -> Option<Tick> {
        self.fresh.values().map(|row| row.tick).max()
    }

    /// What a location says of a monitor, if it may and can say anything.
    fn ballot(&self, row: &'a LocationState, monitor: &Monitor) -> Ballot<'a> {
        match row.entries.get(monitor.id()) {
            None => Ballot::Nominal,
            Some(Entry::NoData { since }) => Ballot::NoData {
                long: self.is_long_ago(*since),
            },
            Some(Entry::Seen(streaks)) if self.is_long_ago(streaks.seen) => Ballot::NoData { long: true },
            Some(Entry::Seen(streaks)) => Ballot::Streaks(streaks),
        }
    }

    fn is_long_ago(&self, tick: Tick) -> bool {
        tick.age(self.now) > self.interval.freshness()
    }
}

/// What one location says of one monitor.
enum Ballot<'a> {
    /// Good, uncounted.
    Nominal,
    /// Good or failing, with the streaks.
    Streaks(&'a Streaks),
    /// Nothing: it has had no data, for longer than a row stays fresh or not.
    NoData { long: bool },
}

/// How the locations stand to one question about one monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Count {
    /// Locations whose bad streak is long enough to be a vote.
    pub(crate) bad: u32,
    /// Locations whose last tick was bad, but whose streak is too short yet.
    pub(crate) wavering: u32,
    /// Locations whose counted good streak is long enough to end an incident.
    pub(crate) good: u32,
    /// The first tick of the oldest bad streak that votes.
    pub(crate) since: Option<Tick>,
    /// What the longest bad streak found.
    pub(crate) finding: Option<Finding>,
}

/// The state of one monitor over all locations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Votes {
    /// Locations that vote.
    pub(crate) voters: u32,
    /// Fresh locations that check it, whether they vote or not.
    pub(crate) checking: u32,
    /// Whether every fresh location has been without data for longer than a row stays fresh, or none is to check it.
    pub(crate) no_data: bool,
    pub(crate) health: Count,
    pub(crate) quality: Count,
    /// How many votes open an incident.
    pub(crate) needed: u32,
    /// Whether all fresh locations that check it have reported the same tick, the latest.
    all_reported: bool,
}

impl Votes {
    pub(crate) fn of(monitor: &Monitor, electorate: &Electorate<'_>) -> Self {
        let rule = monitor.rule();
        // Open where it should be closed is told at once.
        let threshold = if rule.expect == Expect::Closed {
            1
        } else {
            rule.failures_to_open
        };
        let mut votes = Self {
            voters: 0,
            checking: 0,
            no_data: false,
            health: Count::new(),
            quality: Count::new(),
            needed: 0,
            all_reported: electorate
                .checking(monitor)
                .map(|(_, row)| row.tick)
                .collect::<BTreeSet<_>>()
                .len()
                == 1,
        };
        let mut no_data = 0u32;
        for (location, row) in electorate.checking(monitor) {
            votes.checking += 1;
            if electorate.suspects.contains(location) {
                continue;
            }
            match electorate.ballot(row, monitor) {
                Ballot::NoData { long } => no_data += u32::from(long),
                Ballot::Nominal => votes.voters += 1,
                Ballot::Streaks(streaks) => {
                    votes.voters += 1;
                    let bad = streaks.health.state == Health::Failing;
                    let finding = streaks.finding.as_ref();
                    votes.health.add(streaks.health, bad, finding, threshold, monitor);
                    if let Some(quality) = streaks.quality {
                        let impaired = quality.state == Impairment::Impaired;
                        // While it fails, the finding is about the failure.
                        let finding = finding.filter(|_| !bad);
                        votes
                            .quality
                            .add(quality, impaired, finding, rule.failures_to_open, monitor);
                    }
                }
            }
        }
        let nobody = !electorate
            .expected
            .iter()
            .any(|location| rule.locations.includes(location));
        votes.no_data = nobody || (votes.checking > 0 && no_data == votes.checking);
        votes.needed = match (rule.expect, rule.quorum) {
            (Expect::Closed, _) => 1,
            (Expect::Open | Expect::Reachable, Quorum::AtLeast(locations)) => locations,
            (Expect::Open | Expect::Reachable, Quorum::Majority) => majority(votes.voters),
        };
        votes
    }

    /// Whether the votes of `count` open an incident now.
    ///
    /// A majority waits for nobody, and neither does a port that is open and should be closed. A smaller quorum
    /// waits until all have reported the latest tick: the location may be the one at fault.
    pub(crate) fn opens(&self, count: &Count, expect: Expect) -> bool {
        let waits = count.bad < majority(self.voters) && expect != Expect::Closed;
        self.still_bad(count) && (!waits || self.all_reported)
    }

    /// Whether the votes still meet the quorum.
    pub(crate) fn still_bad(&self, count: &Count) -> bool {
        count.bad > 0 && count.bad >= self.needed
    }

    /// Whether the votes end an incident: a majority is well, and the quorum is not met.
    pub(crate) fn closes(&self, count: &Count) -> bool {
        self.voters > 0 && count.good >= majority(self.voters) && !self.still_bad(count)
    }

    /// Whether some locations differ from the rest, and will go on to unless something changes.
    pub(crate) fn differs(&self) -> bool {
        let count = &self.health;
        count.bad > 0 && count.bad + count.wavering < self.needed && self.all_reported
    }

    /// Whether no location sees it failing any more.
    pub(crate) fn agrees(&self) -> bool {
        self.voters > 0 && self.health.bad == 0 && self.health.wavering == 0 && self.all_reported
    }
}

/// More than half.
pub(crate) fn majority(voters: u32) -> u32 {
    voters / 2 + 1
}

impl Count {
    const fn new() -> Self {
        Self {
            bad: 0,
            wavering: 0,
            good: 0,
            since: None,
            finding: None,
        }
    }

    fn add<S>(
        &mut self,
        streak: Streak<S>,
        bad: bool,
        finding: Option<&Finding>,
        threshold: u32,
        monitor: &Monitor,
    ) {
        let rule = monitor.rule();
        if !bad {
            self.good += u32::from(streak.ticks >= rule.successes_to_close);
        } else if streak.ticks < threshold {
            self.wavering += 1;
        } else {
            self.bad += 1;
            if self.since.is_none_or(|since| streak.since < since) {
                self.since = Some(streak.since);
                self.finding = finding.cloned();
            }
        }
    }
}

/// A duration since `then`, zero if it lies ahead.
pub(crate) fn elapsed(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or(Duration::ZERO)
}
