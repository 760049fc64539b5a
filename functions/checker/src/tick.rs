//! One tick: read, probe, commit; then settle whatever is not nominal.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join;
use portpulse_alert::Publish;
use portpulse_core::banners;
use portpulse_core::decide::{Input, Notification, is_nominal, is_undecided};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::GroupState;
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::observation::Observation;
use portpulse_core::outbox::Claimant;
use portpulse_core::outcome::Outcome;
use portpulse_core::rollup::{Tally, due, of_ticks};
use portpulse_core::round::{Definitions, Observations, advance};
use portpulse_core::time::Tick;
use portpulse_store::Store;
use portpulse_store::keys::GroupStateKey;
use portpulse_store::store::{Commit, Recorded};
use portpulse_store::table::Table;

use crate::decide_and_publish::MAX_ATTEMPTS;
use crate::probe::{Clock, Probe};
use crate::roll_up::Deadline;
use crate::{Error, TickEvent};

/// The time kept back from an invocation to commit, decide and deliver.
pub(crate) const RESERVE: Duration = Duration::from_secs(10);
/// The least time for checks: without it there would be no point in starting.
const MIN_BUDGET: Duration = Duration::from_secs(1);

/// Checks groups in the name of one location. Made once; handles one tick after the other.
#[derive(Debug)]
pub struct Checker<T, P, N, C> {
    pub(crate) store: Store<T>,
    pub(crate) prober: P,
    pub(crate) topic: N,
    pub(crate) clock: C,
    pub(crate) location: Location,
    pub(crate) fallback_locations: BTreeSet<Location>,
}

/// What is particular to one invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// In whose name notifications are claimed: unique to the invocation.
    pub claimant: Claimant,
    /// How long it may still take.
    pub remaining: Duration,
}

/// What became of a tick.
#[derive(Debug)]
pub struct TickReport {
    /// The tick.
    pub tick: Tick,
    /// Its group.
    pub group: GroupId,
    /// In whose name it was checked.
    pub location: Location,
    /// How it went.
    pub outcome: TickOutcome,
    /// What it saw, all monitors together; nothing unless it counts.
    pub sum: Tally,
    /// What was published.
    pub published: Vec<Notification>,
    /// What went wrong. Not empty where the tick could not be committed, or notifications are left unpublished.
    pub errors: Vec<Error>,
    /// What was not summed up, or not all of it, and words that were not kept. No harm to the tick: a later one makes
    /// good what it can.
    pub warnings: Vec<Error>,
}

