//! Reads the data of a page: the current state always, then history from the latest back within the read limit.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use portpulse_core::group::{GroupId, shard_of};
use portpulse_core::group_state::ClosedIncident;
use portpulse_core::id::MonitorId;
use portpulse_core::period::{Grain, Period};
use portpulse_core::rollup::PhaseRollup;
use portpulse_core::time::Interval;
use portpulse_core::uptime::Objective;
use portpulse_store::keys;
use portpulse_store::table::{PagedQuery, Read, Table};
use portpulse_store::{Error, Store, chain};

use crate::assemble;
use crate::metered_table::MeteredTable;
use crate::packed::PackedRollup;
use crate::report::{self, Month, Report};
pub use crate::rollup_reader::Detail;
use crate::rollup_reader::{
    Budget, Part, awaited_locations, parts, read_checks, read_running, read_summaries,
};
pub use crate::scope::{Groups, ReadLimit, Scope};
use crate::shown_range::first_day;
use crate::snapshot::{GroupSnapshot, Snapshot};
use crate::state_reader::{read_banners, read_present};
use crate::view::{Audience, IncidentsPage, MonitorPage, Overview, UpcomingMaintenance};

/// The current hour may use 1/8 of the read limit.
const RUNNING_SHARE: u64 = 8;

/// The phases of a page may use this many half read units, so that the page of 50 monitors stays below 200 units; or three quarters
/// of what the page has used before, if that is more, since groups of more monitors have larger phases.
const PHASES_HALVES: u64 = 2 * 90;

/// Reads the data of the status page.
#[derive(Debug, Clone)]
pub struct Reader<T> {
    table: T,
    scope: Scope,
    read_limit: ReadLimit,
    ahead: UpcomingMaintenance,
}

impl<T: Table + PagedQuery> Reader<T> {
    /// Creates a reader. Upcoming maintenance is not announced to the public.
    pub fn new(table: T, scope: Scope, read_limit: ReadLimit) -> Self {
        Self {
            table,
            scope,
            read_limit,
            ahead: UpcomingMaintenance::default(),
        }
    }

    /// Sets whether upcoming maintenance is announced to the public.
    #[must_use]
    pub fn announcing(self, ahead: UpcomingMaintenance) -> Self {
        Self { ahead, ..self }
    }

