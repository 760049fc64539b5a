//! The loss of the home region is notified through the standby region, once, and so is its end; decisions are copied.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use portpulse_checker::{Checker, Standby, TickEvent, TickReport};
use portpulse_core::group_state::LocationKind;
use portpulse_store::Store;
use portpulse_store::keys;
use portpulse_store::table::Operation;
use portpulse_testkit::memory_table::{Call, Fault, MemoryTable, poll};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::rig::{
    GROUP, ProbeResult, RecordingTopic, ScriptedProbe, SkewedClock, TestTime, TopicFault, assert_counted,
    define, invocation, location, locations, texts,
};

/// A deployment with a home region and a standby region, and three locations.
struct World {
    home: MemoryTable,
    home_topic: RecordingTopic,
    standby: MemoryTable,
    standby_topic: RecordingTopic,
}

impl World {
    /// One monitor, whose definition both tables have.
    fn new() -> Self {
        let world = Self {
            home: MemoryTable::new(),
            home_topic: RecordingTopic::default(),
            standby: MemoryTable::new(),
            standby_topic: RecordingTopic::default(),
        };
        let fields = BTreeMap::from([("failures_to_open", json!(1)), ("successes_to_close", json!(1))]);
        for table in [&world.home, &world.standby] {
            define(table, 0, &fields);
        }
        world
    }

    fn lose_home(&self) {
        self.home.set_faults(|_| Fault::Before);
    }

    /// A tick in one location, dropped after `polls` polls; `None` if it did not complete.
    fn killed_tick(&self, at: (i64, usize), result: ProbeResult, polls: usize) -> Option<TickReport> {
        self.tick_of(LocationKind::Region, at, result, polls)
    }

    /// A tick in a location of this kind.
    fn tick_of(
        &self,
        kind: LocationKind,
        (number, at): (i64, usize),
        result: ProbeResult,
        polls: usize,
    ) -> Option<TickReport> {
        let time = TestTime::default();
        time.set(number * 60_000 + 5_000);
        let checker = Checker::new(
            Store::new(self.home.clone()),
            ScriptedProbe(vec![result; 3]),
            self.home_topic.clone(),
            SkewedClock::exact(time),
            location(at),
            locations(3),
        )
        .with_standby(Some(Standby {
            store: Store::new(self.standby.clone()),
            topic: self.standby_topic.clone(),
            kind,
        }));
        let event = TickEvent::new(TestTime::of_tick(number), GROUP);
        let invocation = invocation(format!("{number}/{at}/{polls}"));
        poll(checker.handle(&event, &invocation), polls)
    }

    /// A tick in one location.
    fn tick(&self, at: (i64, usize), result: ProbeResult) -> TickReport {
        self.killed_tick(at, result, usize::MAX).unwrap()
    }

    /// A tick in all locations.
    fn round(&self, number: i64, result: ProbeResult) {
        for at in 0..3 {
            self.tick((number, at), result);
        }
    }

    fn sent(&self) -> Vec<String> {
        self.standby_topic.sent.borrow().clone()
    }
}

#[test]
fn loss_and_return_of_home_are_each_notified_once() {
    use ProbeResult::{Failing, Good};
    let world = World::new();
    world.round(0, Good);
    world.lose_home();
    for number in 1..=2 {
        world.round(number, Failing);
    }
    assert_eq!(world.sent(), [""; 0], "two failed ticks are no loss");
    let report = world.tick((3, 0), Failing);
    let [notification] = &report.published[..] else {
        panic!("{report:?}");
    };
    assert_eq!(
        notification.diagnostics,
        [
            "from a, checked once: 1 of 1 monitors fail, 0 could not be checked",
            "m0 (h0.example:1000) fails",
        ]
    );
    assert!(
        texts(&report.errors)
            .iter()
            .any(|text| text.contains("cannot read")),
        "{report:?}"
    );
    for number in 3..=9 {
        world.round(number, Failing);
    }
    assert_eq!(
        world.sent(),
        ["home.1/home_unreachable.a.1"],
        "the other locations join"
    );

    world.home.clear_faults();
    for number in 10..=12 {
        world.round(number, Good);
    }
    assert_eq!(
        world.sent(),
        ["home.1/home_unreachable.a.1", "home.1/home_reachable"]
    );
    assert_eq!(world.home_topic.kinds(), [""; 0], "no monitor was called down");
}

#[test]
fn location_that_alone_cannot_reach_home_is_notified() {
    let world = World::new();
    for number in 0..=10 {
        let is_cut_off = (1..=4).contains(&number);
        if is_cut_off {
            world.lose_home();
        }
        world.tick((number, 0), ProbeResult::Good);
        world.home.clear_faults();
        for at in 1..3 {
            assert_counted(&world.tick((number, at), ProbeResult::Good));
        }
    }
    assert_eq!(
        world.sent(),
        ["home.1/home_unreachable.a.1", "home.1/home_reachable"]
    );
}

#[test]
fn nominal_ticks_ask_the_standby_region_nothing() {
    let world = World::new();
    world.round(0, ProbeResult::Good);
    let calls = world.standby.calls();
    for number in 1..=10 {
        world.round(number, ProbeResult::Good);
    }
    assert_eq!(world.standby.calls(), calls);
}

