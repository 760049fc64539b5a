//! What was seen before: results, rollups and closed incidents, written once and read piece by piece.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::group::{GroupId, part_of};
use portpulse_core::group_state::ClosedIncident;
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::period::Period;
use portpulse_core::rollup::{OtherTimes, Rollup};
use portpulse_core::round::Observations;
use portpulse_core::time::Tick;

use crate::codec;
use crate::error::{Error, Malformed};
use crate::keys::{self, Key, PK};
use crate::size;
use crate::store::{Store, sort_key};
use crate::table::{Condition, Item, KeyRange, PagedQuery, Put, Read, Table};

/// The attribute that tells of how many parts this is one.
const PARTS: &str = "parts";
/// The most parts of one summary: beyond all that a group can have.
const MAX_PARTS: u32 = 100;

/// Rows that were read, by their key; what cannot be read is left out, and named.
#[derive(Debug)]
pub struct Found<K, R> {
    /// The rows that are there and could be read.
    pub rows: BTreeMap<K, R>,
    /// What is wrong with those that cannot be read, or not in whole. They are there, and must not be overwritten.
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
    pub rest: Option<KeyRange>,
}

/// What one location saw over an hour or a day, summed up: a [`Rollup`], or [`OtherTimes`].
///
/// It is one item, or as many parts as it takes that each fits into one. A monitor stands in one part alone, whichever
/// other monitors there are, so that parts that a checker left behind when it was killed are right for the next one.
pub trait Summary: Sized {
    /// Where it stands.
    fn key(group: GroupId, period: Period, location: &Location) -> Key;

    /// Where those of all locations stand, from one hour to another, or from one day to another, both included; the
    /// latest first.
    fn key_range(group: GroupId, first: Period, last: Period) -> KeyRange;

    /// The item of it.
    fn encode(&self, key: &Key, period: Period) -> Item;

    /// Reads such an item.
    ///
    /// # Errors
    /// What is wrong with it.
    fn decode(item: &Item) -> Result<Self, Malformed>;

    /// Those of its monitors that belong to one of so many parts.
    #[must_use]
    fn part(&self, number: u32, of: u32) -> Self;

    /// Puts another part to it.
    fn join(&mut self, other: Self);
}

impl Summary for Rollup {
    fn key(group: GroupId, period: Period, location: &Location) -> Key {
        keys::rollup(group, period, location)
    }

    fn key_range(group: GroupId, first: Period, last: Period) -> KeyRange {
        keys::rollups(group, first, last)
    }

    fn encode(&self, key: &Key, period: Period) -> Item {
        codec::rollup::encode(key, period, self)
    }

    fn decode(item: &Item) -> Result<Self, Malformed> {
        codec::rollup::decode(item)
    }

    fn part(&self, number: u32, of: u32) -> Self {
        belonging(self, number, of)
    }

    fn join(&mut self, other: Self) {
        self.extend(other);
    }
}

impl Summary for OtherTimes {
    fn key(group: GroupId, period: Period, location: &Location) -> Key {
        keys::other_times(group, period, location)
    }

    fn key_range(group: GroupId, first: Period, last: Period) -> KeyRange {
        keys::all_other_times(group, first, last)
    }

    fn encode(&self, key: &Key, period: Period) -> Item {
        codec::other_times::encode(key, period, self)
    }

    fn decode(item: &Item) -> Result<Self, Malformed> {
        codec::other_times::decode(item)
    }

    fn part(&self, number: u32, of: u32) -> Self {
        belonging(self, number, of)
    }

    fn join(&mut self, other: Self) {
        self.extend(other);
    }
}

fn belonging<V: Clone>(summary: &BTreeMap<MonitorId, V>, number: u32, of: u32) -> BTreeMap<MonitorId, V> {
    let mine = summary.iter().filter(|(id, _)| part_of(id, of) == number);
    mine.map(|(id, each)| (id.clone(), each.clone())).collect()
}

/// The items of a summary, as few as each fits into one.
fn items<S: Summary>(whole: &Key, period: Period, summary: &S) -> Vec<(Key, Item)> {
    let item = summary.encode(whole, period);
    let bytes = size::item(&item);
    if bytes <= size::MAX_BYTES {
        return vec![(whole.clone(), item)];
    }
    let fewest = u32::try_from(bytes.div_ceil(size::MAX_BYTES)).unwrap_or(u32::MAX);
    let mut parts = Vec::new();
    for of in fewest..=MAX_PARTS {
        parts = (0..of)
            .map(|number| {
                let key = keys::part(whole, number, of);
                let mut item = summary.part(number, of).encode(&key, period);
                item.insert(PARTS.to_owned(), AttributeValue::N(of.to_string()));
                (key, item)
            })
            .collect();
        if parts.iter().all(|(_, item)| size::item(item) <= size::MAX_BYTES) {
            break;
        }
    }
    parts
}

