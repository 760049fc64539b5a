//! One schedule: results of checks, deliveries of ticks, and faults.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use fastrand::Rng;
use portpulse_checker::{Checker, Invocation, TickEvent, TickReport};
use portpulse_core::outbox::Claimant;
use portpulse_store::Store;
use portpulse_testkit::memory_table::{Fault, MemoryTable};

use super::observer::{MAX_SKEW_MS, Observer};
use super::oracle::{AlertPolicy, Rule};
use super::presence::{Listing, Presence};
use super::recording_table::RecordingTable;
use crate::rig::{
    GROUP, ProbeResult, RecordingTopic, ScriptedProbe, SkewedClock, TestTime, TopicFault, group_state,
    location, locations,
};

/// The number of ticks with faults, followed by ticks without faults: first with constant results, then with good results.
pub(super) const FAULTY_TICKS: i64 = 16;
pub(super) const STEADY_TICKS: i64 = 6;
/// The number of ticks until all incidents are closed. A flapping incident closes after one good hour.
const GOOD_TICKS: i64 = 10;
const GOOD_TICKS_WITH_FLAPPING: i64 = 72;

/// The size of a decision state with problems of all locations, open incidents of all monitors, and the outbox of one more
/// monitor.
fn tight_bytes(locations: usize, monitors: usize, is_flapping: bool) -> usize {
    // Flapping monitors have a list of changes.
    let incident = if is_flapping { 290 } else { 190 };
    750 + locations * 55 + monitors * incident
}

/// Counts of events over all schedules.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Totals {
    pub(super) incidents: u64,
    pub(super) closed: u64,
    pub(super) crashes: u64,
    pub(super) repeats: u64,
    pub(super) suppressed: u64,
    pub(super) flapped: u64,
    pub(super) escalated: u64,
    pub(super) reminders: u64,
    pub(super) acknowledged: u64,
    pub(super) added: u64,
    pub(super) removed: u64,
    pub(super) full_states: u64,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.incidents += other.incidents;
        self.closed += other.closed;
        self.crashes += other.crashes;
        self.repeats += other.repeats;
        self.suppressed += other.suppressed;
        self.flapped += other.flapped;
        self.escalated += other.escalated;
        self.reminders += other.reminders;
        self.acknowledged += other.acknowledged;
        self.added += other.added;
        self.removed += other.removed;
        self.full_states += other.full_states;
    }
}

/// The faults of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultLevel {
    /// Ticks are late, doubled, reordered and lost.
    Delivery,
    /// Also, checkers are killed, and tables and topics fail.
    All,
}

/// The result of each check, by location, tick and monitor.
pub(super) struct ScriptedResults {
    results: BTreeMap<(usize, i64, usize), ProbeResult>,
}

impl ScriptedResults {
    /// Creates random results. All monitors have the outages in `shared`, and their own.
    fn new(rng: &mut Rng, locations: usize, monitors: usize, ticks: i64, shared: &[(i64, i64)]) -> Self {
        let mut results = BTreeMap::new();
        for monitor in 0..monitors {
            let mut outages: Vec<_> = (0..rng.usize(0..3)).map(|_| span(rng)).collect();
            outages.extend(shared);
            let blocks: Vec<_> = (0..rng.usize(0..3))
                .map(|_| (rng.usize(0..locations), span(rng)))
                .collect();
            let down_in_the_end = rng.bool();
            for (tick, location) in (0..ticks).flat_map(|tick| (0..locations).map(move |r| (tick, r))) {
                let out = outages
                    .iter()
                    .any(|(from, until)| (*from..*until).contains(&tick));
                let blocked = blocks
                    .iter()
                    .any(|(r, (from, until))| *r == location && (*from..*until).contains(&tick));
                let result = match tick {
                    _ if tick >= FAULTY_TICKS + STEADY_TICKS => ProbeResult::Good,
                    _ if tick >= FAULTY_TICKS && down_in_the_end => ProbeResult::Failing,
                    _ if tick >= FAULTY_TICKS => ProbeResult::Good,
                    _ if rng.u8(..100) < 4 => ProbeResult::NoData,
                    _ if out || blocked || rng.u8(..100) < 5 => ProbeResult::Failing,
                    _ => ProbeResult::Good,
                };
                results.insert((location, tick, monitor), result);
            }
        }
        Self { results }
    }

    pub(super) fn result(&self, location: usize, tick: i64, monitor: usize) -> ProbeResult {
        self.results[&(location, tick, monitor)]
    }
}

