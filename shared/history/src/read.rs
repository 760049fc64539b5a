//! Reading what a page shows: the present first and always, then history from the latest back, as far as the ceiling allows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portpulse_core::group::{GroupId, shard_of};
use portpulse_core::group_state::{ClosedIncident, GroupState};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::period::Period;
use portpulse_core::rollup::OtherTimes;
use portpulse_core::time::Interval;
use portpulse_store::keys;
use portpulse_store::table::{PagedQuery, Read, Table};
use portpulse_store::{Error, Store, chain};

use crate::assemble;
use crate::packed::PackedRollup;
use crate::reach::{Budget, Part, parts, read_running, read_summaries};
use crate::snapshot::{GroupSnapshot, Snapshot};
use crate::spending::Counted;
use crate::view::{Ahead, Audience, IncidentsPage, MonitorPage, Overview};

/// The days of history that are shown.
pub const DAYS: i64 = 90;
/// The hours of history that are shown, the running one included.
pub const HOURS: i64 = 24;

/// The running hour may take one part in so many of what a request may read.
const RUNNING_SHARE: u64 = 8;

/// Which groups and locations there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The groups that have monitors.
    pub groups: Groups,
    /// The locations that should report where the table lists none; where none is named here either, those that do.
    pub expected: BTreeSet<Location>,
}

/// The groups that have monitors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Groups {
    /// These: every interval's shards from 0 on.
    Known(BTreeSet<GroupId>),
    /// Those that are found in the table, anew by each request, for half a read unit an interval and a group.
    #[default]
    Found,
}

/// How much history one request may read, in read units; the present (definitions and boards, which are as large as
/// there are monitors) is read whatever it costs, and counts towards it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceiling(
    /// Read units of DynamoDB.
    pub u32,
);

impl Default for Ceiling {
    /// 400: enough for 90 days of 50 monitors from three locations twice over. At 0.125 USD a million, 20,000 such
    /// requests cost one dollar.
    fn default() -> Self {
        Self(400)
    }
}

/// Reads what is shown.
#[derive(Debug, Clone)]
pub struct Reader<T> {
    table: T,
    scope: Scope,
    ceiling: Ceiling,
    ahead: Ahead,
}

impl<T: Table + PagedQuery> Reader<T> {
    /// A reader of these groups in `table`, which tells the public of no maintenance ahead.
    pub fn new(table: T, scope: Scope, ceiling: Ceiling) -> Self {
        Self {
            table,
            scope,
            ceiling,
            ahead: Ahead::default(),
        }
    }

    /// The same, which tells the public so much of maintenance ahead.
    #[must_use]
    pub fn announcing(self, ahead: Ahead) -> Self {
        Self { ahead, ..self }
    }

