//! Reads the monitors of other groups that failing monitors depend on, at any depth.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

use futures_util::future::join;
use portpulse_alert::Publish;
use portpulse_core::decide::Elsewhere;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{DecisionState, GroupState, Status, Track};
use portpulse_core::id::MonitorId;
use portpulse_core::round::Definitions;
use portpulse_store::table::Table;

use crate::Error;
use crate::checker::Checker;
use crate::probe::{Clock, Probe};
use crate::report::Effects;

/// Another group, as far as it could be read.
#[derive(Default)]
struct OtherGroup {
    definitions: Definitions,
    decision: DecisionState,
}

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// The monitors of other groups that failing monitors of this group depend on. Each group is read once, and only if a
    /// failing monitor depends on it.
    pub(crate) async fn elsewhere(
        &self,
        group: GroupId,
        definitions: &Definitions,
        group_state: &GroupState,
        effects: &mut Effects,
    ) -> Elsewhere {
        let is_failing = |id: &MonitorId| {
            let mut states = group_state.locations.values();
            states.any(|state| state.entries.contains_key(id))
                || group_state.decision.incidents.keys().any(|(of, _)| of == id)
        };
        let mut waiting: Vec<(MonitorId, GroupId)> = Vec::new();
        for id in definitions.monitors.keys().filter(|id| is_failing(id)) {
            waiting.extend(parents(definitions, id, group));
        }
        let mut known = BTreeSet::new();
        let mut groups = BTreeMap::<GroupId, OtherGroup>::new();
        let mut elsewhere = Elsewhere::default();
        while let Some((id, of)) = waiting.pop() {
            if !known.insert(id.clone()) {
                continue;
            }
            if of == group {
                waiting.extend(parents(definitions, &id, group));
                continue;
            }
            let other = match groups.entry(of) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(self.read_other(of, effects).await),
            };
            let above: Vec<_> = parents(&other.definitions, &id, of).collect();
            let ids = above.iter().map(|(parent, _)| parent.clone());
            elsewhere.parents.insert(id.clone(), ids.collect());
            waiting.extend(above);
            let incident = other.decision.incidents.get(&(id.clone(), Track::Health));
            if incident.is_some_and(|incident| incident.status == Status::Down && incident.is_bad_now()) {
                elsewhere.down.insert(id);
            }
        }
        elsewhere
    }

    /// Reads another group. What cannot be read suppresses nothing.
    async fn read_other(&self, group: GroupId, effects: &mut Effects) -> OtherGroup {
        let (definitions, state) = join(self.store.definitions(group), self.read_group_state(group)).await;
        let definitions = definitions.map_err(|source| Error::Read {
            what: "definitions",
            group,
            source,
        });
        let state = effects.value_of(state);
        OtherGroup {
            definitions: effects.value_of(definitions).unwrap_or_default(),
            decision: state.map(|read| read.group_state.decision).unwrap_or_default(),
        }
    }
}

/// The monitors that a monitor depends on, with their groups. Without a known group, a dependency is looked for in the
/// group of the monitor.
fn parents(
    definitions: &Definitions,
    id: &MonitorId,
    own: GroupId,
) -> impl Iterator<Item = (MonitorId, GroupId)> + use<> {
    let monitor = definitions.monitors.get(id);
    let parents = monitor.map(|monitor| monitor.alert_policy().depends_on.clone());
    let parents = parents.unwrap_or_default().into_iter();
    parents.map(move |(parent, group)| (parent, group.unwrap_or(own)))
}
