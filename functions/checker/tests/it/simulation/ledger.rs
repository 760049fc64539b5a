//! What is seen of a schedule from outside, step by step, and the checks on it.

mod endings;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use portpulse_checker::{Error, Report};
use portpulse_core::control::{Acknowledgement, Control, Note, Silence};
use portpulse_core::group_state::{
    ClosedIncident, DecisionState, Ending, Entry, GroupState, Health, Incident, Track,
};
use portpulse_store::store::Written;
use portpulse_store::table::Item;
use portpulse_store::{Store, size};
use portpulse_testkit::memory_table::MemoryTable;
use serde_json::{Value, json};

use super::oracle::{History, Oracle, ReadBoard, Rule};
use super::schedule::World;
use super::watched::Notes;
use crate::rig::{GROUP, Skewed, Time, define, group_state, location, run as finish};

/// How far a checker's clock is off at most.
pub(super) const MAX_SKEW_MS: i64 = 3_000;

/// Everything that was seen from outside, and the checks on it.
pub(super) struct Ledger {
    pub(super) table: MemoryTable,
    pub(super) notes: Rc<RefCell<Notes>>,
    pub(super) rules: Vec<Rule>,
    world: Rc<World>,
    pub(super) location_count: usize,
    /// The most bytes that a decision row may have, and how many rows were about as large.
    decision_bytes: usize,
    pub(super) full: u64,
    history: History,
    status: DecisionState,
    /// How many writes had taken effect when it was looked at last.
    writes: u64,
    /// The decision row as it was stored when it was looked at last.
    item: Option<Item>,
    /// Every incident that was ever in the decision row.
    incidents: BTreeMap<String, Seen>,
}

#[derive(Debug)]
struct Seen {
    monitor: usize,
    closed: bool,
    /// When its end was decided, by the clock of who decided it.
    closed_ms: i64,
    /// The ticks at which it opened, and closed.
    opened: i64,
    ended: i64,
    /// When that it opened was decided, by the clock of who decided it.
    decided_ms: i64,
}

impl Ledger {
    pub(super) fn new(
        rules: Vec<Rule>,
        world: Rc<World>,
        location_count: usize,
        decision_bytes: usize,
    ) -> Self {
        let table = MemoryTable::new();
        for (n, rule) in rules.iter().enumerate() {
            let mut fields = BTreeMap::from([
                ("failures_to_open", json!(rule.failures_to_open)),
                ("successes_to_close", json!(rule.successes_to_close)),
            ]);
            fields.extend(rule.quorum.map(|quorum| ("quorum", json!(quorum))));
            fields.extend(notified_how(rule));
            define(&table, n, &fields);
            if let Some(until) = rule.alert_policy.silenced_until {
                let silence = Silence::new(Time::of_tick(until), note()).unwrap();
                say(&table, n, &Control::default().silenced(silence));
            }
        }
        let (notes, history, status) = Default::default();
        Self {
            table,
            notes,
            rules,
            world,
            location_count,
            decision_bytes,
            full: 0,
            history,
            status,
            writes: 0,
            item: None,
            incidents: BTreeMap::new(),
        }
    }

    /// Looks at the board after each step: which tick was committed, which status was written, and whether it was due.
    pub(super) fn look(&mut self) {
        let writes = self.table.writes();
        if std::mem::replace(&mut self.writes, writes) == writes {
            return;
        }
        let pk = format!("group#{GROUP}");
        let mut committed = false;
        for number in 0..self.location_count {
            let tick = self.table.peek(&pk, &format!("location#{}", location(number)));
            let tick = tick
                .and_then(|item| super::watched::text(&item, "tick")?.parse().ok())
                .map(Time::number);
            let known = self.history.entry(number).or_default();
            if let Some(tick) = tick.filter(|tick| known.last() != Some(tick)) {
                assert!(
                    known.last().is_none_or(|last| *last < tick),
                    "location {number} went back to tick {tick}"
                );
                known.push(tick);
                committed = true;
            }
        }
        let written = self
            .table
            .peek(&pk, "decision")
            .filter(|item| self.item.as_ref() != Some(item));
        if !committed && written.is_none() {
            return;
        }
        let read = group_state(&self.table).group_state;
        self.hold_streaks(&read);
        if let Some(item) = written {
            let bytes = size::item(&item);
            assert!(bytes <= self.decision_bytes, "{bytes} bytes: {item:?}");
            self.full += u64::from(bytes + 300 > self.decision_bytes);
            let sent = self
                .notes
                .borrow()
                .sent
                .iter()
                .rfind(|(sent, _)| *sent == item)
                .cloned();
            let Some((_, decided_on)) = sent else {
                panic!("a decision row that nobody sent: {item:?}")
            };
            self.compare(&read.status, &decided_on);
            self.status = read.status;
            self.item = Some(item);
        }
    }

