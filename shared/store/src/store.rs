//! Reads and writes of a checker, in types of the core. Every write that affects decisions is conditional.

use std::collections::BTreeMap;

use portpulse_core::control::Control;
use portpulse_core::decide::SizeLimit;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{
    ClosedIncident, DecisionState, FleetState, GroupState, LocationKind, LocationState,
};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::round::{Definitions, Observations, broken_id};
use portpulse_core::time::Tick;

use crate::codec;
use crate::error::{Error, Malformed};
use crate::keys::{self, GroupStateKey, Key, SK};
use crate::size;
use crate::table::{Condition, Item, Put, Read, Table};

/// The items of Portpulse in a table.
#[derive(Debug, Clone)]
pub struct Store<T> {
    pub(crate) table: T,
    decision_bytes: usize,
}

/// The maximum size of a group's decision state and of the fleet state.
#[derive(Debug, Clone, Copy)]
pub struct DecisionLimit {
    group: GroupId,
    bytes: usize,
}

impl SizeLimit for DecisionLimit {
    fn decision_fits(&self, state: &DecisionState) -> bool {
        let key = keys::decision_state(self.group);
        size::item(&codec::decision_state::encode(&key, state)) <= self.bytes
    }

    fn fleet_fits(&self, state: &FleetState) -> bool {
        size::item(&codec::fleet_state::encode(&keys::fleet_state(), state)) <= self.bytes
    }
}

/// A group state as read, without unreadable items.
#[derive(Debug, Default)]
pub struct GroupStateRead {
    /// The readable items.
    pub group_state: GroupState,
    /// Errors of unreadable items. They must not be overwritten.
    pub unreadable: BTreeMap<GroupStateKey, Error>,
}

/// The outcome of [`Store::put_results`].
#[derive(Debug)]
pub enum Recorded {
    /// The results were stored.
    Written,
    /// Another checker stored results of the same tick and location first. These count; they have no details.
    AlreadyThere(Observations),
    /// The item in place is unreadable and stays unchanged.
    Unreadable(Error),
}

/// The outcome of [`Store::put_location_state`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// The state was written: the tick counts once.
    Done,
    /// The state in place has the same tick or a later one. It may come from this writer, if the response to an earlier
    /// attempt of the SDK was lost.
    Conflict,
    /// An earlier tick was committed after the state was read, and would be lost. Read and count again.
    Overtaken,
}

/// The outcome of a write that is conditional on a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// The item was written.
    Done,
    /// Another writer wrote first, or this one did in an attempt whose response was lost. Read and decide again.
    Conflict,
}

impl<T: Table> Store<T> {
    /// A store on `table`.
    pub fn new(table: T) -> Self {
        Self {
            table,
            decision_bytes: size::MAX_BYTES,
        }
    }

    /// Limits decision states and the fleet state to `bytes`, at most [`size::MAX_BYTES`].
    #[must_use]
    pub fn with_decision_bytes(self, bytes: usize) -> Self {
        Self {
            decision_bytes: bytes.min(size::MAX_BYTES),
            ..self
        }
    }

    /// The size limit for the decision state of `group` and the fleet state.
    pub fn decision_limit(&self, group: GroupId) -> DecisionLimit {
        DecisionLimit {
            group,
            bytes: self.decision_bytes,
        }
    }

    /// The table.
    pub fn table(&self) -> &T {
        &self.table
    }

