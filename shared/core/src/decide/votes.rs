//! Counts the votes of the locations on one monitor.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::input::Input;
use crate::choice::Expect;
use crate::definition::{Monitor, Quorum};
use crate::group_state::{Entry, Finding, Health, Impairment, LocationState, Streak, Streaks};
use crate::id::Location;
use crate::time::{Interval, Tick};

/// The locations that can vote: those that are expected and whose state is fresh.
pub(crate) struct Electorate<'a> {
    pub(crate) now: Timestamp,
    pub(crate) interval: Interval,
    pub(crate) expected: &'a BTreeSet<Location>,
    fresh: BTreeMap<&'a Location, &'a LocationState>,
    /// The suspect locations, whose votes do not count.
    pub(crate) suspects: BTreeSet<Location>,
}

impl<'a> Electorate<'a> {
    pub(crate) fn new(input: &Input<'a>) -> Self {
        let (now, interval, expected) = (input.now, input.group.interval, input.expected());
        let states = input.group_state.locations.iter();
        let states = states.filter(|(location, _)| expected.contains(*location));
        let fresh = states
            .filter(|(_, state)| state.tick.age(now) <= interval.freshness())
            .collect();
        Self {
            now,
            interval,
            expected,
            fresh,
            suspects: BTreeSet::new(),
        }
    }

    /// The state of a location, if it is fresh.
    pub(crate) fn fresh_state(&self, location: &Location) -> Option<&'a LocationState> {
        self.fresh.get(location).copied()
    }

    /// The fresh locations that check this monitor, including suspect ones.
    pub(crate) fn checking(
        &self,
        monitor: &'a Monitor,
    ) -> impl Iterator<Item = (&'a Location, &'a LocationState)> {
        let locations = &monitor.rule().locations;
        self.fresh
            .iter()
            .filter(|(location, _)| locations.includes(location))
            .map(|(location, state)| (*location, *state))
    }

    /// The fresh locations that check this monitor and are not suspect.
    pub(crate) fn counted(
        &self,
        monitor: &'a Monitor,
    ) -> impl Iterator<Item = (&'a Location, &'a LocationState)> {
        self.checking(monitor)
            .filter(|(location, _)| !self.suspects.contains(*location))
    }

    /// The latest tick that a fresh location has reported.
    pub(crate) fn latest_tick(&self) -> Option<Tick> {
        self.fresh.values().map(|state| state.tick).max()
    }

    /// The vote of a location on a monitor.
    fn vote(&self, state: &'a LocationState, monitor: &Monitor) -> Vote<'a> {
        match state.entries.get(monitor.id()) {
            None => Vote::Nominal,
            Some(Entry::NoData { since }) => Vote::NoData {
                long: self.is_long_ago(*since),
            },
            Some(Entry::Seen(streaks)) if self.is_long_ago(streaks.seen) => Vote::NoData { long: true },
            Some(Entry::Seen(streaks)) => Vote::Streaks(streaks),
        }
    }

    fn is_long_ago(&self, tick: Tick) -> bool {
        tick.age(self.now) > self.interval.freshness()
    }
}

/// The vote of one location on one monitor.
enum Vote<'a> {
    /// Good, without streaks.
    Nominal,
    /// Good or failing, with the streaks.
    Streaks(&'a Streaks),
    /// No data. `long`: for longer than the freshness limit.
    NoData { long: bool },
}

/// The votes on one question about one monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Count {
    /// The number of locations whose bad streak has reached the threshold.
    pub(crate) bad: u32,
    /// The number of locations whose bad streak is below the threshold.
    pub(crate) below_threshold: u32,
    /// The number of locations whose good streak is long enough to close an incident.
    pub(crate) good: u32,
    /// The first tick at which as many locations as the quorum needs were bad, in streaks that have reached the threshold;
    /// without a quorum, the first tick at which one was. The time in which a minority was bad is no outage.
    pub(crate) since: Option<Tick>,
    /// The finding of the streak that began then.
    pub(crate) finding: Option<Finding>,
    /// The first ticks and the findings of the bad streaks that have reached the threshold.
    streaks: Vec<(Tick, Option<Finding>)>,
}

/// The votes of all locations on one monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Votes {
    /// The number of locations that vote.
    pub(crate) voters: u32,
    /// The number of fresh locations that check the monitor, whether they vote or not.
    pub(crate) checking: u32,
    /// Whether there are no voters because every fresh location has had no data for longer than the freshness limit, or
    /// because no expected location checks the monitor.
    pub(crate) no_data: bool,
    pub(crate) health: Count,
    pub(crate) quality: Count,
    /// The number of votes that open an incident, at least 1.
    pub(crate) needed: u32,
    /// Whether all fresh locations that check the monitor have reported the same, latest tick.
    all_reported: bool,
}

