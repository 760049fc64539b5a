//! Observes a schedule from outside after each step, and checks invariants.

mod final_checks;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use portpulse_checker::{Error, TickReport};
use portpulse_core::control::{Acknowledgement, Control, Note, Silence};
use portpulse_core::group_state::{
    ClosedIncident, DecisionState, Ending, Entry, GroupState, Health, Incident, Track,
};
use portpulse_core::observation::Seen;
use portpulse_core::time::Tick;
use portpulse_store::store::Written;
use portpulse_store::table::Item;
use portpulse_store::{Store, keys, size};
use portpulse_testkit::memory_table::MemoryTable;
use serde_json::{Value, json};

use super::cadence::Cadence;
use super::oracle::{History, Oracle, ReadState, Rule};
use super::recording_table::Recording;
use super::scripted_results::ScriptedResults;
use crate::rig::{
    ProbeResult, SkewedClock, TestTime, define_in, group_state_of_items, location, run as run_to_end,
};

/// The maximum clock skew of a checker.
pub(super) const MAX_SKEW_MS: i64 = 3_000;

/// The observations of a schedule, and the invariants.
pub(super) struct Observer {
    pub(super) cadence: Cadence,
    pub(super) table: MemoryTable,
    pub(super) recording: Rc<RefCell<Recording>>,
    pub(super) rules: Vec<Rule>,
    scripted_results: Rc<ScriptedResults>,
    pub(super) location_count: usize,
    /// The maximum size of a decision state, and the number of states close to it.
    decision_bytes: usize,
    pub(super) full_states: u64,
    history: History,
    /// The results of checks that are good only if they are retried.
    retried: BTreeMap<(usize, i64, usize), ProbeResult>,
    /// The number of checks that a retry healed.
    pub(super) healed: u64,
    status: DecisionState,
    /// The number of writes at the last observation.
    writes: u64,
    /// The stored state of each location, and the decision state, at the last observation, by sort key.
    items: BTreeMap<String, Item>,
    /// All incidents that the decision state ever contained.
    incidents: BTreeMap<String, ObservedIncident>,
}

#[derive(Debug)]
struct ObservedIncident {
    monitor: usize,
    /// The id under which the incident is notified: of its cluster, or its own.
    notified_as: String,
    closed: bool,
    /// The time of the decision to close, by the clock of the deciding checker.
    closed_ms: i64,
    /// The ticks at which the incident opened and closed.
    opened: i64,
    ended: i64,
    /// The time of the decision to open, by the clock of the deciding checker.
    decided_ms: i64,
}

impl Observer {
    pub(super) fn new(
        cadence: Cadence,
        rules: Vec<Rule>,
        scripted_results: Rc<ScriptedResults>,
        location_count: usize,
        decision_bytes: usize,
    ) -> Self {
        let table = MemoryTable::new();
        for (n, rule) in rules.iter().enumerate() {
            let mut fields = BTreeMap::from([
                ("failures_to_open", json!(rule.failures_to_open)),
                ("successes_to_close", json!(rule.successes_to_close)),
                ("host", json!(format!("h{}.example", rule.host))),
                ("retries", json!(rule.retries)),
                ("retry_interval", json!("1s")),
                ("timeout", json!("1s")),
            ]);
            fields.extend(rule.quorum.map(|quorum| ("quorum", json!(quorum))));
            fields.extend(alert_policy_fields(cadence, rule));
            define_in(cadence.group(), &table, n, &fields);
            if let Some(until) = rule.alert_policy.silenced_until {
                let silence = Silence::new(cadence.of_tick(until), note()).unwrap();
                put_control(&table, n, &Control::default().silenced(silence));
            }
        }
        let (recording, history, status) = Default::default();
        Self {
            cadence,
            retried: BTreeMap::new(),
            healed: 0,
            table,
            recording,
            rules,
            scripted_results,
            location_count,
            decision_bytes,
            full_states: 0,
            history,
            status,
            writes: 0,
            items: BTreeMap::new(),
            incidents: BTreeMap::new(),
        }
    }

