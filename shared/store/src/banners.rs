//! What services last said: replaced once an hour by each location, read by those who show it.

use std::collections::BTreeMap;

use portpulse_core::banners::Banners;
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::time::Tick;

use crate::codec;
use crate::error::{Error, Malformed};
use crate::keys;
use crate::store::{Store, known, sort_key};
use crate::table::{Condition, Put, Read, Table};

impl<T: Table> Store<T> {
    /// What the services of a group last said to a location, eventually consistent.
    ///
    /// # Errors
    /// When the table or the item cannot be read.
    pub async fn words_of(&self, group: GroupId, location: &Location) -> Result<Option<Banners>, Error> {
        let key = keys::words_of(group, location);
        let item = self.table.get(&key.pk, &key.sk, Read::Eventual).await?;
        known(key, item.as_ref(), codec::banners::decode)
    }

    /// What the services of a group last said to each location, in one eventually consistent query; and what of it cannot
    /// be read.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn banners(&self, group: GroupId) -> Result<(BTreeMap<Location, Banners>, Vec<Error>), Error> {
        let pk = keys::banners(group);
        let (mut banners, mut unreadable) = (BTreeMap::new(), Vec::new());
        for item in self.table.query(&pk, Read::Eventual).await? {
            let sk = sort_key(&item);
            let location = keys::parse_words(sk).ok_or(Malformed::Unknown);
            match location.and_then(|location| Ok((location, codec::banners::decode(&item)?))) {
                Ok((location, banner)) => drop(banners.insert(location, banner)),
                Err(source) => unreadable.push(Error::Unreadable {
                    key: keys::Key {
                        pk: pk.clone(),
                        sk: sk.to_owned(),
                    },
                    source,
                }),
            }
        }
        Ok((banners, unreadable))
    }

    /// Keeps what services said to a location, on condition that what is in place is still that of the tick `before`
    /// (none, where there was none); whether it was kept.
    ///
    /// # Errors
    /// When the item is too large, or it is not known whether it is in place.
    pub async fn put_banners(
        &self,
        group: GroupId,
        location: &Location,
        before: Option<Tick>,
        banners: &Banners,
    ) -> Result<bool, Error> {
        let key = keys::words_of(group, location);
        let item = codec::banners::encode(&key, banners);
        let condition = before.map_or(Condition::Absent, Condition::Tick);
        Ok(self.put(key, item, condition).await? == Put::Done)
    }
}
