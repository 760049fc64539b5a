//! The deadline of an invocation, and the times that its last steps need.

use std::time::Duration;

use jiff::Timestamp;
use portpulse_core::retry::MAX_CHECK_TIME;

/// The time reserved after the checks to commit, decide and publish.
pub(crate) const RESERVE: Duration = Duration::from_secs(10);
/// The maximum time of one operation on the table, with a margin. No operation starts with less time left.
pub(crate) const OPERATION_TIME: Duration = Duration::from_secs(6);

/// The time that an invocation needs for one tick of any valid definitions: to read, to check with all retries, and to
/// commit, decide and publish. With less, retries are left out, and a blip may open an incident.
pub const MAX_TICK_TIME: Duration = OPERATION_TIME
    .saturating_add(MAX_CHECK_TIME)
    .saturating_add(RESERVE);

/// The end of an invocation: `remaining` after `began`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    pub(crate) began: Timestamp,
    pub(crate) remaining: Duration,
}
