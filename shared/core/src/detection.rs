//! The time from the failure of a target to the published notification, as a promise that follows from the definition.

use std::time::Duration;

use crate::choice::Expect;
use crate::definition::Monitor;

/// The allowance of a tick for its reads and writes, and for publishing. On AWS, the schedule may also fire some seconds
/// late, and a new Lambda instance takes a moment to start; neither is included.
pub const PUBLICATION: Duration = Duration::from_secs(1);

/// The time from a failure to the published notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DetectionTime {
    /// The maximum: the failure begins directly after a check.
    pub max: Duration,
    /// The mean: failures begin at random times.
    pub mean: Duration,
}

/// How soon an outage of a monitor is notified. All locations check at the same time, so their number does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detection {
    /// If the target refuses connections, or the opposite of what is expected shows at once; `None` if a refusal is good.
    pub refused: Option<DetectionTime>,
    /// If packets are dropped, so that each check takes its timeout; `None` if that is good.
    pub dropped: Option<DetectionTime>,
    /// The maximum if other monitors of the group fail for the first time in the same tick: all retries wait for the slowest
    /// first check, and the tick ends with its last retry.
    pub max_with_others: Duration,
    /// Refusals for less than this time never open an incident: the pauses between the attempts.
    pub ignored: Duration,
}

impl Detection {
    /// The detection times of a monitor, one of the enabled monitors `group`, which are checked together.
    pub fn of<'a>(monitor: &Monitor, group: impl IntoIterator<Item = &'a Monitor>) -> Self {
        let (rule, timeout) = (monitor.rule(), monitor.target().timeout);
        let time = |check| {
            let max = max_time(monitor, last_tick(monitor, check));
            let mean = max.saturating_sub(rule.interval.length() / 2);
            DetectionTime { max, mean }
        };
        // The retries of a tick begin when its last first check has ended.
        let (mut slowest, mut window) = (timeout, rule.retry.window(timeout));
        for other in group {
            let timeout = other.target().timeout;
            slowest = slowest.max(timeout);
            window = window.max(other.rule().retry.window(timeout));
        }
        Self {
            refused: (rule.expect != Expect::Reachable).then(|| time(Duration::ZERO)),
            dropped: (rule.expect != Expect::Closed).then(|| time(timeout)),
            max_with_others: max_time(monitor, slowest + window),
            ignored: if ticks(monitor) == 1 {
                rule.retry.window(Duration::ZERO)
            } else {
                // Every tick must fail.
                rule.interval.length().saturating_mul(ticks(monitor) - 1)
            },
        }
    }
}

/// The number of failing ticks that open an incident.
fn ticks(monitor: &Monitor) -> u32 {
    match monitor.rule().expect {
        Expect::Closed => 1,
        Expect::Open | Expect::Reachable => monitor.rule().failures_to_open,
    }
}

/// The time of a tick in which the monitor fails for the first time, if each check takes `check`.
fn whole_tick(monitor: &Monitor, check: Duration) -> Duration {
    check + monitor.rule().retry.window(check)
}

/// The time of the tick that opens the incident, if each check takes `check`.
///
/// Only the first failing tick has retries. A tick that takes longer than its interval overlaps the next one, which does not
/// know the failure yet and has retries too.
fn last_tick(monitor: &Monitor, check: Duration) -> Duration {
    let whole = whole_tick(monitor, check);
    if ticks(monitor) == 1 || whole > monitor.rule().interval.length() {
        whole
    } else {
        check
    }
}

/// The maximum time until the tick that opens the incident, which takes `last_tick`, has published.
fn max_time(monitor: &Monitor, last_tick: Duration) -> Duration {
    monitor.rule().interval.length().saturating_mul(ticks(monitor)) + last_tick + PUBLICATION
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn monitor(fields: &Value) -> Monitor {
        let mut all = json!({ "host": "m.example", "port": 7 });
        all.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        Monitor::from_fields("m", &all).unwrap()
    }

    fn seconds(time: Option<DetectionTime>) -> Option<(f64, f64)> {
        time.map(|time| (time.max.as_secs_f64(), time.mean.as_secs_f64()))
    }

    #[test]
    fn presets_keep_their_promise() {
        for (fields, refused, dropped, ignored) in [
            (
                json!({ "tier": "critical" }),
                Some((65.0, 35.0)),
                Some((80.0, 50.0)),
                4,
            ),
            (
                json!({ "tier": "supporting" }),
                Some((316.0, 166.0)),
                Some((336.0, 186.0)),
                15,
            ),
            (
                json!({ "tier": "background" }),
                Some((931.0, 481.0)),
                Some((951.0, 501.0)),
                30,
            ),
            (
                json!({ "interval": "10s", "timeout": "2s" }),
                Some((12.0, 7.0)),
                Some((16.0, 11.0)),
                1,
            ),
            (
                json!({ "tier": "critical", "failures_to_open": 3 }),
                Some((181.0, 151.0)),
                Some((186.0, 156.0)),
                120,
            ),
            (
                json!({ "interval": "1m", "timeout": "30s", "retries": 1, "retry_interval": "15s", "failures_to_open": 2 }),
                Some((121.0, 91.0)),
                // The second tick begins 15 s before the retry of the first one ends, and has a retry too.
                Some((196.0, 166.0)),
                60,
            ),
            (
                json!({ "interval": "1m", "expect": "closed" }),
                Some((61.0, 31.0)),
                None,
                0,
            ),
            (
                json!({ "interval": "1m", "retries": 0, "expect": "reachable" }),
                None,
                Some((66.0, 36.0)),
                0,
            ),
        ] {
            let monitor = monitor(&fields);
            let found = Detection::of(&monitor, []);
            assert_eq!(
                (
                    seconds(found.refused),
                    seconds(found.dropped),
                    found.ignored.as_secs()
                ),
                (refused, dropped, ignored),
                "{fields}"
            );
        }
    }

    #[test]
    fn tick_ends_with_the_slowest_monitor_of_its_group() {
        let quick = monitor(&json!({ "interval": "1m", "timeout": "1s", "retries": 0 }));
        let slow =
            monitor(&json!({ "interval": "1m", "timeout": "5s", "retries": 3, "retry_interval": "5s" }));
        let alone = Detection::of(&quick, []);
        assert_eq!(alone.max_with_others, Duration::from_secs(62));
        let found = Detection::of(&quick, [&quick, &slow]);
        assert_eq!(found.max_with_others, Duration::from_secs(96));
        assert_eq!(found.refused, alone.refused);
        // One has the slowest check, the other the longest retries.
        let slow = monitor(&json!({ "interval": "1m", "timeout": "30s", "retries": 0 }));
        let retried =
            monitor(&json!({ "interval": "1m", "timeout": "1s", "retries": 4, "retry_interval": "10s" }));
        for each in [&slow, &retried] {
            let found = Detection::of(each, [&slow, &retried]);
            assert_eq!(found.max_with_others, Duration::from_secs(60 + 30 + 44 + 1));
        }
    }
}
