//! The second step of a tick: checks all monitors and stores the results.

use std::collections::BTreeMap;
use std::time::Duration;

use portpulse_alert::Publish;
use portpulse_core::group::GroupId;
use portpulse_core::id::MonitorId;
use portpulse_core::observation::Observation;
use portpulse_core::outcome::Outcome;
use portpulse_core::round::Observations;
use portpulse_core::time::Tick;
use portpulse_store::store::Recorded;
use portpulse_store::table::Table;

use crate::Error;
use crate::checker::Checker;
use crate::deadline::{Deadline, RESERVE};
use crate::load::Loaded;
use crate::probe::{Clock, Probe};

/// The minimum time for checks. With less, checks would be pointless.
const MIN_BUDGET: Duration = Duration::from_secs(1);

/// The results of a tick.
pub(crate) struct Checked {
    pub(crate) outcomes: BTreeMap<MonitorId, Outcome>,
    /// The number of retries of each monitor that was retried.
    pub(crate) retries: BTreeMap<MonitorId, u32>,
    /// The results that count: the first ones stored for this tick.
    pub(crate) results: Observations,
    /// The error of malformed results in place, which stay unchanged.
    pub(crate) malformed: Option<Error>,
}

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Checks all monitors of this location, retries new failures and stores the results.
    ///
    /// # Errors
    /// If it is unknown whether the results were stored.
    pub(crate) async fn check(
        &self,
        group: GroupId,
        tick: Tick,
        loaded: &Loaded,
        deadline: Deadline,
    ) -> Result<Checked, Error> {
        let monitors: Vec<_> = loaded.definitions.checked_by(&self.location).collect();
        let targets: Vec<_> = monitors.iter().map(|monitor| monitor.target().clone()).collect();
        let budget = deadline.remaining.saturating_sub(RESERVE).max(MIN_BUDGET);
        let outcomes = self.prober.probe(tick, &targets, budget).await;
        let mut outcomes: BTreeMap<_, _> = monitors
            .iter()
            .map(|monitor| monitor.id().clone())
            .zip(outcomes)
            .collect();
        let retries = self.retry(tick, loaded, &mut outcomes, deadline).await;
        let seen = observations(&outcomes, &retries);
        let recorded = self.store.put_results(group, tick, &self.location, &seen).await;
        let (results, malformed) = match recorded.map_err(|source| Error::Commit { tick, group, source })? {
            Recorded::Written => (seen, None),
            // The first results of a tick count, so that the location state never contradicts the stored results.
            Recorded::AlreadyThere(recorded) => (recorded, None),
            Recorded::Unreadable(source) => (seen, Some(Error::Unreadable { group, source })),
        };
        Ok(Checked {
            outcomes,
            retries,
            results,
            malformed,
        })
    }
}

/// The observations of outcomes after retries.
pub(crate) fn observations(
    outcomes: &BTreeMap<MonitorId, Outcome>,
    retries: &BTreeMap<MonitorId, u32>,
) -> Observations {
    let observation = |id, outcome| Observation {
        retries: retries.get(id).copied().unwrap_or_default(),
        ..Observation::of(outcome)
    };
    outcomes
        .iter()
        .map(|(id, outcome)| (id.clone(), observation(id, outcome)))
        .collect()
}
