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
    /// Reads the state of a group, and its definitions unless this invocation has read them.
    ///
    /// # Errors
    /// If a read failed.
    pub(crate) async fn load(
        &self,
        group: GroupId,
        known: Option<Definitions>,
    ) -> Result<Loaded, Vec<Error>> {
        let definitions = async {
            match known {
                Some(known) => Ok(known),
                None => self.store.definitions(group).await,
            }
        };
        let (definitions, read) = join(definitions, self.store.group_state(group)).await;
        let (definitions, read) = match (definitions, read) {
            (Ok(definitions), Ok(read)) => (definitions, read),
            (definitions, read) => {
                let error = |what| move |source| Error::Read { what, group, source };
                let definitions = definitions.err().map(error("definitions"));
                let read = read.err().map(error("group state"));
                return Err(definitions.into_iter().chain(read).collect());
            }
        };
        let (mut definitions, group_state, unreadable) = (definitions, read.group_state, read.unreadable);
        definitions.exclude_agents(&group_state.agents);
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
