//! One schedule: what happens in the world, when ticks are delivered, and what fails.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use fastrand::Rng;
use portpulse_checker::{Checker, Invocation, Report, TickEvent};
use portpulse_core::outbox::Claimant;
use portpulse_store::Store;
use portpulse_testkit::memory_table::{Fault, MemoryTable};

use super::ledger::{Ledger, MAX_SKEW_MS};
use super::oracle::{AlertPolicy, Rule};
use super::stay::{Listing, Stay};
use super::watched::Watched;
use crate::rig::{
    GROUP, InjectedTopicFault, Scripted, Skewed, Time, Topic, Visibility, group_state, location, locations,
};

/// Ticks in which anything may fail, then ticks in which nothing does: first with the world held still, then well.
pub(super) const STORM: i64 = 16;
pub(super) const STILL: i64 = 6;
/// As long as it takes until everything is closed; what flaps is closed only when it was well for an hour.
const WELL: i64 = 10;
const WELL_FOR_AN_HOUR: i64 = 72;

/// The bytes of a decision row with so many locations in trouble and monitors with open incidents, and what one monitor more
/// brings that waits.
fn tight_bytes(locations: usize, monitors: usize, is_restless: bool) -> usize {
    // What flaps keeps its changes.
    let incident = if is_restless { 290 } else { 190 };
    750 + locations * 55 + monitors * incident
}

/// What was seen to happen, over all schedules.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Totals {
    pub(super) incidents: u64,
    pub(super) closed: u64,
    pub(super) crashes: u64,
    pub(super) repeats: u64,
    pub(super) held: u64,
    pub(super) flapped: u64,
    pub(super) escalated: u64,
    pub(super) reminders: u64,
    pub(super) acknowledged: u64,
    pub(super) came: u64,
    pub(super) went: u64,
    pub(super) full: u64,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.incidents += other.incidents;
        self.closed += other.closed;
        self.crashes += other.crashes;
        self.repeats += other.repeats;
        self.held += other.held;
        self.flapped += other.flapped;
        self.escalated += other.escalated;
        self.reminders += other.reminders;
        self.acknowledged += other.acknowledged;
        self.came += other.came;
        self.went += other.went;
        self.full += other.full;
    }
}

/// How much goes wrong in a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weather {
    /// Ticks are late, doubled, reordered and lost; nothing fails.
    Untidy,
    /// Checkers are killed, tables and topics fail besides.
    Stormy,
}

/// What the world does: a pure function of location, tick and monitor.
pub(super) struct World {
    visibilities: BTreeMap<(usize, i64, usize), Visibility>,
}

impl World {
    /// All monitors have the outages in `shared`, each its own besides.
    fn new(rng: &mut Rng, locations: usize, monitors: usize, ticks: i64, shared: &[(i64, i64)]) -> Self {
        let mut visibilities = BTreeMap::new();
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
                let visibility = match tick {
                    _ if tick >= STORM + STILL => Visibility::Good,
                    _ if tick >= STORM && down_in_the_end => Visibility::Failing,
                    _ if tick >= STORM => Visibility::Good,
                    _ if rng.u8(..100) < 4 => Visibility::NoData,
                    _ if out || blocked || rng.u8(..100) < 5 => Visibility::Failing,
                    _ => Visibility::Good,
                };
                visibilities.insert((location, tick, monitor), visibility);
            }
        }
        Self { visibilities }
    }

    pub(super) fn visibility(&self, location: usize, tick: i64, monitor: usize) -> Visibility {
        self.visibilities[&(location, tick, monitor)]
    }
}

fn alert_policy(rng: &mut Rng, monitor: usize) -> AlertPolicy {
    let mut once_in = |times: u8| rng.u8(..times) == 0;
    let (reminds, escalates, behind) = (once_in(2), once_in(2), monitor > 0 && once_in(3));
    let (maintained, silenced) = (once_in(4), once_in(6));
    AlertPolicy {
        reminds,
        escalates,
        maintenance: maintained.then(|| span(rng)),
        silenced_until: silenced.then(|| rng.i64(1..STORM)),
        behind,
    }
}

