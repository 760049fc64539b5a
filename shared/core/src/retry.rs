//! Retries within a tick: which failed checks are made again, when, and what counts.
//!
//! A check that fails where the monitor was good is made again in the same tick. The tick fails only if every attempt with
//! data failed, so that "several consecutive failures" take seconds and not intervals. A monitor that is failing already or
//! has an open incident is not retried: a long outage costs nothing more.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::assess::{Assessment, assess, assess_seen};
use crate::choice::Expect;
use crate::definition::Monitor;
use crate::group_state::{Entry, Health, LocationState, Track};
use crate::id::{Location, MonitorId};
use crate::incident::Incident;
use crate::outcome::Outcome;
use crate::round::{Definitions, Observations};
use crate::target::MAX_TIMEOUT;

/// The maximum time of all retries of a tick. The other monitors of the group wait for them, and an invocation must hold
/// them beside the first check and the time reserved to decide and publish.
pub const MAX_RETRY_WINDOW: Duration = Duration::from_secs(45);

/// The maximum time of a check with its retries.
pub const MAX_CHECK_TIME: Duration = MAX_TIMEOUT.saturating_add(MAX_RETRY_WINDOW);

/// How often, and after which pause, a failed check is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RetryPolicy {
    /// The maximum number of retries; 0 to 10.
    pub count: u32,
    /// The pause before each retry.
    pub interval: Duration,
}

impl RetryPolicy {
    /// No retries.
    pub const NONE: Self = Self {
        count: 0,
        interval: Duration::ZERO,
    };

    /// The time of all retries, if each of them takes `check`: zero for a refused connection, the timeout for a silent
    /// host.
    pub fn window(self, check: Duration) -> Duration {
        self.interval.saturating_add(check).saturating_mul(self.count)
    }
}

/// Monitors of one tick that are retried together, because they have the same policy and the same timeout.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryBatch<'a> {
    /// The policy.
    pub policy: RetryPolicy,
    /// The timeout of each check.
    pub timeout: Duration,
    /// The monitors.
    pub monitors: Vec<&'a Monitor>,
}

/// The monitors to retry after the first checks of a tick, by policy and timeout.
///
/// `previous` is the location's state before the tick, and `incidents` are the open ones of the group.
pub fn retries<'a>(
    definitions: &'a Definitions,
    location: &'a Location,
    previous: Option<&LocationState>,
    incidents: &BTreeMap<(MonitorId, Track), Incident>,
    seen: &Observations,
) -> Vec<RetryBatch<'a>> {
    let mut batches: BTreeMap<(RetryPolicy, Duration), Vec<&'a Monitor>> = BTreeMap::new();
    for monitor in definitions.checked_by(location) {
        let failed = seen
            .get(monitor.id())
            .is_some_and(|seen| assess_seen(monitor.rule().expect, seen.seen) == Assessment::Failing);
        let is_open = incidents.contains_key(&(monitor.id().clone(), Track::Health));
        let policy = monitor.rule().retry;
        if failed && policy.count > 0 && !is_open && !was_failing(previous, monitor.id()) {
            let batch = batches.entry((policy, monitor.target().timeout)).or_default();
            batch.push(monitor);
        }
    }
    let batches = batches.into_iter();
    batches
        .map(|((policy, timeout), monitors)| RetryBatch {
            policy,
            timeout,
            monitors,
        })
        .collect()
}

/// Whether the last check with data failed.
fn was_failing(previous: Option<&LocationState>, id: &MonitorId) -> bool {
    match previous.and_then(|state| state.entries.get(id)) {
        Some(Entry::Seen(streaks)) => streaks.health.state == Health::Failing,
        Some(Entry::NoData { .. }) | None => false,
    }
}

/// The outcome of a check together with the outcome of its retry.
#[derive(Debug, Clone, PartialEq)]
pub enum Retried {
    /// The retry is good, and so is the tick.
    Good(Outcome),
    /// No attempt was good so far. The outcome is the latest failure.
    Failing(Outcome),
}

