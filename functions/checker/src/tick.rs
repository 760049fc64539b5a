//! One tick: load, check, commit, decide, publish, roll up.

use std::collections::BTreeMap;

use portpulse_alert::Publish;
use portpulse_core::banners;
use portpulse_core::decide::is_nominal;
use portpulse_core::rollup::{Tally, due, of_ticks};
use portpulse_core::round::{Definitions, Observations};
use portpulse_core::time::Tick;
use portpulse_store::table::Table;

use crate::checker::{Checker, Invocation};
use crate::commit::Commitment;
use crate::deadline::Deadline;
use crate::load::Loaded;
use crate::probe::{Clock, Probe};
use crate::report::{TickOutcome, TickReport};
use crate::{Error, TickEvent};

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Handles one tick. Repeated deliveries of a tick only publish what is still pending.
    pub async fn handle(&self, event: &TickEvent, invocation: &Invocation) -> TickReport {
        let (group, tick) = (event.group(), event.tick());
        let mut report = TickReport::new(tick, group, self.location.clone());
        let now = self.clock.now();
        let deadline = Deadline {
            began: now,
            remaining: invocation.remaining,
        };
        if tick.ahead_of(now) > group.interval.length() {
            report.errors.push(Error::FutureTick { tick, group });
            return report;
        }

        let mut loaded = match self.load(group).await {
            Ok(loaded) => loaded,
            Err(errors) => {
                report.errors = errors;
                return report;
            }
        };
        report.errors.append(&mut loaded.errors);

        let before = loaded.group_state.locations.get(&self.location);
        let before = before.map(|state| state.tick);
        if before.is_some_and(|before| before >= tick) || tick.age(now) > group.interval.length() {
            report.outcome = TickOutcome::Repeated;
        } else if loaded.own_state_is_readable {
            loaded = self
                .check_and_commit(loaded, invocation, deadline, &mut report)
                .await;
        }

        let is_nominal = |loaded: &Loaded| {
            self.ask(
                group,
                &loaded.definitions,
                &loaded.group_state,
                invocation,
                is_nominal,
            )
        };
        if loaded.decision_is_readable && !is_nominal(&loaded) {
            let decided = self
                .decide_and_publish(group, &loaded.definitions, invocation, deadline)
                .await;
            report.add(decided.effects);
            report.errors.extend(decided.group_state.err());
        }

        if let TickOutcome::Counted(outcomes) = &report.outcome {
            let definitions = &loaded.definitions;
            let due = due(before, tick);
            report.warnings = self.roll_up(group, &due, definitions, deadline).await;
            if banners::is_due(before, tick) {
                let stored = self
                    .store_banners(group, tick, definitions, outcomes, deadline)
                    .await;
                report.warnings.extend(stored.err());
            }
        }
        report
    }

    /// Checks all monitors, stores the results and commits the tick. Returns the group with the committed state.
    async fn check_and_commit(
        &self,
        loaded: Loaded,
        invocation: &Invocation,
        deadline: Deadline,
        report: &mut TickReport,
    ) -> Loaded {
        let (group, tick) = (report.group, report.tick);
        let checked = match self.check(group, tick, &loaded.definitions, deadline).await {
            Ok(checked) => checked,
            Err(error) => {
                report.errors.push(error);
                return loaded;
            }
        };
        report.errors.extend(checked.malformed);

        let commitment = Commitment {
            group,
            tick,
            definitions: &loaded.definitions,
            results: &checked.results,
            decision_is_readable: loaded.decision_is_readable,
        };
        let committed = self
            .commit(&commitment, loaded.group_state, invocation, deadline)
            .await;
        report.add(committed.effects);
        match committed.is_counted {
            Ok(true) => {
                report.outcome = TickOutcome::Counted(checked.outcomes);
                report.sum = sum(&loaded.definitions, tick, checked.results);
            }
            Ok(false) => report.outcome = TickOutcome::Conflict,
            Err(error) => report.errors.push(error),
        }
        Loaded {
            group_state: committed.group_state,
            ..loaded
        }
    }
}

/// The sum of the results of all monitors.
fn sum(definitions: &Definitions, tick: Tick, results: Observations) -> Tally {
    let mut sum = Tally::default();
    for tally in of_ticks(definitions, &BTreeMap::from([(tick, results)])).values() {
        sum.add(tally);
    }
    sum
}
