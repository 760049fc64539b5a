//! The checker, and what its steps share.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use portpulse_alert::Publish;
use portpulse_core::decide::{Elsewhere, Input};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{GroupState, LocationKind};
use portpulse_core::id::Location;
use portpulse_core::outbox::Claimant;
use portpulse_core::page_url::PageUrl;
use portpulse_core::round::Definitions;
use portpulse_store::Store;
use portpulse_store::store::GroupStateRead;
use portpulse_store::table::Table;

use crate::Error;
use crate::deadline::{Deadline, OPERATION_TIME};
use crate::probe::{Clock, Probe};

/// The maximum number of attempts to write an item in conflict with other checkers. Each conflict is the progress of
/// another checker, so with seventeen locations that decide at the same time, the last one needs at most this many.
pub(crate) const MAX_ATTEMPTS: u32 = 40;

/// Checks groups from one location. Handles one tick after the other.
#[derive(Debug)]
pub struct Checker<T, P, N, C> {
    pub(crate) store: Store<T>,
    pub(crate) prober: P,
    pub(crate) topic: N,
    pub(crate) clock: C,
    pub(crate) location: Location,
    pub(crate) fallback_locations: BTreeSet<Location>,
    pub(crate) page: Option<PageUrl>,
    pub(crate) standby: Option<Standby<T, N>>,
}

/// The table and the topic of the standby region.
#[derive(Debug)]
pub struct Standby<T, N> {
    /// The table.
    pub store: Store<T>,
    /// The topic.
    pub topic: N,
    /// The kind of this checker's location.
    pub kind: LocationKind,
}

/// The parameters of one invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The claimant of notifications: unique to the invocation.
    pub claimant: Claimant,
    /// The time left.
    pub remaining: Duration,
}

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Reads the state of a group.
    pub(crate) async fn read_group_state(&self, group: GroupId) -> Result<GroupStateRead, Error> {
        let read = self.store.group_state(group).await;
        read.map_err(|source| Error::Read {
            what: "group state",
            group,
            source,
        })
    }

    /// A checker for `location`. Groups without listed locations expect `fallback_locations`.
    pub fn new(
        store: Store<T>,
        prober: P,
        topic: N,
        clock: C,
        location: Location,
        fallback_locations: BTreeSet<Location>,
    ) -> Self {
        Self {
            store,
            prober,
            topic,
            clock,
            location,
            fallback_locations,
            page: None,
            standby: None,
        }
    }

    /// The checker with the address of the status page, which its notifications link to.
    #[must_use]
    pub fn with_page(self, page: Option<PageUrl>) -> Self {
        Self { page, ..self }
    }

    /// The checker with a standby region.
    #[must_use]
    pub fn with_standby(self, standby: Option<Standby<T, N>>) -> Self {
        Self { standby, ..self }
    }

    /// `Some` if there is time for one more operation on the table.
    pub(crate) fn time_left(&self, deadline: Deadline) -> Option<()> {
        let took = self.clock.passed_since(deadline.began);
        (took + OPERATION_TIME <= deadline.remaining).then_some(())
    }

    /// Asks the core about a group state, without the inputs that are read only for a decision.
    pub(crate) fn ask(
        &self,
        group: GroupId,
        definitions: &Definitions,
        group_state: &GroupState,
        invocation: &Invocation,
        question: impl FnOnce(&Input<'_>) -> bool,
    ) -> bool {
        question(&Input {
            group,
            definitions,
            group_state,
            fleet: None,
            fallback_locations: &self.fallback_locations,
            controls: &BTreeMap::new(),
            elsewhere: Elsewhere::NOTHING,
            now: self.clock.now(),
            me: &invocation.claimant,
        })
    }
}
