//! The state of a monitor as people see it: its status, or why the status does not call for action.

use portpulse_core::group_state::Status;

use crate::view::MonitorView;

/// The state of a monitor on pages, badges and in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The port is open and should be closed.
    Exposed,
    /// The monitor is not as expected.
    Down,
    /// The monitor changes between up and down too often for notifications.
    Flapping,
    /// The monitor is as expected, but slow or with a warning.
    Degraded,
    /// No location can tell.
    Unknown,
    /// A maintenance window is open, and the port is not exposed.
    Maintenance,
    /// The monitor is as expected.
    Up,
}

impl State {
    /// All states, worst first.
    pub const ALL: [Self; 7] = [
        Self::Exposed,
        Self::Down,
        Self::Flapping,
        Self::Degraded,
        Self::Unknown,
        Self::Maintenance,
        Self::Up,
    ];

    /// The state of a monitor.
    pub const fn of(monitor: &MonitorView) -> Self {
        match monitor.status {
            // An open port that should be closed is a finding during maintenance too.
            Status::Exposed => Self::Exposed,
            Status::Down | Status::Degraded | Status::Unknown | Status::Up if monitor.in_maintenance => {
                Self::Maintenance
            }
            Status::Down if monitor.is_flapping => Self::Flapping,
            Status::Down => Self::Down,
            Status::Degraded => Self::Degraded,
            Status::Unknown => Self::Unknown,
            Status::Up => Self::Up,
        }
    }

    /// The name in URLs, CSS classes and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exposed => "exposed",
            Self::Down => "down",
            Self::Flapping => "flapping",
            Self::Degraded => "degraded",
            Self::Unknown => "unknown",
            Self::Maintenance => "maintenance",
            Self::Up => "up",
        }
    }

    /// Whether somebody should look at the monitor.
    pub const fn is_bad(self) -> bool {
        !matches!(self, Self::Maintenance | Self::Up)
    }
}
