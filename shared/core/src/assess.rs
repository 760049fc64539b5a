//! Assessment of observations: good, failing, or no data.

use std::time::Duration;

use crate::choice::Expect;
use crate::definition::Rule;
use crate::observation::{Observation, Remark, Seen};
use crate::outcome::{FailureClass, Outcome};

/// The result of one check, compared with the monitor's expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assessment {
    /// The monitor is as expected.
    Good,
    /// The monitor is not as expected.
    Failing,
    /// The checker could not tell. A streak is neither ended nor extended.
    NoData,
}

/// Assesses an outcome of a monitor that expects `expect`.
pub fn assess(expect: Expect, outcome: &Outcome) -> Assessment {
    assess_seen(expect, Observation::of(outcome).seen)
}

/// Assesses an observation of a monitor that expects `expect`:
///
/// | seen | `open` | `closed` | `reachable` |
/// |---|---|---|---|
/// | open | good | failing (exposed) | good |
/// | refused, reset | failing | good | good: the host answered |
/// | timeout, unreachable | failing | good: filtered | failing |
/// | name not resolved | failing | no data | failing |
/// | connected, then failed | failing | failing (exposed) | good |
/// | checker error | no data | no data | no data |
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
            | FailureClass::ServiceError
            | FailureClass::NoBackend
            | FailureClass::WrongService
            | FailureClass::WrongAnswer
            | FailureClass::TooSlow,
        ) => match expect {
            Expect::Reachable => Good,
            Expect::Open | Expect::Closed => Failing,
        },
    }
}

/// The quality of a good check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// Nothing to report.
    Sound,
    /// The connect took longer than `slow_after`.
    SlowConnect,
    /// All phases together took longer than `slower_than`.
    SlowResponse,
    /// The service reported a warning.
    Warned,
    /// The server's certificate is about to expire.
    Expiring,
}

/// Returns the quality of a good check, or `None` if it is unknown.
///
/// A starved process measures an upper bound. The bound can prove that a check was fast enough, but not that it was
/// slow. A slow connect explains a slow response.
pub fn quality(rule: &Rule, seen: Seen) -> Option<Quality> {
    let Seen::Open { connect, remark, .. } = seen else {
        return None;
    };
    let exceeds = |time: Duration, limit: Option<Duration>| limit.is_some_and(|limit| time > limit);
    let slow = if exceeds(connect, rule.slow_after) {
        Some(Quality::SlowConnect)
    } else if exceeds(seen.response_time().unwrap_or_default(), rule.slower_than) {
        Some(Quality::SlowResponse)
    } else {
        None
    };
    match (remark, slow) {
        (Remark::Warning, _) => Some(Quality::Warned),
        (Remark::Certificate, _) => Some(Quality::Expiring),
        (Remark::Starved, Some(_)) => None,
        (Remark::None | Remark::Retransmitted, Some(slow)) => Some(slow),
        (Remark::None | Remark::Retransmitted | Remark::Starved, None) => Some(Quality::Sound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Monitor;
    use crate::other_phases::OtherPhases;
    use crate::outcome::{DnsFailure, NoData};

    fn assessments(seen: Seen) -> [Assessment; 3] {
        [Expect::Open, Expect::Closed, Expect::Reachable].map(|expect| assess_seen(expect, seen))
    }

    #[test]
    fn assessment_matches_the_documented_table() {
        use Assessment::{Failing as F, Good as G, NoData as N};
        let open = Seen::Open {
            connect: Duration::from_millis(1),
            others: OtherPhases::default(),
            remark: Remark::None,
        };
        assert_eq!(assessments(open), [G, F, G]);
        assert_eq!(assessments(Seen::NoData(NoData::NoRoute)), [N, N, N]);
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
            (FailureClass::TooSlow, [F, F, G]),
        ];
        for (class, expected) in classes {
            assert_eq!(assessments(Seen::Failed(class)), expected, "{class}");
        }
    }

    /// The rule of a monitor with these limits.
    fn rule(limits: serde_json::Value) -> Rule {
        let mut fields = serde_json::json!({ "host": "a.example.com", "port": 1 });
        for (name, limit) in limits.as_object().unwrap() {
            fields[name] = limit.clone();
        }
        let monitor = Monitor::from_fields("a", &fields).unwrap();
        monitor.rule().clone()
    }

    fn open(connect: u64, ready: u64, remark: Remark) -> Seen {
        Seen::Open {
            connect: Duration::from_millis(connect),
            others: OtherPhases {
                dns: Some(Duration::from_millis(1)),
                tls: None,
                ready: Some(Duration::from_millis(ready)),
            },
            remark,
        }
    }

    #[test]
    fn starved_clock_never_reports_slow() {
        let rule = rule(serde_json::json!({ "slow_after": "10ms" }));
        let at = |ms, remark| quality(&rule, open(ms, 500, remark));
        assert_eq!(at(10, Remark::None), Some(Quality::Sound));
        assert_eq!(at(11, Remark::None), Some(Quality::SlowConnect));
        assert_eq!(at(1011, Remark::Retransmitted), Some(Quality::SlowConnect));
        assert_eq!(at(11, Remark::Starved), None);
        assert_eq!(at(9, Remark::Starved), Some(Quality::Sound));
        assert_eq!(at(9, Remark::Warning), Some(Quality::Warned));
        assert_eq!(at(11, Remark::Certificate), Some(Quality::Expiring));
        assert_eq!(quality(&rule, Seen::Failed(FailureClass::Refused)), None);
    }

    #[test]
    fn slower_than_counts_all_phases() {
        let both = rule(serde_json::json!({ "slow_after": "10ms", "slower_than": "20ms" }));
        let total = rule(serde_json::json!({ "slower_than": "20ms" }));
        for (seen, with_both, with_total) in [
            (
                open(9, 10, Remark::None),
                Some(Quality::Sound),
                Some(Quality::Sound),
            ),
            (
                open(9, 11, Remark::None),
                Some(Quality::SlowResponse),
                Some(Quality::SlowResponse),
            ),
            (
                open(19, 1, Remark::None),
                Some(Quality::SlowConnect),
                Some(Quality::SlowResponse),
            ),
            (open(9, 11, Remark::Starved), None, None),
            (
                open(9, 11, Remark::Warning),
                Some(Quality::Warned),
                Some(Quality::Warned),
            ),
        ] {
            assert_eq!(quality(&both, seen), with_both, "{seen}");
            assert_eq!(quality(&total, seen), with_total, "{seen}");
        }
    }
}
