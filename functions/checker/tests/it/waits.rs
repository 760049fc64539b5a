//! A full decision state: emptied by this invocation, or by another claimant, with the number of reads and the length of the wait.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use portpulse_checker::{Checker, Clock, Error, TickEvent, TickReport};
use portpulse_core::decide::{SizeLimit as _, acknowledge_published};
use portpulse_core::group_state::{DecisionState, FleetState, Status, Urgency};
use portpulse_core::outbox::{Claim, Claimant, Kind, Outbox, Pending, Subject};
use portpulse_store::Store;
use portpulse_store::store::DecisionLimit;
use portpulse_testkit::memory_table::MemoryTable;

use crate::rig::{
    GROUP, ProbeResult, RecordingTopic, ScriptedProbe, SkewedClock, TestTime, TopicFault, assert_counted,
    define, group_state, invocation, location, locations, run,
};

/// Called with the number of each sleep.
type WhileAsleep = Box<dyn Fn(usize)>;

/// A clock that advances by the length of each sleep.
struct Sleeper {
    clock: SkewedClock,
    slept: Rc<RefCell<Vec<Duration>>>,
    while_asleep: WhileAsleep,
}

impl Clock for Sleeper {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep(&self, length: Duration) {
        let time = &self.clock.time;
        time.set(time.ms() + i64::try_from(length.as_millis()).unwrap());
        self.slept.borrow_mut().push(length);
        (self.while_asleep)(self.slept.borrow().len());
    }
}

/// A claim of `age` seconds before tick 2.
fn claim(by: &str, age: i64) -> Claim {
    Claim {
        by: Claimant::new(by),
        at: TestTime::of_tick(2) - SignedDuration::from_secs(age),
    }
}

/// A decision state with one notification.
fn full_row(id: &str, claim: Option<Claim>) -> DecisionState {
    let pending = Pending {
        id: id.to_owned(),
        kind: Kind::Reminder,
        subject: Subject::Monitor("m0".parse().unwrap()),
        status: Status::Down,
        cause: None,
        urgency: Urgency::Normal,
        monitors: 1,
        members: BTreeSet::new(),
        since: TestTime::of_tick(1),
        at: TestTime::of_tick(1),
        claim,
    };
    DecisionState {
        revision: 1,
        outbox: Outbox::new(vec![pending]),
        ..DecisionState::default()
    }
}

/// The minimum size in bytes that `fits`.
fn min_bytes(store: &Store<MemoryTable>, fits: impl Fn(&DecisionLimit) -> bool) -> usize {
    let limit = |bytes| store.clone().with_decision_bytes(bytes).decision_limit(GROUP);
    (0..).find(|bytes| fits(&limit(*bytes))).unwrap()
}

struct Ticked {
    report: TickReport,
    slept: Vec<Duration>,
    sent: Vec<String>,
}

/// Runs tick 2, in which `m1` fails, with no room beside a notification that another invocation claimed `age` seconds before.
fn tick(age: i64, while_asleep: impl Fn(&MemoryTable, usize) + 'static) -> Ticked {
    let row = full_row("m0@earlier/reminder", Some(claim("killed", age)));
    tick_with(&row, &row, RecordingTopic::default(), while_asleep)
}

/// Runs tick 2, in which `m1` fails, with no room beside `full`.
fn tick_with(
    row: &DecisionState,
    full: &DecisionState,
    topic: RecordingTopic,
    while_asleep: impl Fn(&MemoryTable, usize) + 'static,
) -> Ticked {
    let table = MemoryTable::new();
    let fields = BTreeMap::from([("failures_to_open", 1.into())]);
    (0..2).for_each(|monitor| define(&table, monitor, &fields));
    let store = Store::new(table.clone());
    run(store.put_decision(GROUP, row)).unwrap();
    let bytes = min_bytes(&store, |limit| limit.decision_fits(full));
    let (time, slept) = (TestTime::default(), Rc::default());
    time.set(2 * 60_000);
    let checker = Checker::new(
        store.with_decision_bytes(bytes),
        ScriptedProbe(vec![ProbeResult::Good, ProbeResult::Failing]),
        topic.clone(),
        Sleeper {
            clock: SkewedClock::exact(time),
            slept: Rc::clone(&slept),
            while_asleep: Box::new(move |number| while_asleep(&table, number)),
        },
        location(0),
        locations(1),
    );
    let event = TickEvent::new(TestTime::of_tick(2), GROUP);
    let report = run(checker.handle(&event, &invocation("second")));
    Ticked {
        report,
        slept: slept.take(),
        sent: topic.sent.take(),
    }
}

fn has_no_room(report: &TickReport) -> bool {
    matches!(report.errors[..], [Error::NoRoomToDecide { .. }])
}

