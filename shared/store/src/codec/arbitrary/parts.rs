//! Strategies for what items of several kinds contain: times, names, failure classes.

use jiff::Timestamp;
use portpulse_core::group::GroupId;
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::outcome::{DnsFailure, FailureClass};
use portpulse_core::time::{Interval, Tick};
use proptest::prelude::*;
use proptest::sample::select;

pub(super) fn time() -> impl Strategy<Value = Timestamp> {
    // 1970 to 2100, to the nanosecond.
    (0i64..4_102_444_800, 0i32..1_000_000_000)
        .prop_map(|(second, nanosecond)| Timestamp::new(second, nanosecond).unwrap())
}

pub(super) fn tick() -> impl Strategy<Value = Tick> {
    time().prop_map(|time| Tick::containing(time, Interval::OneMinute))
}

pub(super) fn monitor() -> impl Strategy<Value = MonitorId> {
    "[a-z0-9][a-z0-9_.-]{0,63}".prop_map(|id| id.parse().unwrap())
}

pub(super) fn location() -> impl Strategy<Value = Location> {
    "[a-z0-9][a-z0-9-]{0,31}".prop_map(|name| name.parse().unwrap())
}

pub(super) fn group() -> impl Strategy<Value = GroupId> {
    (select(Interval::ALL), any::<u32>()).prop_map(|(interval, shard)| GroupId { interval, shard })
}

pub(super) fn class() -> impl Strategy<Value = FailureClass> {
    use FailureClass as F;
    select(vec![
        F::Refused,
        F::Timeout,
        F::Unreachable,
        F::Reset,
        F::Dns(DnsFailure::NotFound),
        F::Dns(DnsFailure::ServerFailure),
        F::Dns(DnsFailure::Timeout),
        F::Tls,
        F::Closed,
        F::Silent,
        F::Busy,
        F::Starting,
        F::Blocked,
        F::ServiceError,
        F::NoBackend,
        F::WrongService,
        F::WrongAnswer,
        F::TooSlow,
    ])
}
