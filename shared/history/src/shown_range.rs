//! The range of history that is shown.

use jiff::{SignedDuration, Timestamp};
use portpulse_core::period::{Grain, Period};

/// The days of history shown, including today.
pub(crate) const DAYS: i64 = 90;
/// The hours of history shown, including the current hour.
pub(crate) const HOURS: i64 = 24;

/// The time of which single checks are shown.
pub(crate) const CHECKS: SignedDuration = SignedDuration::from_hours(3);

/// The first day shown.
pub(crate) fn first_day(now: Timestamp) -> Period {
    Period::containing(now, Grain::Day).later(1 - DAYS)
}
