//! The standby region: copies decisions to it, and says through its topic that home cannot be reached, once, with what this location
//! sees of its monitors.
//!
//! Nothing is decided there: no incident opens or closes. `shared/store/HOME.md` says why.

use std::collections::BTreeSet;

use portpulse_alert::{Publish, messages};
use portpulse_core::decide::Notification;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::DecisionState;
use portpulse_core::home_loss::{HomeFailures, HomeLoss, LocalView, Question, notification};
use portpulse_core::round::Definitions;
use portpulse_core::time::Tick;
use portpulse_store::store::Written;
use portpulse_store::table::Table;

use crate::Error;
use crate::checker::{Checker, Invocation, MAX_ATTEMPTS, Standby};
use crate::deadline::{Deadline, RESERVE};
use crate::probe::{Clock, Probe};
use crate::report::TickReport;

/// A tick of a group, whose location could or could not reach home.
#[derive(Clone, Copy)]
struct Turn<'a> {
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

    /// Counts a tick at which home could not be read; after three of them, notifies the loss unless another location has.
    pub(crate) async fn home_unreachable(
        &self,
        invocation: &Invocation,
        deadline: Deadline,
        report: &mut TickReport,
    ) {
        let Some(standby) = &self.standby else {
            return;
        };
        let turn = Turn {
            group: report.group,
            tick: report.tick,
            invocation,
            deadline,
        };
        let notified = self.count_failure(standby, turn).await;
        report.add_standby(notified);
    }

    /// Notifies that home can be reached again, if its loss was notified, and what a lost publisher has left.
    pub(crate) async fn home_reachable(
        &self,
        question: Question,
        invocation: &Invocation,
        deadline: Deadline,
        report: &mut TickReport,
    ) {
        let Some(standby) = &self.standby else {
            return;
        };
        let turn = Turn {
            group: report.group,
            tick: report.tick,
            invocation,
            deadline,
        };
        let next = |loss: &HomeLoss| {
            loss.reachable(&self.location, question, self.clock.now(), &invocation.claimant)
        };
        let notified = match self.change_loss(standby, turn, next).await {
            Ok(Some(loss)) => {
                let unasked = LocalView::NotChecked("home can be reached");
                self.publish_loss(standby, turn, loss, &Definitions::default(), &unasked)
                    .await
            }
            Ok(None) => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        report.add_standby(notified);
    }

    async fn count_failure(
        &self,
        standby: &Standby<T, N>,
        turn: Turn<'_>,
    ) -> Result<Vec<Notification>, Error> {
        let (group, location) = (turn.group, &self.location);
        let failed = |source| Error::Standby { group, source };
        let before = standby
            .store
            .home_failures(group, location)
            .await
            .map_err(failed)?;
        let failures = HomeFailures::count(before, turn.tick, group.interval);
        if before != Some(failures) {
            let written = standby.store.put_home_failures(group, location, &failures).await;
            written.map_err(failed)?;
        }
        if !failures.is_loss() {
            return Ok(Vec::new());
        }
        let since = failures.first.timestamp();
        let next =
            |loss: &HomeLoss| loss.unreachable(location, since, self.clock.now(), &turn.invocation.claimant);
        let Some(loss) = self.change_loss(standby, turn, next).await? else {
            return Ok(Vec::new());
        };
        if loss.outbox.claimed_by(&turn.invocation.claimant).next().is_none() {
            return Ok(Vec::new());
        }
        let (definitions, view) = self.look(standby, turn).await;
        self.publish_loss(standby, turn, loss, &definitions, &view).await
    }

    /// Writes the next state of the loss; `None` if it does not change.
    async fn change_loss(
        &self,
        standby: &Standby<T, N>,
        turn: Turn<'_>,
        next: impl Fn(&HomeLoss) -> Option<HomeLoss>,
    ) -> Result<Option<HomeLoss>, Error> {
        let group = turn.group;
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
    async fn look(&self, standby: &Standby<T, N>, turn: Turn<'_>) -> (Definitions, LocalView) {
        let Ok(definitions) = standby.store.definitions(turn.group).await else {
            let unread = LocalView::NotChecked("the copies of their definitions cannot be read");
            return (Definitions::default(), unread);
        };
        let took = self.clock.passed_since(turn.deadline.began);
        let budget = turn.deadline.remaining.saturating_sub(took + RESERVE);
        if budget.is_zero() {
            return (definitions, LocalView::NotChecked("no time was left"));
        }
        let monitors: Vec<_> = definitions.checked_by(&self.location).collect();
        let targets: Vec<_> = monitors.iter().map(|monitor| monitor.target().clone()).collect();
        let outcomes = self.prober.probe(turn.tick, &targets, budget).await;
        let ids = monitors.iter().map(|monitor| monitor.id().clone());
        let view = LocalView::Checked(ids.zip(outcomes).collect());
        (definitions, view)
    }

    /// Publishes what this invocation has claimed, and removes it from the outbox.
    async fn publish_loss(
        &self,
        standby: &Standby<T, N>,
        turn: Turn<'_>,
        loss: HomeLoss,
        definitions: &Definitions,
        view: &LocalView,
    ) -> Result<Vec<Notification>, Error> {
        let me = &turn.invocation.claimant;
        let claimed = loss.outbox.claimed_by(me);
        let claimed: Vec<_> = claimed
            .map(|pending| notification(pending, &self.location, turn.group, definitions, view))
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
        self.change_loss(standby, turn, next).await?;
        match error {
            Some(error) => Err(error),
            None => Ok(claimed),
        }
    }
}
