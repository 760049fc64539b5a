//! The model: states, and the actions that lead from one to the next.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use portpulse_store::Store;
use portpulse_testkit::memory_table::MemoryTable;
use serde_json::json;
use stateright::{Model, Property};

use super::memory::{Answer, CountedTick, Items, Memory, Step};
use super::properties;
use super::replay::Who;
use super::world::{MONITORS, World, failures_to_open};
use crate::rig::{
    GROUP, ProbeResult, RecordingTopic, ScriptedProbe, define, handle, invocation, locations, run,
};

/// The first tick of a run. In the ticks before, all locations have reported, and all is well; no rollup is due from here on.
pub(super) const FIRST: i64 = 22;
/// The ticks at the end, without faults and with one checker after the other: the claim of a lost checker becomes stale after
/// two minutes, and one tick more publishes.
const QUIET_TICKS: i64 = 4;

/// The size of a model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) locations: usize,
    /// The maximum number of faults.
    pub(super) faults: u8,
    /// The ticks in which the requests of all checkers come in any order, and faults occur.
    pub(super) ticks: i64,
}

/// A running checker.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Running {
    who: Who,
    /// The number of what it has received.
    history: u32,
}

/// A state of the model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    world: usize,
    /// The current tick.
    pub(super) tick: i64,
    pub(super) running: Vec<Running>,
    /// The number of the table's items.
    table: u32,
    /// The number of the ids of the sent notifications, in order.
    sent: u32,
    /// The committed ticks of each location.
    pub(super) committed: Vec<Vec<i64>>,
    /// For each monitor: whether the committed results were those of an outage at some time.
    pub(super) was_down: [bool; MONITORS],
    /// The faults so far.
    pub(super) faults: u8,
    /// Whether a checker was late.
    pub(super) was_late: bool,
    /// A broken rule.
    pub(super) violation: Option<String>,
}

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// A checker's request takes effect, and is answered.
    Answer(Who),
    /// A checker's write or message takes effect, and its response is lost.
    LoseResponse(Who),
    /// A checker is lost; before its first request, this is a lost delivery.
    Crash(Who),
    /// The event of the current tick is delivered to a location again.
    Repeat(u8),
    /// A minute passes. A checker that is still running is late; one that was late already is killed by its timeout.
    Advance,
}

/// A defect of the table, with which the rules cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Defect {
    /// Every write succeeds.
    ConditionsAreIgnored,
    /// The decision state is missing in reads.
    DecisionIsNotRead,
    /// Writes of the decision state are acknowledged and lost.
    DecisionIsLost,
}

/// The model of a size.
#[derive(Debug)]
pub(super) struct ProtocolModel {
    pub(super) size: Size,
    worlds: Vec<World>,
    defect: Option<Defect>,
    /// The items before the first tick, among them the definitions.
    begin: MemoryTable,
    memory: Mutex<Memory>,
}

impl ProtocolModel {
    pub(super) fn new(size: Size, worlds: Vec<World>, defect: Option<Defect>) -> Self {
        let begin = MemoryTable::new();
        for monitor in 0..MONITORS {
            let fields = BTreeMap::from([
                ("failures_to_open", json!(failures_to_open(monitor))),
                ("successes_to_close", json!(1)),
            ]);
            define(&begin, monitor, &fields);
        }
        let topic = RecordingTopic::default();
        for (tick, at) in (FIRST - 2..FIRST).flat_map(|tick| (0..size.locations).map(move |at| (tick, at))) {
            let probe = ScriptedProbe(vec![ProbeResult::Good; MONITORS]);
            let invocation = invocation(format!("before/{tick}/{at}"));
            let (store, expected) = (Store::new(begin.clone()), locations(size.locations));
            run(handle(store, probe, &topic, (tick, at), expected, &invocation));
        }
        assert_eq!(topic.kinds(), [""; 0]);
        Self {
            size,
            worlds,
            defect,
            begin,
            memory: Mutex::default(),
        }
    }

    /// The first quiet tick.
    fn quiet(&self) -> i64 {
        FIRST + self.size.ticks
    }

