//! The last step of an invocation: some minutes after an hour, at its own time in each location and group, it stores the
//! rollups for the hours and days that are over.
//!
//! No other step depends on rollups. If time is short or the table fails, a later tick retries.

use portpulse_alert::Publish;
use portpulse_core::group::GroupId;
use portpulse_core::period::Period;
use portpulse_core::rollup::{Due, PhaseRollup, Rollup, of_rollups, of_ticks, phase_rollup, with_phases};
use portpulse_core::round::Definitions;
use portpulse_store::history::{FoundRecords, Summary};
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
    /// The failure. A tick of the next hour retries.
    async fn store_due_rollups(
        &self,
        group: GroupId,
        due: &Due,
        definitions: &Definitions,
        deadline: Deadline,
        warnings: &mut Vec<Error>,
    ) -> Result<(), Error> {
        let all: Vec<Period> = due.hours.iter().chain(&due.days).copied().collect();
        let Some(first) = all.first().copied() else {
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
        for hour in due.hours.iter().filter(|hour| stored.is_missing(hour)) {
            self.store_hour(group, *hour, definitions, deadline, warnings)
                .await?;
        }
        for day in due.days.iter().filter(|day| stored.is_missing(day)) {
            self.time_left(deadline).ok_or_else(late)?;
            let known: FoundRecords<Period, Rollup> = self.hours_of(group, *day).await?;
            let lost: Vec<_> = due
                .hours_of_days
                .iter()
                .filter(|hour| known.is_missing(hour) && hour.day() == *day)
                .collect();
            for hour in &lost {
                self.store_hour(group, **hour, definitions, deadline, warnings)
                    .await?;
            }
            let hours = if lost.is_empty() {
                known
            } else {
                self.hours_of(group, *day).await?
            };
            let phases: FoundRecords<Period, PhaseRollup> = self.hours_of(group, *day).await?;
            let none = PhaseRollup::new();
            let whole = hours
                .records
                .into_iter()
                .map(|(hour, rollup)| with_phases(rollup, phases.records.get(&hour).unwrap_or(&none)));
            let rollup = of_rollups(&whole.collect::<Vec<_>>());
            warnings.extend(malformed(group, hours.unreadable.into_values()));
            warnings.extend(malformed(group, phases.unreadable.into_values()));
            self.store_rollup(group, *day, &rollup, deadline).await?;
        }
        Ok(())
    }

    /// Sums up an hour from its ticks and stores it.
    async fn store_hour(
        &self,
        group: GroupId,
        hour: Period,
        definitions: &Definitions,
        deadline: Deadline,
        warnings: &mut Vec<Error>,
    ) -> Result<(), Error> {
        self.time_left(deadline).ok_or(Error::NoTimeToRollUp { group })?;
        let ticks = hour.ticks(group.interval);
        let found = self.store.results_of(group, ticks, &self.location).await;
        let found = found.map_err(|source| Error::RollUp {
            period: hour,
            group,
            source,
        })?;
        warnings.extend(malformed(group, found.unreadable.into_values()));
        let rollup = of_ticks(definitions, &found.records);
        self.store_rollup(group, hour, &rollup, deadline).await
    }

    /// The summaries of the hours of a day. Strongly consistent, because the last hour was written just now.
    async fn hours_of<S: Summary>(
        &self,
        group: GroupId,
        day: Period,
    ) -> Result<FoundRecords<Period, S>, Error> {
        let found = self
            .store
            .summaries_of(group, day.hours(), &self.location, Read::Strong)
            .await;
        found.map_err(|source| Error::RollUp {
            period: day,
            group,
            source,
        })
    }

    /// Stores a rollup unless it is empty or already stored.
    ///
    /// The times of each phase are written first, so that they exist if the rollup does.
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
        let phases = phase_rollup(rollup);
        if !phases.is_empty() {
            self.put_summary(group, period, &phases, deadline).await?;
        }
        self.put_summary(group, period, rollup, deadline).await
    }

    async fn put_summary<S: Summary>(
        &self,
        group: GroupId,
        period: Period,
        summary: &S,
        deadline: Deadline,
    ) -> Result<(), Error> {
        self.time_left(deadline).ok_or(Error::NoTimeToRollUp { group })?;
        let stored = self
            .store
            .put_summary(group, period, &self.location, summary)
            .await;
        stored.map(drop).map_err(|source| Error::RollUp {
            period,
            group,
            source,
        })
    }
}

fn malformed(
    group: GroupId,
    unreadable: impl Iterator<Item = portpulse_store::Error>,
) -> impl Iterator<Item = Error> {
    unreadable.map(move |source| Error::Unreadable { group, source })
}
