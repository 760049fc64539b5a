//! Clusters: incidents with one cause, which are notified together.

use std::collections::BTreeSet;

use crate::id::MonitorId;
use crate::incident::{Notified, Urgency};
use crate::time::Tick;

/// The maximum number of open clusters in a group. Incidents beyond are notified one by one.
pub const MAX_CLUSTERS: usize = 50;

/// The maximum bytes of the ids of recovered monitors that all clusters of a group keep, and likewise all advisories: 1,000
/// ids of 15 bytes. Further ones are not named at the end, nor are any if the decision state is too large for them.
pub const MAX_ENDED_BYTES: usize = 16_000;

/// As many monitors as there is room for, beside those in `kept`.
pub(crate) fn fitting<'a>(
    kept: impl IntoIterator<Item = &'a MonitorId>,
    more: impl IntoIterator<Item = &'a MonitorId>,
) -> impl Iterator<Item = MonitorId> {
    let bytes = |id: &MonitorId| id.as_str().len() + 1;
    let mut used: usize = kept.into_iter().map(bytes).sum();
    let fits = move |id: &&MonitorId| {
        used += bytes(id);
        used <= MAX_ENDED_BYTES
    };
    more.into_iter().take_while(fits).cloned()
}

/// The maximum number of tags of a notification: each selects subscribers, so incidents with more tags are notified apart.
pub const MAX_TAGS: usize = 150;

/// Open incidents that share their notifications. The id of the cluster is the id of the incident that was its first, and
/// stays the same when that incident has closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The first bad tick of the first incident.
    pub since: Tick,
    /// The number of incidents that ever belonged to the cluster.
    pub incidents: u32,
    /// The monitors whose incidents have closed: they were notified, so they are named at the end of the cluster, and
    /// their subscribers are notified of it.
    pub recovered: BTreeSet<MonitorId>,
    /// When the cluster was notified.
    pub notified: Notified,
    /// The urgency of further notifications.
    pub urgency: Urgency,
}