fn alert_policy(rng: &mut Rng, monitor: usize) -> AlertPolicy {
    let mut once_in = |times: u8| rng.u8(..times) == 0;
    let (reminds, escalates, depends_on_first) = (once_in(2), once_in(2), monitor > 0 && once_in(3));
    let (maintained, silenced) = (once_in(4), once_in(6));
    AlertPolicy {
        reminds,
        escalates,
        maintenance: maintained.then(|| span(rng)),
        silenced_until: silenced.then(|| rng.i64(1..FAULTY_TICKS)),
        depends_on_first,
    }
}

fn span(rng: &mut Rng) -> (i64, i64) {
    let from = rng.i64(0..FAULTY_TICKS);
    (from, from + rng.i64(1..7))
}

/// One delivery of one tick to one location.
struct Delivery {
    at_ms: i64,
    tick: i64,
    location: usize,
    /// The number of polls after which the checker is killed.
    killed_after: Option<usize>,
}

fn deliveries(
    rng: &mut Rng,
    locations: usize,
    ticks: i64,
    fault_level: FaultLevel,
    presences: &[Presence],
) -> Vec<Delivery> {
    let mut all = Vec::new();
    let invoked = (0..ticks).flat_map(|tick| (0..locations).map(move |location| (tick, location)));
    for (tick, location) in invoked {
        if !presences.is_empty() && !presences.iter().any(|presence| presence.covers(location, tick)) {
            continue;
        }
        let faultless = tick >= FAULTY_TICKS;
        let copies = match rng.u8(..100) {
            0..6 if !faultless => 0,
            6..16 => 2,
            16..18 => 3,
            _ => 1,
        };
        for copy in 0..copies {
            let late = match rng.u8(..100) {
                0..6 if !faultless => rng.i64(30_000..130_000),
                _ if copy > 0 => rng.i64(0..90_000),
                _ => rng.i64(0..20_000),
            };
            let killed = fault_level == FaultLevel::All && !faultless && rng.u8(..100) < 10;
            let killed_after = killed.then(|| rng.usize(1..45));
            all.push(Delivery {
                at_ms: tick * 60_000 + late,
                tick,
                location,
                killed_after,
            });
        }
    }
    all.sort_by_key(|delivery| std::cmp::Reverse(delivery.at_ms));
    all
}

/// A running checker.
struct Running {
    who: usize,
    /// The number of polls until the checker is killed, if it is.
    left: Option<usize>,
    clock: SkewedClock,
    tick: Pin<Box<dyn Future<Output = TickReport>>>,
}

