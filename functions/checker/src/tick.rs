//! One tick: read, probe, commit; then settle whatever is not nominal.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join;
use portpulse_alert::Publish;
use portpulse_core::board::Board;
use portpulse_core::decide::{Input, Notification, is_nominal, is_undecided};
use portpulse_core::group::GroupId;
use portpulse_core::id::{MonitorId, Region};
use portpulse_core::observation::Observation;
use portpulse_core::outbox::Claimant;
use portpulse_core::outcome::Outcome;
use portpulse_core::rollup::{Tally, due, of_ticks};
use portpulse_core::round::{Definitions, Observations, advance};
use portpulse_core::time::Tick;
use portpulse_core::words;
use portpulse_store::Store;
use portpulse_store::keys::RowKey;
use portpulse_store::store::{Commit, Recorded};
use portpulse_store::table::Table;

use crate::probe::{Clock, Probe};
use crate::roll_up::Until;
use crate::settle::ATTEMPTS;
use crate::{Error, TickEvent};

/// The time kept back from an invocation to commit, decide and deliver.
const RESERVE: Duration = Duration::from_secs(10);
/// The least time for checks: without it there would be no point in starting.
const LEAST_BUDGET: Duration = Duration::from_secs(1);

/// Checks groups in the name of one region. Made once; handles one tick after the other.
#[derive(Debug)]
pub struct Checker<T, P, N, C> {
    pub(crate) store: Store<T>,
    pub(crate) prober: P,
    pub(crate) topic: N,
    pub(crate) clock: C,
    pub(crate) region: Region,
    pub(crate) otherwise: BTreeSet<Region>,
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
pub struct Report {
    /// The tick.
    pub tick: Tick,
    /// Its group.
    pub group: GroupId,
    /// In whose name it was checked.
    pub region: Region,
    /// How it went.
    pub course: Course,
    /// What it saw, all monitors together; nothing unless it counts.
    pub sum: Tally,
    /// What was published.
    pub published: Vec<Notification>,
    /// What went wrong. Not empty where the tick could not be committed, or notifications are left unpublished.
    pub troubles: Vec<Error>,
    /// What was not summed up, or not all of it, and words that were not kept. No harm to the tick: a later one makes
    /// good what it can.
    pub left_for_later: Vec<Error>,
}

/// How a tick went.
#[derive(Debug, Clone, PartialEq)]
pub enum Course {
    /// It was checked and counts.
    Counted(BTreeMap<MonitorId, Outcome>),
    /// It was checked, but a twin committed it first: what the twin saw counts.
    TwinWon,
    /// It had been counted before, or came more than its interval late.
    Repeated,
    /// It could not be counted; see the troubles.
    Failed,
}

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// A checker for `region`. Where a group's board lists no region that should report, those are expected that
    /// `otherwise` names.
    pub fn new(
        store: Store<T>,
        prober: P,
        topic: N,
        clock: C,
        region: Region,
        otherwise: BTreeSet<Region>,
    ) -> Self {
        Self {
            store,
            prober,
            topic,
            clock,
            region,
            otherwise,
        }
    }