#[test]
fn decisions_are_copied_when_they_change() {
    use ProbeResult::{Failing, Good};
    let world = World::new();
    let key = keys::decision_state(GROUP);
    let of = |table: &MemoryTable| table.peek(&key.pk, &key.sk);
    world.round(0, Good);
    for (number, result) in [(1, Failing), (2, Failing), (3, Failing), (4, Good), (5, Good)] {
        let calls = world.standby.calls();
        let before = of(&world.home);
        world.round(number, result);
        assert_eq!(of(&world.standby), of(&world.home), "after tick {number}");
        let is_changed = of(&world.home) != before;
        assert_eq!(world.standby.calls() > calls, is_changed, "tick {number}");
    }
    assert_eq!(world.home_topic.kinds(), ["down", "recovered"]);

    // A late copy of an earlier decision replaces nothing.
    let store = Store::new(world.standby.clone());
    let stale = portpulse_core::group_state::DecisionState {
        revision: 1,
        ..Default::default()
    };
    crate::rig::run(store.copy_decision(GROUP, &stale)).unwrap();
    assert_eq!(of(&world.standby), of(&world.home));
}

#[test]
fn failing_standby_region_costs_no_tick() {
    let world = World::new();
    world.standby.set_faults(|_| Fault::Before);
    // The first tick of a location asks the standby region.
    let first = world.tick((0, 0), ProbeResult::Good);
    let asked = texts(&first.warnings);
    assert!(
        asked[0].starts_with("cannot record in the standby region"),
        "{asked:?}"
    );
    let others = [1, 2].map(|at| world.tick((0, at), ProbeResult::Good));
    let reports = [0, 1, 2].map(|at| world.tick((1, at), ProbeResult::Failing));
    for report in [first].iter().chain(&others).chain(&reports) {
        assert_counted(report);
        assert_eq!(texts(&report.errors), [""; 0]);
    }
    let warnings: Vec<_> = reports
        .iter()
        .flat_map(|report| texts(&report.warnings))
        .collect();
    assert!(
        warnings[0].starts_with("cannot copy the decision on 1m#0"),
        "{warnings:?}"
    );
    assert_eq!(world.home_topic.kinds(), ["down"]);
}

#[test]
fn unsent_notification_of_the_loss_is_sent_by_a_later_tick() {
    let world = World::new();
    world.round(0, ProbeResult::Good);
    world.lose_home();
    let failures = std::cell::Cell::new(2u32);
    *world.standby_topic.faults.borrow_mut() = Some(Box::new(move || {
        let left = failures.get();
        failures.set(left.saturating_sub(1));
        if left > 0 {
            TopicFault::Before
        } else {
            TopicFault::None
        }
    }));
    for number in 1..=6 {
        world.round(number, ProbeResult::Good);
    }
    assert_eq!(world.sent().len(), 1, "{:?}", world.sent());
}

#[test]
fn unreadable_copies_are_said_to_be_unreadable() {
    let world = World::new();
    world.round(0, ProbeResult::Good);
    world.lose_home();
    world.standby.set_faults(|call: &Call<'_>| {
        if call.operation == Operation::Query {
            Fault::Before
        } else {
            Fault::None
        }
    });
    let reports: Vec<_> = (1..=3)
        .map(|number| world.tick((number, 0), ProbeResult::Good))
        .collect();
    let diagnostics = &reports[2].published[0].diagnostics;
    assert_eq!(
        diagnostics,
        &["from a, whose monitors were not checked: the copies of their definitions cannot be read"]
    );
}

#[test]
fn agent_checks_only_monitors_that_name_it_and_broken_definitions_are_counted() {
    let world = World::new();
    let fields = BTreeMap::from([("locations", json!(["a"]))]);
    define(&world.standby, 1, &fields);
    define(&world.standby, 2, &BTreeMap::from([("port", json!(0))]));
    world.lose_home();
    for (kind, expected) in [
        (
            LocationKind::Region,
            "from a, checked once: 2 of 2 monitors fail, 0 could not be checked",
        ),
        (
            LocationKind::Agent,
            "from a, checked once: 1 of 1 monitors fail, 0 could not be checked",
        ),
    ] {
        let key = keys::home_loss();
        world.standby.remove(&key.pk, &key.sk);
        let ticks = match kind {
            LocationKind::Region => 1..=3,
            LocationKind::Agent => 4..=6,
        };
        let tick = |number| {
            world
                .tick_of(kind, (number, 0), ProbeResult::Failing, usize::MAX)
                .unwrap()
        };
        let reports: Vec<_> = ticks.map(tick).collect();
        let mut notifications = reports.iter().flat_map(|report| &report.published);
        let lines = &notifications.next().unwrap().diagnostics;
        assert_eq!(lines[0], expected);
        assert_eq!(lines[1], "invalid definitions, whose monitors are not checked: 1");
    }
}

/// The partition keys of an agent's policy, in which `GROUP` stands for each of its groups.
const POLICY_KEYS: &str = include_str!("../../../../infra/modules/agent/keys.json");

