//! Streaks: consecutive checks of a monitor in one location with the same state.

use crate::diagnosis::FailurePoint;
use crate::finding::Finding;
use crate::time::Tick;

/// The streaks of a monitor in a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Streaks {
    /// The last tick with data.
    pub seen: Tick,
    /// The consecutive good or failing checks up to that tick.
    pub health: Streak<Health>,
    /// Whether the last good checks were sound or impaired; `None` while unknown.
    pub quality: Option<Streak<Impairment>>,
    /// The finding of the last failing or impaired check.
    pub finding: Option<Finding>,
    /// Where the last check failed; `None` if it was good.
    pub point: Option<FailurePoint>,
}

/// Consecutive distinct ticks in the same state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streak<S> {
    /// The state.
    pub state: S,
    /// The number of ticks; 0 if the state is only known from before counting began.
    pub ticks: u32,
    /// The first tick of the streak.
    pub since: Tick,
}

/// Whether checks are good or failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// The monitor is as expected.
    Good,
    /// The monitor is not as expected.
    Failing,
}

/// Whether good checks are sound or impaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Impairment {
    /// Nothing to report.
    Sound,
    /// Slow, or with a warning.
    Impaired,
}
