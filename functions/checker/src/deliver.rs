//! Publishes claimed notifications, archives closed incidents, and removes both from the states.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use portpulse_alert::{Publish, messages};
use portpulse_core::decide::{Input, Notification, acknowledge_fleet_published, acknowledge_published};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{ClosedIncident, DecisionState, FleetState};
use portpulse_core::outbox::Held;
use portpulse_core::page_url::PageUrl;
use portpulse_store::keys::GroupStateKey;
use portpulse_store::store::Written;
use portpulse_store::table::Table;

use crate::Error;
use crate::checker::{Checker, Invocation, MAX_ATTEMPTS};
use crate::probe::{Clock, Probe};
use crate::report::Effects;

/// The number of closed incidents archived concurrently. From the farthest region, a full group takes some seconds.
const MAX_CONCURRENT_WRITES: usize = 16;

/// The progress of a delivery, as far as it makes room in the decision state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// There was nothing to deliver.
    Nothing,
    /// Some or all of it was delivered and removed from the decision state.
    Some,
    /// Nothing was delivered.
    Failed,
}

/// The result of a delivery.
pub(crate) struct DeliveryReport {
    pub(crate) delivered: Delivered,
    /// The decision state without what was delivered; `None` if that is unknown.
    pub(crate) left: Option<DecisionState>,
    /// Published notifications, and errors of publishing and of writes.
    pub(crate) effects: Effects,
}

/// Claimed notifications and closed incidents, and the states that contain them.
pub(crate) struct Delivery {
    group: GroupId,
    notifications: Vec<Notification>,
    closed: Vec<ClosedIncident>,
    decision: DecisionState,
    fleet: Option<FleetState>,
}

