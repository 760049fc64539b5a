//! Summing up: the first tick of an hour keeps what this region saw in the hours, and the days, that are over.
//!
//! It comes last in a tick, and nothing waits for it: what it leaves undone, for want of time or because the table
//! fails, a later tick makes good.

use std::time::Duration;

use jiff::Timestamp;
use portpulse_alert::Publish;
use portpulse_core::group::GroupId;
use portpulse_core::period::Period;
use portpulse_core::rollup::{Due, Rollup, of_rollups, of_ticks};
use portpulse_core::round::Definitions;
use portpulse_store::table::{Read, Table};

use crate::Error;
use crate::probe::{Clock, Probe};
use crate::tick::{Checker, Report};

/// The time that one operation on the table may take, with some to spare: with less left, none is begun.
const STEP: Duration = Duration::from_secs(6);

/// Until when there is time for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Until {
    pub(crate) began: Timestamp,
    pub(crate) remaining: Duration,
}

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Sums up what is due and not there yet; what keeps it from that is noted in the report as left for later.
    pub(crate) async fn roll_up(
        &self,
        group: GroupId,
        due: &Due,
        definitions: &Definitions,
        until: Until,
        report: &mut Report,
    ) {
        if let Err(error) = self.try_roll_up(group, due, definitions, until, report).await {
            report.left_for_later.push(error);
        }
    }

    /// From the earliest on, and never past a failure: so a day is summed up from all hours that can be.
    async fn try_roll_up(
        &self,
        group: GroupId,
        due: &Due,
        definitions: &Definitions,
        until: Until,
        report: &mut Report,
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
        self.time_left(until).ok_or_else(late)?;
        let there = self
            .store
            .rollups_of(group, all, &self.region, Read::Eventual)
            .await
            .map_err(failed(first))?;
        let is_missing =
            |period: &&Period| !there.rows.contains_key(*period) && !there.unreadable.contains_key(*period);
        for hour in due.hours.iter().filter(is_missing) {
            self.time_left(until).ok_or_else(late)?;
            let ticks = hour.ticks(group.interval);
            let found = self.store.results_of(group, ticks, &self.region).await;
            let found = found.map_err(failed(*hour))?;
            note(report, group, found.unreadable.into_values());
            let rollup = of_ticks(definitions, &found.rows);
            self.keep(group, *hour, &rollup, until).await?;
        }
        for day in due.days.iter().filter(is_missing) {
            self.time_left(until).ok_or_else(late)?;
            // Strong, for the last of its hours was written a moment ago.
            let hours = self
                .store
                .rollups_of(group, day.hours(), &self.region, Read::Strong)
                .await;
            let hours = hours.map_err(failed(*day))?;
            note(report, group, hours.unreadable.into_values());
            let rollup = of_rollups(hours.rows.values());
            self.keep(group, *day, &rollup, until).await?;
        }
        Ok(())
    }

    /// Keeps a rollup, unless a twin did first; a period of which nothing was seen has none.
    async fn keep(&self, group: GroupId, period: Period, rollup: &Rollup, until: Until) -> Result<(), Error> {
        if rollup.is_empty() {
            return Ok(());
        }
        self.time_left(until).ok_or(Error::NoTimeToRollUp { group })?;
        let kept = self.store.put_rollup(group, period, &self.region, rollup).await;
        kept.map(drop).map_err(|source| Error::RollUp {
            period,
            group,
            source,
        })
    }

    /// Whether there is time for one more operation.
    fn time_left(&self, until: Until) -> Option<()> {
        let took = Duration::try_from(self.clock.now().duration_since(until.began)).unwrap_or_default();
        (took + STEP <= until.remaining).then_some(())
    }
}

fn note(report: &mut Report, group: GroupId, unreadable: impl Iterator<Item = portpulse_store::Error>) {
    let unreadable = unreadable.map(|source| Error::Unreadable { group, source });
    report.left_for_later.extend(unreadable);
}
