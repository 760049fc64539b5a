//! What a checker reads and writes, in the words of the core; every write that decides something is conditional.

use std::collections::BTreeMap;

use portpulse_core::control::Control;
use portpulse_core::decide::SizeLimit;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{ClosedIncident, DecisionState, FleetState, GroupState, LocationState};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::round::{Definitions, Observations, broken_id};
use portpulse_core::time::Tick;

use crate::codec;
use crate::error::{Error, Malformed};
use crate::keys::{self, Key, RowKey, SK};
use crate::size;
use crate::table::{Condition, Item, Put, Read, Table};

/// The rows of Portpulse in a table.
#[derive(Debug, Clone)]
pub struct Store<T> {
    pub(crate) table: T,
    decision_bytes: usize,
}

/// How large the rows of a group's decisions may become.
#[derive(Debug, Clone, Copy)]
pub struct DecisionLimit {
    group: GroupId,
    bytes: usize,
}

impl SizeLimit for DecisionLimit {
    fn decision_fits(&self, row: &DecisionState) -> bool {
        let key = keys::decision_state(self.group);
        size::item(&codec::decision_state::encode(&key, row)) <= self.bytes
    }

    fn fits_fleet(&self, row: &FleetState) -> bool {
        size::item(&codec::fleet_state::encode(&keys::fleet_state(), row)) <= self.bytes
    }
}

/// A board as read: an unreadable row is left out of it.
#[derive(Debug, Default)]
pub struct GroupStateRead {
    /// The rows that could be read.
    pub group_state: GroupState,
    /// The others, with what is wrong with each. They must not be overwritten.
    pub unreadable: BTreeMap<RowKey, Error>,
}

/// What became of a tick's results.
#[derive(Debug)]
pub enum Recorded {
    /// They are kept.
    Written,
    /// A twin's results of the same tick and location were there first, and count: these, without their details.
    AlreadyThere(Observations),
    /// An item that cannot be read stands there, and is left as it is.
    Unreadable(Error),
}

/// What became of a location row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// It is in place: this tick counts, once.
    Done,
    /// A row of this tick or a later one was there first. It may be this writer's own, where the answer to an
    /// earlier attempt of the SDK was lost.
    Conflict,
    /// An earlier tick was committed since the row was read: what it counted would be lost. Read and count again.
    Overtaken,
}

/// What became of a row that is written by revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is in place.
    Done,
    /// Somebody else wrote first, or this writer did in an attempt whose answer was lost: read and decide again.
    Conflict,
}

impl<T: Table> Store<T> {
    /// The rows in `table`.
    pub fn new(table: T) -> Self {
        Self {
            table,
            decision_bytes: size::MAX_BYTES,
        }
    }

    /// The same, with decisions that keep to rows of at most so many bytes: at most [`size::MAX_BYTES`].
    #[must_use]
    pub fn with_decision_bytes(self, bytes: usize) -> Self {
        Self {
            decision_bytes: bytes.min(size::MAX_BYTES),
            ..self
        }
    }

    /// How large the rows of this group's decisions may become.
    pub fn decision_limit(&self, group: GroupId) -> DecisionLimit {
        DecisionLimit {
            group,
            bytes: self.decision_bytes,
        }
    }

    /// The table itself.
    pub fn table(&self) -> &T {
        &self.table
    }

    /// The definitions of a group; those that cannot be read are told apart, disabled ones are left out.
    ///
    /// # Errors
    /// When the table cannot be read.
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

    /// The board of a group, in one strongly consistent query.
    ///
    /// # Errors
    /// When the table cannot be read; a row that is malformed is no error of the whole.
    pub async fn group_state(&self, group: GroupId) -> Result<GroupStateRead, Error> {
        self.group_state_as_of(group, Read::Strong).await
    }

    /// The board of a group, in one query: one that need not be strong will do for showing it, not for deciding.
    ///
    /// # Errors
    /// As with [`Store::group_state`].
    pub async fn group_state_as_of(&self, group: GroupId, how: Read) -> Result<GroupStateRead, Error> {
        let pk = keys::group_state(group);
        let mut read = GroupStateRead::default();
        for item in self.table.query(&pk, how).await? {
            let sk = sort_key(&item);
            let row = RowKey::of(sk);
            let decoded = match &row {
                // Its key says it all.
                RowKey::Expects(location) => {
                    read.group_state.listed.insert(location.clone());
                    Ok(())
                }
                RowKey::Location(location) => codec::location_state::decode(&item).map(|row| {
                    read.group_state.rows.insert(location.clone(), row);
                }),
                RowKey::Status => {
                    codec::decision_state::decode(&item).map(|row| read.group_state.status = row)
                }
                RowKey::Other(_) => Err(Malformed::Unknown),
            };
            if let Err(source) = decoded {
                let (pk, sk) = (pk.clone(), sk.to_owned());
                let key = Key { pk, sk };
                read.unreadable.insert(row, Error::Unreadable { key, source });
            }
        }
        Ok(read)
    }

