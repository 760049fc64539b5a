//! What an agent has done so far, and whether it votes: for the status line, the loopback endpoint and the summary.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use portpulse_checker::{TickOutcome, TickReport, chain};
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::time::{Interval, Tick};
use serde_json::{Value, json};

use super::groups::Groups;
use crate::output::count_of;

/// The progress of an agent.
#[derive(Debug)]
pub(super) struct Progress {
    location: Location,
    /// Why the groups could not be read at the last attempt.
    search_error: Option<String>,
    has_searched: bool,
    unlisted: BTreeSet<GroupId>,
    groups: BTreeMap<GroupId, GroupProgress>,
    pub(super) counts: Counts,
}

/// The progress of one group.
#[derive(Debug)]
struct GroupProgress {
    monitors: usize,
    since: Timestamp,
    /// The latest tick that this agent, or another one for the location, has counted.
    counted: Option<Tick>,
    /// Why the last tick was not counted.
    error: Option<String>,
}

/// Sums since the start.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    /// Ticks that this agent counted.
    pub(super) counted: u64,
    /// Ticks that another agent for the location counted, or this one before a restart.
    pub(super) repeated: u64,
    /// Ticks that nothing counted.
    pub(super) failed: u64,
    pub(super) good: u64,
    pub(super) failing: u64,
    pub(super) no_data: u64,
    pub(super) notifications: u64,
}

impl Progress {
    pub(super) fn new(location: Location) -> Self {
        Self {
            location,
            search_error: None,
            has_searched: false,
            unlisted: BTreeSet::new(),
            groups: BTreeMap::new(),
            counts: Counts::default(),
        }
    }

    pub(super) fn location(&self) -> &Location {
        &self.location
    }

    /// The number of monitors that the location checks.
    pub(super) fn monitors(&self) -> usize {
        self.groups.values().map(|group| group.monitors).sum()
    }

    /// The intervals with monitors of this location, with the latest counted tick of each.
    pub(super) fn intervals(&self) -> BTreeMap<Interval, Option<Tick>> {
        let mut intervals = BTreeMap::new();
        for (group, progress) in &self.groups {
            let latest = intervals.entry(group.interval).or_insert(progress.counted);
            *latest = (*latest).max(progress.counted);
        }
        intervals
    }