    /// Handles one tick. Every delivery of the same tick after the first only finishes what was left to deliver.
    pub async fn handle(&self, event: &TickEvent, invocation: &Invocation) -> Report {
        let (group, tick) = (event.group(), event.tick());
        let mut report = Report {
            tick,
            group,
            region: self.region.clone(),
            course: Course::Failed,
            sum: Tally::default(),
            published: Vec::new(),
            troubles: Vec::new(),
            left_for_later: Vec::new(),
        };
        let now = self.clock.now();
        if tick.ahead_of(now) > group.interval.length() {
            report.troubles.push(Error::FutureTick { tick, group });
            return report;
        }
        let (definitions, read) = join(self.store.definitions(group), self.store.board(group)).await;
        let (definitions, read) = match (definitions, read) {
            (Ok(definitions), Ok(read)) => (definitions, read),
            (definitions, read) => {
                let trouble = |what| move |source| Error::Read { what, group, source };
                report
                    .troubles
                    .extend(definitions.err().map(trouble("definitions")));
                report.troubles.extend(read.err().map(trouble("board")));
                return report;
            }
        };
        let (board, unreadable) = (read.board, read.unreadable);
        if !board.listed.is_empty() && !board.listed.contains(&self.region) {
            report.troubles.push(Error::NotExpected {
                region: self.region.clone(),
                group,
            });
        }
        let own_row_is_readable = !unreadable.contains_key(&RowKey::Region(self.region.clone()));
        let verdict_is_readable = !unreadable.contains_key(&RowKey::Verdict);
        report.troubles.extend(
            unreadable
                .into_values()
                .map(|source| Error::Unreadable { group, source }),
        );
        let mut round = Round {
            group,
            tick,
            definitions,
            board,
        };

        let until = Until {
            began: now,
            remaining: invocation.remaining,
        };
        let before = round.board.rows.get(&self.region).map(|row| row.tick);
        if before.is_some_and(|before| before >= tick) || tick.age(now) > group.interval.length() {
            report.course = Course::Repeated;
        } else if own_row_is_readable {
            match self
                .check(&mut round, verdict_is_readable, invocation, until, &mut report)
                .await
            {
                Ok(course) => report.course = course,
                Err(trouble) => report.troubles.push(trouble),
            }
        }
        if verdict_is_readable && !self.judge(&round, invocation, is_nominal) {
            let settled = self
                .settle(group, &round.definitions, invocation, until, &mut report)
                .await;
            report.troubles.extend(settled.err());
        }
        if let Course::Counted(_) = &report.course {
            let due = due(before, tick);
            let rolled_up = self
                .roll_up(group, &due, &round.definitions, until, &mut report)
                .await;
            report.left_for_later.extend(rolled_up.err());
            if let (Course::Counted(outcomes), true) = (&report.course, words::are_due(before, tick)) {
                let kept = self
                    .keep_words(group, tick, &round.definitions, outcomes, until)
                    .await;
                report.left_for_later.extend(kept.err());
            }
        }
        report
    }

    /// Checks all monitors and commits what was seen; puts the committed row on the board.
    async fn check(
        &self,
        round: &mut Round,
        verdict_is_readable: bool,
        invocation: &Invocation,
        until: Until,
        report: &mut Report,
    ) -> Result<Course, Error> {
        let (group, tick) = (round.group, round.tick);
        let monitors: Vec<_> = round.definitions.checked_by(&self.region).collect();
        let targets: Vec<_> = monitors.iter().map(|monitor| monitor.target().clone()).collect();
        let budget = invocation.remaining.saturating_sub(RESERVE).max(LEAST_BUDGET);
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
        let recorded = self.store.put_results(group, tick, &self.region, &seen).await;
        let seen = match recorded.map_err(failed)? {
            Recorded::Written => seen,
            // Whoever recorded this tick first is believed, so that a row never contradicts the results.
            Recorded::AlreadyThere(recorded) => recorded,
            Recorded::Unreadable(source) => {
                report.troubles.push(Error::Unreadable { group, source });
                seen
            }
        };
        for _ in 0..ATTEMPTS {
            if verdict_is_readable && self.judge(round, invocation, is_undecided) {
                // A checker was lost before it could decide on what its row shows: decide before that row is replaced.
                let definitions = &round.definitions;
                let settled = self.settle(group, definitions, invocation, until, report).await;
                round.board = settled?;
            }
            let before = round.board.rows.get(&self.region);
            let incidents = &round.board.verdict.incidents;
            let has_incident = |id: &MonitorId| incidents.keys().any(|(of, _)| of == id);
            let Some(row) = advance(before, tick, &round.definitions, &seen, has_incident) else {
                return Ok(Course::TwinWon);
            };
            let before = before.map(|row| row.tick);
            let committed = self.store.put_region_row(group, &self.region, before, &row).await;
            let course = match committed.map_err(failed)? {
                Commit::Done => Course::Counted(outcomes),
                // Or this very write did, and its answer was lost: what it shows still wants a decision.
                Commit::TwinWon => Course::TwinWon,
                Commit::Overtaken => {
                    let read = self.store.board(group).await.map_err(failed)?;
                    round.board = read.board;
                    continue;
                }
            };
            round.board.rows.insert(self.region.clone(), row);
            if let Course::Counted(_) = course {
                let ticks = BTreeMap::from([(tick, seen)]);
                for tally in of_ticks(&round.definitions, &ticks).values() {
                    report.sum.add(tally);
                }
            }
            return Ok(course);
        }
        Err(Error::Contended {
            group,
            attempts: ATTEMPTS,
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
            board: &round.board,
            fleet: None,
            otherwise: &self.otherwise,
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
    board: Board,
}