fn span(rng: &mut Rng) -> (i64, i64) {
    let from = rng.i64(0..STORM);
    (from, from + rng.i64(1..7))
}

/// One delivery of one tick to one location.
struct Delivery {
    at_ms: i64,
    tick: i64,
    location: usize,
    /// After how many polls it is killed.
    killed_after: Option<usize>,
}

fn deliveries(
    rng: &mut Rng,
    locations: usize,
    ticks: i64,
    weather: Weather,
    stays: &[Stay],
) -> Vec<Delivery> {
    let mut all = Vec::new();
    let invoked = (0..ticks).flat_map(|tick| (0..locations).map(move |location| (tick, location)));
    for (tick, location) in invoked {
        if !stays.is_empty() && !stays.iter().any(|stay| stay.covers(location, tick)) {
            continue;
        }
        let calm = tick >= STORM;
        let copies = match rng.u8(..100) {
            0..6 if !calm => 0,
            6..16 => 2,
            16..18 => 3,
            _ => 1,
        };
        for copy in 0..copies {
            let late = match rng.u8(..100) {
                0..6 if !calm => rng.i64(30_000..130_000),
                _ if copy > 0 => rng.i64(0..90_000),
                _ => rng.i64(0..20_000),
            };
            let killed = weather == Weather::Stormy && !calm && rng.u8(..100) < 10;
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

/// A checker at work.
struct Running {
    who: usize,
    /// How many polls it has left, if it is to be killed.
    left: Option<usize>,
    clock: Skewed,
    tick: Pin<Box<dyn Future<Output = Report>>>,
}

/// Runs the schedule of a seed, and panics where something does not hold.
pub(super) fn run(seed: u64) -> Totals {
    let mut rng = Rng::with_seed(seed);
    let weather = if rng.u8(..4) == 0 {
        Weather::Untidy
    } else {
        Weather::Stormy
    };
    // Sometimes all of them fail at once, and cannot be decided in one write. Fewer than make a location suspect.
    let is_tight = rng.u8(..4) == 0;
    let (location_count, monitor_count) = (rng.usize(1..5), rng.usize(if is_tight { 5..10 } else { 1..4 }));
    let restless = rng.u8(..8) == 0;
    let (decision_bytes, outages) = if is_tight {
        (
            tight_bytes(location_count, monitor_count, restless),
            vec![span(&mut rng)],
        )
    } else {
        (usize::MAX, Vec::new())
    };
    let ticks = STORM + STILL + if restless { WELL_FOR_AN_HOUR } else { WELL };
    let stays = Stay::some(&mut rng, location_count, ticks);
    // One may go, and a quorum has to be met without it.
    let fewest = if stays.is_empty() {
        location_count
    } else {
        location_count - 1
    };
    let rules: Vec<_> = (0..monitor_count)
        .map(|monitor| Rule {
            flapping_after: if restless { rng.usize(1..4) } else { 0 },
            alert_policy: alert_policy(&mut rng, monitor),
            failures_to_open: rng.usize(1..4),
            successes_to_close: rng.usize(1..4),
            quorum: (rng.u8(..4) == 0).then(|| rng.usize(1..=fewest)),
        })
        .collect();
    let world = Rc::new(World::new(
        &mut rng,
        location_count,
        monitor_count,
        ticks,
        &outages,
    ));
    let mut ledger = Ledger::new(rules, Rc::clone(&world), location_count, decision_bytes);
    let (time, topic) = (Time::default(), Topic::default());
    if weather == Weather::Stormy {
        fail_at_times(&mut rng, &ledger.table, &topic);
    }
    let skews: Vec<_> = (0..location_count)
        .map(|_| rng.i64(-MAX_SKEW_MS..MAX_SKEW_MS))
        .collect();
    for stay in &stays {
        stay.list(&ledger.table, i64::MIN);
    }
    let mut waiting = deliveries(&mut rng, location_count, ticks, weather, &stays);
    let mut running: Vec<Running> = Vec::new();
    let mut totals = Totals::default();
    let mut started = 0;
    let (mut calm, mut held_still) = (false, false);
    while let Some(next) = waiting
        .last()
        .map(|delivery| delivery.at_ms)
        .or((!running.is_empty()).then_some(i64::MAX))
    {
        if running.is_empty() {
            time.set(time.ms().max(next));
        }
        if !calm && time.ms() >= STORM * 60_000 {
            calm = true;
            ledger.table.heal();
            topic.faults.borrow_mut().take();
        }
        for stay in &stays {
            match stay.list(&ledger.table, time.ms()) {
                Listing::Came => totals.came += 1,
                Listing::Went => totals.went += 1,
                Listing::Same => {}
            }
        }
        if next <= time.ms() {
            let delivery = waiting.pop().unwrap();
            if !held_still && delivery.tick >= STORM + STILL {
                held_still = true;
                ledger.hold_while_still(&topic.sent.borrow());
            }
            let clock = Skewed {
                time: time.clone(),
                skew_ms: skews[delivery.location],
            };
            running.push(Running {
                who: started,
                left: delivery.killed_after,
                clock: clock.clone(),
                tick: start(&delivery, started, clock, decision_bytes, &ledger, &topic, &world),
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
            totals.acknowledged += u64::from(ledger.acknowledge(rng.usize(..monitor_count)));
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
        ledger.look();
        if let Poll::Ready(report) = polled {
            ledger.done(*who, clock, &report);
            drop(running.swap_remove(chosen));
        }
    }
    ledger.hold_at_the_end(&topic.sent.borrow(), weather, &mut totals);
    totals.full = ledger.full;
    totals
}

fn start(
    delivery: &Delivery,
    who: usize,
    clock: Skewed,
    decision_bytes: usize,
    ledger: &Ledger,
    topic: &Topic,
    world: &World,
) -> Pin<Box<dyn Future<Output = Report>>> {
    let (tick, at) = (delivery.tick, delivery.location);
    let visibilities = (0..ledger.rules.len())
        .map(|monitor| world.visibility(at, tick, monitor))
        .collect();
    let table = Watched {
        table: ledger.table.clone(),
        who,
        clock: clock.clone(),
        notes: Rc::clone(&ledger.notes),
    };
    // Where a board lists the locations, what a checker takes for granted is itself alone.
    let fallback_locations = if group_state(&ledger.table).group_state.listed.is_empty() {
        locations(ledger.location_count)
    } else {
        [location(at)].into()
    };
    let checker = Checker::new(
        Store::new(table).with_decision_bytes(decision_bytes),
        Scripted(visibilities),
        topic.clone(),
        clock,
        location(at),
        fallback_locations,
    );
    let event = TickEvent::new(Time::of_tick(tick), GROUP);
    let invocation = Invocation {
        claimant: Claimant::new(who.to_string()),
        remaining: Duration::from_secs(60),
    };
    Box::pin(async move { checker.handle(&event, &invocation).await })
}

fn fail_at_times(rng: &mut Rng, table: &MemoryTable, topic: &Topic) {
    let (mut of_table, mut of_topic) = (rng.fork(), rng.fork());
    let odds = rng.u8(1..12);
    table.set_faults(move |_| match of_table.u8(..100) {
        roll if roll < odds => Fault::Before,
        roll if roll < odds + odds / 2 => Fault::After,
        90.. => Fault::Stale,
        _ => Fault::None,
    });
    *topic.faults.borrow_mut() = Some(Box::new(move || match of_topic.u8(..100) {
        0..15 => InjectedTopicFault::Before,
        15..22 => InjectedTopicFault::After,
        _ => InjectedTopicFault::None,
    }));
}