/// Combines a failure with its retry.
///
/// A retry without data proves nothing: the failure stands, or a checker in trouble would never report an outage.
pub fn after_retry(expect: Expect, failure: Outcome, retry: Outcome) -> Retried {
    match assess(expect, &retry) {
        Assessment::Good => Retried::Good(retry),
        Assessment::Failing => Retried::Failing(retry),
        Assessment::NoData => Retried::Failing(failure),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::group_state::{Streak, Streaks};
    use crate::observation::Observation;
    use crate::outcome::{Failure, FailureClass, NoData, Opened, Phase, Phases, Trust};
    use crate::time::Tick;

    fn failed(class: FailureClass) -> Outcome {
        Outcome::Failed(Failure {
            class,
            phase: Phase::Connect,
            phases: Phases::default(),
            address: None,
            detail: None,
        })
    }

    fn open() -> Outcome {
        Outcome::Open(Opened {
            address: ([192, 0, 2, 1], 7).into(),
            phases: Phases::default(),
            trust: Trust::Kernel,
            warning: None,
            banner: None,
        })
    }

    fn tick() -> Tick {
        "2026-11-22T05:41:00Z".parse().unwrap()
    }

    fn state(entries: impl IntoIterator<Item = (MonitorId, Entry)>) -> LocationState {
        LocationState {
            tick: tick(),
            entries: entries.into_iter().collect(),
        }
    }

    fn streak(state: Health) -> Entry {
        let (ticks, since) = (1, tick());
        Entry::Seen(Streaks {
            seen: tick(),
            health: Streak { state, ticks, since },
            quality: None,
            finding: None,
            point: None,
        })
    }

    /// Whether a monitor `m` with these fields is retried after `outcome`.
    fn is_retried(fields: &Value, previous: Option<LocationState>, outcome: &Outcome) -> bool {
        let mut all = json!({ "host": "m.example", "port": 7, "interval": "1m" });
        all.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let monitor = Monitor::from_attributes("m", &all).unwrap();
        let id = monitor.id().clone();
        let definitions = Definitions {
            monitors: BTreeMap::from([(id.clone(), monitor)]),
            ..Definitions::default()
        };
        let seen = BTreeMap::from([(id, Observation::of(outcome))]);
        let location = "a".parse().unwrap();
        let batches = retries(
            &definitions,
            &location,
            previous.as_ref(),
            &BTreeMap::new(),
            &seen,
        );
        batches.iter().any(|batch| batch.monitors.len() == 1)
    }

    #[test]
    fn only_a_new_failure_is_retried() {
        let m = || "m".parse().unwrap();
        let refused = failed(FailureClass::Refused);
        let two = json!({ "retries": 2 });
        for (fields, previous, outcome, expected) in [
            (&two, None, &refused, true),
            (&two, Some(state([])), &refused, true),
            (&two, Some(state([(m(), streak(Health::Good))])), &refused, true),
            (
                &two,
                Some(state([(m(), Entry::NoData { since: tick() })])),
                &refused,
                true,
            ),
            (
                &two,
                Some(state([(m(), streak(Health::Failing))])),
                &refused,
                false,
            ),
            (&two, None, &open(), false),
            (&two, None, &Outcome::NoData(NoData::NoRoute), false),
            (&json!({ "retries": 0 }), None, &refused, false),
            // A refusal is good for these.
            (
                &json!({ "retries": 2, "expect": "reachable" }),
                None,
                &refused,
                false,
            ),
            (&json!({ "expect": "closed" }), None, &refused, false),
            // An open port is a finding at once.
            (&json!({ "expect": "closed" }), None, &open(), false),
        ] {
            let found = is_retried(fields, previous.clone(), outcome);
            assert_eq!(found, expected, "{fields} {previous:?} {outcome:?}");
        }
    }

    #[test]
    fn retry_without_data_leaves_the_failure() {
        let (refused, timeout) = (failed(FailureClass::Refused), failed(FailureClass::Timeout));
        let no_data = Outcome::NoData(NoData::OutOfTime);
        for (retry, expected) in [
            (open(), Retried::Good(open())),
            (timeout.clone(), Retried::Failing(timeout)),
            (no_data, Retried::Failing(refused.clone())),
        ] {
            assert_eq!(after_retry(Expect::Open, refused.clone(), retry), expected);
        }
    }

    #[test]
    fn window_covers_pauses_and_checks() {
        let policy = RetryPolicy {
            count: 3,
            interval: Duration::from_secs(5),
        };
        assert_eq!(policy.window(Duration::ZERO), Duration::from_secs(15));
        assert_eq!(policy.window(Duration::from_secs(5)), Duration::from_secs(30));
        assert_eq!(RetryPolicy::NONE.window(Duration::from_secs(5)), Duration::ZERO);
    }
}
