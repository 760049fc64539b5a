//! The fourth and fifth step of a tick: reads the state again, decides, writes the decision conditionally, and publishes.
//! Starts again after a conflict, and while the decision does not fit into one write.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use portpulse_alert::Publish;
use portpulse_core::control::Control;
use portpulse_core::decide::{Completeness, Decision, Elsewhere, Input, decide};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{FleetState, GroupState};
use portpulse_core::id::MonitorId;
use portpulse_core::outbox::CLAIM_LIFETIME;
use portpulse_core::round::Definitions;
use portpulse_store::keys::GroupStateKey;
use portpulse_store::store::Written;
use portpulse_store::table::Table;

use crate::Error;
use crate::checker::{Checker, Invocation, MAX_ATTEMPTS};
use crate::deadline::{Deadline, OPERATION_TIME, RESERVE};
use crate::deliver::{Delivered, Delivery, DeliveryReport};
use crate::probe::{Clock, Probe};
use crate::report::Effects;

/// The first pause before the next read of a full decision state that another invocation must empty. Each further pause is
/// twice as long, up to [`MAX_PAUSE`].
const MIN_PAUSE: Duration = Duration::from_millis(250);
/// The maximum pause.
const MAX_PAUSE: Duration = Duration::from_secs(4);

/// The outcome of a decision.
pub(crate) struct Decided {
    /// The group state with the decision, or why the decision failed or is incomplete. Then no state may be replaced that
    /// is not decided yet.
    pub(crate) group_state: Result<GroupState, Error>,
    /// Published notifications, and errors of reads and publishing.
    pub(crate) effects: Effects,
}

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Decides on the stored state, writes the decision, and publishes what the decision claimed, until the decision is
    /// complete.
    pub(crate) async fn decide_and_publish(
        &self,
        group: GroupId,
        definitions: &Definitions,
        invocation: &Invocation,
        deadline: Deadline,
    ) -> Decided {
        let mut effects = Effects::default();
        let group_state = self
            .decide_until_complete(group, definitions, invocation, deadline, &mut effects)
            .await;
        Decided { group_state, effects }
    }

    async fn decide_until_complete(
        &self,
        group: GroupId,
        definitions: &Definitions,
        invocation: &Invocation,
        deadline: Deadline,
        effects: &mut Effects,
    ) -> Result<GroupState, Error> {
        let (mut conflicts, mut waits) = (0, 0);
        while conflicts < MAX_ATTEMPTS {
            match self.attempt(group, definitions, invocation, effects).await? {
                Attempt::Complete(group_state) => return Ok(*group_state),
                Attempt::Overtaken => {
                    conflicts += 1;
                    continue;
                }
                Attempt::Partial => (conflicts, waits) = (0, 0),
                Attempt::Waits(claimed) => {
                    let pause = self.pause_for(claimed, waits, deadline);
                    let pause = pause.ok_or(Error::NoRoomToDecide { group })?;
                    self.clock.sleep(pause).await;
                    waits += 1;
                }
                Attempt::Stuck => return Err(Error::NoRoomToDecide { group }),
            }
            self.time_left(deadline).ok_or(Error::NoTimeToDecide { group })?;
        }
        Err(Error::TooManyConflicts {
            group,
            attempts: MAX_ATTEMPTS,
        })
    }

    /// The pause before the next read of a full decision state, whose oldest claim is of the time `claimed`; `None` to stop.
    /// A live invocation publishes within [`RESERVE`]. A killed one never does; its claim is worth waiting for only if it
    /// becomes stale before the deadline.
    fn pause_for(&self, claimed: Timestamp, waits: u32, deadline: Deadline) -> Option<Duration> {
        let age = Duration::try_from(self.clock.now().duration_since(claimed)).unwrap_or_default();
        let until_stale = CLAIM_LIFETIME.saturating_sub(age);
        let took = self.clock.passed_since(deadline.began);
        let is_stale_in_time = took + until_stale + OPERATION_TIME <= deadline.remaining;
        let pause = MIN_PAUSE.saturating_mul(1 << waits.min(4)).min(MAX_PAUSE);
        (is_stale_in_time || age < RESERVE).then_some(pause.min(until_stale.max(MIN_PAUSE)))
    }

    /// Reads, decides, writes and delivers once.
    async fn attempt(
        &self,
        group: GroupId,
        definitions: &Definitions,
        invocation: &Invocation,
        effects: &mut Effects,
    ) -> Result<Attempt, Error> {
        let read = self.read_group_state(group).await?;
        if read.unreadable.contains_key(&GroupStateKey::Decision) {
            // Reported at the beginning of the tick. A malformed item must not be overwritten.
            return Ok(Attempt::Complete(Box::new(read.group_state)));
        }
        let group_state = read.group_state;
        let context = self.read_context(group, definitions, &group_state, effects).await;
        let input = Input {
            group,
            definitions,
            group_state: &group_state,
            fleet: context.fleet.as_ref(),
            fallback_locations: &self.fallback_locations,
            controls: &context.controls,
            elsewhere: &context.elsewhere,
            now: self.clock.now(),
            me: &invocation.claimant,
        };
        let decision = decide(&input, &self.store.decision_limit(group));
        if self.write(group, &decision).await? == Written::Conflict {
            return Ok(Attempt::Overtaken);
        }
        if decision.fleet_completeness == Completeness::Partial {
            effects.add_new_errors([Error::FleetFull { group }]);
        }
        let decided = GroupState {
            decision: decision.state.unwrap_or_else(|| group_state.decision.clone()),
            ..group_state.clone()
        };
        let fleet = decision.fleet.or_else(|| context.fleet.clone());
        let input = Input {
            group_state: &decided,
            fleet: fleet.as_ref(),
            ..input
        };
        let DeliveryReport {
            delivered,
            left,
            effects: of_delivery,
        } = self
            .deliver(Delivery::of(&input, self.page.as_ref()), invocation)
            .await;
        effects.published.extend(of_delivery.published);
        effects.errors.extend(of_delivery.errors);
        if let Some(changed) = left.filter(|left| left.revision > group_state.decision.revision) {
            effects.warnings.extend(self.copy_decision(group, &changed).await);
        }
        let outbox = &decided.decision.outbox;
        let claimed = outbox.oldest_claim_of_others(input.me, input.now);
        Ok(match (decision.completeness, delivered) {
            (Completeness::Complete, _) => Attempt::Complete(Box::new(decided)),
            (Completeness::Partial, Delivered::Some) => Attempt::Partial,
            (Completeness::Partial, Delivered::Failed) => Attempt::Stuck,
            (Completeness::Partial, Delivered::Nothing) => claimed.map_or(Attempt::Stuck, Attempt::Waits),
        })
    }

    /// Reads what a decision needs besides the group. The decision is made without the parts that cannot be read.
    async fn read_context(
        &self,
        group: GroupId,
        definitions: &Definitions,
        group_state: &GroupState,
        effects: &mut Effects,
    ) -> Context {
        let failed = |what| move |source| Error::Read { what, group, source };
        // A notification despite a silence is better than no notification without one.
        let controls = self.store.controls().await.map_err(failed("controls"));
        let (controls, unreadable) = effects.value_of(controls).unwrap_or_default();
        effects.add_new_errors(
            unreadable
                .into_iter()
                .map(|source| Error::Unreadable { group, source }),
        );
        let fleet = self.store.fleet().await.map_err(failed("fleet state"));
        Context {
            controls,
            fleet: effects.value_of(fleet),
            elsewhere: self.elsewhere(group, definitions, group_state, effects).await,
        }
    }

    /// Writes the changed states of a decision.
    async fn write(&self, group: GroupId, decision: &Decision) -> Result<Written, Error> {
        let failed = |source| Error::Decide { group, source };
        let mut written = Written::Done;
        if let Some(next) = &decision.state {
            written = self.store.put_decision(group, next).await.map_err(failed)?;
        }
        if let (Written::Done, Some(next)) = (written, &decision.fleet) {
            written = self.store.put_fleet(next).await.map_err(failed)?;
        }
        Ok(written)
    }
}

/// What a decision needs besides the group.
struct Context {
    /// Silences and acknowledgements.
    controls: BTreeMap<MonitorId, Control>,
    /// `None` if the fleet state cannot be read.
    fleet: Option<FleetState>,
    elsewhere: Elsewhere,
}

/// The outcome of one attempt.
enum Attempt {
    /// The decision is complete, and its notifications are published as far as possible.
    Complete(Box<GroupState>),
    /// Another checker wrote first.
    Overtaken,
    /// The decision is incomplete, and there is room for more.
    Partial,
    /// There is no room until other claimants have published their notifications; the time of the oldest claim.
    Waits(Timestamp),
    /// There is no room, because nothing could be delivered.
    Stuck,
}