    /// The last tick.
    pub(super) fn last(&self) -> i64 {
        self.quiet() + QUIET_TICKS - 1
    }

    /// The number of distinct histories of checkers that were run.
    pub(super) fn histories(&self) -> usize {
        self.memory(|memory| memory.histories())
    }

    pub(super) fn world(&self, state: &State) -> &World {
        &self.worlds[state.world]
    }

    fn memory<R>(&self, f: impl FnOnce(&mut Memory) -> R) -> R {
        f(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn step(&self, running: &Running) -> Step {
        self.memory(|memory| memory.step(running.history))
    }

    /// The checker after it has received an answer in addition to an earlier history.
    fn after(&self, world: usize, who: Who, last: Option<(u32, i64, Answer)>) -> Running {
        let (key, locations) = ((who, world, last), self.size.locations);
        let history = self.memory(|memory| memory.history(key, &self.worlds[world], locations, &self.begin));
        Running { who, history }
    }

    /// The checker of the current tick in a location.
    fn who(state: &State, at: usize, copy: u8) -> Who {
        Who {
            location: u8::try_from(at).unwrap(),
            tick: state.tick,
            copy,
        }
    }

    fn start(&self, state: &mut State, who: Who) {
        state.running.push(self.after(state.world, who, None));
        state.running.sort();
    }

    /// The answer to the next request of a checker, which takes effect; `None` if it has finished.
    fn answer(&self, state: &mut State, running: &Running) -> Option<Answer> {
        match self.step(running) {
            Step::Read => Some(Answer::Items(self.group_items(state))),
            Step::Put { key, item, .. } => Some(self.put(state, running.history, key, item)),
            Step::Publish { ids } => {
                let mut sent = Vec::clone(&self.sent(state));
                sent.extend(ids);
                state.sent = self.memory(|memory| memory.sent.number(sent.clone(), sent));
                properties::check_sent(self, state);
                Some(Answer::Published)
            }
            Step::Finished { .. } => None,
        }
    }

    /// The items of the group's state, in the order of their sort keys.
    fn group_items(&self, state: &State) -> Vec<u32> {
        let pk = format!("group#{GROUP}");
        let items = self.items(state);
        self.memory(|memory| {
            let mut found = BTreeMap::new();
            for (key, item) in items.iter() {
                let key = memory.key(*key);
                let is_read = self.defect != Some(Defect::DecisionIsNotRead) || key.1 != "decision";
                if key.0 == pk && is_read {
                    found.insert(key.1.clone(), *item);
                }
            }
            found.into_values().collect()
        })
    }

    fn put(&self, state: &mut State, history: u32, key: u32, item: u32) -> Answer {
        let current = self.items(state).get(&key).copied();
        let is_done = self.defect == Some(Defect::ConditionsAreIgnored)
            || self.memory(|memory| memory.succeeds(history, current));
        let is_kept = self.defect != Some(Defect::DecisionIsLost)
            || self.memory(|memory| memory.key(key).1 != "decision");
        if is_done && is_kept {
            let mut items = Items::clone(&self.items(state));
            items.insert(key, item);
            state.table = self.memory(|memory| memory.tables.number(items.clone(), items));
            if let Some(counted) = self.counted(item) {
                properties::check_counted(self, state, counted);
            }
        }
        Answer::Put { is_done, current }
    }

    fn counted(&self, item: u32) -> Option<CountedTick> {
        self.memory(|memory| memory.counted(item))
    }

    /// Whether the order of a checker's next request among those of other checkers has no effect: all copies write the same
    /// results, archive the same incidents, and do not read what others wrote there.
    fn has_no_order(&self, running: &Running) -> bool {
        let Step::Put { key, .. } = self.step(running) else {
            return false;
        };
        let key = self.memory(|memory| memory.key(key));
        key.0.starts_with("results#") || key.0.starts_with("incidents#")
    }

    fn items(&self, state: &State) -> Arc<Items> {
        self.memory(|memory| memory.tables.value(state.table))
    }

    /// The ids of the sent notifications, in order.
    pub(super) fn sent(&self, state: &State) -> Arc<Vec<String>> {
        self.memory(|memory| memory.sent.value(state.sent))
    }

    /// The table of a state.
    pub(super) fn table(&self, state: &State) -> MemoryTable {
        let items = self.items(state);
        self.memory(|memory| {
            let items = items.iter();
            let items = items.map(|(key, item)| ((*memory.key(*key)).clone(), memory.item(*item)));
            MemoryTable::from_items(items.collect())
        })
    }

    /// Lets a checker run until its next request whose order matters.
    fn advance(&self, state: &mut State, who: Who, loses_response: bool) -> Option<()> {
        let index = state.running.iter().position(|running| running.who == who)?;
        let mut running = state.running.remove(index);
        let mut answer = self.answer(state, &running)?;
        if loses_response {
            state.faults += 1;
            answer = Answer::Lost;
        }
        loop {
            running = self.after(state.world, who, Some((running.history, state.tick, answer)));
            if let Step::Finished { errors } = self.step(&running) {
                properties::check_errors(state, &errors);
                return Some(());
            }
            if !self.has_no_order(&running) {
                state.running.push(running);
                state.running.sort();
                return Some(());
            }
            answer = self.answer(state, &running)?;
        }
    }
}

impl Model for ProtocolModel {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let (table, sent) = self.memory(|memory| {
            let group = self.begin.snapshot().into_iter();
            let group = group.filter(|((pk, _), _)| *pk == format!("group#{GROUP}"));
            let items: Items = group.map(|(_, item)| memory.number(&item)).collect();
            let table = memory.tables.number(items.clone(), items);
            (table, memory.sent.number(Vec::new(), Vec::new()))
        });
        let state = |world| {
            let mut state = State {
                world,
                tick: FIRST,
                running: Vec::new(),
                table,
                sent,
                committed: vec![Vec::new(); self.size.locations],
                was_down: [false; MONITORS],
                faults: 0,
                was_late: false,
                violation: None,
            };
            for at in 0..self.size.locations {
                let who = Self::who(&state, at, 0);
                self.start(&mut state, who);
            }
            state
        };
        (0..self.worlds.len()).map(state).collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.violation.is_some() {
            return;
        }
        let is_quiet = state.tick >= self.quiet();
        let may_fail = !is_quiet && state.faults < self.size.faults;
        let steps = if is_quiet { 1 } else { state.running.len() };
        for running in state.running.iter().take(steps) {
            actions.push(Action::Answer(running.who));
            if !may_fail {
                continue;
            }
            actions.push(Action::Crash(running.who));
            if matches!(self.step(running), Step::Put { .. } | Step::Publish { .. }) {
                actions.push(Action::LoseResponse(running.who));
            }
        }
        if may_fail {
            let copies = (0..self.size.locations).filter(|at| {
                let copy = Self::who(state, *at, 1);
                state.running.iter().all(|running| running.who != copy)
            });
            actions.extend(copies.map(|at| Action::Repeat(u8::try_from(at).unwrap())));
        }
        if state.tick < self.last() && (state.running.is_empty() || may_fail) {
            actions.push(Action::Advance);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Answer(who) => self.advance(&mut state, who, false)?,
            Action::LoseResponse(who) => self.advance(&mut state, who, true)?,
            Action::Crash(who) => {
                state.faults += 1;
                state.running.retain(|running| running.who != who);
            }
            Action::Repeat(at) => {
                state.faults += 1;
                self.start(&mut state, Self::who(last, at.into(), 1));
            }
            Action::Advance => {
                properties::check_end_of_tick(self, &mut state);
                let is_late = !state.running.is_empty();
                state.faults += u8::from(is_late);
                state.was_late |= is_late;
                state.running.retain(|running| running.who.tick == last.tick);
                state.tick += 1;
                for at in 0..self.size.locations {
                    let who = Self::who(&state, at, 0);
                    self.start(&mut state, who);
                }
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no rule is broken", |_, state: &State| state.violation.is_none()),
            Property::always("all is delivered in the end", properties::is_delivered_in_the_end),
            Property::sometimes("an outage is notified and recovers", properties::has_recovered),
        ]
    }
}