impl Delivery {
    /// Collects the notifications of this claimant and all closed incidents.
    pub(crate) fn of(input: &Input<'_>, page: Option<&PageUrl>) -> Self {
        let fleet = input
            .fleet
            .into_iter()
            .flat_map(|fleet| fleet.outbox.claimed_by(input.me));
        let claimed = fleet.chain(input.group_state.decision.outbox.claimed_by(input.me));
        Self {
            group: input.group,
            notifications: claimed
                .map(|pending| Notification::compose(pending, input).with_page(page))
                .collect(),
            closed: input.group_state.decision.closed.clone(),
            decision: input.group_state.decision.clone(),
            fleet: input.fleet.cloned(),
        }
    }
}

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Publishes and archives, then removes what was delivered. After a crash in between, messages are repeated with the
    /// same ids.
    pub(crate) async fn deliver(&self, delivery: Delivery, invocation: &Invocation) -> DeliveryReport {
        let Delivery {
            group,
            notifications,
            closed,
            decision,
            fleet,
        } = delivery;
        let mut effects = Effects::default();
        let (published, errors) = self.publish(&notifications).await;
        effects.errors.extend(errors);
        // Notifications of the fleet state take no room in the decision state.
        let waited: Vec<_> = notifications
            .iter()
            .filter(|notification| {
                decision
                    .outbox
                    .pending()
                    .iter()
                    .any(|pending| pending.id == notification.id)
            })
            .map(|notification| published.contains(&notification.id))
            .collect();
        let wanted = waited.len() + closed.len();
        let removed = waited.into_iter().filter(|is_published| *is_published).count();
        effects.published.extend(
            notifications
                .into_iter()
                .filter(|notification| published.contains(&notification.id)),
        );
        let (archived, errors) = self.archive(&closed).await;
        effects.errors.extend(errors);
        let removal = self
            .remove_from_decision_state(group, decision, invocation, &published, &archived)
            .await;
        let delivered = match (&removal, removed + archived.len()) {
            (Ok(_), 1..) => Delivered::Some,
            (Ok(_), 0) if wanted == 0 => Delivered::Nothing,
            (Ok(_) | Err(_), _) => Delivered::Failed,
        };
        let (left, failure) = removal.map_or_else(|error| (None, Some(error)), |left| (Some(left), None));
        effects.errors.extend(failure);
        if let Some(fleet) = fleet {
            let removal = self
                .remove_from_fleet_state(group, fleet, invocation, &published)
                .await;
            effects.errors.extend(removal.err());
        }
        DeliveryReport {
            delivered,
            left,
            effects,
        }
    }

    /// Archives closed incidents, several at a time. Returns the keys of archived incidents, and errors.
    async fn archive(&self, closed: &[ClosedIncident]) -> (Vec<String>, Vec<Error>) {
        let writes = closed.iter().map(async |incident| {
            let result = self.store.file_incident(incident).await;
            (incident.key(), result)
        });
        let results: Vec<_> = stream::iter(writes)
            .buffer_unordered(MAX_CONCURRENT_WRITES)
            .collect()
            .await;
        let (mut archived, mut errors) = (Vec::new(), Vec::new());
        for (key, result) in results {
            match result {
                Ok(()) => archived.push(key),
                Err(source) => errors.push(Error::File { key, source }),
            }
        }
        (archived, errors)
    }

    /// Publishes notifications. Returns the ids of published notifications, and errors.
    ///
    /// After a failure, later ones wait as [`Held`] describes.
    async fn publish(&self, notifications: &[Notification]) -> (BTreeSet<String>, Vec<Error>) {
        let subjects: BTreeMap<_, _> = notifications
            .iter()
            .map(|n| (n.id.as_str(), &n.subject))
            .collect();
        let (mut published, mut failed) = (BTreeSet::new(), Held::default());
        let mut errors = Vec::new();
        for message in messages(notifications) {
            let parts = message
                .ids
                .iter()
                .filter_map(|id| Some((id.as_str(), *subjects.get(id.as_str())?)));
            let parts: Vec<_> = parts.collect();
            let waits = parts.iter().any(|(id, subject)| failed.holds(id, subject));
            let result = if waits {
                None
            } else {
                Some(self.topic.publish(&message).await)
            };
            if !matches!(result, Some(Ok(()))) {
                parts.iter().for_each(|(id, subject)| failed.hold(id, subject));
            }
            match result {
                None => {}
                Some(Ok(())) => published.extend(message.ids),
                Some(Err(source)) => errors.push(Error::Publish {
                    ids: message.ids,
                    source,
                }),
            }
        }
        (published, errors)
    }

    /// Removes published notifications and archived incidents from the decision state. Returns the state that is left.
    async fn remove_from_decision_state(
        &self,
        group: GroupId,
        mut state: DecisionState,
        invocation: &Invocation,
        published: &BTreeSet<String>,
        archived: &[String],
    ) -> Result<DecisionState, Error> {
        for _ in 0..MAX_ATTEMPTS {
            let Some(next) = acknowledge_published(&state, &invocation.claimant, published, archived) else {
                return Ok(state);
            };
            let written = self.store.put_decision(group, &next).await;
            if written.map_err(|source| Error::Decide { group, source })? == Written::Done {
                return Ok(next);
            }
            let read = self.read_group_state(group).await?;
            if read.unreadable.contains_key(&GroupStateKey::Decision) {
                return Ok(state);
            }
            state = read.group_state.decision;
        }
        Err(Error::TooManyConflicts {
            group,
            attempts: MAX_ATTEMPTS,
        })
    }

    /// Removes published notifications from the fleet state.
    async fn remove_from_fleet_state(
        &self,
        group: GroupId,
        mut state: FleetState,
        invocation: &Invocation,
        published: &BTreeSet<String>,
    ) -> Result<(), Error> {
        for _ in 0..MAX_ATTEMPTS {
            let Some(next) = acknowledge_fleet_published(&state, &invocation.claimant, published) else {
                return Ok(());
            };
            let written = self.store.put_fleet(&next).await;
            if written.map_err(|source| Error::Decide { group, source })? == Written::Done {
                return Ok(());
            }
            let read = self.store.fleet().await;
            state = read.map_err(|source| Error::Read {
                what: "fleet state",
                group,
                source,
            })?;
        }
        Err(Error::TooManyConflicts {
            group,
            attempts: MAX_ATTEMPTS,
        })
    }
}