    /// The enabled definitions of a group, and the errors of invalid ones.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn definitions(&self, group: GroupId) -> Result<Definitions, Error> {
        let items = self
            .table
            .query(&keys::definitions(group), Read::Eventual)
            .await?;
        let mut definitions = Definitions::default();
        for item in &items {
            let id = sort_key(item);
            match codec::definition::decode(group, id, item) {
                Ok(monitor) if monitor.is_enabled() => {
                    definitions.monitors.insert(monitor.id().clone(), monitor);
                }
                Ok(_) => {}
                Err(diagnostics) => {
                    definitions.broken.insert(broken_id(id), diagnostics);
                }
            }
        }
        Ok(definitions)
    }

    /// The state of a group, in one strongly consistent query.
    ///
    /// # Errors
    /// If the table cannot be read. Malformed items are in [`GroupStateRead::unreadable`].
    pub async fn group_state(&self, group: GroupId) -> Result<GroupStateRead, Error> {
        self.group_state_as_of(group, Read::Strong).await
    }

    /// The state of a group, in one query. An eventually consistent read suffices for display, not for decisions.
    ///
    /// # Errors
    /// As for [`Store::group_state`].
    pub async fn group_state_as_of(&self, group: GroupId, how: Read) -> Result<GroupStateRead, Error> {
        let pk = keys::group_state(group);
        let mut read = GroupStateRead::default();
        for item in self.table.query(&pk, how).await? {
            let sk = sort_key(&item);
            let kind = GroupStateKey::of(sk);
            let decoded = match &kind {
                // A location of unknown kind is expected too.
                GroupStateKey::Expectation(location) => {
                    read.group_state.listed.insert(location.clone());
                    codec::expectation::kind(&item).map(|kind| match kind {
                        LocationKind::Region => {}
                        LocationKind::Agent => drop(read.group_state.agents.insert(location.clone())),
                    })
                }
                GroupStateKey::Location(location) => codec::location_state::decode(&item).map(|state| {
                    read.group_state.locations.insert(location.clone(), state);
                }),
                GroupStateKey::Decision => {
                    codec::decision_state::decode(&item).map(|state| read.group_state.decision = state)
                }
                GroupStateKey::Unknown(_) => Err(Malformed::Unknown),
            };
            if let Err(source) = decoded {
                let error = unreadable_at(&pk, sk, source);
                read.unreadable.insert(kind, error);
            }
        }
        Ok(read)
    }

    /// Silences and acknowledgements by monitor, and the errors of unreadable items.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn controls(&self) -> Result<(BTreeMap<MonitorId, Control>, Vec<Error>), Error> {
        let pk = keys::controls();
        let (mut controls, mut unreadable) = (BTreeMap::new(), Vec::new());
        for item in self.table.query(&pk, Read::Eventual).await? {
            let sk = sort_key(&item);
            let id = sk.parse().map_err(|error| Malformed::Value {
                at: SK.to_owned(),
                source: Box::<portpulse_core::id::InvalidName>::new(error),
            });
            match id.and_then(|id| Ok((id, codec::control::decode(&item)?))) {
                Ok((id, control)) => drop(controls.insert(id, control)),
                Err(source) => unreadable.push(unreadable_at(&pk, sk, source)),
            }
        }
        Ok((controls, unreadable))
    }

    /// The fleet state, strongly consistent; the default if there is none.
    ///
    /// # Errors
    /// If the table or the item cannot be read.
    pub async fn fleet(&self) -> Result<FleetState, Error> {
        let key = keys::fleet_state();
        let item = self.table.get(&key.pk, &key.sk, Read::Strong).await?;
        Ok(decode_current(key, item.as_ref(), codec::fleet_state::decode)?.unwrap_or_default())
    }

    /// Stores the results of one location and tick, unless there are results already.
    ///
    /// # Errors
    /// If the item is too large, or the outcome of the write is unknown.
    pub async fn put_results(
        &self,
        group: GroupId,
        tick: Tick,
        location: &Location,
        observations: &Observations,
    ) -> Result<Recorded, Error> {
        let key = keys::results(group, tick, location);
        let item = codec::results::encode(&key, tick, observations);
        match self.put(key.clone(), item, Condition::Absent).await? {
            Put::Done => Ok(Recorded::Written),
            Put::Refused { current } => Ok(
                match decode_current(key, current.as_ref(), codec::results::decode) {
                    Ok(there) => Recorded::AlreadyThere(there.unwrap_or_else(|| observations.clone())),
                    Err(error) => Recorded::Unreadable(error),
                },
            ),
        }
    }

    /// Commits a location's tick if the state in place still has the tick `before`, from which `state` was counted (`None`:
    /// there was no state). So each tick counts once.
    ///
    /// # Errors
    /// If the item is too large, the item in place is unreadable (it stays unchanged), or the outcome of the write is
    /// unknown.
    pub async fn put_location_state(
        &self,
        group: GroupId,
        location: &Location,
        before: Option<Tick>,
        state: &LocationState,
    ) -> Result<Commit, Error> {
        let key = keys::location_state(group, location);
        let item = codec::location_state::encode(&key, state);
        let condition = before.map_or(Condition::Absent, Condition::Tick);
        match self.put(key.clone(), item, condition).await? {
            Put::Done => Ok(Commit::Done),
            Put::Refused { current } => {
                match decode_current(key, current.as_ref(), codec::location_state::decode)? {
                    Some(current) if current.tick >= state.tick => Ok(Commit::Conflict),
                    Some(_) | None => Ok(Commit::Overtaken),
                }
            }
        }
    }

    /// Writes a decision state if the one in place has the previous revision.
    ///
    /// # Errors
    /// As for [`Store::put_location_state`].
    pub async fn put_decision(&self, group: GroupId, state: &DecisionState) -> Result<Written, Error> {
        let key = keys::decision_state(group);
        let item = codec::decision_state::encode(&key, state);
        self.put_revision(key, item, state.revision, codec::decision_state::decode)
            .await
    }

    /// Writes the fleet state if the one in place has the previous revision.
    ///
    /// # Errors
    /// As for [`Store::put_location_state`].
    pub async fn put_fleet(&self, state: &FleetState) -> Result<Written, Error> {
        let key = keys::fleet_state();
        let item = codec::fleet_state::encode(&key, state);
        self.put_revision(key, item, state.revision, codec::fleet_state::decode)
            .await
    }

    /// Archives a closed incident, unless it is archived already.
    ///
    /// # Errors
    /// If the outcome of the write is unknown.
    pub async fn file_incident(&self, closed: &ClosedIncident) -> Result<(), Error> {
        let key = keys::closed_incident(closed);
        let item = codec::closed_incident::encode(&key, closed);
        self.put(key, item, Condition::Absent).await?;
        Ok(())
    }

    /// Puts an item if the one in place has the previous revision. `decode` reads the one in place after a conflict.
    pub(crate) async fn put_revision<R>(
        &self,
        key: Key,
        item: Item,
        revision: u64,
        decode: impl Fn(&Item) -> Result<R, Malformed>,
    ) -> Result<Written, Error> {
        let condition = Condition::Revision(revision.saturating_sub(1));
        match self.put(key.clone(), item, condition).await? {
            Put::Done => Ok(Written::Done),
            Put::Refused { current } => {
                decode_current(key, current.as_ref(), decode)?;
                Ok(Written::Conflict)
            }
        }
    }

    /// Puts an item. All writes use this function, which checks the size.
    pub(crate) async fn put(&self, key: Key, item: Item, condition: Condition) -> Result<Put, Error> {
        let (bytes, limit) = (size::item(&item), size::MAX_BYTES);
        if bytes > limit {
            return Err(Error::TooLarge { key, bytes, limit });
        }
        Ok(self.table.put(item, condition).await?)
    }
}

/// Decodes the item that made a condition fail. An unreadable item is an error, not a conflict.
pub(crate) fn decode_current<R>(
    key: Key,
    current: Option<&Item>,
    decode: impl Fn(&Item) -> Result<R, Malformed>,
) -> Result<Option<R>, Error> {
    let state = current.map(decode).transpose();
    state.map_err(|source| Error::Unreadable { key, source })
}

/// The error of an unreadable item.
pub(crate) fn unreadable_at(pk: &str, sk: &str, source: Malformed) -> Error {
    let (pk, sk) = (pk.to_owned(), sk.to_owned());
    let key = Key { pk, sk };
    Error::Unreadable { key, source }
}

/// The sort key of an item that was read. The attribute always exists and is text.
pub(crate) fn sort_key(item: &Item) -> &str {
    item.get(SK)
        .and_then(|value| value.as_s().ok())
        .map_or("", String::as_str)
}
