//! One schedule: its random parameters, and its run.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use fastrand::Rng;
use portpulse_checker::{Checker, Invocation, TickEvent, TickReport};
use portpulse_core::time::Interval;
use portpulse_store::Store;
use portpulse_testkit::memory_table::{Fault, MemoryTable};

use super::cadence::Cadence;
use super::deliveries::{Delivery, FaultLevel, deliveries};
use super::observer::{MAX_SKEW_MS, Observer};
use super::oracle::{AlertPolicy, Rule};
use super::presence::{Listing, Presence};
use super::recording_table::RecordingTable;
use super::scripted_results::{RetriedProbe, ScriptedResults, span};
use crate::rig::{
    RecordingTopic, SkewedClock, TestTime, TopicFault, Waiting, invocation, location, locations,
};

/// The number of ticks of a minute with good results at the end, if monitors are flapping: a flapping incident closes after
/// one good hour.
const GOOD_TICKS_WITH_FLAPPING: i64 = 72;

/// The size of a decision state with problems of all locations, open incidents of all monitors, and the outbox of one more
/// monitor.
fn tight_bytes(locations: usize, monitors: usize, is_flapping: bool, shares_hosts: bool) -> usize {
    // Flapping monitors have a list of changes.
    let incident = if is_flapping { 310 } else { 215 };
    // At most two hosts have a cluster.
    let clusters = if shares_hosts { 400 } else { 0 };
    650 + clusters + locations * 55 + monitors * incident
}