#[test]
fn claim_stale_before_deadline_is_awaited_with_pauses() {
    let ticked = tick(100, |_, _| {});
    assert!(
        ticked.sent.contains(&"m0@earlier/reminder".to_owned()),
        "{:?}",
        ticked.sent
    );
    assert_counted(&ticked.report);
    let pauses = [250, 500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000, 250];
    assert_eq!(ticked.slept, pauses.map(Duration::from_millis));
}

#[test]
fn claim_beyond_deadline_is_not_awaited() {
    let ticked = tick(30, |_, _| {});
    assert!(has_no_room(&ticked.report), "{:?}", ticked.report.errors);
    assert_eq!((ticked.slept, ticked.sent), (Vec::new(), Vec::new()));
}

#[test]
fn awaited_claims_are_young_or_stale_before_the_deadline() {
    for (age, expected) in [
        (0, "awaited"),
        (9, "awaited"),
        (10, "not awaited"),
        (65, "not awaited"),
        (66, "awaited"),
    ] {
        let ticked = tick(age, |_, _| {});
        let found = if ticked.slept.is_empty() {
            "not awaited"
        } else {
            "awaited"
        };
        assert_eq!(
            found, expected,
            "a claim of {age} s: {:?} {:?}",
            ticked.slept, ticked.sent
        );
    }
}

#[test]
fn claim_of_live_invocation_is_awaited_until_published() {
    let ticked = tick(1, |table, number| {
        if number == 3 {
            let row = group_state(table).group_state.decision;
            let published = row
                .outbox
                .pending()
                .iter()
                .map(|pending| pending.id.clone())
                .collect();
            let next = acknowledge_published(&row, &Claimant::new("killed"), &published, &[]).unwrap();
            run(Store::new(table.clone()).put_decision(GROUP, &next)).unwrap();
        }
    });
    assert_eq!(ticked.slept.len(), 3, "{:?}", ticked.report.errors);
    // A killed invocation never publishes; the wait ends.
    let ticked = tick(1, |_, _| {});
    assert!(has_no_room(&ticked.report), "{:?}", ticked.report.errors);
    let total: Duration = ticked.slept.iter().sum();
    assert!(total < Duration::from_secs(15), "{:?}", ticked.slept);
}

#[test]
fn own_notifications_make_room_if_they_are_published() {
    // Longer than an incident and its notification.
    let id = format!("m0@earlier/{}", "reminder".repeat(100));
    let (row, claimed) = (full_row(&id, None), full_row(&id, Some(claim("second", 0))));
    let ticked = tick_with(&row, &claimed, RecordingTopic::default(), |_, _| {});
    assert!(ticked.report.errors.is_empty(), "{:?}", ticked.report.errors);
    assert_eq!(ticked.sent, [&id, "m1@2026-11-22T00:02:00Z.4/down"]);

    let (topic, attempts) = (RecordingTopic::default(), Rc::new(RefCell::new(0)));
    let counted = Rc::clone(&attempts);
    *topic.faults.borrow_mut() = Some(Box::new(move || {
        *counted.borrow_mut() += 1;
        TopicFault::Before
    }));
    let ticked = tick_with(&row, &claimed, topic, |_, _| {});
    let errors = &ticked.report.errors;
    assert!(
        matches!(errors[..], [Error::Publish { .. }, Error::NoRoomToDecide { .. }]),
        "{errors:?}"
    );
    assert_eq!(*attempts.borrow(), 1, "a failed message waits for the next tick");
}

#[test]
fn full_fleet_state_is_reported_and_tick_counts() {
    let (table, topic) = (MemoryTable::new(), RecordingTopic::default());
    define(&table, 0, &BTreeMap::new());
    let time = TestTime::default();
    let store = Store::new(table);
    let nothing = FleetState {
        revision: 1,
        ..FleetState::default()
    };
    // Room for one silent location in the decision state.
    let bytes = min_bytes(&store, |limit| limit.fleet_fits(&nothing)) + 100;
    let checker = Checker::new(
        store.with_decision_bytes(bytes),
        ScriptedProbe(vec![ProbeResult::Good]),
        topic,
        SkewedClock::exact(time.clone()),
        location(0),
        locations(2),
    );
    let report = |tick: i64| {
        time.set(tick * 60_000);
        let event = TickEvent::new(TestTime::of_tick(tick), GROUP);
        run(checker.handle(&event, &invocation(format!("invocation-{tick}"))))
    };
    // The other location never reports.
    let mut reports = (0..10).map(report).skip_while(|report| report.errors.is_empty());
    let report = reports.next().unwrap();
    assert!(
        matches!(report.errors[..], [Error::FleetFull { .. }]),
        "{:?}",
        report.errors
    );
    assert_counted(&report);
}
