//! Settling a group: read again, decide, write on condition, deliver; on a conflict from the start.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_alert::Publish;
use portpulse_core::board::{Board, FleetRow, Track, Verdict};
use portpulse_core::decide::{Input, claim, decide};
use portpulse_core::group::GroupId;
use portpulse_core::id::MonitorId;
use portpulse_core::round::Definitions;
use portpulse_store::keys::RowKey;
use portpulse_store::store::Written;
use portpulse_store::table::Table;

use crate::Error;
use crate::deliver::Delivery;
use crate::probe::{Clock, Probe};
use crate::tick::{Checker, Invocation, Report};

/// How often something is written again because another checker wrote first. Each conflict is another's progress, so
/// with seventeen regions deciding at once the last one needs at most that many.
pub(crate) const ATTEMPTS: u32 = 40;

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Decides on what is stored now, writes the decision, and delivers what it claimed. Returns the board as it was
    /// decided on, with the decision.
    ///
    /// What could not be delivered is among the report's troubles.
    ///
    /// # Errors
    /// When nothing could be decided.
    pub(crate) async fn settle(
        &self,
        group: GroupId,
        definitions: &Definitions,
        invocation: &Invocation,
        report: &mut Report,
    ) -> Result<Board, Error> {
        for _ in 0..ATTEMPTS {
            if let Attempt::Settled(board) = self.attempt(group, definitions, invocation, report).await? {
                return Ok(*board);
            }
        }
        Err(Error::Contended {
            group,
            attempts: ATTEMPTS,
        })
    }

    async fn attempt(
        &self,
        group: GroupId,
        definitions: &Definitions,
        invocation: &Invocation,
        report: &mut Report,
    ) -> Result<Attempt, Error> {
        let read = self.store.board(group).await.map_err(|source| Error::Read {
            what: "board",
            group,
            source,
        })?;
        if read.unreadable.contains_key(&RowKey::Verdict) {
            // Named already when the tick began; what cannot be read must not be overwritten.
            return Ok(Attempt::Settled(Box::new(read.board)));
        }
        let board = read.board;
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
        let down_elsewhere = self.down_elsewhere(group, definitions, &board, report).await;
        let input = Input {
            group,
            definitions,
            board: &board,
            fleet: fleet.as_ref(),
            otherwise: &self.otherwise,
            controls: &controls,
            down_elsewhere: &down_elsewhere,
            now: self.clock.now(),
            me: &invocation.claimant,
        };
        let decision = decide(&input);
        let failed = |source| Error::Decide { group, source };
        if let Some(next) = &decision.verdict {
            match self.store.put_verdict(group, next).await {
                Ok(Written::Done) => {}
                Ok(Written::Conflict) => return Ok(Attempt::Overtaken),
                Err(source @ portpulse_store::Error::TooLarge { .. }) => {
                    return if self.make_room(&input, invocation, report).await? {
                        Ok(Attempt::Overtaken)
                    } else {
                        Err(failed(source))
                    };
                }
                Err(source) => return Err(failed(source)),
            }
        }
        if let Some(next) = &decision.fleet
            && self.store.put_fleet(next).await.map_err(failed)? == Written::Conflict
        {
            return Ok(Attempt::Overtaken);
        }
        let decided = Board {
            verdict: decision.verdict.unwrap_or_else(|| board.verdict.clone()),
            ..board.clone()
        };
        let fleet: Option<FleetRow> = decision.fleet.or_else(|| fleet.clone());
        let input = Input {
            board: &decided,
            fleet: fleet.as_ref(),
            ..input
        };
        self.deliver(Delivery::of(&input), invocation, report).await;
        Ok(Attempt::Settled(Box::new(decided)))
    }

    /// Tells what waits in the verdict row, for a decision that does not fit beside it. Whether there is more room then.
    async fn make_room(
        &self,
        input: &Input<'_>,
        invocation: &Invocation,
        report: &mut Report,
    ) -> Result<bool, Error> {
        let group = input.group;
        let Some(verdict) = claim(input) else {
            return Ok(false);
        };
        let written = self.store.put_verdict(group, &verdict).await;
        if written.map_err(|source| Error::Decide { group, source })? == Written::Conflict {
            return Ok(true);
        }
        let claimed = Board {
            verdict,
            ..input.board.clone()
        };
        let told = report.published.len();
        let input = Input {
            board: &claimed,
            ..*input
        };
        self.deliver(Delivery::of(&input), invocation, report).await;
        Ok(report.published.len() > told)
    }

    /// Which monitors of other groups are down, of those that a monitor in trouble here depends on.
    async fn down_elsewhere(
        &self,
        group: GroupId,
        definitions: &Definitions,
        board: &Board,
        report: &mut Report,
    ) -> BTreeSet<MonitorId> {
        let in_trouble = |id: &MonitorId| {
            board.rows.values().any(|row| row.entries.contains_key(id))
                || board.verdict.incidents.keys().any(|(of, _)| of == id)
        };
        let monitors = definitions
            .monitors
            .values()
            .filter(|monitor| in_trouble(monitor.id()));
        let mut parents: BTreeMap<GroupId, BTreeSet<&MonitorId>> = BTreeMap::new();
        for (parent, elsewhere) in monitors.flat_map(|monitor| &monitor.telling().depends_on) {
            if let Some(elsewhere) = elsewhere.filter(|elsewhere| *elsewhere != group) {
                parents.entry(elsewhere).or_default().insert(parent);
            }
        }
        let mut down = BTreeSet::new();
        for (elsewhere, ids) in parents {
            match self.store.board(elsewhere).await {
                Ok(read) => {
                    let incidents = read.board.verdict.incidents.into_iter();
                    let open = incidents.filter(|((_, track), i)| {
                        *track == Track::Health && i.verdict == Verdict::Down && i.is_bad_now()
                    });
                    down.extend(open.map(|((id, _), _)| id).filter(|id| ids.contains(id)));
                }
                // Then nothing is held back on its account.
                Err(source) => note(
                    report,
                    [Error::Read {
                        what: "board",
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
    /// The decision stands, and what it claimed was delivered as far as possible.
    Settled(Box<Board>),
    /// Another checker wrote first.
    Overtaken,
}

/// Adds troubles that were not named before: attempts repeat their reads.
fn note(report: &mut Report, troubles: impl IntoIterator<Item = Error>) {
    for trouble in troubles {
        let text = crate::chain(&trouble);
        if !report.troubles.iter().any(|known| crate::chain(known) == text) {
            report.troubles.push(trouble);
        }
    }
}