    /// The ids of all monitors, by their definitions alone.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn ids(&self) -> Result<BTreeSet<MonitorId>, Error> {
        let store = Store::new(Counted::new(&self.table));
        let mut ids = BTreeSet::new();
        for group in self.groups().await? {
            ids.extend(store.definitions(group).await?.monitors.into_keys());
        }
        Ok(ids)
    }

    /// All monitors at a glance.
    ///
    /// # Errors
    /// When the table cannot be read. What is malformed is no error: it is left out, and named to those within.
    pub async fn overview(&self, audience: Audience, now: Timestamp) -> Result<Overview, Error> {
        let snapshot = self.snapshot(&self.groups().await?, now).await?;
        Ok(assemble::overview(&snapshot, audience, self.ahead, now))
    }

    /// One monitor over time; `None` if there is none of that id. The phases but the connect are there from `since` on,
    /// an hour or a day, for those within.
    ///
    /// # Errors
    /// As with [`Reader::overview`].
    pub async fn monitor(
        &self,
        audience: Audience,
        id: &MonitorId,
        since: Period,
        now: Timestamp,
    ) -> Result<Option<MonitorPage>, Error> {
        let groups = self.groups_of(id).await?;
        if groups.is_empty() {
            return Ok(None);
        }
        let store = Store::new(Counted::new(&self.table));
        let mut snapshot = read_present(&store, &self.scope, &groups, Read::Eventual).await?;
        let since = match audience {
            Audience::Public => None,
            Audience::Private => {
                read_banners(&store, &mut snapshot).await?;
                Some(since)
            }
        };
        self.read_past(&store, &mut snapshot, Some(id), since, now)
            .await?;
        Ok(assemble::monitor(&snapshot, id, audience, self.ahead, now))
    }

    /// The incidents of all monitors, without any other history.
    ///
    /// # Errors
    /// As with [`Reader::overview`].
    pub async fn incidents(&self, audience: Audience, now: Timestamp) -> Result<IncidentsPage, Error> {
        let store = Store::new(Counted::new(&self.table));
        let groups = self.groups().await?;
        let mut snapshot = read_present(&store, &self.scope, &groups, Read::Eventual).await?;
        let since = assemble::first_day(now).start();
        self.read_incidents(&store, &mut snapshot, now, since).await?;
        Ok(assemble::incidents(&snapshot, audience, now))
    }

    /// What is known now of all groups, without any history: definitions, boards, controls and locations.
    ///
    /// # Errors
    /// As with [`Reader::overview`].
    pub async fn present(&self, read: Read) -> Result<Snapshot, Error> {
        let store = Store::new(Counted::new(&self.table));
        read_present(&store, &self.scope, &self.groups().await?, read).await
    }

    /// Adds the incidents that closed at `since` or later, as far as half of the ceiling allows.
    ///
    /// # Errors
    /// As with [`Reader::overview`].
    pub async fn add_closed(
        &self,
        snapshot: &mut Snapshot,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        let store = Store::new(Counted::new(&self.table));
        self.read_incidents(&store, snapshot, now, since).await?;
        snapshot
            .closed
            .retain(|closed| closed.closed.timestamp() >= since);
        Ok(())
    }

    /// All that is known of these groups, as far as the ceiling allows, but for the phases beside the connect, of which
    /// it has those of the running hour.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn snapshot(&self, groups: &BTreeSet<GroupId>, now: Timestamp) -> Result<Snapshot, Error> {
        let store = Store::new(Counted::new(&self.table));
        let mut snapshot = read_present(&store, &self.scope, groups, Read::Eventual).await?;
        self.read_past(&store, &mut snapshot, None, None, now).await?;
        Ok(snapshot)
    }

    /// Incidents and rollups, as far as the ceiling allows; the rollups of one monitor alone, if one is named.
    async fn read_past(
        &self,
        store: &Store<Counted<'_, T>>,
        snapshot: &mut Snapshot,
        only: Option<&MonitorId>,
        since: Option<Period>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.read_incidents(store, snapshot, now, assemble::first_day(now).start())
            .await?;
        let mut unreadable = Vec::new();
        for part in parts(since, now) {
            let sharers = (1..=u64::try_from(snapshot.groups.len()).unwrap_or(u64::MAX)).rev();
            for ((group, known), sharers) in snapshot.groups.iter_mut().zip(sharers) {
                // Each takes at most its share of what is left, so that one large group does not blind the others.
                let share = self.left(store) / sharers;
                let bad = &mut unreadable;
                match part {
                    Part::Running(hour) => {
                        let (share, place) = (share / RUNNING_SHARE, (*group, hour));
                        known.running =
                            read_running(store, place, &known.definitions, only, share, bad).await?;
                    }
                    Part::Rollups(first) => {
                        let keep = |row, last: Option<&_>| PackedRollup::of(&row, last, only);
                        let reach = read_summaries(store, (*group, first, now), share, bad, keep).await?;
                        *known.reach_mut(first.grain()) = reach;
                    }
                    Part::OtherTimes(first) => {
                        let keep = |mut row: OtherTimes, _: Option<&_>| {
                            row.retain(|id, _| only.is_none_or(|only| only == id));
                            row
                        };
                        let found = read_summaries(store, (*group, first, now), share, bad, keep).await?;
                        known.take_in(first, found);
                    }
                }
            }
        }
        snapshot.unreadable.extend(unreadable);
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

    /// The groups in which a monitor of this id is defined: one, or while it moves from one to another, two.
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

    /// Reads the incidents that closed in the months from that of `since` on.
    async fn read_incidents(
        &self,
        store: &Store<Counted<'_, T>>,
        snapshot: &mut Snapshot,
        now: Timestamp,
        since: Timestamp,
    ) -> Result<(), Error> {
        // Incidents may take half of what is left.
        let mut budget = Budget::new(self.left(store) / 2);
        let mut month = now;
        while month >= since || in_month(month, since) {
            let mut left = Some(keys::incidents_of_month(month));
            while let Some(key_range) = left {
                let Some(limit) = budget.rows() else {
                    return Ok(());
                };
                let spent = store.table().halves();
                let piece = store.next::<ClosedIncident>(&key_range, limit).await?;
                budget.spend(store.table().halves() - spent, piece.rows.len());
                snapshot
                    .unreadable
                    .extend(piece.unreadable.iter().map(|error| chain(error)));
                snapshot.closed.extend(piece.rows);
                left = piece.rest;
            }
            month = month_before(month);
        }
        snapshot.all_closed = true;
        Ok(())
    }

    /// Half read units that may still be spent.
    fn left(&self, store: &Store<Counted<'_, T>>) -> u64 {
        (u64::from(self.ceiling.0) * 2).saturating_sub(store.table().halves())
    }
}

