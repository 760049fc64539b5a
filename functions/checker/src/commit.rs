//! The third step of a tick: counts the results and writes the state of this location.

use portpulse_alert::Publish;
use portpulse_core::decide::is_undecided;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::GroupState;
use portpulse_core::id::MonitorId;
use portpulse_core::round::{Definitions, Observations, advance};
use portpulse_core::time::Tick;
use portpulse_store::store::Commit;
use portpulse_store::table::Table;

use crate::Error;
use crate::checker::{Checker, Invocation, MAX_ATTEMPTS};
use crate::deadline::Deadline;
use crate::decide_and_publish::Decided;
use crate::probe::{Clock, Probe};
use crate::report::Effects;

/// The parameters of a commit.
pub(crate) struct Commitment<'a> {
    pub(crate) group: GroupId,
    pub(crate) tick: Tick,
    pub(crate) definitions: &'a Definitions,
    pub(crate) results: &'a Observations,
    pub(crate) decision_is_readable: bool,
}

/// The outcome of a commit.
pub(crate) struct Committed {
    /// Whether this checker committed the tick (`true`), or another one did first.
    pub(crate) is_counted: Result<bool, Error>,
    /// The group state with the committed state of this location.
    pub(crate) group_state: GroupState,
    /// The effects of decisions that a lost checker had left.
    pub(crate) effects: Effects,
}

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Counts the results and writes the state of this location; again if an earlier tick was committed meanwhile.
    pub(crate) async fn commit(
        &self,
        commitment: &Commitment<'_>,
        group_state: GroupState,
        invocation: &Invocation,
        deadline: Deadline,
    ) -> Committed {
        let (mut group_state, mut effects) = (group_state, Effects::default());
        let mut is_counted = Err(Error::TooManyConflicts {
            group: commitment.group,
            attempts: MAX_ATTEMPTS,
        });
        for _ in 0..MAX_ATTEMPTS {
            let lost = self.decide_for_lost_checker(commitment, &group_state, invocation, deadline);
            if let Some(decided) = lost.await {
                effects.append(decided.effects);
                match decided.group_state {
                    Ok(decided) => group_state = decided,
                    Err(error) => {
                        is_counted = Err(error);
                        break;
                    }
                }
            }
            match self.write_location_state(commitment, &mut group_state).await {
                Ok(Commit::Done) => is_counted = Ok(true),
                Ok(Commit::Conflict) => is_counted = Ok(false),
                Ok(Commit::Overtaken) => continue,
                Err(error) => is_counted = Err(error),
            }
            break;
        }
        Committed {
            is_counted,
            group_state,
            effects,
        }
    }

    /// Decides on the current state of this location, if a checker was lost between commit and decision. The state must
    /// not be replaced before.
    async fn decide_for_lost_checker(
        &self,
        commitment: &Commitment<'_>,
        group_state: &GroupState,
        invocation: &Invocation,
        deadline: Deadline,
    ) -> Option<Decided> {
        let (group, definitions) = (commitment.group, commitment.definitions);
        let is_lost = commitment.decision_is_readable
            && self.ask(group, definitions, group_state, invocation, is_undecided);
        if !is_lost {
            return None;
        }
        Some(
            self.decide_and_publish(group, definitions, invocation, deadline)
                .await,
        )
    }

    /// One attempt to write the next state of this location. Reads the group state again if the attempt was overtaken.
    async fn write_location_state(
        &self,
        commitment: &Commitment<'_>,
        group_state: &mut GroupState,
    ) -> Result<Commit, Error> {
        let (group, tick) = (commitment.group, commitment.tick);
        let failed = |source| Error::Commit { tick, group, source };
        let before = group_state.locations.get(&self.location);
        let incidents = &group_state.decision.incidents;
        let has_incident = |id: &MonitorId| incidents.keys().any(|(of, _)| of == id);
        let next = advance(
            before,
            tick,
            commitment.definitions,
            commitment.results,
            has_incident,
        );
        let Some(next) = next else {
            return Ok(Commit::Conflict);
        };
        let before = before.map(|before| before.tick);
        let committed = self
            .store
            .put_location_state(group, &self.location, before, &next)
            .await
            .map_err(failed)?;
        match committed {
            // After a conflict, the state in place may be this one, if the response to an earlier attempt was lost. It still
            // needs a decision.
            Commit::Done | Commit::Conflict => {
                group_state.locations.insert(self.location.clone(), next);
            }
            Commit::Overtaken => {
                let read = self.store.group_state(group).await.map_err(failed)?;
                *group_state = read.group_state;
            }
        }
        Ok(committed)
    }
}