    /// Checks commits and decisions after each step.
    pub(super) fn observe(&mut self) {
        let writes = self.table.writes();
        if std::mem::replace(&mut self.writes, writes) == writes {
            return;
        }
        let pk = format!("group#{}", self.cadence.group());
        let mut changed = Vec::new();
        for number in 0..self.location_count {
            let Some(item) = self.observe_item(&pk, &format!("location#{}", location(number))) else {
                continue;
            };
            let tick = super::recording_table::text(&item, "tick").and_then(|tick| tick.parse().ok());
            let tick = self.cadence.number(tick.unwrap());
            let known = self.history.entry(number).or_default();
            if known.last() != Some(&tick) {
                assert!(
                    known.last().is_none_or(|last| *last < tick),
                    "location {number} went back to tick {tick}"
                );
                known.push(tick);
                self.observe_retries(number, tick);
            }
            changed.push(item);
        }
        let written = self.observe_item(&pk, "decision");
        changed.extend(written.clone());
        if changed.is_empty() {
            return;
        }
        // Only what changed is read and checked.
        let read = group_state_of_items(self.cadence.group(), changed).group_state;
        self.check_streaks(&read);
        if let Some(item) = written {
            let bytes = size::item(&item);
            assert!(bytes <= self.decision_bytes, "{bytes} bytes: {item:?}");
            self.full_states += u64::from(bytes + 300 > self.decision_bytes);
            let sent = self
                .recording
                .borrow()
                .sent
                .iter()
                .rfind(|(sent, _)| *sent == item)
                .map(|(_, decided_on)| decided_on.clone());
            let Some(decided_on) = sent else {
                panic!("no checker sent this decision state: {item:?}")
            };
            self.check_decision(&read.decision, &decided_on);
            self.status = read.decision;
        }
    }

    /// The stored item, if it changed since the last observation.
    fn observe_item(&mut self, pk: &str, sk: &str) -> Option<Item> {
        let item = self.table.peek(pk, sk)?;
        if self.items.get(sk) == Some(&item) {
            return None;
        }
        self.items.insert(sk.to_owned(), item.clone());
        Some(item)
    }

    /// Records the results of a committed tick that depend on retries: a check that heals is good if it was retried, and a new
    /// failure must be retried.
    fn observe_retries(&mut self, at: usize, tick: i64) {
        let heals = |monitor| self.scripted_results.heals_after(at, tick, monitor).is_some();
        if !(0..self.rules.len()).any(heals) {
            return;
        }
        let time = Tick::containing(self.cadence.of_tick(tick), self.cadence.0);
        let key = keys::results(self.cadence.group(), time, &location(at));
        let item = self.table.peek(&key.pk, &key.sk);
        let items = item.map(|item| ((key.pk, key.sk), item));
        let store = Store::new(MemoryTable::from_items(items.into_iter().collect()));
        let mut found = run_to_end(store.results_of(self.cadence.group(), [time], &location(at))).unwrap();
        let stored = found.records.remove(&time).unwrap();
        for monitor in 0..self.rules.len() {
            let Some(heals_after) = self.scripted_results.heals_after(at, tick, monitor) else {
                continue;
            };
            let id = format!("m{monitor}").parse().unwrap();
            let stored = &stored[&id];
            let is_good = matches!(stored.seen, Seen::Open { .. });
            // The tick may have been checked when the state of an earlier one was the latest.
            let before: Vec<_> = self.history[&at].iter().rev().skip(1).take(3).copied().collect();
            let was_good = self.oracle(|oracle| {
                let streaks = before.iter().map(|tick| oracle.streak(at, monitor, *tick));
                streaks.flatten().all(|streak| !streak.failing)
            });
            let had_incident = self.incidents.values().any(|seen| seen.monitor == monitor);
            assert!(
                is_good || !was_good || had_incident,
                "the new failure of m{monitor} at tick {tick} in location {at} was not retried"
            );
            assert_eq!(
                stored.retries,
                if is_good { heals_after } else { 0 },
                "retries of m{monitor} at tick {tick} in location {at}"
            );
            self.healed += u64::from(is_good);
            let result = if is_good {
                ProbeResult::Good
            } else {
                ProbeResult::Failing
            };
            self.retried.insert((at, tick, monitor), result);
        }
    }

    /// Checks that each streak counts the distinct committed ticks.
    fn check_streaks(&self, read: &GroupState) {
        for number in 0..self.location_count {
            let Some(row) = read.locations.get(&location(number)) else {
                continue;
            };
            for (id, entry) in &row.entries {
                let Entry::Seen(streaks) = entry else { continue };
                let (monitor, until) = (number_of(id.as_str()), self.cadence.number(row.tick));
                let streak = self
                    .oracle(|oracle| oracle.streak(number, monitor, until))
                    .unwrap();
                assert_eq!(
                    streak.failing,
                    streaks.health.state == Health::Failing,
                    "{id} in location {number}: {row:?}"
                );
                if streak.failing {
                    let counted = (
                        streaks.health.ticks as usize,
                        self.cadence.number(streaks.health.since),
                        self.cadence.number(streaks.seen),
                    );
                    assert_eq!(
                        (streak.ticks, streak.since, streak.seen),
                        counted,
                        "{id} in location {number}: {row:?}"
                    );
                }
            }
        }
    }