/// Counts of events by kind.
#[derive(Debug, Default)]
pub(super) struct Totals(pub(super) BTreeMap<&'static str, u64>);

impl Totals {
    pub(super) fn add(&mut self, kind: &'static str, count: u64) {
        *self.0.entry(kind).or_default() += count;
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        other
            .0
            .into_iter()
            .for_each(|(kind, count)| self.add(kind, count));
    }
}

fn alert_policy(rng: &mut Rng, monitor: usize, faulty: i64) -> AlertPolicy {
    let mut once_in = |times: u8| rng.u8(..times) == 0;
    let (reminds, escalates, depends_on_first) = (once_in(2), once_in(2), monitor > 0 && once_in(3));
    let (maintained, silenced) = (once_in(4), once_in(6));
    AlertPolicy {
        reminds,
        escalates,
        maintenance: maintained.then(|| span(rng, faulty)),
        silenced_until: silenced.then(|| rng.i64(1..faulty)),
        depends_on_first,
    }
}

/// A running checker.
struct Running {
    who: usize,
    /// The number of polls until the checker is killed, if it is.
    left: Option<usize>,
    clock: SkewedClock,
    reports: Rc<RefCell<Vec<TickReport>>>,
    invocation: Pin<Box<dyn Future<Output = ()>>>,
}

impl Running {
    /// The time until which the checker waits; `None` if it does not.
    fn waits_until(&self) -> Option<i64> {
        match &self.clock.waiting {
            Waiting::Until(until) => until.get(),
            Waiting::Advances => None,
        }
    }
}

/// Runs the schedule of a seed. Panics if an invariant is violated.
pub(super) fn run(seed: u64) -> Totals {
    let mut rng = Rng::with_seed(seed);
    let fault_level = match rng.u8(..8) {
        0 => FaultLevel::None,
        1..3 => FaultLevel::Delivery,
        _ => FaultLevel::All,
    };
    let is_punctual = fault_level == FaultLevel::None;
    let cadence = Cadence(match rng.u8(..16) {
        0 => Interval::TenSeconds,
        1 => Interval::FifteenSeconds,
        2 => Interval::TwentySeconds,
        3 => Interval::ThirtySeconds,
        _ => Interval::OneMinute,
    });
    // In some schedules, all monitors fail together and cannot be decided in one write. There are too few of them to make a
    // location suspect.
    let is_tight = !is_punctual && rng.u8(..4) == 0;
    let (location_count, monitor_count) = (rng.usize(1..5), rng.usize(if is_tight { 5..10 } else { 1..4 }));
    let is_flapping = !is_punctual && cadence.0 == Interval::OneMinute && rng.u8(..8) == 0;
    // In some schedules, monitors share hosts.
    let shares_hosts = rng.bool();
    let (decision_bytes, outages) = if is_tight {
        (
            tight_bytes(location_count, monitor_count, is_flapping, shares_hosts),
            vec![span(&mut rng, cadence.faulty())],
        )
    } else {
        (usize::MAX, Vec::new())
    };
    let ticks = cadence.until_good()
        + if is_flapping {
            GOOD_TICKS_WITH_FLAPPING
        } else {
            cadence.good()
        };
    let presences = if is_punctual {
        Vec::new()
    } else {
        Presence::some(&mut rng, cadence, location_count, ticks)
    };
    // One location may be removed, and the quorum must be possible without it.
    let min_locations = if presences.is_empty() {
        location_count
    } else {
        location_count - 1
    };
    let retries = rng.u32(0..4);
    let rules: Vec<_> = (0..monitor_count)
        .map(|monitor| Rule {
            host: if shares_hosts { rng.usize(..2) } else { monitor },
            flapping_after: if is_flapping { rng.usize(1..4) } else { 0 },
            alert_policy: alert_policy(&mut rng, monitor, cadence.faulty()),
            retries,
            failures_to_open: rng.usize(1..4),
            successes_to_close: rng.usize(1..4),
            quorum: (rng.u8(..4) == 0).then(|| rng.usize(1..=min_locations)),
        })
        .collect();
    let (scripted_results, punctual_outages) = if is_punctual {
        ScriptedResults::without_noise(&mut rng, cadence, location_count, &rules, ticks)
    } else {
        let results = ScriptedResults::new(&mut rng, cadence, location_count, &rules, ticks, &outages);
        (results, Vec::new())
    };
    let scripted_results = Rc::new(scripted_results);
    let mut observer = Observer::new(
        cadence,
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
        .map(|_| {
            if is_punctual {
                0
            } else {
                rng.i64(-MAX_SKEW_MS..MAX_SKEW_MS)
            }
        })
        .collect();
    for presence in &presences {
        presence.list(&observer.table, i64::MIN);
    }
    let mut waiting = deliveries(&mut rng, cadence, location_count, ticks, fault_level, &presences);
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
        if !faultless && time.ms() >= cadence.faulty() * cadence.ms() {
            faultless = true;
            observer.table.clear_faults();
            topic.faults.borrow_mut().take();
        }
        for presence in &presences {
            match presence.list(&observer.table, time.ms()) {
                Listing::Added => totals.add("added locations", 1),
                Listing::Removed => totals.add("removed locations", 1),
                Listing::Unchanged => {}
            }
        }
        if next <= time.ms() {
            let delivery = waiting.pop().unwrap();
            if !is_steady_state_checked && delivery.tick >= cadence.until_good() {
                is_steady_state_checked = true;
                observer.check_steady_state(&topic.sent.borrow());
            }
            let clock = SkewedClock {
                time: time.clone(),
                skew_ms: skews[delivery.location],
                waiting: Waiting::Until(Rc::default()),
            };
            let reports = Rc::default();
            running.push(Running {
                who: started,
                left: delivery.killed_after,
                clock: clock.clone(),
                reports: Rc::clone(&reports),
                invocation: start(
                    &delivery,
                    started,
                    clock,
                    decision_bytes,
                    &observer,
                    &topic,
                    &scripted_results,
                    reports,
                ),
            });
            started += 1;
        }
        let is_awake = |one: &Running| one.waits_until().is_none_or(|until| until <= time.ms());
        let awake: Vec<_> = (0..running.len())
            .filter(|one| is_awake(&running[*one]))
            .collect();
        if awake.is_empty() {
            let wakes = running.iter().filter_map(Running::waits_until);
            time.set(wakes.chain([next]).min().unwrap_or(next));
            continue;
        }
        let chosen = awake[rng.usize(..awake.len())];
        // A step takes less of a shorter interval.
        let (pause, step) = if is_punctual {
            (1, 3)
        } else if cadence.0 == Interval::OneMinute {
            (6_000, 40)
        } else {
            (1_200, 8)
        };
        let passed = if rng.u8(..100) == 0 {
            rng.i64(pause / 12..pause)
        } else {
            rng.i64(0..step)
        };
        time.set(time.ms() + passed);
        let Running {
            who,
            left,
            clock,
            reports,
            invocation,
        } = &mut running[chosen];
        if rng.u16(..2_000) == 0 {
            totals.add(
                "acknowledgements",
                u64::from(observer.acknowledge(rng.usize(..monitor_count))),
            );
        }
        if left.as_mut().is_some_and(|polls| {
            *polls -= 1;
            *polls == 0
        }) {
            totals.add("crashes", 1);
            drop(running.swap_remove(chosen));
            continue;
        }
        let polled = invocation.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        observer.observe();
        for report in reports.take() {
            observer.check_finished(*who, clock, &report);
        }
        if polled.is_ready() {
            drop(running.swap_remove(chosen));
        }
    }
    observer.check_final_state(&topic.sent.borrow(), fault_level, &mut totals);
    if is_punctual {
        observer.check_detection(&punctual_outages, &mut totals);
    }
    totals.add("full decision states", observer.full_states);
    totals.add("healed checks", observer.healed);
    totals.add(
        "schedules below a minute",
        u64::from(cadence.per_invocation() > 1),
    );
    totals
}

#[expect(clippy::too_many_arguments, reason = "the parts of a schedule")]
fn start(
    delivery: &Delivery,
    who: usize,
    clock: SkewedClock,
    decision_bytes: usize,
    observer: &Observer,
    topic: &RecordingTopic,
    scripted_results: &Rc<ScriptedResults>,
    reports: Rc<RefCell<Vec<TickReport>>>,
) -> Pin<Box<dyn Future<Output = ()>>> {
    let (tick, at, cadence) = (delivery.tick, delivery.location, observer.cadence);
    let probe = RetriedProbe {
        cadence,
        scripted_results: Rc::clone(scripted_results),
        location: at,
        attempts: RefCell::default(),
    };
    let table = RecordingTable {
        cadence,
        table: observer.table.clone(),
        who,
        clock: clock.clone(),
        recording: Rc::clone(&observer.recording),
    };
    // With listed locations, the only fallback location of a checker is itself.
    let group = format!("group#{}", cadence.group());
    let is_listed = |number| {
        observer
            .table
            .peek(&group, &format!("expects#{}", location(number)))
            .is_some()
    };
    let fallback_locations = if (0..observer.location_count).any(is_listed) {
        [location(at)].into()
    } else {
        locations(observer.location_count)
    };
    let checker = Checker::new(
        Store::new(table).with_decision_bytes(decision_bytes),
        probe,
        topic.clone(),
        clock,
        location(at),
        fallback_locations,
    );
    let event = TickEvent::new(cadence.of_tick(tick), cadence.group());
    let invocation = Invocation {
        remaining: Duration::from_secs(180),
        ..invocation(who.to_string())
    };
    Box::pin(async move {
        let finished = |report| reports.borrow_mut().push(report);
        checker.run(&event, &invocation, finished).await;
    })
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
