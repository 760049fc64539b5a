//! What is seen of a schedule from outside, step by step, and the checks on it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use portpulse_checker::{Error, Report};
use portpulse_core::board::{Board, ClosedIncident, Ending, Entry, Health, Incident, Track, VerdictRow};
use portpulse_store::Store;
use portpulse_store::table::Item;
use portpulse_testkit::memory_table::MemoryTable;
use serde_json::json;

use super::oracle::{History, Oracle, ReadBoard, Rule};
use super::schedule::{STILL, STORM, Totals, Weather, World};
use super::watched::Notes;
use crate::rig::{GROUP, Sight, Skewed, Time, board, define, region, run as finish};

/// Everything that was seen from outside, and the checks on it.
pub(super) struct Ledger {
    pub(super) table: MemoryTable,
    pub(super) notes: Rc<RefCell<Notes>>,
    pub(super) rules: Vec<Rule>,
    world: Rc<World>,
    pub(super) region_count: usize,
    history: History,
    verdict: VerdictRow,
    /// How many writes had taken effect when it was looked at last.
    writes: u64,
    /// The verdict row as it was stored when it was looked at last.
    item: Option<Item>,
    /// Every incident that was ever in the verdict row, with how many looks ago it was last there.
    incidents: BTreeMap<String, Seen>,
    looks: u64,
}

#[derive(Debug)]
struct Seen {
    monitor: usize,
    last_look: u64,
    closed: bool,
}

impl Ledger {
    pub(super) fn new(rules: Vec<Rule>, world: Rc<World>, region_count: usize) -> Self {
        let table = MemoryTable::new();
        for (n, rule) in rules.iter().enumerate() {
            let mut fields = BTreeMap::from([
                ("failures_to_open", json!(rule.failures_to_open)),
                ("successes_to_close", json!(rule.successes_to_close)),
            ]);
            fields.extend(rule.quorum.map(|quorum| ("quorum", json!(quorum))));
            define(&table, n, &fields);
        }
        let (notes, history, verdict) = Default::default();
        Self {
            table,
            notes,
            rules,
            world,
            region_count,
            history,
            verdict,
            writes: 0,
            item: None,
            incidents: BTreeMap::new(),
            looks: 0,
        }
    }

    /// Looks at the board after each step: which tick was committed, which verdict was written, and whether it was due.
    pub(super) fn look(&mut self) {
        self.looks += 1;
        let writes = self.table.writes();
        if std::mem::replace(&mut self.writes, writes) == writes {
            return;
        }
        let pk = format!("board#{GROUP}");
        let mut committed = false;
        for number in 0..self.region_count {
            let tick = self.table.peek(&pk, &format!("region#{}", region(number)));
            let tick = tick
                .and_then(|item| super::watched::text(&item, "tick")?.parse().ok())
                .map(Time::number);
            let known = self.history.entry(number).or_default();
            if let Some(tick) = tick.filter(|tick| known.last() != Some(tick)) {
                assert!(
                    known.last().is_none_or(|last| *last < tick),
                    "region {number} went back to tick {tick}"
                );
                known.push(tick);
                committed = true;
            }
        }
        let written = self
            .table
            .peek(&pk, "verdict")
            .filter(|item| self.item.as_ref() != Some(item));
        if !committed && written.is_none() {
            return;
        }
        let read = board(&self.table).board;
        self.hold_streaks(&read);
        if let Some(item) = written {
            let sent = self
                .notes
                .borrow()
                .sent
                .iter()
                .rfind(|(sent, _)| *sent == item)
                .cloned();
            let Some((_, decided_on)) = sent else {
                panic!("a verdict row that nobody sent: {item:?}")
            };
            self.compare(&read.verdict, &decided_on);
            self.verdict = read.verdict;
            self.item = Some(item);
        }
    }

    /// Each streak counts the distinct ticks that were committed.
    fn hold_streaks(&self, read: &Board) {
        for number in 0..self.region_count {
            let Some(row) = read.rows.get(&region(number)) else {
                continue;
            };
            for (id, entry) in &row.entries {
                let Entry::Seen(streaks) = entry else { continue };
                let (monitor, until) = (number_of(id.as_str()), Time::number(row.tick));
                let trail = self
                    .oracle(|oracle| oracle.trail(number, monitor, until))
                    .unwrap();
                assert_eq!(
                    trail.failing,
                    streaks.health.state == Health::Failing,
                    "{id} in region {number}: {row:?}"
                );
                if trail.failing {
                    let counted = (
                        streaks.health.ticks as usize,
                        Time::number(streaks.health.since),
                        Time::number(streaks.seen),
                    );
                    assert_eq!(
                        (trail.ticks, trail.since, trail.seen),
                        counted,
                        "{id} in region {number}: {row:?}"
                    );
                }
            }
        }
    }