/// How many parts a summary has, by any of them.
fn parts(item: &Item) -> u32 {
    let parts = item.get(PARTS).and_then(|value| value.as_n().ok()?.parse().ok());
    parts.unwrap_or(1).min(MAX_PARTS)
}

/// A row that is read piece by piece.
pub trait Row: Sized {
    /// Reads an item of a stretch of such rows.
    ///
    /// # Errors
    /// What is wrong with it.
    fn decode(key_range: &KeyRange, item: &Item) -> Result<Self, Malformed>;
}

/// In a stretch of [`Summary::key_range`]; of one that has several parts, each is a row.
impl<S: Summary> Row for (Period, Location, S) {
    fn decode(_: &KeyRange, item: &Item) -> Result<Self, Malformed> {
        let (period, location) = keys::parse_rollup(sort_key(item)).ok_or(Malformed::Unknown)?;
        Ok((period, location, S::decode(item)?))
    }
}

/// In a stretch of [`keys::results_of_day`] or [`keys::results_of_hour`].
impl Row for (Tick, Location, Observations) {
    fn decode(key_range: &KeyRange, item: &Item) -> Result<Self, Malformed> {
        let day = key_range.pk.rsplit('#').next().unwrap_or_default();
        let (tick, location) = keys::parse_results(day, sort_key(item)).ok_or(Malformed::Unknown)?;
        Ok((tick, location, codec::results::decode(item)?))
    }
}

/// In a stretch of [`keys::incidents_of_month`].
impl Row for ClosedIncident {
    fn decode(_: &KeyRange, item: &Item) -> Result<Self, Malformed> {
        codec::closed_incident::decode(item)
    }
}

impl<T: Table> Store<T> {
    /// What a location saw in each of these ticks, where that is there; eventually consistent.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn results_of(
        &self,
        group: GroupId,
        ticks: impl IntoIterator<Item = Tick>,
        location: &Location,
    ) -> Result<Found<Tick, Observations>, Error> {
        let keys = ticks
            .into_iter()
            .map(|tick| (keys::results(group, tick, location), tick));
        self.find(keys.collect(), Read::Eventual, codec::results::decode)
            .await
    }

    /// What a location saw over each of these hours or days, where that is summed up.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn summaries_of<S: Summary>(
        &self,
        group: GroupId,
        periods: impl IntoIterator<Item = Period>,
        location: &Location,
        read: Read,
    ) -> Result<Found<Period, S>, Error> {
        let wholes = periods
            .into_iter()
            .map(|period| (S::key(group, period, location), period));
        let decode = |item: &Item| Ok((parts(item), S::decode(item)?));
        let firsts = self.find(wholes.collect(), read, decode).await?;
        let mut found = Found {
            rows: BTreeMap::new(),
            unreadable: firsts.unreadable,
        };
        let mut others = BTreeMap::new();
        for (period, (of, first)) in firsts.rows {
            let whole = S::key(group, period, location);
            others.extend((1..of).map(|number| (keys::part(&whole, number, of), (period, number))));
            found.rows.insert(period, first);
        }
        if others.is_empty() {
            return Ok(found);
        }
        let others = self.find(others, read, S::decode).await?;
        for ((period, _), part) in others.rows {
            if let Some(row) = found.rows.get_mut(&period) {
                row.join(part);
            }
        }
        let unreadable = others.unreadable.into_iter();
        found
            .unreadable
            .extend(unreadable.map(|((period, _), error)| (period, error)));
        Ok(found)
    }

    /// Keeps what a location saw over an hour or a day. What is there already stands; whether this was kept. Of several
    /// parts the first comes last, so that where it is, they all are.
    ///
    /// # Errors
    /// When it is not known whether all of it is in place.
    pub async fn put_summary<S: Summary>(
        &self,
        group: GroupId,
        period: Period,
        location: &Location,
        summary: &S,
    ) -> Result<bool, Error> {
        let mut kept = false;
        for (key, item) in items(&S::key(group, period, location), period, summary)
            .into_iter()
            .rev()
        {
            kept = self.put(key, item, Condition::Absent).await? == Put::Done;
        }
        Ok(kept)
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

impl<T: PagedQuery> Store<T> {
    /// The next of the rows in a stretch, at most `limit`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn next<R: Row>(&self, key_range: &KeyRange, limit: u32) -> Result<Piece<R>, Error> {
        let page = self.table.page(key_range, limit).await?;
        let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
        for item in &page.items {
            match R::decode(key_range, item) {
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