    fn oracle<R>(&self, ask: impl FnOnce(&Oracle<'_>) -> R) -> R {
        let result = |location, tick, monitor| {
            let retried = self.retried.get(&(location, tick, monitor)).copied();
            retried.unwrap_or_else(|| self.scripted_results.result(location, tick, monitor))
        };
        ask(&Oracle {
            cadence: self.cadence,
            history: &self.history,
            result: &result,
        })
    }

    fn check_decision(&mut self, next: &DecisionState, read: &ReadState) {
        for ((id, track), incident) in &next.incidents {
            if *track != Track::Health {
                continue;
            }
            let (monitor, key) = (number_of(id.as_str()), name(id, incident));
            if !self.incidents.contains_key(&key) {
                let due = self.oracle(|oracle| oracle.opens(monitor, self.rules[monitor], read));
                assert!(due, "{key} opened without a quorum: {read:?}");
                self.incidents.insert(
                    key.clone(),
                    ObservedIncident {
                        monitor,
                        notified_as: key.clone(),
                        closed: false,
                        closed_ms: i64::MAX / 2,
                        opened: self.cadence.number(incident.opened),
                        ended: i64::MAX / 2,
                        decided_ms: read.at_ms,
                    },
                );
            }
        }
        for ((id, track), incident) in &next.incidents {
            if let (Some(cluster), Track::Health) = (&incident.cluster, track) {
                let seen = self.incidents.get_mut(&name(id, incident)).unwrap();
                seen.notified_as = cluster.to_string();
                assert!(
                    next.clusters.contains_key(cluster),
                    "{cluster} is not a cluster: {next:?}"
                );
            }
        }
        for pending in next.outbox.pending() {
            let Some(about) = pending.id.strip_suffix("/recovered") else {
                continue;
            };
            let mut open = next.incidents.iter();
            let is_open = open.any(|((id, track), incident)| {
                let cluster = incident.cluster.as_ref().map(ToString::to_string);
                incident.id(id, *track).to_string() == about || cluster.as_deref() == Some(about)
            });
            assert!(
                !is_open,
                "{} before the last incident closed: {next:?}",
                pending.id
            );
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
            assert!(due, "{key} closed although the monitor was not good: {read:?}");
            let seen = self.incidents.get_mut(&key).unwrap();
            (seen.closed, seen.ended) = (true, self.cadence.number(closed.closed));
            seen.closed_ms = read.at_ms;
        }
    }

    /// Checks that a checker that completed has decided on the state that it read last.
    pub(super) fn check_finished(&mut self, who: usize, clock: &SkewedClock, report: &TickReport) {
        for error in &report.errors {
            assert!(
                !matches!(error, Error::TooManyConflicts { .. } | Error::FutureTick { .. }),
                "{error}"
            );
        }
        let read = self.recording.borrow_mut().decided_on.remove(&who);
        let harmless = |error: &Error| {
            matches!(
                error,
                Error::Publish { .. } | Error::File { .. } | Error::LocationNotListed { .. }
            )
        };
        let decided = report.errors.iter().all(harmless);
        let (Some(read), true) = (read, decided) else {
            return;
        };
        // The decision was made between this read and now. States may have become stale in between.
        let later = ReadState {
            at_ms: clock.ms(),
            ..read.clone()
        };
        for (monitor, rule) in self.rules.iter().enumerate() {
            let due = self
                .oracle(|oracle| oracle.opens(monitor, *rule, &read) && oracle.opens(monitor, *rule, &later));
            // Another checker with a slower clock may have closed the incident since that read.
            let mut incidents = self.incidents.values().filter(|seen| seen.monitor == monitor);
            let open = incidents.any(|seen| seen.closed_ms + 2 * MAX_SKEW_MS > read.at_ms);
            assert!(
                !due || open,
                "checker {who} left the outage of m{monitor} undecided: {read:?}"
            );
        }
    }

    /// Acknowledges the open incident of a monitor. Returns whether there is one.
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
        let control = run_to_end(store.control(&key.0)).unwrap();
        put_control(&self.table, monitor, &control.acknowledged(acknowledgement));
        true
    }
}

/// The alert policy as fields of a definition.
fn alert_policy_fields(cadence: Cadence, rule: &Rule) -> BTreeMap<&'static str, Value> {
    let time = |tick| cadence.of_tick(tick).to_string();
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
    if rule.alert_policy.depends_on_first {
        fields.insert("depends_on", json!(["m0"]));
        fields.insert("depends_on_groups", json!({ "m0": cadence.group().to_string() }));
    }
    fields
}

fn note() -> Note {
    Note::new("ada", TestTime::of_tick(0), None).unwrap()
}

/// Writes a control without faults.
fn put_control(table: &MemoryTable, monitor: usize, control: &Control) {
    let id = format!("m{monitor}");
    let scratch = MemoryTable::from_items(table.snapshot());
    let written = run_to_end(Store::new(scratch.clone()).put_control(
        &id.parse().unwrap(),
        control,
        TestTime::of_tick(0),
    ));
    assert_eq!(written.unwrap(), Written::Done);
    table.overwrite(scratch.peek("controls", &id).unwrap());
}

fn number_of(id: &str) -> usize {
    id.trim_start_matches('m').parse().unwrap()
}

fn name(id: &portpulse_core::id::MonitorId, incident: &Incident) -> String {
    incident.id(id, Track::Health).to_string()
}
