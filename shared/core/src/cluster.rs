//! Clusters: incidents with one cause, which are notified together.

use crate::incident::{Notified, Urgency};
use crate::time::Tick;

/// The maximum number of open clusters in a group. Incidents beyond are notified one by one.
pub const MAX_CLUSTERS: usize = 50;

/// Open incidents that share their notifications. The id of the cluster is the id of the incident that was its first, and
/// stays the same when that incident has closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cluster {
    /// The first bad tick of the first incident.
    pub since: Tick,
    /// The number of incidents that ever belonged to the cluster.
    pub incidents: u32,
    /// When the cluster was notified.
    pub notified: Notified,
    /// The urgency of further notifications.
    pub urgency: Urgency,
}
