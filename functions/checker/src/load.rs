//! The first step of a tick: reads the definitions and the state of the group.

use futures_util::future::join;
use portpulse_alert::Publish;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::GroupState;
use portpulse_core::round::Definitions;
use portpulse_store::keys::GroupStateKey;
use portpulse_store::table::Table;

use crate::Error;
use crate::checker::Checker;
use crate::probe::{Clock, Probe};

/// A group as read at the beginning of a tick.
pub(crate) struct Loaded {
    pub(crate) definitions: Definitions,
    pub(crate) group_state: GroupState,
    /// Whether the state of this location is readable, or missing.
    pub(crate) own_state_is_readable: bool,
    /// Whether the decision state is readable, or missing.
    pub(crate) decision_is_readable: bool,
    /// Malformed items, and whether this location is not listed.
    pub(crate) errors: Vec<Error>,
}

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Reads the definitions and the state of a group.
    ///
    /// # Errors
    /// If a read failed.
    pub(crate) async fn load(&self, group: GroupId) -> Result<Loaded, Vec<Error>> {
        let (definitions, read) = join(self.store.definitions(group), self.store.group_state(group)).await;
        let (definitions, read) = match (definitions, read) {
            (Ok(definitions), Ok(read)) => (definitions, read),
            (definitions, read) => {
                let error = |what| move |source| Error::Read { what, group, source };
                let definitions = definitions.err().map(error("definitions"));
                let read = read.err().map(error("group state"));
                return Err(definitions.into_iter().chain(read).collect());
            }
        };
        let (group_state, unreadable) = (read.group_state, read.unreadable);
        let is_listed = group_state.listed.is_empty() || group_state.listed.contains(&self.location);
        let not_listed = (!is_listed).then(|| Error::LocationNotListed {
            location: self.location.clone(),
            group,
        });
        let own_state_is_readable = !unreadable.contains_key(&GroupStateKey::Location(self.location.clone()));
        let decision_is_readable = !unreadable.contains_key(&GroupStateKey::Decision);
        let malformed = unreadable
            .into_values()
            .map(|source| Error::Unreadable { group, source });
        Ok(Loaded {
            definitions,
            group_state,
            own_state_is_readable,
            decision_is_readable,
            errors: not_listed.into_iter().chain(malformed).collect(),
        })
    }
}
