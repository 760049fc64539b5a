//! The last step of a tick: the first tick of an hour stores the rollups of this location for the hours and days that are over.
//!
//! No other step depends on rollups. If time is short or the table fails, a later tick retries.

use portpulse_alert::Publish;
use portpulse_core::group::GroupId;
use portpulse_core::period::Period;
use portpulse_core::rollup::{Due, OtherTimes, Rollup, of_rollups, of_ticks, other_times, with_others};
use portpulse_core::round::Definitions;
use portpulse_store::table::{Read, Table};

use crate::Error;
use crate::checker::Checker;
use crate::deadline::Deadline;
use crate::probe::{Clock, Probe};

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Stores the rollups that are due and missing. Returns warnings.
    pub(crate) async fn roll_up(
        &self,
        group: GroupId,
        due: &Due,
        definitions: &Definitions,
        deadline: Deadline,
    ) -> Vec<Error> {
        let mut warnings = Vec::new();
        let result = self
            .store_due_rollups(group, due, definitions, deadline, &mut warnings)
            .await;
        warnings.extend(result.err());
        warnings
    }

    /// Stores due rollups, the earliest first, and stops at the first failure: so a day is summed up from all its hours.
    /// Malformed items are added to `warnings`.
    ///
    /// # Errors
    /// The failure. The first tick of the next hour retries.
    async fn store_due_rollups(
        &self,
        group: GroupId,
        due: &Due,
        definitions: &Definitions,
        deadline: Deadline,
        warnings: &mut Vec<Error>,
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
        let stored = self
            .store
            .summaries_of::<Rollup>(group, all, &self.location, Read::Eventual)
            .await
            .map_err(failed(first))?;
        let is_missing = |period: &&Period| {
            !stored.records.contains_key(*period) && !stored.unreadable.contains_key(*period)
        };
        for hour in due.hours.iter().filter(is_missing) {
            self.time_left(deadline).ok_or_else(late)?;
            let ticks = hour.ticks(group.interval);
            let found = self.store.results_of(group, ticks, &self.location).await;
            let found = found.map_err(failed(*hour))?;
            warnings.extend(malformed(group, found.unreadable.into_values()));
            let rollup = of_ticks(definitions, &found.records);
            self.store_rollup(group, *hour, &rollup, deadline).await?;
        }
        for day in due.days.iter().filter(is_missing) {
            self.time_left(deadline).ok_or_else(late)?;
            // Strongly consistent, because the last hour was written just now.
            let hours = self
                .store
                .summaries_of::<Rollup>(group, day.hours(), &self.location, Read::Strong)
                .await;
            let hours = hours.map_err(failed(*day))?;
            warnings.extend(malformed(group, hours.unreadable.into_values()));
            let others = self
                .store
                .summaries_of::<OtherTimes>(group, day.hours(), &self.location, Read::Strong)
                .await;
            let others = others.map_err(failed(*day))?;
            warnings.extend(malformed(group, others.unreadable.into_values()));
            let none = OtherTimes::new();
            let whole = hours
                .records
                .into_iter()
                .map(|(hour, rollup)| with_others(rollup, others.records.get(&hour).unwrap_or(&none)));
            let rollup = of_rollups(&whole.collect::<Vec<_>>());
            self.store_rollup(group, *day, &rollup, deadline).await?;
        }
        Ok(())
    }

    /// Stores a rollup unless it is empty or already stored.
    ///
    /// The times of the other phases are written first, so that they exist if the rollup does.
    async fn store_rollup(
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
            let stored = self
                .store
                .put_summary(group, period, &self.location, &others)
                .await;
            stored.map_err(failed)?;
        }
        self.time_left(deadline).ok_or(Error::NoTimeToRollUp { group })?;
        let stored = self
            .store
            .put_summary(group, period, &self.location, rollup)
            .await;
        stored.map(drop).map_err(failed)
    }
}

fn malformed(
    group: GroupId,
    unreadable: impl Iterator<Item = portpulse_store::Error>,
) -> impl Iterator<Item = Error> {
    unreadable.map(move |source| Error::Unreadable { group, source })
}
