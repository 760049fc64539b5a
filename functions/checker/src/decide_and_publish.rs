//! Settling a group: read again, decide, write on condition, deliver; on a conflict, and where a decision does not fit
//! into one write, from the start.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use portpulse_alert::Publish;
use portpulse_core::decide::{Input, Completeness, decide};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{FleetState, GroupState, Status, Track};
use portpulse_core::id::MonitorId;
use portpulse_core::outbox::CLAIM_LIFETIME;
use portpulse_core::round::Definitions;
use portpulse_store::keys::GroupStateKey;
use portpulse_store::store::Written;
use portpulse_store::table::Table;

use crate::Error;
use crate::deliver::{Delivered, Delivery};
use crate::probe::{Clock, Probe};
use crate::roll_up::{Deadline, STEP};
use crate::tick::{Checker, Invocation, RESERVE, TickReport};

/// How often something is written again because another checker wrote first. Each conflict is another's progress, so
/// with seventeen locations deciding at once the last one needs at most that many.
pub(crate) const MAX_ATTEMPTS: u32 = 40;

/// The first pause before the next read of a full decision state that another invocation must empty. Each further pause is
/// twice as long, up to [`MAX_PAUSE`].
const MIN_PAUSE: Duration = Duration::from_millis(250);
/// The maximum pause.
const MAX_PAUSE: Duration = Duration::from_secs(4);

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Decides on what is stored now, writes the decision, and delivers what it claimed; as often as it takes to decide
    /// everything. Returns the board as it was decided on, with the decision.
    ///
    /// What could not be delivered is among the report's troubles.
    ///
    /// # Errors
    /// When nothing could be decided, or not everything: then no row may be replaced that shows what is left.
    pub(crate) async fn decide_and_publish(
        &self,
        group: GroupId,
        definitions: &Definitions,
        invocation: &Invocation,
        deadline: Deadline,
        report: &mut TickReport,
    ) -> Result<GroupState, Error> {
        let (mut conflicts, mut waits) = (0, 0);
        while conflicts < MAX_ATTEMPTS {
            match self.attempt(group, definitions, invocation, report).await? {
                Attempt::StoppedFlapping(group_state) => return Ok(*group_state),
                Attempt::Overtaken => {
                    conflicts += 1;
                    continue;
                }
                Attempt::Partly => (conflicts, waits) = (0, 0),
                Attempt::Waits(claimed) if waits < MAX_ATTEMPTS => {
                    let pause = self.pause_for(claimed, waits, deadline);
                    let pause = pause.ok_or(Error::NoRoomToDecide { group })?;
                    self.clock.sleep(pause).await;
                    waits += 1;
                }
                Attempt::Waits(_) | Attempt::Stuck => return Err(Error::NoRoomToDecide { group }),
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
        let is_stale_in_time = took + until_stale + STEP <= deadline.remaining;
        let pause = MIN_PAUSE.saturating_mul(1 << waits.min(4)).min(MAX_PAUSE);
        (is_stale_in_time || age < RESERVE).then_some(pause.min(until_stale.max(MIN_PAUSE)))
    }

    async fn attempt(
        &self,
        group: GroupId,
        definitions: &Definitions,
        invocation: &Invocation,
        report: &mut TickReport,
    ) -> Result<Attempt, Error> {
        let read = self
            .store
            .group_state(group)
            .await
            .map_err(|source| Error::Read {
                what: "group state",
                group,
                source,
            })?;
        if read.unreadable.contains_key(&GroupStateKey::Decision) {
            // Named already when the tick began; what cannot be read must not be overwritten.
            return Ok(Attempt::StoppedFlapping(Box::new(read.group_state)));
        }
        let group_state = read.group_state;
        let controls = match self.store.controls().await {
            Ok((controls, unreadable)) => {
                note(
                    report,
                    unreadable
                        .into_iter()
                        .map(|source| Error::Unreadable { group, source }),
                );
                controls
            }
            // Better an alert that was silenced than a silence that nobody asked for.
            Err(source) => {
                note(
                    report,
                    [Error::Read {
                        what: "controls",
                        group,
                        source,
                    }],
                );
                BTreeMap::new()
            }
        };
        let fleet = match self.store.fleet().await {
            Ok(fleet) => Some(fleet),
            Err(source) => {
                note(
                    report,
                    [Error::Read {
                        what: "fleet row",
                        group,
                        source,
                    }],
                );
                None
            }
        };
        let down_elsewhere = self
            .down_elsewhere(group, definitions, &group_state, report)
            .await;
        let input = Input {
            group,
            definitions,
            group_state: &group_state,
            fleet: fleet.as_ref(),
            fallback_locations: &self.fallback_locations,
            controls: &controls,
            down_elsewhere: &down_elsewhere,
            now: self.clock.now(),
            me: &invocation.claimant,
        };
        let decision = decide(&input, &self.store.decision_limit(group));
        let failed = |source| Error::Decide { group, source };
        if let Some(next) = &decision.state
            && self.store.put_decision(group, next).await.map_err(failed)? == Written::Conflict
        {
            return Ok(Attempt::Overtaken);
        }
        if let Some(next) = &decision.fleet
            && self.store.put_fleet(next).await.map_err(failed)? == Written::Conflict
        {
            return Ok(Attempt::Overtaken);
        }
        if decision.fleet_completeness == Completeness::Partial {
            note(report, [Error::FleetFull { group }]);
        }
        let is_written = decision.state.is_some();
        let decided = GroupState {
            decision: decision.state.unwrap_or_else(|| group_state.decision.clone()),
            ..group_state.clone()
        };
        let fleet: Option<FleetState> = decision.fleet.or_else(|| fleet.clone());
        let input = Input {
            group_state: &decided,
            fleet: fleet.as_ref(),
            ..input
        };
        let delivered = self.deliver(Delivery::of(&input), invocation, report).await;
        let claimed = decided.decision.outbox.oldest_claim_of_others(input.me, input.now);
        Ok(match (decision.completeness, delivered) {
            (Completeness::Complete, _) => Attempt::StoppedFlapping(Box::new(decided)),
            (Completeness::Partial, Delivered::Some) => Attempt::Partly,
            (Completeness::Partial, Delivered::Failed) => Attempt::Stuck,
            (Completeness::Partial, Delivered::Nothing) if is_written => Attempt::Partly,
            (Completeness::Partial, Delivered::Nothing) => claimed.map_or(Attempt::Stuck, Attempt::Waits),
        })
    }

    /// Which monitors of other groups are down, of those that a monitor in trouble here depends on.
    async fn down_elsewhere(
        &self,
        group: GroupId,
        definitions: &Definitions,
        group_state: &GroupState,
        report: &mut TickReport,
    ) -> BTreeSet<MonitorId> {
        let in_trouble = |id: &MonitorId| {
            group_state.locations.values().any(|row| row.entries.contains_key(id))
                || group_state.decision.incidents.keys().any(|(of, _)| of == id)
        };
        let monitors = definitions
            .monitors
            .values()
            .filter(|monitor| in_trouble(monitor.id()));
        let mut parents: BTreeMap<GroupId, BTreeSet<&MonitorId>> = BTreeMap::new();
        for (parent, elsewhere) in monitors.flat_map(|monitor| &monitor.alert_policy().depends_on) {
            if let Some(elsewhere) = elsewhere.filter(|elsewhere| *elsewhere != group) {
                parents.entry(elsewhere).or_default().insert(parent);
            }
        }
        let mut down = BTreeSet::new();
        for (elsewhere, ids) in parents {
            match self.store.group_state(elsewhere).await {
                Ok(read) => {
                    let incidents = read.group_state.decision.incidents.into_iter();
                    let open = incidents.filter(|((_, track), i)| {
                        *track == Track::Health && i.status == Status::Down && i.is_bad_now()
                    });
                    down.extend(open.map(|((id, _), _)| id).filter(|id| ids.contains(id)));
                }
                // Then nothing is held back on its account.
                Err(source) => note(
                    report,
                    [Error::Read {
                        what: "group state",
                        group: elsewhere,
                        source,
                    }],
                ),
            }
        }
        down
    }
}

/// What came of one attempt.
enum Attempt {
    /// The whole decision stands, and what it claimed was delivered as far as possible.
    StoppedFlapping(Box<GroupState>),
    /// Another checker wrote first.
    Overtaken,
    /// Part of the decision stands, and there is room for more.
    Partly,
    /// The decision state is full until other invocations publish what they claimed; the time of the oldest claim.
    Waits(Timestamp),
    /// There is no room, since nothing of what waits could be delivered.
    Stuck,
}

/// Adds troubles that were not named before: attempts repeat their reads.
fn note(report: &mut TickReport, errors: impl IntoIterator<Item = Error>) {
    for error in errors {
        let text = crate::chain(&error);
        if !report.errors.iter().any(|known| crate::chain(known) == text) {
            report.errors.push(error);
        }
    }
}