/// Runs the schedule of a seed. Panics if an invariant is violated.
pub(super) fn run(seed: u64) -> Totals {
    let mut rng = Rng::with_seed(seed);
    let fault_level = if rng.u8(..4) == 0 {
        FaultLevel::Delivery
    } else {
        FaultLevel::All
    };
    // In some schedules, all monitors fail together and cannot be decided in one write. There are too few of them to make a
    // location suspect.
    let is_tight = rng.u8(..4) == 0;
    let (location_count, monitor_count) = (rng.usize(1..5), rng.usize(if is_tight { 5..10 } else { 1..4 }));
    let is_flapping = rng.u8(..8) == 0;
    let (decision_bytes, outages) = if is_tight {
        (
            tight_bytes(location_count, monitor_count, is_flapping),
            vec![span(&mut rng)],
        )
    } else {
        (usize::MAX, Vec::new())
    };
    let ticks = FAULTY_TICKS
        + STEADY_TICKS
        + if is_flapping {
            GOOD_TICKS_WITH_FLAPPING
        } else {
            GOOD_TICKS
        };
    let presences = Presence::some(&mut rng, location_count, ticks);
    // One location may be removed, and the quorum must be possible without it.
    let min_locations = if presences.is_empty() {
        location_count
    } else {
        location_count - 1
    };
    let rules: Vec<_> = (0..monitor_count)
        .map(|monitor| Rule {
            flapping_after: if is_flapping { rng.usize(1..4) } else { 0 },
            alert_policy: alert_policy(&mut rng, monitor),
            failures_to_open: rng.usize(1..4),
            successes_to_close: rng.usize(1..4),
            quorum: (rng.u8(..4) == 0).then(|| rng.usize(1..=min_locations)),
        })
        .collect();
    let scripted_results = Rc::new(ScriptedResults::new(
        &mut rng,
        location_count,
        monitor_count,
        ticks,
        &outages,
    ));
    let mut observer = Observer::new(
        rules,
        Rc::clone(&scripted_results),
        location_count,
        decision_bytes,
    );
    let (time, topic) = (TestTime::default(), RecordingTopic::default());
    if fault_level == FaultLevel::All {
        fail_at_times(&mut rng, &observer.table, &topic);
    }
    let skews: Vec<_> = (0..location_count)
        .map(|_| rng.i64(-MAX_SKEW_MS..MAX_SKEW_MS))
        .collect();
    for presence in &presences {
        presence.list(&observer.table, i64::MIN);
    }
    let mut waiting = deliveries(&mut rng, location_count, ticks, fault_level, &presences);
    let mut running: Vec<Running> = Vec::new();
    let mut totals = Totals::default();
    let mut started = 0;
    let (mut faultless, mut is_steady_state_checked) = (false, false);
    while let Some(next) = waiting
        .last()
        .map(|delivery| delivery.at_ms)
        .or((!running.is_empty()).then_some(i64::MAX))
    {
        if running.is_empty() {
            time.set(time.ms().max(next));
        }
        if !faultless && time.ms() >= FAULTY_TICKS * 60_000 {
            faultless = true;
            observer.table.clear_faults();
            topic.faults.borrow_mut().take();
        }
        for presence in &presences {
            match presence.list(&observer.table, time.ms()) {
                Listing::Added => totals.added += 1,
                Listing::Removed => totals.removed += 1,
                Listing::Unchanged => {}
            }
        }
        if next <= time.ms() {
            let delivery = waiting.pop().unwrap();
            if !is_steady_state_checked && delivery.tick >= FAULTY_TICKS + STEADY_TICKS {
                is_steady_state_checked = true;
                observer.check_steady_state(&topic.sent.borrow());
            }
            let clock = SkewedClock {
                time: time.clone(),
                skew_ms: skews[delivery.location],
            };
            running.push(Running {
                who: started,
                left: delivery.killed_after,
                clock: clock.clone(),
                tick: start(
                    &delivery,
                    started,
                    clock,
                    decision_bytes,
                    &observer,
                    &topic,
                    &scripted_results,
                ),
            });
            started += 1;
        }
        let chosen = rng.usize(..running.len());
        time.set(
            time.ms()
                + if rng.u8(..100) == 0 {
                    rng.i64(500..6_000)
                } else {
                    rng.i64(0..40)
                },
        );
        let Running {
            who,
            left,
            clock,
            tick,
        } = &mut running[chosen];
        if rng.u16(..2_000) == 0 {
            totals.acknowledged += u64::from(observer.acknowledge(rng.usize(..monitor_count)));
        }
        if left.as_mut().is_some_and(|polls| {
            *polls -= 1;
            *polls == 0
        }) {
            totals.crashes += 1;
            drop(running.swap_remove(chosen));
            continue;
        }
        let polled = tick.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        observer.observe();
        if let Poll::Ready(report) = polled {
            observer.check_finished(*who, clock, &report);
            drop(running.swap_remove(chosen));
        }
    }
    observer.check_final_state(&topic.sent.borrow(), fault_level, &mut totals);
    totals.full_states = observer.full_states;
    totals
}

fn start(
    delivery: &Delivery,
    who: usize,
    clock: SkewedClock,
    decision_bytes: usize,
    observer: &Observer,
    topic: &RecordingTopic,
    scripted_results: &ScriptedResults,
) -> Pin<Box<dyn Future<Output = TickReport>>> {
    let (tick, at) = (delivery.tick, delivery.location);
    let results = (0..observer.rules.len())
        .map(|monitor| scripted_results.result(at, tick, monitor))
        .collect();
    let table = RecordingTable {
        table: observer.table.clone(),
        who,
        clock: clock.clone(),
        recording: Rc::clone(&observer.recording),
    };
    // With listed locations, the only fallback location of a checker is itself.
    let fallback_locations = if group_state(&observer.table).group_state.listed.is_empty() {
        locations(observer.location_count)
    } else {
        [location(at)].into()
    };
    let checker = Checker::new(
        Store::new(table).with_decision_bytes(decision_bytes),
        ScriptedProbe(results),
        topic.clone(),
        clock,
        location(at),
        fallback_locations,
    );
    let event = TickEvent::new(TestTime::of_tick(tick), GROUP);
    let invocation = Invocation {
        claimant: Claimant::new(who.to_string()),
        remaining: Duration::from_secs(60),
    };
    Box::pin(async move { checker.handle(&event, &invocation).await })
}

fn fail_at_times(rng: &mut Rng, table: &MemoryTable, topic: &RecordingTopic) {
    let (mut of_table, mut of_topic) = (rng.fork(), rng.fork());
    let odds = rng.u8(1..12);
    table.set_faults(move |_| match of_table.u8(..100) {
        roll if roll < odds => Fault::Before,
        roll if roll < odds + odds / 2 => Fault::After,
        90.. => Fault::Stale,
        _ => Fault::None,
    });
    *topic.faults.borrow_mut() = Some(Box::new(move || match of_topic.u8(..100) {
        0..15 => TopicFault::Before,
        15..22 => TopicFault::After,
        _ => TopicFault::None,
    }));
}
