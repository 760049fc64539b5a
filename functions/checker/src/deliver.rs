//! Delivery: publish what this invocation claimed, file what closed, then strike both from the rows.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use portpulse_alert::{Publish, messages};
use portpulse_core::decide::{Input, Notification, acknowledge_fleet_published, acknowledge_published};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{ClosedIncident, DecisionState, FleetState};
use portpulse_store::keys::GroupStateKey;
use portpulse_store::store::Written;
use portpulse_store::table::Table;

use crate::Error;
use crate::decide_and_publish::MAX_ATTEMPTS;
use crate::probe::{Clock, Probe};
use crate::tick::{Checker, Invocation, TickReport};

/// How many closed incidents are filed at once: of a whole group, from the farthest location, that takes some seconds.
const FILED_AT_ONCE: usize = 16;

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// There was nothing to deliver.
    Nothing,
    /// Some of it, or all: it has left its row.
    Some,
    /// Nothing of it.
    Failed,
}

/// What is to be delivered, and the rows it is to be struck from.
pub(crate) struct Delivery {
    group: GroupId,
    notifications: Vec<Notification>,
    closed: Vec<ClosedIncident>,
    status: DecisionState,
    fleet: Option<FleetState>,
}

impl Delivery {
    /// All that the decided rows hold for this claimant.
    pub(crate) fn of(input: &Input<'_>) -> Self {
        let fleet = input
            .fleet
            .into_iter()
            .flat_map(|fleet| fleet.outbox.claimed_by(input.me));
        let claimed = fleet.chain(input.group_state.decision.outbox.claimed_by(input.me));
        Self {
            group: input.group,
            notifications: claimed
                .map(|pending| Notification::compose(pending, input))
                .collect(),
            closed: input.group_state.decision.closed.clone(),
            status: input.group_state.decision.clone(),
            fleet: input.fleet.cloned(),
        }
    }
}

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Delivers, and strikes out what was delivered. A crash in between repeats a message under the same id.
    pub(crate) async fn deliver(
        &self,
        delivery: Delivery,
        invocation: &Invocation,
        report: &mut TickReport,
    ) -> Delivered {
        let Delivery {
            group,
            notifications,
            closed,
            status,
            fleet,
        } = delivery;
        let published = self.publish(&notifications, report).await;
        // What waits in the fleet row takes no room in the decision row.
        let waited: Vec<_> = notifications
            .iter()
            .filter(|notification| {
                status
                    .outbox
                    .pending()
                    .iter()
                    .any(|pending| pending.id == notification.id)
            })
            .map(|notification| published.contains(&notification.id))
            .collect();
        let wanted = waited.len() + closed.len();
        let gone = waited.into_iter().filter(|is_published| *is_published).count();
        report.published.extend(
            notifications
                .into_iter()
                .filter(|notification| published.contains(&notification.id)),
        );
        let filed = self.file(&closed, report).await;
        let struck = self
            .strike_decision(group, status, invocation, &published, &filed)
            .await;
        let delivered = match (&struck, gone + filed.len()) {
            (Ok(()), 1..) => Delivered::Some,
            (Ok(()), 0) if wanted == 0 => Delivered::Nothing,
            (Ok(()) | Err(_), _) => Delivered::Failed,
        };
        report.errors.extend(struck.err());
        if let Some(fleet) = fleet {
            let struck = self.strike_fleet(group, fleet, invocation, &published).await;
            report.errors.extend(struck.err());
        }
        delivered
    }

    /// Files what closed, several at once, and returns the keys of what is filed.
    async fn file(&self, closed: &[ClosedIncident], report: &mut TickReport) -> Vec<String> {
        let filing = closed.iter().map(async |incident| {
            let filed = self.store.file_incident(incident).await;
            (incident.key(), filed)
        });
        let results: Vec<_> = stream::iter(filing)
            .buffer_unordered(FILED_AT_ONCE)
            .collect()
            .await;
        let mut filed = Vec::new();
        for (key, result) in results {
            match result {
                Ok(()) => filed.push(key),
                Err(source) => report.errors.push(Error::File { key, source }),
            }
        }
        filed
    }

    /// Publishes, and returns the ids of what went out.
    ///
    /// What is about the same subject goes out in order: after a failure, what comes later waits with it.
    async fn publish(&self, notifications: &[Notification], report: &mut TickReport) -> BTreeSet<String> {
        let subjects: BTreeMap<_, _> = notifications
            .iter()
            .map(|n| (n.id.as_str(), &n.subject))
            .collect();
        let (mut published, mut stuck) = (BTreeSet::new(), BTreeSet::new());
        for message in messages(notifications) {
            let about: BTreeSet<_> = message
                .ids
                .iter()
                .filter_map(|id| subjects.get(id.as_str()))
                .collect();
            if !stuck.is_disjoint(&about) {
                stuck.extend(about);
                continue;
            }
            match self.topic.publish(&message).await {
                Ok(()) => published.extend(message.ids),
                Err(source) => {
                    stuck.extend(about);
                    report.errors.push(Error::Publish {
                        ids: message.ids,
                        source,
                    });
                }
            }
        }
        published
    }

    async fn strike_decision(
        &self,
        group: GroupId,
        mut row: DecisionState,
        invocation: &Invocation,
        published: &BTreeSet<String>,
        filed: &[String],
    ) -> Result<(), Error> {
        for _ in 0..MAX_ATTEMPTS {
            let Some(next) = acknowledge_published(&row, &invocation.claimant, published, filed) else {
                return Ok(());
            };
            let written = self.store.put_decision(group, &next).await;
            if written.map_err(|source| Error::Decide { group, source })? == Written::Done {
                return Ok(());
            }
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
                return Ok(());
            }
            row = read.group_state.decision;
        }
        Err(Error::TooManyConflicts {
            group,
            attempts: MAX_ATTEMPTS,
        })
    }

    async fn strike_fleet(
        &self,
        group: GroupId,
        mut row: FleetState,
        invocation: &Invocation,
        published: &BTreeSet<String>,
    ) -> Result<(), Error> {
        for _ in 0..MAX_ATTEMPTS {
            let Some(next) = acknowledge_fleet_published(&row, &invocation.claimant, published) else {
                return Ok(());
            };
            let written = self.store.put_fleet(&next).await;
            if written.map_err(|source| Error::Decide { group, source })? == Written::Done {
                return Ok(());
            }
            let read = self.store.fleet().await;
            row = read.map_err(|source| Error::Read {
                what: "fleet row",
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
