//! What an observation means for a monitor: good, failing, or nothing at all.

use std::time::Duration;

use crate::choice::Expect;
use crate::observation::{Observation, Remark, Seen};
use crate::outcome::{FailureClass, Outcome};

/// What one tick means for a monitor in one location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assessment {
    /// As expected.
    Good,
    /// Not as expected.
    Failing,
    /// We could not tell; neither breaks nor lengthens a streak.
    NoData,
}

/// What an outcome means where `expect` is expected.
pub fn assess(expect: Expect, outcome: &Outcome) -> Assessment {
    assess_seen(expect, Observation::of(outcome).seen)
}

/// What is seen means, where `expect` is expected:
///
/// | seen | `open` | `closed` | `reachable` |
/// |---|---|---|---|
/// | open | good | failing (exposed) | good |
/// | refused, reset | failing | good | good: the host answered |
/// | timeout, unreachable | failing | good: filtered | failing |
/// | name not resolved | failing | no data | failing |
/// | connected, then trouble | failing | failing (exposed) | good |
/// | fault of our own | no data | no data | no data |
pub fn assess_seen(expect: Expect, seen: Seen) -> Assessment {
    use Assessment::{Failing, Good, NoData};
    let class = match (seen, expect) {
        (Seen::NoData(_), _) => return NoData,
        (Seen::Open { .. }, Expect::Open | Expect::Reachable) => return Good,
        (Seen::Open { .. }, Expect::Closed) => return Failing,
        (Seen::Failed(class), _) => class,
    };
    match (expect, class) {
        (Expect::Open, _) => Failing,
        (Expect::Closed, FailureClass::Dns(_)) => NoData,
        (Expect::Reachable, FailureClass::Dns(_)) => Failing,
        (_, FailureClass::Refused | FailureClass::Reset) => Good,
        (Expect::Closed, FailureClass::Timeout | FailureClass::Unreachable) => Good,
        (Expect::Reachable, FailureClass::Timeout | FailureClass::Unreachable) => Failing,
        (
            _,
            FailureClass::Tls
            | FailureClass::Closed
            | FailureClass::Silent
            | FailureClass::Busy
            | FailureClass::Starting
            | FailureClass::Blocked
            | FailureClass::WrongService
            | FailureClass::WrongAnswer,
        ) => match expect {
            Expect::Reachable => Good,
            Expect::Open | Expect::Closed => Failing,
        },
    }
}

/// How well a good tick went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// As it should be.
    Sound,
    /// Slower than `slow_after`.
    Slow,
    /// The service itself gave cause for a warning.
    Warned,
    /// The server's certificate is about to expire.
    Expiring,
}

/// How well a good tick went; `None` where nothing can be said.
///
/// A time measured by a starved process is an upper bound: it can show that a connect was quick enough, not that
/// it was slow.
pub fn quality(slow_after: Option<Duration>, seen: Seen) -> Option<Quality> {
    let Seen::Open { connect, remark, .. } = seen else {
        return None;
    };
    let slow = slow_after.is_some_and(|limit| connect > limit);
    match (remark, slow) {
        (Remark::Warning, _) => Some(Quality::Warned),
        (Remark::Certificate, _) => Some(Quality::Expiring),
        (Remark::Starved, true) => None,
        (Remark::None | Remark::Retransmitted, true) => Some(Quality::Slow),
        (Remark::None | Remark::Retransmitted | Remark::Starved, false) => Some(Quality::Sound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::other_phases::OtherPhases;
    use crate::outcome::{DnsFailure, NoData};

    fn row(seen: Seen) -> [Assessment; 3] {
        [Expect::Open, Expect::Closed, Expect::Reachable].map(|expect| assess_seen(expect, seen))
    }

    #[test]
    fn the_table_holds() {
        use Assessment::{Failing as F, Good as G, NoData as N};
        let open = Seen::Open {
            connect: Duration::from_millis(1),
            others: OtherPhases::default(),
            remark: Remark::None,
        };
        assert_eq!(row(open), [G, F, G]);
        assert_eq!(row(Seen::NoData(NoData::NoRoute)), [N, N, N]);
        let classes = [
            (FailureClass::Refused, [F, G, G]),
            (FailureClass::Reset, [F, G, G]),
            (FailureClass::Timeout, [F, G, F]),
            (FailureClass::Unreachable, [F, G, F]),
            (FailureClass::Dns(DnsFailure::NotFound), [F, N, F]),
            (FailureClass::Dns(DnsFailure::Timeout), [F, N, F]),
            (FailureClass::Dns(DnsFailure::ServerFailure), [F, N, F]),
            (FailureClass::Silent, [F, F, G]),
            (FailureClass::Tls, [F, F, G]),
            (FailureClass::WrongService, [F, F, G]),
            (FailureClass::WrongAnswer, [F, F, G]),
        ];
        for (class, expected) in classes {
            assert_eq!(row(Seen::Failed(class)), expected, "{class}");
        }
    }

    #[test]
    fn slowness_is_never_read_off_a_starved_clock() {
        let limit = Some(Duration::from_millis(10));
        let at = |ms, remark| {
            quality(
                limit,
                Seen::Open {
                    connect: Duration::from_millis(ms),
                    others: OtherPhases::default(),
                    remark,
                },
            )
        };
        assert_eq!(at(10, Remark::None), Some(Quality::Sound));
        assert_eq!(at(11, Remark::None), Some(Quality::Slow));
        assert_eq!(at(1011, Remark::Retransmitted), Some(Quality::Slow));
        assert_eq!(at(11, Remark::Starved), None);
        assert_eq!(at(9, Remark::Starved), Some(Quality::Sound));
        assert_eq!(at(9, Remark::Warning), Some(Quality::Warned));
        assert_eq!(at(11, Remark::Certificate), Some(Quality::Expiring));
        assert_eq!(quality(None, Seen::Failed(FailureClass::Refused)), None);
    }
}