impl Votes {
    pub(crate) fn of(monitor: &Monitor, electorate: &Electorate<'_>) -> Self {
        let rule = monitor.rule();
        // An exposed port opens an incident at once.
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
                .map(|(_, state)| state.tick)
                .collect::<BTreeSet<_>>()
                .len()
                == 1,
        };
        let mut no_data = 0u32;
        for (location, state) in electorate.checking(monitor) {
            votes.checking += 1;
            if electorate.suspects.contains(location) {
                continue;
            }
            match electorate.vote(state, monitor) {
                Vote::NoData { long } => no_data += u32::from(long),
                Vote::Nominal => votes.voters += 1,
                Vote::Streaks(streaks) => {
                    votes.voters += 1;
                    let bad = streaks.health.state == Health::Failing;
                    let finding = streaks.finding.as_ref();
                    votes.health.add(streaks.health, bad, finding, threshold, monitor);
                    if let Some(quality) = streaks.quality {
                        let impaired = quality.state == Impairment::Impaired;
                        // In a failing location, the finding describes the failure.
                        let finding = finding.filter(|_| !bad);
                        votes
                            .quality
                            .add(quality, impaired, finding, rule.impairments_to_open(), monitor);
                    }
                }
            }
        }
        let has_no_location = !electorate
            .expected
            .iter()
            .any(|location| rule.locations.includes(location));
        votes.no_data = has_no_location || (votes.checking > 0 && no_data == votes.checking);
        votes.needed = match (rule.expect, rule.quorum) {
            (Expect::Closed, _) => 1,
            (Expect::Open | Expect::Reachable, Quorum::AtLeast(locations)) => locations,
            (Expect::Open | Expect::Reachable, Quorum::Majority) => majority(votes.voters),
        };
        votes.health.finish(votes.needed);
        votes.quality.finish(votes.needed);
        votes
    }

    /// Whether the votes of `count` open an incident.
    ///
    /// A majority opens at once, and so does an exposed port. A smaller quorum waits until all locations have reported
    /// the latest tick, because the problem may be in the location.
    pub(crate) fn opens(&self, count: &Count, expect: Expect) -> bool {
        let waits = count.bad < majority(self.voters) && expect != Expect::Closed;
        self.meets_quorum(count) && (!waits || self.all_reported)
    }

    /// Whether the votes meet the quorum.
    pub(crate) fn meets_quorum(&self, count: &Count) -> bool {
        count.bad >= self.needed
    }

    /// Whether the votes close an incident: a majority is good, and the quorum is not met.
    pub(crate) fn closes(&self, count: &Count) -> bool {
        count.good >= majority(self.voters) && !self.meets_quorum(count)
    }

    /// Whether some locations see a failure, and the quorum cannot be met by streaks that have already begun.
    pub(crate) fn is_minority_failing(&self) -> bool {
        let count = &self.health;
        count.bad > 0 && count.bad + count.below_threshold < self.needed && self.all_reported
    }

    /// Whether no location sees a failure.
    pub(crate) fn is_unanimously_good(&self) -> bool {
        self.voters > 0 && self.health.bad == 0 && self.health.below_threshold == 0 && self.all_reported
    }
}

/// The smallest number that is more than half.
pub(crate) fn majority(voters: u32) -> u32 {
    voters / 2 + 1
}

impl Count {
    const fn new() -> Self {
        Self {
            bad: 0,
            below_threshold: 0,
            good: 0,
            since: None,
            finding: None,
            streaks: Vec::new(),
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
            self.below_threshold += 1;
        } else {
            self.bad += 1;
            self.streaks.push((streak.since, finding.cloned()));
        }
    }

    /// Finds since when it is bad, from all streaks.
    fn finish(&mut self, needed: u32) {
        // The sort is stable: of streaks that began at once, the finding of the first location counts.
        self.streaks.sort_by_key(|(since, _)| *since);
        let last = if self.bad >= needed { needed } else { 1 };
        let since = self.streaks.get(last.saturating_sub(1) as usize);
        self.since = since.map(|(since, _)| *since);
        let mut streaks = self.streaks.iter();
        let found = streaks.find(|(since, _)| Some(*since) == self.since);
        self.finding = found.and_then(|(_, finding)| finding.clone());
    }
}

/// The duration since `then`, or zero if `then` is in the future.
pub(crate) fn elapsed(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or(Duration::ZERO)
}
