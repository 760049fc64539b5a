//! Banners of services: each location replaces its own once an hour; the status page and the CLI read them.

use std::collections::BTreeMap;

use portpulse_core::banners::Banners;
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::time::Tick;

use crate::codec;
use crate::error::{Error, Malformed};
use crate::keys;
use crate::store::{Store, decode_current, sort_key, unreadable_at};
use crate::table::{Condition, Put, Read, Table};

impl<T: Table> Store<T> {
    /// The latest banners of a group's services as one location received them; eventually consistent.
    ///
    /// # Errors
    /// If the table or the item cannot be read.
    pub async fn banners_of(&self, group: GroupId, location: &Location) -> Result<Option<Banners>, Error> {
        let key = keys::banners_of(group, location);
        let item = self.table.get(&key.pk, &key.sk, Read::Eventual).await?;
        decode_current(key, item.as_ref(), codec::banners::decode)
    }

    /// The latest banners of a group's services by location, and the items that cannot be read. One eventually consistent
    /// query.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn banners(&self, group: GroupId) -> Result<(BTreeMap<Location, Banners>, Vec<Error>), Error> {
        let pk = keys::banners(group);
        let (mut banners, mut unreadable) = (BTreeMap::new(), Vec::new());
        for item in self.table.query(&pk, Read::Eventual).await? {
            let sk = sort_key(&item);
            let location = keys::parse_banners(sk).ok_or(Malformed::Unknown);
            match location.and_then(|location| Ok((location, codec::banners::decode(&item)?))) {
                Ok((location, of_location)) => drop(banners.insert(location, of_location)),
                Err(source) => unreadable.push(unreadable_at(&pk, sk, source)),
            }
        }
        Ok((banners, unreadable))
    }

    /// Stores the banners of one location if the item in place still has the tick `before` (`None`: if there is no item).
    /// Returns whether the banners were stored.
    ///
    /// # Errors
    /// If the item is too large, or the outcome of the write is unknown.
    pub async fn put_banners(
        &self,
        group: GroupId,
        location: &Location,
        before: Option<Tick>,
        banners: &Banners,
    ) -> Result<bool, Error> {
        let key = keys::banners_of(group, location);
        let item = codec::banners::encode(&key, banners);
        let condition = before.map_or(Condition::Absent, Condition::Tick);
        Ok(self.put(key, item, condition).await? == Put::Done)
    }
}
