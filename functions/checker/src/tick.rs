//! One tick: load, check, commit, decide, publish, roll up.

use std::collections::BTreeMap;

use portpulse_alert::Publish;
use portpulse_core::banners;
use portpulse_core::decide::is_nominal;
use portpulse_core::group::GroupId;
use portpulse_core::home_loss::StandbyRead;
use portpulse_core::rollup::{RollupDelay, Tally, due, of_ticks};
use portpulse_core::round::{Definitions, Observations};
use portpulse_core::time::Tick;
use portpulse_store::table::Table;

use crate::Error;
use crate::checker::{Checker, Invocation};
use crate::commit::Commitment;
use crate::deadline::Deadline;
use crate::load::Loaded;
use crate::probe::{Clock, Probe};
use crate::report::{TickOutcome, TickReport};
use crate::run::{Position, Session};

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Handles one tick.
    pub(crate) async fn handle_tick(
        &self,
        group: GroupId,
        tick: Tick,
        invocation: &Invocation,
        session: &mut Session,
        position: Position,
    ) -> TickReport {
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

        let mut loaded = match self.load(group, session.definitions.take()).await {
            Ok(loaded) => loaded,
            Err(errors) => {
                report.errors = errors;
                self.home_unreachable(invocation, deadline, &mut report).await;
                return report;
            }
        };
        report.errors.append(&mut loaded.errors);

        let before = loaded.group_state.locations.get(&self.location);
        let before = before.map(|state| state.tick);
        if before.is_some_and(|before| before >= tick) || tick.age(now) > group.interval.length() {
            report.outcome = TickOutcome::Repeated;
        } else if loaded.own_state_is_readable {
            // Before the commit: if this invocation is lost, the next tick asks again.
            if let Some(read) = StandbyRead::at(before, tick, group.interval) {
                self.home_reachable(read, invocation, deadline, &mut report).await;
            }
            loaded = self
                .check_and_commit(loaded, invocation, deadline, &mut report)
                .await;
        }
        self.decide_unless_nominal(&loaded, invocation, deadline, &mut report)
            .await;
        if matches!(report.outcome, TickOutcome::Counted(_)) {
            let before = *session.before.get_or_insert(before);
            if position == Position::Last {
                self.store_summaries(before, &loaded, deadline, &mut report).await;
            }
        }
        session.definitions = Some(loaded.definitions);
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
        let checked = match self.check(group, tick, &loaded, deadline).await {
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
                report.retries = checked.retries;
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

    /// Decides on the committed state and publishes, unless the state is nominal.
    async fn decide_unless_nominal(
        &self,
        loaded: &Loaded,
        invocation: &Invocation,
        deadline: Deadline,
        report: &mut TickReport,
    ) {
        let (group, definitions) = (report.group, &loaded.definitions);
        let is_nominal = self.ask(group, definitions, &loaded.group_state, invocation, is_nominal);
        if !loaded.decision_is_readable || is_nominal {
            return;
        }
        let decided = self
            .decide_and_publish(group, definitions, invocation, deadline)
            .await;
        report.add(decided.effects);
        report.errors.extend(decided.group_state.err());
    }

    /// Stores the rollups and banners that are due, if the tick counts.
    async fn store_summaries(
        &self,
        before: Option<Tick>,
        loaded: &Loaded,
        deadline: Deadline,
        report: &mut TickReport,
    ) {
        let (group, tick, definitions) = (report.group, report.tick, &loaded.definitions);
        let TickOutcome::Counted(outcomes) = &report.outcome else {
            return;
        };
        let expected = loaded.group_state.expected(&self.fallback_locations);
        let delay = RollupDelay::of(group, &self.location, expected);
        let due = due(before, tick, delay);
        let warnings = self.roll_up(group, &due, definitions, deadline).await;
        report.warnings.extend(warnings);
        if banners::is_due(before, tick, delay.hour) {
            let stored = self
                .store_banners(group, tick, definitions, outcomes, deadline)
                .await;
            report.warnings.extend(stored.err());
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
