//! Whether somebody should look at a monitor.

use portpulse_history::state::State;
use portpulse_history::view::{MonitorView, Overview};

use crate::page::parts::{Handling, handling};

/// Whether somebody should look at a monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Attention {
    /// It is bad, and neither acknowledged, silenced nor in maintenance.
    Needed,
    /// It is bad or in maintenance, and somebody knows.
    Handled,
    /// It is up.
    Up,
}

impl Attention {
    pub(super) fn of(monitor: &MonitorView, known: &Overview) -> Self {
        match State::of(monitor) {
            State::Up => Self::Up,
            State::Maintenance => Self::Handled,
            State::Exposed | State::Down | State::Flapping | State::Degraded | State::Unknown => {
                match handling(monitor, &known.open, known.at) {
                    Some(Handling::Acknowledged(_) | Handling::Silenced(_)) => Self::Handled,
                    None => Self::Needed,
                }
            }
        }
    }

    /// The heading of a section. The public is not asked to do anything, and does not see who handles a fault: what is handled
    /// there is in maintenance.
    pub(super) const fn title(self, known: &Overview) -> &'static str {
        match (self, known.inside.is_some()) {
            (Self::Needed, true) => "Needs attention",
            (Self::Needed, false) => "Affected",
            (Self::Handled, true) => "Handled",
            (Self::Handled, false) => "Maintenance",
            (Self::Up, _) => "Up",
        }
    }
}
