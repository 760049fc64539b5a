//! Makes failed checks again within the tick; `portpulse-core` says which.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use portpulse_alert::Publish;
use portpulse_core::id::MonitorId;
use portpulse_core::outcome::Outcome;
use portpulse_core::retry::{Retried, RetryBatch, after_retry, retries};
use portpulse_core::time::Tick;
use portpulse_store::table::Table;

use crate::check::observations;
use crate::checker::Checker;
use crate::deadline::{Deadline, RESERVE};
use crate::load::Loaded;
use crate::probe::{Clock, Probe};

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Makes new failures again, each as its monitor says, all monitors at the same time. Replaces the outcomes, and returns
    /// the number of retries of each monitor that was retried.
    pub(crate) async fn retry(
        &self,
        tick: Tick,
        loaded: &Loaded,
        outcomes: &mut BTreeMap<MonitorId, Outcome>,
        deadline: Deadline,
    ) -> BTreeMap<MonitorId, u32> {
        let batches = retries(
            &loaded.definitions,
            &self.location,
            loaded.group_state.locations.get(&self.location),
            &loaded.group_state.decision.incidents,
            &observations(outcomes, &BTreeMap::new()),
        );
        let failures = &*outcomes;
        let finished = batches
            .into_iter()
            .map(|batch| self.retry_batch(tick, batch, failures, deadline));
        let finished: Vec<_> = join_all(finished).await.into_iter().flatten().collect();
        let mut retries = BTreeMap::new();
        for Attempts { id, outcome, made } in finished {
            retries.insert(id.clone(), made);
            outcomes.insert(id, outcome);
        }
        retries
    }

    /// Retries until each monitor is good or has had all its retries, while there is time for another attempt.
    async fn retry_batch(
        &self,
        tick: Tick,
        batch: RetryBatch<'_>,
        failures: &BTreeMap<MonitorId, Outcome>,
        deadline: Deadline,
    ) -> Vec<Attempts> {
        let (mut finished, mut failing) = (Vec::new(), Vec::new());
        for monitor in batch.monitors {
            if let Some(outcome) = failures.get(monitor.id()) {
                failing.push((monitor, outcome.clone()));
            }
        }
        let mut made = 0;
        while made < batch.policy.count && !failing.is_empty() {
            let needed = batch.policy.interval + batch.timeout + RESERVE;
            if self.clock.passed_since(deadline.began) + needed > deadline.remaining {
                break;
            }
            self.clock.wait(batch.policy.interval).await;
            let took = self.clock.passed_since(deadline.began);
            let budget = deadline.remaining.saturating_sub(took + RESERVE);
            let targets: Vec<_> = failing
                .iter()
                .map(|(monitor, _)| monitor.target().clone())
                .collect();
            let outcomes = self.prober.probe(tick, &targets, budget).await;
            made += 1;
            let mut still_failing = Vec::new();
            for ((monitor, failure), outcome) in failing.into_iter().zip(outcomes) {
                let id = monitor.id().clone();
                match after_retry(monitor.rule().expect, failure, outcome) {
                    Retried::Good(outcome) => finished.push(Attempts { id, outcome, made }),
                    Retried::Failing(outcome) => still_failing.push((monitor, outcome)),
                }
            }
            failing = still_failing;
        }
        if made > 0 {
            finished.extend(failing.into_iter().map(|(monitor, outcome)| Attempts {
                id: monitor.id().clone(),
                outcome,
                made,
            }));
        }
        finished
    }
}

/// The outcome of a monitor after its retries.
struct Attempts {
    id: MonitorId,
    outcome: Outcome,
    /// The number of retries.
    made: u32,
}
