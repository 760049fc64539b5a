//! The interval of a schedule, and the lengths that follow from it.

use jiff::Timestamp;
use portpulse_core::group::GroupId;
use portpulse_core::time::{Interval, Tick};

use crate::rig::TestTime;

/// The interval of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cadence(pub(super) Interval);

impl Cadence {
    pub(super) fn group(self) -> GroupId {
        GroupId {
            interval: self.0,
            shard: 0,
        }
    }

    /// The length of the interval in milliseconds.
    pub(super) fn ms(self) -> i64 {
        self.0.seconds() * 1_000
    }

    /// The number of ticks that one invocation runs.
    pub(super) fn per_invocation(self) -> i64 {
        (60 / self.0.seconds()).max(1)
    }

    pub(super) fn of_tick(self, tick: i64) -> Timestamp {
        let start = TestTime::of_tick(0).as_second();
        Timestamp::from_second(start + tick * self.0.seconds()).unwrap()
    }

    /// The number of a tick.
    pub(super) fn number(self, tick: Tick) -> i64 {
        (tick.as_second() - TestTime::of_tick(0).as_second()) / self.0.seconds()
    }

    /// The maximum age of a counted result in milliseconds: two intervals and a minute.
    pub(super) fn fresh_ms(self) -> i64 {
        2 * self.ms() + 60_000
    }

    /// The number of ticks after which no old result counts, and the claim of a killed checker has expired.
    fn until_fresh(self) -> i64 {
        self.fresh_ms().max(180_000) / self.ms()
    }

    /// The ticks of whole invocations that are at least `ticks`.
    fn whole(self, ticks: i64) -> i64 {
        (ticks as u64).next_multiple_of(self.per_invocation() as u64) as i64
    }

    /// The number of ticks with faults, which come first.
    pub(super) fn faulty(self) -> i64 {
        self.whole(16)
    }

    /// The number of ticks with faults and of the ticks with constant results that follow.
    pub(super) fn until_good(self) -> i64 {
        self.faulty() + self.whole(self.until_fresh() + 3)
    }

    /// The number of ticks with good results at the end, until all incidents are closed.
    pub(super) fn good(self) -> i64 {
        self.whole(self.until_fresh() + 7)
    }
}
