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

/// What one region saw over an hour or a day, summed up in an item of its own: a [`Rollup`], or [`OtherTimes`].
pub trait Summary: Sized {
    /// Where it stands.
    fn key(group: GroupId, period: Period, region: &Region) -> Key;

    /// Where those of all regions stand, from one hour to another, or from one day to another, both included; the
    /// latest first.
    fn stretch(group: GroupId, first: Period, last: Period) -> Stretch;

    /// The item of it.
    fn encode(&self, key: &Key, period: Period) -> Item;

    /// Reads such an item.
    ///
    /// # Errors
    /// What is wrong with it.
    fn decode(item: &Item) -> Result<Self, Malformed>;
}

impl Summary for Rollup {
    fn key(group: GroupId, period: Period, region: &Region) -> Key {
        keys::rollup(group, period, region)
    }

    fn stretch(group: GroupId, first: Period, last: Period) -> Stretch {
        keys::rollups(group, first, last)
    }

    fn encode(&self, key: &Key, period: Period) -> Item {
        codec::rollup::encode(key, period, self)
    }

    fn decode(item: &Item) -> Result<Self, Malformed> {
        codec::rollup::decode(item)
    }
}

impl Summary for OtherTimes {
    fn key(group: GroupId, period: Period, region: &Region) -> Key {
        keys::other_times(group, period, region)
    }

    fn stretch(group: GroupId, first: Period, last: Period) -> Stretch {
        keys::all_other_times(group, first, last)
    }

    fn encode(&self, key: &Key, period: Period) -> Item {
        codec::other_times::encode(key, period, self)
    }

    fn decode(item: &Item) -> Result<Self, Malformed> {
        codec::other_times::decode(item)
    }
}

/// A row that is read piece by piece.
pub trait Row: Sized {
    /// Reads an item of a stretch of such rows.
    ///
    /// # Errors
    /// What is wrong with it.
    fn decode(stretch: &Stretch, item: &Item) -> Result<Self, Malformed>;
}

/// In a stretch of [`Summary::stretch`].
impl<S: Summary> Row for (Period, Region, S) {
    fn decode(_: &Stretch, item: &Item) -> Result<Self, Malformed> {
        let (period, region) = keys::parse_rollup(sort_key(item)).ok_or(Malformed::Unknown)?;
        Ok((period, region, S::decode(item)?))
    }
}

/// In a stretch of [`keys::results_of_day`] or [`keys::results_of_hour`].
impl Row for (Tick, Region, Observations) {
    fn decode(stretch: &Stretch, item: &Item) -> Result<Self, Malformed> {
        let day = stretch.pk.rsplit('#').next().unwrap_or_default();
        let (tick, region) = keys::parse_results(day, sort_key(item)).ok_or(Malformed::Unknown)?;
        Ok((tick, region, codec::results::decode(item)?))
    }
}

/// In a stretch of [`keys::incidents_of_month`].
impl Row for ClosedIncident {
    fn decode(_: &Stretch, item: &Item) -> Result<Self, Malformed> {
        codec::closed_incident::decode(item)
    }
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
    pub async fn summaries_of<S: Summary>(
        &self,
        group: GroupId,
        periods: impl IntoIterator<Item = Period>,
        region: &Region,
        read: Read,
    ) -> Result<Found<Period, S>, Error> {
        let keys = periods
            .into_iter()
            .map(|period| (S::key(group, period, region), period));
        self.find(keys.collect(), read, S::decode).await
    }

    /// Keeps what a region saw over an hour or a day. What is there already stands; whether this was kept.
    ///
    /// # Errors
    /// When the item is too large, or it is not known whether it is in place.
    pub async fn put_summary<S: Summary>(
        &self,
        group: GroupId,
        period: Period,
        region: &Region,
        summary: &S,
    ) -> Result<bool, Error> {
        let key = S::key(group, period, region);
        let item = summary.encode(&key, period);
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
    /// The next of the rows in a stretch, at most `limit`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn next<R: Row>(&self, stretch: &Stretch, limit: u32) -> Result<Piece<R>, Error> {
        let page = self.table.page(stretch, limit).await?;
        let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
        for item in &page.items {
            match R::decode(stretch, item) {
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