/// How a tick went.
#[derive(Debug, Clone, PartialEq)]
pub enum TickOutcome {
    /// It was checked and counts.
    Counted(BTreeMap<MonitorId, Outcome>),
    /// It was checked, but a twin committed it first: what the twin saw counts.
    Conflict,
    /// It had been counted before, or came more than its interval late.
    Repeated,
    /// It could not be counted; see the troubles.
    Failed,
}

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// A checker for `location`. Where a group's board lists no location that should report, those are expected that
    /// `fallback_locations` names.
    pub fn new(
        store: Store<T>,
        prober: P,
        topic: N,
        clock: C,
        location: Location,
        fallback_locations: BTreeSet<Location>,
    ) -> Self {
        Self {
            store,
            prober,
            topic,
            clock,
            location,
            fallback_locations,
        }
    }

    /// Handles one tick. Every delivery of the same tick after the first only finishes what was left to deliver.
    pub async fn handle(&self, event: &TickEvent, invocation: &Invocation) -> TickReport {
        let (group, tick) = (event.group(), event.tick());
        let mut report = TickReport {
            tick,
            group,
            location: self.location.clone(),
            outcome: TickOutcome::Failed,
            sum: Tally::default(),
            published: Vec::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
        };
        let now = self.clock.now();
        if tick.ahead_of(now) > group.interval.length() {
            report.errors.push(Error::FutureTick { tick, group });
            return report;
        }
        let (definitions, read) = join(self.store.definitions(group), self.store.group_state(group)).await;
        let (definitions, read) = match (definitions, read) {
            (Ok(definitions), Ok(read)) => (definitions, read),
            (definitions, read) => {
                let error = |what| move |source| Error::Read { what, group, source };
                report.errors.extend(definitions.err().map(error("definitions")));
                report.errors.extend(read.err().map(error("group state")));
                return report;
            }
        };
        let (group_state, unreadable) = (read.group_state, read.unreadable);
        if !group_state.listed.is_empty() && !group_state.listed.contains(&self.location) {
            report.errors.push(Error::LocationNotListed {
                location: self.location.clone(),
                group,
            });
        }
        let own_row_is_readable = !unreadable.contains_key(&GroupStateKey::Location(self.location.clone()));
        let decision_is_readable = !unreadable.contains_key(&GroupStateKey::Decision);
        report.errors.extend(
            unreadable
                .into_values()
                .map(|source| Error::Unreadable { group, source }),
        );
        let mut round = Round {
            group,
            tick,
            definitions,
            group_state,
        };

        let deadline = Deadline {
            began: now,
            remaining: invocation.remaining,
        };
        let before = round.group_state.locations.get(&self.location).map(|row| row.tick);
        if before.is_some_and(|before| before >= tick) || tick.age(now) > group.interval.length() {
            report.outcome = TickOutcome::Repeated;
        } else if own_row_is_readable {
            match self
                .check(
                    &mut round,
                    decision_is_readable,
                    invocation,
                    deadline,
                    &mut report,
                )
                .await
            {
                Ok(outcome) => report.outcome = outcome,
                Err(error) => report.errors.push(error),
            }
        }
        if decision_is_readable && !self.judge(&round, invocation, is_nominal) {
            let settled = self
                .decide_and_publish(group, &round.definitions, invocation, deadline, &mut report)
                .await;
            report.errors.extend(settled.err());
        }
        if let TickOutcome::Counted(_) = &report.outcome {
            let due = due(before, tick);
            let rolled_up = self
                .roll_up(group, &due, &round.definitions, deadline, &mut report)
                .await;
            report.warnings.extend(rolled_up.err());
            if let (TickOutcome::Counted(outcomes), true) =
                (&report.outcome, banners::is_due(before, tick))
            {
                let kept = self
                    .keep_banners(group, tick, &round.definitions, outcomes, deadline)
                    .await;
                report.warnings.extend(kept.err());
            }
        }
        report
    }

    /// Checks all monitors and commits what was seen; puts the committed row on the board.
    async fn check(
        &self,
        round: &mut Round,
        decision_is_readable: bool,
        invocation: &Invocation,
        deadline: Deadline,
        report: &mut TickReport,
    ) -> Result<TickOutcome, Error> {
        let (group, tick) = (round.group, round.tick);
        let monitors: Vec<_> = round.definitions.checked_by(&self.location).collect();
        let targets: Vec<_> = monitors.iter().map(|monitor| monitor.target().clone()).collect();
        let budget = invocation.remaining.saturating_sub(RESERVE).max(MIN_BUDGET);
        let outcomes = self.prober.probe(&targets, budget).await;
        let outcomes: BTreeMap<_, _> = monitors
            .iter()
            .map(|monitor| monitor.id().clone())
            .zip(outcomes)
            .collect();
        let seen: Observations = outcomes
            .iter()
            .map(|(id, outcome)| (id.clone(), Observation::of(outcome)))
            .collect();
        let failed = |source| Error::Commit { tick, group, source };
        let recorded = self.store.put_results(group, tick, &self.location, &seen).await;
        let seen = match recorded.map_err(failed)? {
            Recorded::Written => seen,
            // Whoever recorded this tick first is believed, so that a row never contradicts the results.
            Recorded::AlreadyThere(recorded) => recorded,
            Recorded::Unreadable(source) => {
                report.errors.push(Error::Unreadable { group, source });
                seen
            }
        };
        for _ in 0..MAX_ATTEMPTS {
            if decision_is_readable && self.judge(round, invocation, is_undecided) {
                // A checker was lost before it could decide on what its row shows: decide before that row is replaced.
                let definitions = &round.definitions;
                let settled = self
                    .decide_and_publish(group, definitions, invocation, deadline, report)
                    .await;
                round.group_state = settled?;
            }
            let before = round.group_state.locations.get(&self.location);
            let incidents = &round.group_state.decision.incidents;
            let has_incident = |id: &MonitorId| incidents.keys().any(|(of, _)| of == id);
            let Some(row) = advance(before, tick, &round.definitions, &seen, has_incident) else {
                return Ok(TickOutcome::Conflict);
            };
            let before = before.map(|row| row.tick);
            let committed = self
                .store
                .put_location_state(group, &self.location, before, &row)
                .await;
            let outcome = match committed.map_err(failed)? {
                Commit::Done => TickOutcome::Counted(outcomes),
                // Or this very write did, and its answer was lost: what it shows still wants a decision.
                Commit::Conflict => TickOutcome::Conflict,
                Commit::Overtaken => {
                    let read = self.store.group_state(group).await.map_err(failed)?;
                    round.group_state = read.group_state;
                    continue;
                }
            };
            round.group_state.locations.insert(self.location.clone(), row);
            if let TickOutcome::Counted(_) = outcome {
                let ticks = BTreeMap::from([(tick, seen)]);
                for tally in of_ticks(&round.definitions, &ticks).values() {
                    report.sum.add(tally);
                }
            }
            return Ok(outcome);
        }
        Err(Error::TooManyConflicts {
            group,
            attempts: MAX_ATTEMPTS,
        })
    }

    /// Asks the core about a round, without what is only read where something is to be decided.
    fn judge(
        &self,
        round: &Round,
        invocation: &Invocation,
        question: impl FnOnce(&Input<'_>) -> bool,
    ) -> bool {
        question(&Input {
            group: round.group,
            definitions: &round.definitions,
            group_state: &round.group_state,
            fleet: None,
            fallback_locations: &self.fallback_locations,
            controls: &BTreeMap::new(),
            down_elsewhere: &BTreeSet::new(),
            now: self.clock.now(),
            me: &invocation.claimant,
        })
    }
}

/// What a tick has read, and its own row once that is committed.
struct Round {
    group: GroupId,
    tick: Tick,
    definitions: Definitions,
    group_state: GroupState,
}
