//! Who sees a view, and which monitors and statuses they see.

use portpulse_core::definition::{Monitor, Visibility};
use portpulse_core::group_state::Status;

/// Who sees a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Anyone: names, statuses and uptime of the monitors that are public. No hosts, ports, addresses, locations, times or texts of services:
    /// every `inside` is `None`. The status `exposed` is replaced by `down`.
    Public,
    /// Readers who may see everything.
    Private,
}

/// Whether public views contain upcoming maintenance. Current maintenance is always public, but upcoming windows reveal
/// when notifications will be held back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UpcomingMaintenance {
    /// Public views contain current maintenance only.
    #[default]
    Withheld,
    /// Public views contain the next occurrence of each window.
    Announced,
}

impl Audience {
    /// Whether the audience may see a monitor.
    pub(crate) fn may_see(self, monitor: &Monitor) -> bool {
        self == Self::Private || monitor.about().visibility == Visibility::Public
    }

    /// The status as shown to the audience. The public sees `down` instead of `exposed`, because a port that is open by
    /// mistake invites attackers.
    pub(crate) const fn shown(self, status: Status) -> Status {
        match (self, status) {
            (Self::Public, Status::Exposed) => Status::Down,
            (Self::Public | Self::Private, _) => status,
        }
    }
}