    /// The ids of all defined monitors. Reads definitions only.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn ids(&self) -> Result<BTreeSet<MonitorId>, Error> {
        let store = Store::new(MeteredTable::new(&self.table));
        let mut ids = BTreeSet::new();
        for group in self.groups().await? {
            ids.extend(store.definitions(group).await?.monitors.into_keys());
        }
        Ok(ids)
    }

    /// The overview of all monitors.
    ///
    /// # Errors
    /// If the table cannot be read. Malformed items are no error: they are skipped, and listed in the private overview.
    pub async fn overview(&self, audience: Audience, now: Timestamp) -> Result<Overview, Error> {
        let snapshot = self.snapshot(&self.groups().await?, now).await?;
        Ok(assemble::overview(&snapshot, audience, self.ahead, now))
    }

    /// One monitor with its history; `None` if the id is not defined. `detail` is for a private audience.
    ///
    /// # Errors
    /// See [`Reader::overview`].
    pub async fn monitor(
        &self,
        audience: Audience,
        id: &MonitorId,
        detail: impl Into<Detail>,
        now: Timestamp,
    ) -> Result<Option<MonitorPage>, Error> {
        let groups = self.groups_of(id).await?;
        if groups.is_empty() {
            return Ok(None);
        }
        let store = Store::new(MeteredTable::new(&self.table));
        let mut snapshot = read_present(&store, &self.scope.expected, &groups, Read::Eventual).await?;
        let detail = match audience {
            Audience::Public => None,
            Audience::Private => {
                read_banners(&store, &mut snapshot).await?;
                Some(detail.into())
            }
        };
        self.read_history(&store, &mut snapshot, Some(id), detail, now)
            .await?;
        Ok(assemble::monitor(&snapshot, id, audience, self.ahead, now))
    }

    /// The incidents of all monitors, without other history.
    ///
    /// # Errors
    /// See [`Reader::overview`].
    pub async fn incidents(&self, audience: Audience, now: Timestamp) -> Result<IncidentsPage, Error> {
        let store = Store::new(MeteredTable::new(&self.table));
        let groups = self.groups().await?;
        let mut snapshot = read_present(&store, &self.scope.expected, &groups, Read::Eventual).await?;
        let since = first_day(now).start();
        self.read_incidents(&store, &mut snapshot, now, since).await?;
        Ok(assemble::incidents(&snapshot, audience, now))
    }

    /// The report of a month, of the monitors that the audience may see; `objective` is that of the monitors without
    /// their own. The current month is reported up to `now`.
    ///
    /// # Errors
    /// See [`Reader::overview`].
    pub async fn report(
        &self,
        month: Month,
        audience: Audience,
        objective: Option<Objective>,
        now: Timestamp,
    ) -> Result<Report, Error> {
        let store = Store::new(MeteredTable::new(&self.table));
        let groups = self.groups().await?;
        let mut snapshot = read_present(&store, &self.scope.expected, &groups, Read::Eventual).await?;
        self.read_incidents(&store, &mut snapshot, now, month.start())
            .await?;
        let first = Period::containing(month.start(), Grain::Day);
        let last = month
            .end()
            .checked_sub(SignedDuration::from_secs(1))
            .unwrap_or(now)
            .min(now);
        let first_hour = month.hours_without_day(now);
        let mut unreadable = Vec::new();
        let sharers = (1..=u64::try_from(snapshot.groups.len()).unwrap_or(u64::MAX)).rev();
        for ((group, known), sharers) in snapshot.groups.iter_mut().zip(sharers) {
            let keep = |row, last: Option<&_>| PackedRollup::of(&row, last, None);
            let share = self.left(&store) / sharers;
            let bad = &mut unreadable;
            if let Some(first_hour) = first_hour {
                let (hour, share) = (Period::containing(now, Grain::Hour), share / RUNNING_SHARE);
                let place = (*group, hour);
                known.running = read_running(&store, place, &known.definitions, None, share, bad).await?;
                let share = self.left(&store) / sharers;
                known.hours = read_summaries(&store, (*group, first_hour, last), share, bad, keep).await?;
                self.read_last_hour(&store, (*group, hour.later(-1)), known, None, bad, now)
                    .await?;
            }
            let share = self.left(&store) / sharers;
            known.days = read_summaries(&store, (*group, first, last), share, bad, keep).await?;
        }
        let report = report::assemble(&snapshot, month, audience, objective, now);
        Ok(Report {
            is_incomplete: report.is_incomplete || !unreadable.is_empty(),
            ..report
        })
    }

    /// The current state of all groups without history: definitions, group states, controls and locations.
    ///
    /// # Errors
    /// See [`Reader::overview`].
    pub async fn present(&self, read: Read) -> Result<Snapshot, Error> {
        let store = Store::new(MeteredTable::new(&self.table));
        read_present(&store, &self.scope.expected, &self.groups().await?, read).await
    }

    /// Adds the incidents that closed at `since` or later, for at most half of the read limit.
    ///
    /// # Errors
    /// See [`Reader::overview`].
    pub async fn add_closed(
        &self,
        snapshot: &mut Snapshot,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        let store = Store::new(MeteredTable::new(&self.table));
        self.read_incidents(&store, snapshot, now, since).await?;
        snapshot
            .closed
            .retain(|closed| closed.closed.timestamp() >= since);
        Ok(())
    }

    /// The state and history of the given groups within the read limit. Contains the times of each phase for the
    /// current hour only.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn snapshot(&self, groups: &BTreeSet<GroupId>, now: Timestamp) -> Result<Snapshot, Error> {
        let store = Store::new(MeteredTable::new(&self.table));
        let mut snapshot = read_present(&store, &self.scope.expected, groups, Read::Eventual).await?;
        self.read_history(&store, &mut snapshot, None, None, now).await?;
        Ok(snapshot)
    }

    /// Adds incidents and rollups within the read limit; rollups of one monitor only if `only` is given.
    async fn read_history(
        &self,
        store: &Store<MeteredTable<'_, T>>,
        snapshot: &mut Snapshot,
        only: Option<&MonitorId>,
        detail: Option<Detail>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.read_incidents(store, snapshot, now, first_day(now).start())
            .await?;
        let mut unreadable = Vec::new();
        let mut before_phases = None;
        for part in parts(detail, now) {
            let sharers = (1..=u64::try_from(snapshot.groups.len()).unwrap_or(u64::MAX)).rev();
            for ((group, known), sharers) in snapshot.groups.iter_mut().zip(sharers) {
                // Each group gets an equal share of the rest, so that one large group does not use up the limit.
                let share = self.left(store) / sharers;
                let bad = &mut unreadable;
                match part {
                    Part::RunningHour(hour) => {
                        let (share, place) = (share / RUNNING_SHARE, (*group, hour));
                        known.running =
                            read_running(store, place, &known.definitions, only, share, bad).await?;
                        known.checks = std::mem::take(&mut known.running.checks);
                    }
                    Part::Rollups(first) => {
                        let keep = |row, last: Option<&_>| PackedRollup::of(&row, last, only);
                        let reach = read_summaries(store, (*group, first, now), share, bad, keep).await?;
                        *known.rollups_mut(first.grain()) = reach;
                    }
                    Part::PhaseRollup(first) => {
                        let used = store.table().halves();
                        let before = *before_phases.get_or_insert(used);
                        let left = PHASES_HALVES.max(before * 3 / 4).saturating_sub(used - before);
                        let share = share.min(left / sharers);
                        let keep = |mut row: PhaseRollup, _: Option<&_>| {
                            row.retain(|id, _| only.is_none_or(|only| only == id));
                            row
                        };
                        let found = read_summaries(store, (*group, first, now), share, bad, keep).await?;
                        known.add_phases(first, found);
                    }
                    Part::Checks(hour) => {
                        let (checks, is_whole) = read_checks(store, (*group, hour), only, share, bad).await?;
                        known.add_checks(checks, is_whole);
                    }
                    Part::LastHour(hour) => {
                        self.read_last_hour(store, (*group, hour), known, only, bad, now)
                            .await?;
                    }
                }
            }
        }
        snapshot.unreadable.extend(unreadable);
        Ok(())
    }

    /// Adds the last hour of the locations that have not summed it up yet.
    async fn read_last_hour(
        &self,
        store: &Store<MeteredTable<'_, T>>,
        (group, hour): (GroupId, Period),
        known: &mut GroupSnapshot,
        only: Option<&MonitorId>,
        unreadable: &mut Vec<String>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let awaited = awaited_locations(known, group, hour, now);
        if awaited.is_empty() {
            return Ok(());
        }
        let share = self.left(store) / RUNNING_SHARE;
        let sums = read_running(store, (group, hour), &known.definitions, only, share, unreadable).await?;
        known.add_last_hour(&awaited, sums);
        Ok(())
    }

    /// The groups that have monitors.
    async fn groups(&self) -> Result<BTreeSet<GroupId>, Error> {
        if let Groups::Known(groups) = &self.scope.groups {
            return Ok(groups.clone());
        }
        let mut groups = BTreeSet::new();
        for interval in Interval::ALL {
            for shard in 0.. {
                let group = GroupId {
                    interval: *interval,
                    shard,
                };
                let page = self.table.page(&keys::definitions_of(group), 1).await?;
                if page.items.is_empty() {
                    break;
                }
                groups.insert(group);
            }
        }
        Ok(groups)
    }

    /// The groups that define the monitor: one, or two while the monitor moves between groups.
    async fn groups_of(&self, id: &MonitorId) -> Result<BTreeSet<GroupId>, Error> {
        let mut shards: BTreeMap<Interval, u32> = BTreeMap::new();
        for group in &self.groups().await? {
            *shards.entry(group.interval).or_default() += 1;
        }
        let candidates = shards.into_iter().map(|(interval, shards)| GroupId {
            interval,
            shard: shard_of(id, shards),
        });
        let candidates: BTreeMap<_, _> = candidates
            .map(|group| (keys::definition(group, id.as_str()).pk, group))
            .collect();
        let wanted: Vec<_> = candidates
            .values()
            .map(|group| keys::definition(*group, id.as_str()))
            .collect();
        let found = self.table.get_many(&wanted, Read::Eventual).await?;
        let partitions = found.iter().filter_map(|item| item.get(keys::PK)?.as_s().ok());
        Ok(partitions.filter_map(|pk| candidates.get(pk).copied()).collect())
    }

    /// Adds the incidents that closed in the month of `since` or later, and the notes about incidents.
    async fn read_incidents(
        &self,
        store: &Store<MeteredTable<'_, T>>,
        snapshot: &mut Snapshot,
        now: Timestamp,
        since: Timestamp,
    ) -> Result<(), Error> {
        let (notes, unreadable) = store.operator_notes().await?;
        snapshot.notes = notes;
        snapshot
            .unreadable
            .extend(unreadable.iter().map(|error| chain(error)));
        // Incidents may use half of the remaining limit.
        let mut budget = Budget::new(self.left(store) / 2);
        let mut month = now;
        while month >= since || in_month(month, since) {
            let mut left = Some(keys::incidents_of_month(month));
            while let Some(key_range) = left {
                let Some(limit) = budget.rows() else {
                    return Ok(());
                };
                let spent = store.table().halves();
                let piece = store.next_page::<ClosedIncident>(&key_range, limit).await?;
                budget.spend(store.table().halves() - spent, piece.records.len());
                snapshot
                    .unreadable
                    .extend(piece.unreadable.iter().map(|error| chain(error)));
                snapshot.closed.extend(piece.records);
                left = piece.rest;
            }
            month = month_before(month);
        }
        snapshot.all_closed = true;
        Ok(())
    }

    /// The remaining half read units.
    fn left(&self, store: &Store<MeteredTable<'_, T>>) -> u64 {
        (u64::from(self.read_limit.0) * 2).saturating_sub(store.table().halves())
    }
}

fn month_before(time: Timestamp) -> Timestamp {
    let date = jiff::tz::Offset::UTC.to_datetime(time).date().first_of_month();
    let before = date.yesterday().unwrap_or(date).first_of_month();
    let midnight = before.to_datetime(jiff::civil::Time::midnight());
    jiff::tz::Offset::UTC
        .to_timestamp(midnight)
        .unwrap_or(Timestamp::MIN)
}

fn in_month(one: Timestamp, other: Timestamp) -> bool {
    let month = |time| jiff::tz::Offset::UTC.to_datetime(time).date().first_of_month();
    month(one) == month(other)
}