/// The present: definitions, boards, controls and locations.
async fn read_present<T: Table>(
    store: &Store<T>,
    scope: &Scope,
    groups: &BTreeSet<GroupId>,
    read: Read,
) -> Result<Snapshot, Error> {
    let mut snapshot = Snapshot::default();
    for group in groups {
        let group_state = store.group_state_as_of(*group, read).await?;
        let known = GroupSnapshot {
            definitions: store.definitions(*group).await?,
            group_state: group_state.group_state,
            ..GroupSnapshot::default()
        };
        snapshot.groups.insert(*group, known);
        snapshot
            .unreadable
            .extend(group_state.unreadable.values().map(|error| chain(error)));
    }
    let group_states = snapshot.groups.values().map(|known| &known.group_state);
    let reporting = |group_state: &GroupState| -> Vec<Location> {
        let waited_for = group_state.status.locations.keys();
        group_state.rows.keys().chain(waited_for).cloned().collect()
    };
    let reporting: BTreeSet<Location> = group_states.flat_map(reporting).collect();
    for known in snapshot.groups.values_mut() {
        let banner = [&known.group_state.listed, &scope.expected];
        let banner = banner.into_iter().find(|locations| !locations.is_empty());
        known.expected = banner.unwrap_or(&reporting).clone();
    }
    let (controls, unreadable) = store.controls().await?;
    snapshot.controls = controls;
    snapshot
        .unreadable
        .extend(unreadable.iter().map(|error| chain(error)));
    match store.fleet().await {
        Ok(fleet) => snapshot.fleet = fleet,
        Err(error @ Error::Unreadable { .. }) => snapshot.unreadable.push(chain(&error)),
        Err(error) => return Err(error),
    }
    Ok(snapshot)
}

/// Reads what the services of these groups last said.
async fn read_banners<T: Table>(store: &Store<T>, snapshot: &mut Snapshot) -> Result<(), Error> {
    for (group, known) in &mut snapshot.groups {
        let (banners, unreadable) = store.banners(*group).await?;
        known.banners = banners;
        snapshot
            .unreadable
            .extend(unreadable.iter().map(|error| chain(error)));
    }
    Ok(())
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
