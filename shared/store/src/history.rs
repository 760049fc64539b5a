//! What was seen before: results, rollups and closed incidents, written once and read piece by piece.

use std::collections::BTreeMap;

use portpulse_core::board::ClosedIncident;
use portpulse_core::group::GroupId;
use portpulse_core::id::Region;
use portpulse_core::period::Period;
use portpulse_core::rollup::{OtherTimes, Rollup};
use portpulse_core::round::Observations;
use portpulse_core::time::Tick;

use crate::codec;
use crate::error::{Error, Malformed};
use crate::keys::{self, Key, PK};
use crate::store::{Store, sort_key};
use crate::table::{Browse, Condition, Item, Put, Read, Stretch, Table};

/// Rows that were read, by their key; what cannot be read is left out, and named.
#[derive(Debug)]
pub struct Found<K, R> {
    /// The rows that are there and could be read.
    pub rows: BTreeMap<K, R>,
    /// What is wrong with the others. They are there, and must not be overwritten.
    pub unreadable: BTreeMap<K, Error>,
}

/// A piece of a stretch.
#[derive(Debug)]
pub struct Piece<R> {
    /// The rows, in the stretch's order.
    pub rows: Vec<R>,
    /// What is wrong with those that cannot be read.
    pub unreadable: Vec<Error>,
    /// What is left of the stretch.
    pub rest: Option<Stretch>,
}

impl<T: Table> Store<T> {
    /// What a region saw in each of these ticks, where that is there; eventually consistent.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn results_of(
        &self,
        group: GroupId,
        ticks: impl IntoIterator<Item = Tick>,
        region: &Region,
    ) -> Result<Found<Tick, Observations>, Error> {
        let keys = ticks
            .into_iter()
            .map(|tick| (keys::results(group, tick, region), tick));
        self.find(keys.collect(), Read::Eventual, codec::results::decode)
            .await
    }

    /// What a region saw over each of these hours or days, where that is summed up.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn rollups_of(
        &self,
        group: GroupId,
        periods: impl IntoIterator<Item = Period>,
        region: &Region,
        read: Read,
    ) -> Result<Found<Period, Rollup>, Error> {
        let keys = periods
            .into_iter()
            .map(|period| (keys::rollup(group, period, region), period));
        self.find(keys.collect(), read, codec::rollup::decode).await
    }

    /// Keeps what a region saw over an hour or a day. What is there already stands; whether this was kept.
    ///
    /// # Errors
    /// When the item is too large, or it is not known whether it is in place.
    pub async fn put_rollup(
        &self,
        group: GroupId,
        period: Period,
        region: &Region,
        rollup: &Rollup,
    ) -> Result<bool, Error> {
        let key = keys::rollup(group, period, region);
        let item = codec::rollup::encode(&key, period, rollup);
        Ok(self.put(key, item, Condition::Absent).await? == Put::Done)
    }

    /// The phases but the connect, as a region saw them over each of these hours or days, where that is summed up;
    /// strongly consistent.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn other_times_of(
        &self,
        group: GroupId,
        periods: impl IntoIterator<Item = Period>,
        region: &Region,
    ) -> Result<Found<Period, OtherTimes>, Error> {
        let keys = periods
            .into_iter()
            .map(|period| (keys::other_times(group, period, region), period));
        self.find(keys.collect(), Read::Strong, codec::other_times::decode)
            .await
    }

    /// Keeps the phases but the connect, as a region saw them over an hour or a day. What is there already stands;
    /// whether this was kept.
    ///
    /// # Errors
    /// When the item is too large, or it is not known whether it is in place.
    pub async fn put_other_times(
        &self,
        group: GroupId,
        period: Period,
        region: &Region,
        times: &OtherTimes,
    ) -> Result<bool, Error> {
        let key = keys::other_times(group, period, region);
        let item = codec::other_times::encode(&key, period, times);
        Ok(self.put(key, item, Condition::Absent).await? == Put::Done)
    }

    async fn find<K: Ord + Copy, R>(
        &self,
        wanted: BTreeMap<Key, K>,
        read: Read,
        decode: impl Fn(&Item) -> Result<R, Malformed>,
    ) -> Result<Found<K, R>, Error> {
        let (mut rows, mut unreadable) = (BTreeMap::new(), BTreeMap::new());
        let keys: Vec<_> = wanted.keys().cloned().collect();
        for item in self.table.get_many(&keys, read).await? {
            let key = key_of(&item);
            // DynamoDB returns what was asked for, and nothing else.
            let Some(asked) = wanted.get(&key).copied() else {
                continue;
            };
            match decode(&item) {
                Ok(row) => drop(rows.insert(asked, row)),
                Err(source) => drop(unreadable.insert(asked, Error::Unreadable { key, source })),
            }
        }
        Ok(Found { rows, unreadable })
    }
}

impl<T: Browse> Store<T> {
    /// The next of the rollups in a stretch of [`keys::rollups`], at most `limit`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn next_rollups(
        &self,
        stretch: &Stretch,
        limit: u32,
    ) -> Result<Piece<(Period, Region, Rollup)>, Error> {
        self.next(stretch, limit, |item| {
            let (period, region) = keys::parse_rollup(sort_key(item)).ok_or(Malformed::Unknown)?;
            Ok((period, region, codec::rollup::decode(item)?))
        })
        .await
    }

    /// The next of the phases but the connect in a stretch of [`keys::all_other_times`], at most `limit`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn next_other_times(
        &self,
        stretch: &Stretch,
        limit: u32,
    ) -> Result<Piece<(Period, Region, OtherTimes)>, Error> {
        self.next(stretch, limit, |item| {
            let (period, region) = keys::parse_rollup(sort_key(item)).ok_or(Malformed::Unknown)?;
            Ok((period, region, codec::other_times::decode(item)?))
        })
        .await
    }

    /// The next of the closed incidents in a stretch of [`keys::incidents_of_month`], at most `limit`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn next_incidents(
        &self,
        stretch: &Stretch,
        limit: u32,
    ) -> Result<Piece<ClosedIncident>, Error> {
        self.next(stretch, limit, codec::closed_incident::decode).await
    }

    /// The next of the results in a stretch of [`keys::results_of_day`] or [`keys::results_of_hour`], at most `limit`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn next_results(
        &self,
        stretch: &Stretch,
        limit: u32,
    ) -> Result<Piece<(Tick, Region, Observations)>, Error> {
        let day = stretch.pk.rsplit('#').next().unwrap_or_default();
        self.next(stretch, limit, |item| {
            let (tick, region) = keys::parse_results(day, sort_key(item)).ok_or(Malformed::Unknown)?;
            Ok((tick, region, codec::results::decode(item)?))
        })
        .await
    }

    async fn next<R>(
        &self,
        stretch: &Stretch,
        limit: u32,
        decode: impl Fn(&Item) -> Result<R, Malformed>,
    ) -> Result<Piece<R>, Error> {
        let page = self.table.page(stretch, limit).await?;
        let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
        for item in &page.items {
            match decode(item) {
                Ok(row) => rows.push(row),
                Err(source) => {
                    let key = key_of(item);
                    unreadable.push(Error::Unreadable { key, source });
                }
            }
        }
        Ok(Piece {
            rows,
            unreadable,
            rest: page.rest,
        })
    }
}

/// The key of an item that was read: always there, always text.
fn key_of(item: &Item) -> Key {
    let pk = item.get(PK).and_then(|value| value.as_s().ok());
    Key {
        pk: pk.cloned().unwrap_or_default(),
        sk: sort_key(item).to_owned(),
    }
}