    fn oracle<R>(&self, ask: impl FnOnce(&Oracle<'_>) -> R) -> R {
        let sight = |region, tick, monitor| self.world.sight(region, tick, monitor);
        ask(&Oracle {
            history: &self.history,
            sight: &sight,
        })
    }

    fn compare(&mut self, next: &VerdictRow, read: &ReadBoard) {
        let looks = self.looks;
        for ((id, track), incident) in &next.incidents {
            if *track != Track::Health {
                continue;
            }
            let (monitor, key) = (number_of(id.as_str()), name(id, incident));
            if !self.incidents.contains_key(&key) {
                let due = self.oracle(|oracle| oracle.opens(monitor, self.rules[monitor], read));
                assert!(
                    due,
                    "{key} opened although no quorum had met its threshold: {read:?}"
                );
                self.incidents.insert(
                    key.clone(),
                    Seen {
                        monitor,
                        last_look: looks,
                        closed: false,
                    },
                );
            }
        }
        for closed in &next.closed {
            let ClosedIncident {
                monitor,
                track,
                incident,
                ending,
                ..
            } = closed;
            let before = self.verdict.incidents.get(&(monitor.clone(), *track));
            let (number, key) = (number_of(monitor.as_str()), name(monitor, incident));
            if *track != Track::Health || before.is_none_or(|before| name(monitor, before) != key) {
                continue;
            }
            assert_eq!(*ending, Ending::Recovered);
            let due = self.oracle(|oracle| oracle.may_close(number, self.rules[number], read));
            assert!(due, "{key} closed although the monitor was not well: {read:?}");
            self.incidents.get_mut(&key).unwrap().closed = true;
        }
        for seen in self.incidents.values_mut().filter(|seen| !seen.closed) {
            seen.last_look = looks;
        }
    }

    /// A checker that came to its end has decided on what it last read.
    pub(super) fn done(&mut self, who: usize, clock: &Skewed, report: &Report) {
        for trouble in &report.troubles {
            assert!(
                !matches!(trouble, Error::Contended { .. } | Error::FutureTick { .. }),
                "{trouble}"
            );
        }
        let read = self.notes.borrow_mut().decided_on.remove(&who);
        let decided = report
            .troubles
            .iter()
            .all(|trouble| matches!(trouble, Error::Publish { .. } | Error::File { .. }));
        let (Some(read), true) = (read, decided) else {
            return;
        };
        // It decided at some time between this read and now: rows may have become stale in between.
        let later = ReadBoard {
            at_ms: clock.ms(),
            ..read.clone()
        };
        for (monitor, rule) in self.rules.iter().enumerate() {
            let due = self
                .oracle(|oracle| oracle.opens(monitor, *rule, &read) && oracle.opens(monitor, *rule, &later));
            let open = self
                .incidents
                .values()
                .any(|seen| seen.monitor == monitor && (!seen.closed || seen.last_look + 400 > self.looks));
            assert!(
                !due || open,
                "checker {who} left the outage of m{monitor} undecided: {read:?}"
            );
        }
    }

    /// After enough ticks in which all regions agree and nothing fails, whatever is down has an incident open.
    pub(super) fn hold_while_still(&self) {
        for monitor in 0..self.rules.len() {
            let down = (0..self.region_count)
                .all(|region| self.world.sight(region, STORM + STILL - 1, monitor) == Sight::Failing);
            let open = self
                .incidents
                .values()
                .any(|seen| seen.monitor == monitor && !seen.closed);
            assert_eq!(
                down, open,
                "m{monitor} at the end of the calm: {:?}",
                self.verdict
            );
        }
    }

    pub(super) fn hold_at_the_end(&self, sent: &[String], weather: Weather, totals: &mut Totals) {
        let read = board(&self.table).board;
        let verdict = &read.verdict;
        assert!(
            verdict.outbox.is_empty() && verdict.closed.is_empty(),
            "left pending: {verdict:?}"
        );
        assert!(
            verdict.incidents.is_empty() && verdict.advisories.is_empty(),
            "left open: {verdict:?}"
        );
        assert!(verdict.regions.is_empty(), "left in trouble: {verdict:?}");
        let fleet = finish(Store::new(MemoryTable::from_items(self.table.snapshot())).fleet()).unwrap();
        assert!(
            fleet.outbox.is_empty() && fleet.troubles.is_empty(),
            "left in the fleet: {fleet:?}"
        );

        let filed = self.table.snapshot().into_keys();
        let filed = filed.filter(|(pk, sk)| pk == "incidents#2026-11" && sk.ends_with("#health"));
        assert_eq!(filed.count(), self.incidents.len(), "filed, of all incidents");

        let place = |id: &str| sent.iter().position(|known| known == id);
        for (key, seen) in &self.incidents {
            assert!(seen.closed, "{key} is not closed");
            let (down, recovered) = (place(&format!("{key}/down")), place(&format!("{key}/recovered")));
            assert!(down.is_some(), "{key} was never told");
            assert!(recovered.is_some(), "the end of {key} was never told");
            assert!(down < recovered, "{key} ended before it was told");
        }
        let known: BTreeSet<_> = self
            .incidents
            .keys()
            .flat_map(|key| [format!("{key}/down"), format!("{key}/recovered")])
            .collect();
        let invented = sent
            .iter()
            .find(|id| (id.ends_with("/down") || is_health_recovery(id)) && !known.contains(*id));
        assert_eq!(invented, None, "told without cause");
        let distinct: BTreeSet<_> = sent.iter().collect();
        let repeats = sent.len() - distinct.len();
        assert!(
            weather == Weather::Stormy || repeats == 0,
            "told twice without a crash: {sent:?}"
        );

        totals.incidents += self.incidents.len() as u64;
        totals.closed += self.incidents.values().filter(|seen| seen.closed).count() as u64;
        totals.repeats += repeats as u64;
    }
}

fn number_of(id: &str) -> usize {
    id.trim_start_matches('m').parse().unwrap()
}

fn name(id: &portpulse_core::id::MonitorId, incident: &Incident) -> String {
    incident.id(id, Track::Health).to_string()
}

fn is_health_recovery(id: &str) -> bool {
    id.ends_with("/recovered") && !id.contains(".quality/") && !id.contains(".sight/")
}
