//! One schedule: what happens in the world, when ticks are delivered, what fails; then what must hold.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use fastrand::Rng;
use portpulse_checker::{Checker, Error, Invocation, Report, TickEvent};
use portpulse_core::board::{Board, ClosedIncident, Ending, Entry, Health, Incident, Track, VerdictRow};
use portpulse_core::outbox::Claimant;
use portpulse_store::Store;
use portpulse_store::table::Item;
use portpulse_testkit::memory_table::{Fault, MemoryTable};
use serde_json::json;

use super::oracle::{History, Oracle, ReadBoard, Rule};
use super::watched::{Notes, Watched};
use crate::rig::{
    GROUP, Scripted, Sight, Skewed, Time, Topic, TopicFault, board, define, region, regions, run as finish,
};

/// Ticks in which anything may fail, then ticks in which nothing does: first with the world held still, then well.
const STORM: i64 = 16;
const STILL: i64 = 6;
const WELL: i64 = 10;

/// What was seen to happen, over all schedules.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Totals {
    pub(super) incidents: u64,
    pub(super) closed: u64,
    pub(super) crashes: u64,
    pub(super) repeats: u64,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.incidents += other.incidents;
        self.closed += other.closed;
        self.crashes += other.crashes;
        self.repeats += other.repeats;
    }
}

/// How much goes wrong in a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    /// Ticks are late, doubled, reordered and lost; nothing fails.
    Untidy,
    /// Checkers are killed, tables and topics fail besides.
    Stormy,
}

/// What the world does: a pure function of region, tick and monitor.
struct World {
    sights: BTreeMap<(usize, i64, usize), Sight>,
}

impl World {
    fn new(rng: &mut Rng, regions: usize, monitors: usize) -> Self {
        let mut sights = BTreeMap::new();
        for monitor in 0..monitors {
            let outages: Vec<_> = (0..rng.usize(0..3)).map(|_| span(rng)).collect();
            let blocks: Vec<_> = (0..rng.usize(0..3))
                .map(|_| (rng.usize(0..regions), span(rng)))
                .collect();
            let down_in_the_end = rng.bool();
            for (tick, region) in
                (0..STORM + STILL + WELL).flat_map(|tick| (0..regions).map(move |r| (tick, r)))
            {
                let out = outages
                    .iter()
                    .any(|(from, until)| (*from..*until).contains(&tick));
                let blocked = blocks
                    .iter()
                    .any(|(r, (from, until))| *r == region && (*from..*until).contains(&tick));
                let sight = match tick {
                    _ if tick >= STORM + STILL => Sight::Good,
                    _ if tick >= STORM && down_in_the_end => Sight::Failing,
                    _ if tick >= STORM => Sight::Good,
                    _ if rng.u8(..100) < 4 => Sight::NoData,
                    _ if out || blocked || rng.u8(..100) < 5 => Sight::Failing,
                    _ => Sight::Good,
                };
                sights.insert((region, tick, monitor), sight);
            }
        }
        Self { sights }
    }

    fn sight(&self, region: usize, tick: i64, monitor: usize) -> Sight {
        self.sights[&(region, tick, monitor)]
    }
}

fn span(rng: &mut Rng) -> (i64, i64) {
    let from = rng.i64(0..STORM);
    (from, from + rng.i64(1..7))
}

/// One delivery of one tick to one region.
struct Delivery {
    at_ms: i64,
    tick: i64,
    region: usize,
    /// After how many polls it is killed.
    killed_after: Option<usize>,
}

fn deliveries(rng: &mut Rng, regions: usize, weather: Weather) -> Vec<Delivery> {
    let mut all = Vec::new();
    for (tick, region) in
        (0..STORM + STILL + WELL).flat_map(|tick| (0..regions).map(move |region| (tick, region)))
    {
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
                region,
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
    let (region_count, monitor_count) = (rng.usize(1..5), rng.usize(1..4));
    let rules: Vec<_> = (0..monitor_count)
        .map(|_| Rule {
            failures_to_open: rng.usize(1..4),
            successes_to_close: rng.usize(1..4),
            quorum: (rng.u8(..4) == 0).then(|| rng.usize(1..=region_count)),
        })
        .collect();
    let world = Rc::new(World::new(&mut rng, region_count, monitor_count));
    let mut ledger = Ledger::new(rules, Rc::clone(&world), region_count);
    let (time, topic) = (Time::default(), Topic::default());
    if weather == Weather::Stormy {
        fail_at_times(&mut rng, &ledger.table, &topic);
    }
    let skews: Vec<_> = (0..region_count).map(|_| rng.i64(-3_000..3_000)).collect();
    let mut waiting = deliveries(&mut rng, region_count, weather);
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
        if next <= time.ms() {
            let delivery = waiting.pop().unwrap();
            if !held_still && delivery.tick >= STORM + STILL {
                held_still = true;
                ledger.hold_while_still();
            }
            let clock = Skewed {
                time: time.clone(),
                skew_ms: skews[delivery.region],
            };
            running.push(Running {
                who: started,
                left: delivery.killed_after,
                clock: clock.clone(),
                tick: start(&delivery, started, clock, &ledger, &topic, &world),
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
    totals
}

fn start(
    delivery: &Delivery,
    who: usize,
    clock: Skewed,
    ledger: &Ledger,
    topic: &Topic,
    world: &World,
) -> Pin<Box<dyn Future<Output = Report>>> {
    let (tick, at) = (delivery.tick, delivery.region);
    let sights = (0..ledger.rules.len())
        .map(|monitor| world.sight(at, tick, monitor))
        .collect();
    let table = Watched {
        table: ledger.table.clone(),
        who,
        clock: clock.clone(),
        notes: Rc::clone(&ledger.notes),
    };
    let (store, expected) = (Store::new(table), regions(ledger.region_count));
    let checker = Checker::new(
        store,
        Scripted(sights),
        topic.clone(),
        clock,
        region(at),
        expected,
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
        0..15 => TopicFault::Before,
        15..22 => TopicFault::After,
        _ => TopicFault::None,
    }));
}

/// Everything that was seen from outside, and the checks on it.
struct Ledger {
    table: MemoryTable,
    notes: Rc<RefCell<Notes>>,
    rules: Vec<Rule>,
    world: Rc<World>,
    region_count: usize,
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
    fn new(rules: Vec<Rule>, world: Rc<World>, region_count: usize) -> Self {
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
    fn look(&mut self) {
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
    fn done(&mut self, who: usize, clock: &Skewed, report: &Report) {
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
    fn hold_while_still(&self) {
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

    fn hold_at_the_end(&self, sent: &[String], weather: Weather, totals: &mut Totals) {
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
