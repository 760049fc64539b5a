//! The standby region: copies decisions to it, and says through its topic that home cannot be reached, once, with what this location
//! sees of its monitors.
//!
//! Nothing is decided there: no incident opens or closes. `shared/store/HOME.md` says why.

use std::collections::BTreeSet;

use portpulse_alert::{Publish, messages};
use portpulse_core::decide::Notification;
use portpulse_core::definition::Monitor;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{DecisionState, LocationKind};
use portpulse_core::home_loss::{HomeFailures, HomeLoss, OwnChecks, StandbyRead, notification};
use portpulse_core::round::Definitions;
use portpulse_core::time::Tick;
use portpulse_store::store::Written;
use portpulse_store::table::Table;

use crate::Error;
use crate::checker::{Checker, Invocation, MAX_ATTEMPTS, Standby};
use crate::deadline::{Deadline, RESERVE};
use crate::probe::{Clock, Probe};
use crate::report::TickReport;

/// What the steps of one tick share.
#[derive(Clone, Copy)]
struct TickContext<'a> {
    group: GroupId,
    tick: Tick,
    invocation: &'a Invocation,
    deadline: Deadline,
}

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Copies a decision to the standby region. The next decision copies again after a failure.
    pub(crate) async fn copy_decision(&self, group: GroupId, state: &DecisionState) -> Option<Error> {
        let standby = self.standby.as_ref()?;
        let copied = standby.store.copy_decision(group, state).await;
        copied.err().map(|source| Error::CopyDecision { group, source })
    }

    /// Counts a tick at which home could not be read; from the third one on, notifies the loss unless another location has.
    pub(crate) async fn home_unreachable(
        &self,
        invocation: &Invocation,
        deadline: Deadline,
        report: &mut TickReport,
    ) {
        let Some(standby) = &self.standby else {
            return;
        };
        let context = TickContext::new(report, invocation, deadline);
        match self.count_failure(standby, context).await {
            Ok(published) => report.published.extend(published),
            Err(error) => report.errors.push(error),
        }
    }

    /// Notifies that home can be reached again, if its loss was notified, and what a lost publisher has left. A failure is a warning:
    /// home is well, and a later read of the standby table retries.
    pub(crate) async fn home_reachable(
        &self,
        read: StandbyRead,
        invocation: &Invocation,
        deadline: Deadline,
        report: &mut TickReport,
    ) {
        let Some(standby) = &self.standby else {
            return;
        };
        let context = TickContext::new(report, invocation, deadline);
        match self.end_loss(standby, read, context).await {
            Ok(published) => report.published.extend(published),
            Err(error) => report.warnings.push(error),
        }
    }

    async fn end_loss(
        &self,
        standby: &Standby<T, N>,
        read: StandbyRead,
        context: TickContext<'_>,
    ) -> Result<Vec<Notification>, Error> {
        let me = &context.invocation.claimant;
        let next = |loss: &HomeLoss| loss.reachable(&self.location, read, self.clock.now(), me);
        let Some(loss) = self.change_loss(standby, context, next).await? else {
            return Ok(Vec::new());
        };
        let checks = OwnChecks::NotMade("home can be reached");
        self.publish_loss(standby, context, loss, &Definitions::default(), &checks)
            .await
    }

    async fn count_failure(
        &self,
        standby: &Standby<T, N>,
        context: TickContext<'_>,
    ) -> Result<Vec<Notification>, Error> {
        let (group, location) = (context.group, &self.location);
        let failed = |source| Error::Standby { group, source };
        let before = standby
            .store
            .home_failures(group, location)
            .await
            .map_err(failed)?;
        let failures = HomeFailures::count(before, context.tick, group.interval);
        if before != Some(failures) {
            let written = standby.store.put_home_failures(group, location, &failures).await;
            written.map_err(failed)?;
        }
        if !failures.is_loss() {
            return Ok(Vec::new());
        }
        let since = failures.first.timestamp();
        let next = |loss: &HomeLoss| {
            loss.unreachable(location, since, self.clock.now(), &context.invocation.claimant)
        };
        let Some(loss) = self.change_loss(standby, context, next).await? else {
            return Ok(Vec::new());
        };
        if loss
            .outbox
            .claimed_by(&context.invocation.claimant)
            .next()
            .is_none()
        {
            return Ok(Vec::new());
        }
        let (definitions, checks) = self.check_own_monitors(standby, context).await;
        self.publish_loss(standby, context, loss, &definitions, &checks)
            .await
    }

    /// Writes the next state of the loss; `None` if it does not change.
    async fn change_loss(
        &self,
        standby: &Standby<T, N>,
        context: TickContext<'_>,
        next: impl Fn(&HomeLoss) -> Option<HomeLoss>,
    ) -> Result<Option<HomeLoss>, Error> {
        let group = context.group;
        let failed = |source| Error::Standby { group, source };
        for _ in 0..MAX_ATTEMPTS {
            let loss = standby.store.home_loss().await.map_err(failed)?;
            let Some(next) = next(&loss) else {
                return Ok(None);
            };
            if standby.store.put_home_loss(&next).await.map_err(failed)? == Written::Done {
                return Ok(Some(next));
            }
        }
        Err(Error::TooManyConflicts {
            group,
            attempts: MAX_ATTEMPTS,
        })
    }

    /// Checks the monitors of this location once, by the definitions in the standby table.
    async fn check_own_monitors(
        &self,
        standby: &Standby<T, N>,
        context: TickContext<'_>,
    ) -> (Definitions, OwnChecks) {
        let Ok(definitions) = standby.store.definitions(context.group).await else {
            let unread = OwnChecks::NotMade("the copies of their definitions cannot be read");
            return (Definitions::default(), unread);
        };
        let took = self.clock.passed_since(context.deadline.began);
        let budget = context.deadline.remaining.saturating_sub(took + RESERVE);
        if budget.is_zero() {
            return (definitions, OwnChecks::NotMade("no time was left"));
        }
        // An agent checks only monitors that name it. Which locations are agents is recorded in the home table alone.
        let is_own =
            |monitor: &&Monitor| standby.kind == LocationKind::Region || monitor.names(&self.location);
        let monitors: Vec<_> = definitions.checked_by(&self.location).filter(is_own).collect();
        let targets: Vec<_> = monitors.iter().map(|monitor| monitor.target().clone()).collect();
        let outcomes = self.prober.probe(context.tick, &targets, budget).await;
        let ids = monitors.iter().map(|monitor| monitor.id().clone());
        let checks = OwnChecks::Made(ids.zip(outcomes).collect());
        (definitions, checks)
    }

    /// Publishes what this invocation has claimed, and removes it from the outbox.
    async fn publish_loss(
        &self,
        standby: &Standby<T, N>,
        context: TickContext<'_>,
        loss: HomeLoss,
        definitions: &Definitions,
        checks: &OwnChecks,
    ) -> Result<Vec<Notification>, Error> {
        let me = &context.invocation.claimant;
        let claimed = loss.outbox.claimed_by(me);
        let claimed: Vec<_> = claimed
            .map(|pending| notification(pending, &self.location, context.group, definitions, checks))
            .collect();
        let (mut published, mut error) = (BTreeSet::new(), None);
        for message in messages(&claimed) {
            match standby.topic.publish(&message).await {
                Ok(()) => published.extend(message.ids),
                // The end of a loss is not notified before the loss.
                Err(source) => {
                    let ids = message.ids;
                    error = Some(Error::Publish { ids, source });
                    break;
                }
            }
        }
        let next = |loss: &HomeLoss| loss.acknowledge_published(me, &published);
        self.change_loss(standby, context, next).await?;
        match error {
            Some(error) => Err(error),
            None => Ok(claimed),
        }
    }
}

impl<'a> TickContext<'a> {
    fn new(report: &TickReport, invocation: &'a Invocation, deadline: Deadline) -> Self {
        Self {
            group: report.group,
            tick: report.tick,
            invocation,
            deadline,
        }
    }
}
