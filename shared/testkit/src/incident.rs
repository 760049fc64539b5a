//! Sample incidents.

use portpulse_core::group_state::{Incident, Notified, Stability, Status, Urgency};
use portpulse_core::time::Tick;

/// An incident that is `down` since a tick, without a diagnosis, and not notified yet.
pub fn down_since(since: Tick) -> Incident {
    Incident {
        cluster: None,
        cause_changes: Vec::new(),
        flapped_until: None,
        diagnosis: None,
        status: Status::Down,
        opened: since,
        revision: 1,
        since,
        finding: None,
        notified: Notified::NotYet,
        urgency: Urgency::Normal,
        stability: Stability::Steady,
    }
}
