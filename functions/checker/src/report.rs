//! The report of a tick.

use std::collections::BTreeMap;

use portpulse_core::decide::Notification;
use portpulse_core::group::GroupId;
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::outcome::Outcome;
use portpulse_core::rollup::Tally;
use portpulse_core::time::Tick;

use crate::{Error, chain};

/// The result of a tick.
#[derive(Debug)]
pub struct TickReport {
    /// The tick.
    pub tick: Tick,
    /// The group.
    pub group: GroupId,
    /// The location of the checker.
    pub location: Location,
    /// The outcome.
    pub outcome: TickOutcome,
    /// The number of retries of each monitor that was retried.
    pub retries: BTreeMap<MonitorId, u32>,
    /// The sum of all results; empty unless the tick counts.
    pub sum: Tally,
    /// The published notifications.
    pub published: Vec<Notification>,
    /// Errors. Not empty if the tick was not committed or notifications are still pending.
    pub errors: Vec<Error>,
    /// Missing or incomplete rollups, banners or copies that were not stored, and failures of the standby region. The tick is not affected, and
    /// a later tick retries.
    pub warnings: Vec<Error>,
}

/// The outcome of a tick.
#[derive(Debug, Clone, PartialEq)]
pub enum TickOutcome {
    /// The monitors were checked, and the tick counts.
    Counted(BTreeMap<MonitorId, Outcome>),
    /// The monitors were checked, but another checker committed the tick first. Its results count.
    Conflict,
    /// The tick was counted before, or is more than its interval late.
    Repeated,
    /// The tick was not counted; see the errors.
    Failed,
}

/// What a decision has published, and the errors on the way.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) published: Vec<Notification>,
    pub(crate) errors: Vec<Error>,
    /// Problems that a later tick makes good.
    pub(crate) warnings: Vec<Error>,
}

impl Effects {
    /// Adds effects of a later step.
    pub(crate) fn append(&mut self, later: Self) {
        self.published.extend(later.published);
        self.add_new_errors(later.errors);
        self.warnings.extend(later.warnings);
    }

    /// The value of a read; `None` after a failure, which is added.
    pub(crate) fn value_of<T>(&mut self, read: Result<T, Error>) -> Option<T> {
        read.map_err(|error| self.add_new_errors([error])).ok()
    }

    /// Adds errors; see [`add_new`].
    pub(crate) fn add_new_errors(&mut self, errors: impl IntoIterator<Item = Error>) {
        add_new(&mut self.errors, errors);
    }
}

impl TickReport {
    pub(crate) fn new(tick: Tick, group: GroupId, location: Location) -> Self {
        Self {
            tick,
            group,
            location,
            outcome: TickOutcome::Failed,
            retries: BTreeMap::new(),
            sum: Tally::default(),
            published: Vec::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Adds the effects of a decision.
    pub(crate) fn add(&mut self, effects: Effects) {
        self.published.extend(effects.published);
        add_new(&mut self.errors, effects.errors);
        self.warnings.extend(effects.warnings);
    }
}

/// Adds errors. Several attempts repeat the same reads: their errors are added once. Every other error is added, because two
/// failed writes or publications are two failures, even with the same message.
fn add_new(known: &mut Vec<Error>, errors: impl IntoIterator<Item = Error>) {
    for error in errors {
        let text = chain(&error);
        if !(error.is_of_a_read() && known.iter().any(|known| chain(known) == text)) {
            known.push(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_errors_of_reads_are_merged() {
        let group: GroupId = "1m#0".parse().unwrap();
        let count = |error: fn(GroupId) -> Error| {
            let mut report = TickReport::new(
                "2026-11-22T05:40:00Z".parse().unwrap(),
                group,
                "a".parse().unwrap(),
            );
            for _ in 0..2 {
                let mut effects = Effects::default();
                effects.add_new_errors([error(group), error(group)]);
                report.add(effects);
            }
            report.errors.len()
        };
        assert_eq!(count(|group| Error::FleetFull { group }), 1);
        assert_eq!(count(|group| Error::NoRoomToDecide { group }), 4);
    }
}
