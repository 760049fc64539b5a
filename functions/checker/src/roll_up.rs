//! Summing up: the first tick of an hour keeps what this location saw in the hours, and the days, that are over.
//!
//! It comes last in a tick, and nothing waits for it: what it leaves undone, for want of time or because the table
//! fails, a later tick makes good.

use std::time::Duration;

use jiff::Timestamp;
use portpulse_alert::Publish;
use portpulse_core::group::GroupId;
use portpulse_core::period::Period;
use portpulse_core::rollup::{Due, OtherTimes, Rollup, of_rollups, of_ticks, other_times, with_others};
use portpulse_core::round::Definitions;
use portpulse_store::table::{Read, Table};

use crate::Error;
use crate::probe::{Clock, Probe};
use crate::tick::{Checker, TickReport};

/// The time that one operation on the table may take, with some to spare: with less left, none is begun.
pub(crate) const STEP: Duration = Duration::from_secs(6);

/// Until when there is time for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    pub(crate) began: Timestamp,
    pub(crate) remaining: Duration,
}

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Sums up what is due and not there yet, from the earliest on, and never past a failure: so a day is summed up from
    /// all hours that can be.
    ///
    /// # Errors
    /// What keeps it from the rest, or that the time is up. The next hour's first tick goes on from there.
    pub(crate) async fn roll_up(
        &self,
        group: GroupId,
        due: &Due,
        definitions: &Definitions,
        deadline: Deadline,
        report: &mut TickReport,
    ) -> Result<(), Error> {
        let all: Vec<Period> = due.hours.iter().chain(&due.days).copied().collect();
        let (Some(first), false) = (all.first().copied(), all.is_empty()) else {
            return Ok(());
        };
        let late = || Error::NoTimeToRollUp { group };
        let failed = |period: Period| {
            move |source| Error::RollUp {
                period,
                group,
                source,
            }
        };
        self.time_left(deadline).ok_or_else(late)?;
        let there = self
            .store
            .summaries_of::<Rollup>(group, all, &self.location, Read::Eventual)
            .await
            .map_err(failed(first))?;
        let is_missing =
            |period: &&Period| !there.records.contains_key(*period) && !there.unreadable.contains_key(*period);
        for hour in due.hours.iter().filter(is_missing) {
            self.time_left(deadline).ok_or_else(late)?;
            let ticks = hour.ticks(group.interval);
            let found = self.store.results_of(group, ticks, &self.location).await;
            let found = found.map_err(failed(*hour))?;
            note(report, group, found.unreadable.into_values());
            let rollup = of_ticks(definitions, &found.records);
            self.keep(group, *hour, &rollup, deadline).await?;
        }
        for day in due.days.iter().filter(is_missing) {
            self.time_left(deadline).ok_or_else(late)?;
            // Strong, for the last of its hours was written a moment ago.
            let hours = self
                .store
                .summaries_of::<Rollup>(group, day.hours(), &self.location, Read::Strong)
                .await;
            let hours = hours.map_err(failed(*day))?;
            note(report, group, hours.unreadable.into_values());
            let others = self
                .store
                .summaries_of::<OtherTimes>(group, day.hours(), &self.location, Read::Strong)
                .await;
            let others = others.map_err(failed(*day))?;
            note(report, group, others.unreadable.into_values());
            let none = OtherTimes::new();
            let whole = hours
                .records
                .into_iter()
                .map(|(hour, rollup)| with_others(rollup, others.records.get(&hour).unwrap_or(&none)));
            let rollup = of_rollups(&whole.collect::<Vec<_>>());
            self.keep(group, *day, &rollup, deadline).await?;
        }
        Ok(())
    }

    /// Keeps a rollup, unless a twin did first; a period of which nothing was seen has none.
    ///
    /// The other phases come before it, so that where a rollup is, they are too, and only it need be looked for.
    async fn keep(
        &self,
        group: GroupId,
        period: Period,
        rollup: &Rollup,
        deadline: Deadline,
    ) -> Result<(), Error> {
        if rollup.is_empty() {
            return Ok(());
        }
        let failed = |source| Error::RollUp {
            period,
            group,
            source,
        };
        let others = other_times(rollup);
        if !others.is_empty() {
            self.time_left(deadline).ok_or(Error::NoTimeToRollUp { group })?;
            let kept = self
                .store
                .put_summary(group, period, &self.location, &others)
                .await;
            kept.map_err(failed)?;
        }
        self.time_left(deadline).ok_or(Error::NoTimeToRollUp { group })?;
        let kept = self
            .store
            .put_summary(group, period, &self.location, rollup)
            .await;
        kept.map(drop).map_err(failed)
    }

    /// Whether there is time for one more operation.
    pub(crate) fn time_left(&self, deadline: Deadline) -> Option<()> {
        let took = self.clock.passed_since(deadline.began);
        (took + STEP <= deadline.remaining).then_some(())
    }
}

fn note(report: &mut TickReport, group: GroupId, unreadable: impl Iterator<Item = portpulse_store::Error>) {
    let unreadable = unreadable.map(|source| Error::Unreadable { group, source });
    report.warnings.extend(unreadable);
}