    /// What people have said of monitors, and what of it cannot be read.
    ///
    /// # Errors
    /// When the table cannot be read.
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
                Ok((id, control)) => {
                    controls.insert(id, control);
                }
                Err(source) => {
                    let (pk, sk) = (pk.clone(), sk.to_owned());
                    unreadable.push(Error::Unreadable {
                        key: Key { pk, sk },
                        source,
                    });
                }
            }
        }
        Ok((controls, unreadable))
    }

    /// What the groups together know of the locations, strongly consistent; nothing, where there is no row yet.
    ///
    /// # Errors
    /// When the table or the row cannot be read.
    pub async fn fleet(&self) -> Result<FleetState, Error> {
        let key = keys::fleet_state();
        match self.table.get(&key.pk, &key.sk, Read::Strong).await? {
            None => Ok(FleetState::default()),
            Some(item) => {
                codec::fleet_state::decode(&item).map_err(|source| Error::Unreadable { key, source })
            }
        }
    }

    /// Keeps what a location saw in a tick. The first results of a tick stand, whoever brings others.
    ///
    /// # Errors
    /// When the item is too large, or it is not known whether it is in place.
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
            Put::Refused { current } => Ok(match known(key, current.as_ref(), codec::results::decode) {
                Ok(there) => Recorded::AlreadyThere(there.unwrap_or_else(|| observations.clone())),
                Err(error) => Recorded::Unreadable(error),
            }),
        }
    }

    /// Commits a location's tick, on condition that the row in place is still the one of the tick `before`, from which
    /// this row was counted (none, where none was read): so that each tick counts, and once.
    ///
    /// # Errors
    /// When the row is too large, or the one in place is of a layout that this version does not know (it is left
    /// as it is), or it is not known whether the row is in place.
    pub async fn put_location_state(
        &self,
        group: GroupId,
        location: &Location,
        before: Option<Tick>,
        row: &LocationState,
    ) -> Result<Commit, Error> {
        let key = keys::location_state(group, location);
        let item = codec::location_state::encode(&key, row);
        let condition = before.map_or(Condition::Absent, Condition::Tick);
        match self.put(key.clone(), item, condition).await? {
            Put::Done => Ok(Commit::Done),
            Put::Refused { current } => match known(key, current.as_ref(), codec::location_state::decode)? {
                Some(current) if current.tick >= row.tick => Ok(Commit::Conflict),
                Some(_) | None => Ok(Commit::Overtaken),
            },
        }
    }

    /// Writes a decision row, on condition that the row in place has the revision before its own.
    ///
    /// # Errors
    /// As with [`Store::put_location_state`].
    pub async fn put_decision(&self, group: GroupId, row: &DecisionState) -> Result<Written, Error> {
        let key = keys::decision_state(group);
        let item = codec::decision_state::encode(&key, row);
        let condition = Condition::Revision(row.revision.saturating_sub(1));
        match self.put(key.clone(), item, condition).await? {
            Put::Done => Ok(Written::Done),
            Put::Refused { current } => {
                known(key, current.as_ref(), codec::decision_state::decode)?;
                Ok(Written::Conflict)
            }
        }
    }

    /// Writes the fleet row, on condition that the row in place has the revision before its own.
    ///
    /// # Errors
    /// As with [`Store::put_location_state`].
    pub async fn put_fleet(&self, row: &FleetState) -> Result<Written, Error> {
        let key = keys::fleet_state();
        let item = codec::fleet_state::encode(&key, row);
        let condition = Condition::Revision(row.revision.saturating_sub(1));
        match self.put(key.clone(), item, condition).await? {
            Put::Done => Ok(Written::Done),
            Put::Refused { current } => {
                known(key, current.as_ref(), codec::fleet_state::decode)?;
                Ok(Written::Conflict)
            }
        }
    }

    /// Files a closed incident; one that is filed already stays as it is.
    ///
    /// # Errors
    /// When it is not known whether it is filed.
    pub async fn file_incident(&self, closed: &ClosedIncident) -> Result<(), Error> {
        let key = keys::closed_incident(closed);
        let item = codec::closed_incident::encode(&key, closed);
        self.put(key, item, Condition::Absent).await?;
        Ok(())
    }

    /// Every write goes through here, so that none is too large.
    pub(crate) async fn put(&self, key: Key, item: Item, condition: Condition) -> Result<Put, Error> {
        let (bytes, limit) = (size::item(&item), size::MAX_BYTES);
        if bytes > limit {
            return Err(Error::TooLarge { key, bytes, limit });
        }
        Ok(self.table.put(item, condition).await?)
    }
}

/// Tells a row that lost a race from one that stands in the way because nobody here can read it.
pub(crate) fn known<R>(
    key: Key,
    current: Option<&Item>,
    decode: impl Fn(&Item) -> Result<R, Malformed>,
) -> Result<Option<R>, Error> {
    let row = current.map(decode).transpose();
    row.map_err(|source| Error::Unreadable { key, source })
}

/// The sort key of an item that a query returned: always there, always text.
pub(crate) fn sort_key(item: &Item) -> &str {
    item.get(SK)
        .and_then(|value| value.as_s().ok())
        .map_or("", String::as_str)
}