    /// Each streak counts the distinct ticks that were committed.
    fn hold_streaks(&self, read: &GroupState) {
        for number in 0..self.location_count {
            let Some(row) = read.rows.get(&location(number)) else {
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
                    "{id} in location {number}: {row:?}"
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
                        "{id} in location {number}: {row:?}"
                    );
                }
            }
        }
    }

    fn oracle<R>(&self, ask: impl FnOnce(&Oracle<'_>) -> R) -> R {
        let visibility = |location, tick, monitor| self.world.visibility(location, tick, monitor);
        ask(&Oracle {
            history: &self.history,
            visibility: &visibility,
        })
    }

    fn compare(&mut self, next: &DecisionState, read: &ReadBoard) {
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
                        closed: false,
                        closed_ms: i64::MAX / 2,
                        opened: Time::number(incident.opened),
                        ended: i64::MAX / 2,
                        decided_ms: read.at_ms,
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
            let before = self.status.incidents.get(&(monitor.clone(), *track));
            let (number, key) = (number_of(monitor.as_str()), name(monitor, incident));
            if *track != Track::Health || before.is_none_or(|before| name(monitor, before) != key) {
                continue;
            }
            assert_eq!(*ending, Ending::Recovered);
            let due = self.oracle(|oracle| oracle.may_close(number, self.rules[number], read));
            assert!(due, "{key} closed although the monitor was not well: {read:?}");
            let seen = self.incidents.get_mut(&key).unwrap();
            (seen.closed, seen.ended) = (true, Time::number(closed.closed));
            seen.closed_ms = read.at_ms;
        }
    }

    /// A checker that came to its end has decided on what it last read.
    pub(super) fn done(&mut self, who: usize, clock: &Skewed, report: &Report) {
        for error in &report.errors {
            assert!(
                !matches!(error, Error::Contended { .. } | Error::FutureTick { .. }),
                "{error}"
            );
        }
        let read = self.notes.borrow_mut().decided_on.remove(&who);
        let harmless = |error: &Error| {
            matches!(
                error,
                Error::Publish { .. } | Error::File { .. } | Error::NotExpected { .. }
            )
        };
        let decided = report.errors.iter().all(harmless);
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
            // Another may have ended it since that read, by a clock that is slower.
            let mut incidents = self.incidents.values().filter(|seen| seen.monitor == monitor);
            let open = incidents.any(|seen| seen.closed_ms + 2 * MAX_SKEW_MS > read.at_ms);
            assert!(
                !due || open,
                "checker {who} left the outage of m{monitor} undecided: {read:?}"
            );
        }
    }

    /// Says of a monitor's incident, if one is open, that somebody is at work on it.
    pub(super) fn acknowledge(&self, monitor: usize) -> bool {
        let key = (format!("m{monitor}").parse().unwrap(), Track::Health);
        let Some(incident) = self.status.incidents.get(&key) else {
            return false;
        };
        let acknowledgement = Acknowledgement {
            incidents: [name(&key.0, incident)].into(),
            note: note(),
        };
        let store = Store::new(MemoryTable::from_items(self.table.snapshot()));
        let control = finish(store.control(&key.0)).unwrap();
        say(&self.table, monitor, &control.acknowledged(acknowledgement));
        true
    }
}

/// What a definition says of how its monitor is told.
fn notified_how(rule: &Rule) -> BTreeMap<&'static str, Value> {
    let time = |tick| Time::of_tick(tick).to_string();
    let mut fields = BTreeMap::from([("flapping_after", json!(rule.flapping_after))]);
    if rule.alert_policy.reminds {
        fields.insert("remind_every", json!("5m"));
    }
    if rule.alert_policy.escalates {
        fields.insert("escalate_after", json!("3m"));
    }
    if let Some((from, until)) = rule.alert_policy.maintenance {
        let window = json!({ "from": time(from), "until": time(until) });
        fields.insert("maintenance", json!([window]));
    }
    if rule.alert_policy.behind {
        fields.insert("depends_on", json!(["m0"]));
        fields.insert("depends_on_groups", json!({ "m0": GROUP.to_string() }));
    }
    fields
}

fn note() -> Note {
    Note::new("ada", Time::of_tick(0), None).unwrap()
}

/// Puts a control into the table, past its faults.
fn say(table: &MemoryTable, monitor: usize, control: &Control) {
    let id = format!("m{monitor}");
    let scratch = MemoryTable::from_items(table.snapshot());
    let written =
        finish(Store::new(scratch.clone()).put_control(&id.parse().unwrap(), control, Time::of_tick(0)));
    assert_eq!(written.unwrap(), Written::Done);
    table.overwrite(scratch.peek("controls", &id).unwrap());
}

fn number_of(id: &str) -> usize {
    id.trim_start_matches('m').parse().unwrap()
}

fn name(id: &portpulse_core::id::MonitorId, incident: &Incident) -> String {
    incident.id(id, Track::Health).to_string()
}
