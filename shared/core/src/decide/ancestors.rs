//! Dependencies at any depth: the monitors that a monitor depends on, in this group and in others.

use std::collections::BTreeSet;

use super::input::Input;
use crate::group_state::{DecisionState, Status, Track};
use crate::id::MonitorId;

/// The monitor that is down, that `id` depends on, and that is the farthest from `id`: the first cause. Of several at the
/// same distance, the first by id.
pub(super) fn down_ancestor(input: &Input<'_>, next: &DecisionState, id: &MonitorId) -> Option<MonitorId> {
    let mut known = BTreeSet::from([id]);
    let mut level: BTreeSet<&MonitorId> = parents(input, id).collect();
    let mut found = None;
    while !level.is_empty() {
        let down = level.iter().find(|parent| is_down(input, next, parent));
        found = down.copied().or(found);
        known.extend(&level);
        let above = level.iter().flat_map(|parent| parents(input, parent));
        level = above.filter(|parent| !known.contains(parent)).collect();
    }
    found.cloned()
}

fn parents<'a>(input: &Input<'a>, id: &MonitorId) -> impl Iterator<Item = &'a MonitorId> {
    let here = input.definitions.monitors.get(id);
    let here = here
        .into_iter()
        .flat_map(|monitor| monitor.alert_policy().depends_on.keys());
    let elsewhere = input.elsewhere.parents.get(id);
    here.chain(elsewhere.into_iter().flatten())
}

fn is_down(input: &Input<'_>, next: &DecisionState, parent: &MonitorId) -> bool {
    let here = next.incidents.get(&(parent.clone(), Track::Health));
    here.is_some_and(|incident| incident.status == Status::Down && incident.is_bad_now())
        || input.elsewhere.down.contains(parent)
}
