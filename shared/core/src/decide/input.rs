//! The input of a decision.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::control::Control;
use crate::group::GroupId;
use crate::group_state::{FleetState, GroupState};
use crate::id::{Location, MonitorId};
use crate::outbox::Claimant;
use crate::round::Definitions;

/// The input of a decision.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The group.
    pub group: GroupId,
    /// The definitions of the group.
    pub definitions: &'a Definitions,
    /// The state of the group, read strongly consistent after this location's own state was written.
    pub group_state: &'a GroupState,
    /// The fleet state, shared by all groups; `None` if it could not be read, in which case it is not written.
    pub fleet: Option<&'a FleetState>,
    /// The expected locations if the group state lists none.
    pub fallback_locations: &'a BTreeSet<Location>,
    /// Silences and acknowledgements.
    pub controls: &'a BTreeMap<MonitorId, Control>,
    /// The monitors of other groups that monitors of this group depend on, at any depth.
    pub elsewhere: &'a Elsewhere,
    /// The current time.
    pub now: Timestamp,
    /// The claimant of notifications.
    pub me: &'a Claimant,
}

/// Monitors of other groups that failing monitors of this group depend on, at any depth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// Those that are down.
    pub down: BTreeSet<MonitorId>,
    /// The monitors that each of them depends on.
    pub parents: BTreeMap<MonitorId, BTreeSet<MonitorId>>,
}

impl Elsewhere {
    /// No monitors of other groups, for questions that do not depend on them.
    pub const NOTHING: &'static Self = &Self {
        down: BTreeSet::new(),
        parents: BTreeMap::new(),
    };
}

impl<'a> Input<'a> {
    /// The expected locations. They come from the same read as the location states, so that a decision never combines
    /// two reads.
    pub fn expected(&self) -> &'a BTreeSet<Location> {
        self.group_state.expected(self.fallback_locations)
    }

    /// The current time as stored: in whole seconds, rounded down.
    pub(super) fn stamp(&self) -> Timestamp {
        Timestamp::from_second(self.now.as_second()).unwrap_or(self.now)
    }
}