#[test]
fn policy_of_an_agent_allows_its_requests_to_the_standby_region_and_no_more() {
    let world = World::new();
    let requests = Arc::new(Mutex::new(BTreeSet::new()));
    let recorded = Arc::clone(&requests);
    world.standby.set_faults(move |call| {
        let access = if call.read.is_some() {
            "standby_read"
        } else {
            "standby_write"
        };
        recorded
            .lock()
            .unwrap()
            .insert((access.to_owned(), call.pk.to_owned()));
        Fault::None
    });
    // An outage, whose decisions are copied, then the loss of home and its return.
    for number in 0..=12 {
        if number == 4 {
            world.lose_home();
        }
        if number == 8 {
            world.home.clear_faults();
        }
        let result = if number == 1 {
            ProbeResult::Failing
        } else {
            ProbeResult::Good
        };
        world.round(number, result);
    }
    let keys: BTreeMap<String, Vec<String>> = serde_json::from_str(POLICY_KEYS).unwrap();
    let allowed = keys
        .into_iter()
        .filter(|(access, _)| access.starts_with("standby_"));
    let allowed: BTreeSet<_> = allowed
        .flat_map(|(access, keys)| keys.into_iter().map(move |key| (access.clone(), key)))
        .map(|(access, key)| (access, key.replace("GROUP", &GROUP.to_string())))
        .collect();
    assert_eq!(*requests.lock().unwrap(), allowed);
}

/// Kills a checker at each await point of the ticks in which the loss and the return are notified.
#[test]
fn killed_checker_loses_neither_the_loss_nor_the_return() {
    use ProbeResult::Good;
    let mut points = 0;
    for killed in [3, 4, 8, 9] {
        for polls in 1.. {
            let world = World::new();
            let mut completed = true;
            for number in 0..=130 {
                if number == 1 {
                    world.lose_home();
                }
                if number == 8 {
                    world.home.clear_faults();
                }
                let budget = if number == killed { polls } else { usize::MAX };
                completed &= world.killed_tick((number, 0), Good, budget).is_some();
            }
            let mut sent = world.sent();
            let count = sent.len();
            sent.dedup();
            let of = format!("killed in tick {killed} after {polls} polls: {sent:?}");
            assert_eq!(
                sent,
                ["home.1/home_unreachable.a.1", "home.1/home_reachable"],
                "{of}"
            );
            assert!(count <= 3, "{of}: {count} messages");
            if completed {
                break;
            }
            points += 1;
        }
    }
    assert!(points > 40, "only {points} points were visited");
}

/// For each location, the ticks at which it cannot reach home: windows of a start and a length.
fn windows() -> impl Strategy<Value = Vec<Vec<(i64, i64)>>> {
    vec(vec((1i64..40, 1i64..9), 0..3), 3)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Locations lose home at random, publications fail at random, and every tick may come twice.
    #[test]
    fn loss_is_notified_exactly_if_a_location_misses_three_ticks(
        windows in windows(),
        failures in vec(any::<bool>(), 0..6),
        repeated in vec(any::<bool>(), 50),
    ) {
        let world = World::new();
        let fails = RefCell::new(failures);
        *world.standby_topic.faults.borrow_mut() = Some(Box::new(move || {
            match fails.borrow_mut().pop() {
                Some(true) => TopicFault::Before,
                Some(false) | None => TopicFault::None,
            }
        }));
        let is_cut_off = |number: i64, at: usize| {
            windows[at].iter().any(|(start, length)| (*start..start + length).contains(&number))
        };
        let mut consecutive = [0; 3];
        let mut is_loss = false;
        // After the last window, an hour passes, so that lost notifications are found.
        for number in 0..=170 {
            for (at, consecutive) in consecutive.iter_mut().enumerate() {
                let cut_off = is_cut_off(number, at);
                *consecutive = if cut_off { *consecutive + 1 } else { 0 };
                is_loss |= *consecutive >= 3;
                if cut_off {
                    world.lose_home();
                }
                let times = usize::from(*repeated.get(usize::try_from(number).unwrap()).unwrap_or(&false)) + 1;
                for _ in 0..times {
                    world.tick((number, at), ProbeResult::Good);
                }
                world.home.clear_faults();
            }
        }
        let mut sent = world.sent();
        sent.dedup();
        prop_assert_eq!(!sent.is_empty(), is_loss, "{:?}", sent);
        let mut ids = sent.clone();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), sent.len(), "a notification was sent twice: {:?}", sent);
        let is_end = |id: &String| id.ends_with("/home_reachable");
        if is_loss {
            prop_assert!(!is_end(&sent[0]), "{:?}", sent);
            prop_assert!(sent.last().is_some_and(is_end), "{:?}", sent);
            prop_assert!(!sent.windows(2).any(|pair| is_end(&pair[0]) && is_end(&pair[1])), "{:?}", sent);
        }
        let of_monitors = world.home_topic.kinds().into_iter().filter(|kind| !kind.starts_with("location_"));
        prop_assert_eq!(of_monitors.count(), 0);
    }
}