    /// Records the result of reading the groups.
    pub(super) fn searched(&mut self, found: &Result<Groups, String>, now: Timestamp) {
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                self.search_error = Some(error.clone());
                return;
            }
        };
        self.search_error = None;
        self.has_searched = true;
        self.unlisted.clone_from(&found.unlisted);
        self.groups.retain(|group, _| found.checked.contains_key(group));
        for (group, monitors) in &found.checked {
            let progress = self.groups.entry(*group).or_insert_with(|| GroupProgress {
                monitors: 0,
                since: now,
                counted: None,
                error: None,
            });
            progress.monitors = *monitors;
        }
    }

    /// Records a handled tick.
    pub(super) fn finished(&mut self, report: &TickReport) {
        let counts = &mut self.counts;
        counts.notifications += report.published.len() as u64;
        let is_counted = match report.outcome {
            TickOutcome::Counted(_) => {
                counts.counted += 1;
                counts.good += u64::from(report.sum.good);
                counts.failing += u64::from(report.sum.failures());
                counts.no_data += u64::from(report.sum.no_data);
                true
            }
            TickOutcome::Conflict | TickOutcome::Repeated => {
                counts.repeated += 1;
                true
            }
            TickOutcome::Failed => {
                counts.failed += 1;
                false
            }
        };
        if let Some(group) = self.groups.get_mut(&report.group) {
            group.error = report.errors.first().map(|error| chain(error));
            if is_counted {
                group.counted = group.counted.max(Some(report.tick));
            }
        }
    }

    /// The error that keeps the agent from checking: of reading the groups, or of the last tick of a group.
    pub(super) fn error(&self) -> Option<&str> {
        let errors = self.groups.values().map(|group| group.error.as_deref());
        std::iter::once(self.search_error.as_deref())
            .chain(errors)
            .flatten()
            .next()
    }

    /// Whether every group has a counted tick, and nothing failed.
    pub(super) fn all_counted(&self) -> bool {
        let counted = |group: &GroupProgress| group.counted.is_some() && group.error.is_none();
        self.search_error.is_none()
            && self.unlisted.is_empty()
            && !self.groups.is_empty()
            && self.groups.values().all(counted)
    }

    /// Why the location does not vote, or votes on some monitors only; empty if it votes on all.
    pub(super) fn problems(&self, now: Timestamp) -> Vec<String> {
        let mut problems = Vec::new();
        problems.extend(self.search_error.clone());
        if self.has_searched && self.groups.is_empty() && self.unlisted.is_empty() {
            problems.push(format!("no monitor names the location {}", self.location));
        }
        problems.extend(unlisted_text(&self.location, &self.unlisted));
        if !self.has_searched && self.search_error.is_none() {
            problems.push("the definitions are not read yet".to_owned());
        }
        for (group, progress) in &self.groups {
            let interval = group.interval;
            let reported = progress.counted.map_or(progress.since, Tick::timestamp);
            let age = now.duration_since(reported);
            if age > SignedDuration::try_from(interval.freshness()).unwrap_or(SignedDuration::MAX) {
                let monitors = count_of(progress.monitors as u64, "monitor");
                let error = progress.error.as_deref();
                let error = error.map_or(String::new(), |error| format!(": {error}"));
                problems.push(format!(
                    "{monitors} every {interval} without results since {reported}{error}"
                ));
            }
        }
        problems
    }

    /// The state as JSON.
    pub(super) fn json(&self, now: Timestamp, skew: SignedDuration) -> Value {
        let intervals = self.intervals();
        let intervals = intervals
            .iter()
            .map(|(interval, tick)| json!({ "interval": interval.as_str(), "last": tick.map(|tick| tick.to_string()) }));
        json!({
            "location": self.location.as_str(),
            "monitors": self.monitors(),
            "intervals": intervals.collect::<Vec<_>>(),
            "counted": self.counts.counted,
            "repeated": self.counts.repeated,
            "failed": self.counts.failed,
            "notifications": self.counts.notifications,
            "clock_ahead_seconds": skew.as_secs(),
            "problems": self.problems(now),
        })
    }
}

/// The problem of groups that do not list the location.
pub(super) fn unlisted_text(location: &Location, unlisted: &BTreeSet<GroupId>) -> Option<String> {
    let intervals: BTreeSet<_> = unlisted.iter().map(|group| group.interval).collect();
    let intervals: Vec<_> = intervals.iter().map(ToString::to_string).collect();
    (!intervals.is_empty()).then(|| {
        format!(
            "{location} is not listed as an agent for its monitors every {}, so they are not checked (run `terraform apply` with \
             `agents`, or `portpulse seed --locations`)",
            intervals.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_name_what_keeps_the_location_from_voting() {
        let start: Timestamp = "2026-11-22T05:41:00Z".parse().unwrap();
        let after = |seconds| start + SignedDuration::from_secs(seconds);
        let mut progress = Progress::new("office".parse().unwrap());
        let check = |progress: &Progress, seconds, expected: &[&str]| {
            let problems = progress.problems(after(seconds));
            assert_eq!(problems.len(), expected.len(), "{problems:?}");
            for (problem, part) in problems.iter().zip(expected) {
                assert!(problem.contains(part), "{part}: {problem}");
            }
        };
        check(&progress, 0, &["not read yet"]);
        progress.searched(&Err("no route".to_owned()), start);
        check(&progress, 0, &["no route"]);
        assert!(!progress.all_counted());
        progress.searched(&Ok(Groups::default()), start);
        check(&progress, 0, &["no monitor names the location office"]);
        let found = Groups {
            checked: [("1m#0".parse().unwrap(), 3)].into(),
            unlisted: ["5m#0".parse().unwrap()].into(),
        };
        progress.searched(&Ok(found.clone()), start);
        check(
            &progress,
            180,
            &["not listed as an agent for its monitors every 5m"],
        );
        check(&progress, 181, &["5m", "3 monitors every 1m without results"]);
        let listed = Groups {
            unlisted: BTreeSet::new(),
            ..found
        };
        progress.searched(&Ok(listed), start);
        check(&progress, 180, &[]);
    }
}
