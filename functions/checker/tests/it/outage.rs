//! Simultaneous changes of all monitors of a group are decided and notified within one tick, in as many writes as needed,
//! with the same result as one write.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use portpulse_checker::{Probe, TickReport};
use portpulse_core::control::{Control, Note, Silence};
use portpulse_core::group::MAX_MONITORS_PER_GROUP;
use portpulse_core::group_state::{DecisionState, Finding, Incident, IncidentId};
use portpulse_core::outcome::{
    Detail, Failure, FailureClass, NoData, Opened, Outcome, Phase, Phases, Trust, Warning,
};
use portpulse_core::target::Target;
use portpulse_core::time::Tick;
use portpulse_store::{Store, size};
use portpulse_testkit::memory_table::MemoryTable;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::rig::{
    GROUP, RecordingTopic, TestTime, TopicFault, failure, group_state, handle, invocation, locations, open,
    run,
};
use crate::sizes::{LargestItems, measure, request_id};

/// The state of a monitor in a tick, in all locations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MonitorState {
    Good,
    Slow,
    Warned,
    Expiring,
    Failing,
    NoData,
    /// Failing in the first location only.
    Differs,
}

const ALL_STATES: [MonitorState; 7] = [
    MonitorState::Good,
    MonitorState::Slow,
    MonitorState::Warned,
    MonitorState::Expiring,
    MonitorState::Failing,
    MonitorState::NoData,
    MonitorState::Differs,
];

/// Returns the outcome for each monitor's state, with a detail of the maximum length. Monitor `n` has port `1000 + n`.
struct StateProbe {
    states: Vec<MonitorState>,
    location: usize,
}

impl Probe for StateProbe {
    async fn probe(&self, _: Tick, targets: &[Target], _: Duration) -> Vec<Outcome> {
        let state = |target: &Target| self.states[usize::from(target.port.unwrap()) - 1000];
        targets
            .iter()
            .map(|target| outcome(state(target), self.location))
            .collect()
    }
}

fn outcome(state: MonitorState, location: usize) -> Outcome {
    let detail = Detail::new(&"a service with a long message ".repeat(20));
    let open = |ms, warning| {
        let phases = Phases {
            connect: Some(Duration::from_millis(ms)),
            ..Phases::default()
        };
        let trust = Trust::Clock;
        Outcome::Open(Opened {
            trust,
            warning,
            ..open(phases)
        })
    };
    match state {
        MonitorState::Differs if location > 0 => open(1, None),
        MonitorState::Good => open(1, None),
        MonitorState::Slow => open(500, None),
        MonitorState::Warned => open(1, detail.map(Warning::FromService)),
        MonitorState::Expiring => {
            let at = "2026-12-01T00:00:00Z".parse().unwrap();
            open(
                1,
                Some(Warning::CertificateExpiring {
                    issuer: None,
                    at,
                    days: 9,
                }),
            )
        }
        MonitorState::Failing | MonitorState::Differs => Outcome::Failed(Failure {
            detail,
            ..failure(FailureClass::WrongService, Phase::Ready)
        }),
        MonitorState::NoData => Outcome::NoData(NoData::OutOfTime),
    }
}

/// A group whose decision state has at most `bytes` bytes.
struct TestGroup {
    table: MemoryTable,
    topic: RecordingTopic,
    largest: LargestItems,
    ids: Vec<String>,
    locations: usize,
    bytes: usize,
}

impl TestGroup {
    fn new(ids: Vec<String>, locations: usize, bytes: usize, fields: impl Fn(usize) -> Value) -> Self {
        let table = MemoryTable::new();
        let world = Self {
            largest: measure(&table),
            table,
            topic: RecordingTopic::default(),
            ids,
            locations,
            bytes,
        };
        for number in 0..world.ids.len() {
            world.define(number, &fields(number));
        }
        world
    }

    fn define(&self, number: usize, fields: &Value) {
        let mut attributes = json!({
            "host": format!("h{number}.example"), "port": 1000 + number, "interval": "1m", "retries": 0, "failures_to_open": 1, "successes_to_close": 1,
            "flapping_after": 0,
        });
        let all = attributes.as_object_mut().unwrap();
        all.extend(fields.as_object().unwrap().clone());
        let store = Store::new(self.table.clone());
        run(store.put_definition(GROUP, &self.ids[number], all)).unwrap();
    }

    fn remove(&self, number: usize) {
        self.table.remove(&format!("monitors#{GROUP}"), &self.ids[number]);
    }

    fn silence(&self, number: usize, until: i64) {
        let note = Note::new("ada", TestTime::of_tick(0), None).unwrap();
        let control = Control::default().silenced(Silence::new(TestTime::of_tick(until), note).unwrap());
        let store = Store::new(self.table.clone());
        let id = self.ids[number].parse().unwrap();
        run(store.put_control(&id, &control, TestTime::of_tick(0))).unwrap();
    }

    /// Runs one tick in each location.
    fn tick(&self, tick: i64, states: &[MonitorState]) -> Vec<TickReport> {
        let of_location = |location| {
            let store = Store::new(self.table.clone()).with_decision_bytes(self.bytes);
            let states = states.to_vec();
            let invocation = invocation(request_id(tick, location));
            let (probe, delivery) = (StateProbe { states, location }, (tick, location));
            run(handle(
                store,
                probe,
                &self.topic,
                delivery,
                locations(self.locations),
                &invocation,
            ))
        };
        (0..self.locations).map(of_location).collect()
    }

    /// The size of the largest decision state.
    fn largest_decision(&self) -> Option<usize> {
        self.largest.lock().unwrap().get("decision").copied()
    }

    /// The decision state without the parts that depend on the number of writes: revisions, details, and what is left out like
    /// details: the evidence of diagnoses, and changes of the cause.
    fn decision(&self) -> DecisionState {
        let row = group_state(&self.table).group_state.decision;
        let unnumbered = |id: IncidentId| IncidentId { revision: 0, ..id };
        let plain = |incident: Incident| Incident {
            revision: 0,
            diagnosis: None,
            cause_changes: Vec::new(),
            flapped_until: None,
            cluster: incident.cluster.map(unnumbered),
            finding: incident.finding.map(|finding| Finding {
                detail: None,
                ..finding
            }),
            ..incident
        };
        let incidents = row.incidents.into_iter();
        let incidents = incidents.map(|(key, incident)| (key, plain(incident)));
        let mut advisories = row.advisories;
        advisories.values_mut().for_each(|advisory| advisory.revision = 0);
        let clusters = row.clusters.into_iter();
        DecisionState {
            revision: 0,
            incidents: incidents.collect(),
            clusters: clusters.map(|(id, cluster)| (unnumbered(id), cluster)).collect(),
            advisories,
            ..row
        }
    }

    fn decision_bytes(&self) -> usize {
        let item = self.table.peek(&format!("group#{GROUP}"), "decision");
        item.map_or(0, |item| size::item(&item))
    }

    /// The ids sent after the first `sent`, without revisions, sorted.
    fn sent_since(&self, sent: usize) -> Vec<String> {
        let all = self.topic.sent.borrow();
        let mut ids: Vec<_> = all.iter().skip(sent).map(|id| without_revision(id)).collect();
        ids.sort();
        ids
    }

    fn assert_each_is_sent_once_and_nothing_waits(&self) {
        let sent = self.topic.sent.borrow();
        let distinct: BTreeSet<_> = sent.iter().collect();
        assert_eq!(distinct.len(), sent.len(), "each once");
        let row = group_state(&self.table).group_state.decision;
        assert!(row.outbox.is_empty() && row.closed.is_empty(), "{row:?}");
    }
}

/// `m@2026-11-22T00:01:00Z.7.quality/degraded` without the 7, `a.3/location_silent` without the 3.
fn without_revision(id: &str) -> String {
    let (subject, rest) = id.rsplit_once('@').unwrap_or(("", id));
    let (time, rest) = rest.split_once('.').unwrap();
    format!(
        "{subject}@{time}{}",
        rest.trim_start_matches(|c: char| c.is_ascii_digit())
    )
}

/// A tick: the state of each monitor, and a monitor that is silenced, removed or defined before it.
#[derive(Debug, Clone)]
struct Step {
    states: Vec<MonitorState>,
    event: Option<(Event, usize)>,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Silenced,
    Removed,
    Defined,
}

const MONITORS: usize = 11;

fn fields(number: usize) -> Value {
    match number % 5 {
        0 => json!({ "slow_after": "100ms", "flapping_after": 2 }),
        1 => json!({ "slow_after": "100ms", "remind_every": "5m", "severity": "info" }),
        2 => json!({ "slow_after": "100ms", "escalate_after": "3m", "flapping_after": 1 }),
        3 => json!({ "expect": "closed" }),
        _ => json!({
            "slow_after": "100ms", "depends_on": ["monitor-00"], "depends_on_groups": { "monitor-00": GROUP.to_string() },
        }),
    }
}

fn ids() -> Vec<String> {
    (0..MONITORS)
        .map(|number| format!("monitor-{number:02}"))
        .collect()
}

fn step() -> impl Strategy<Value = Step> {
    let mixed = proptest::collection::vec(select(&ALL_STATES[..]), MONITORS);
    let alike = select(&ALL_STATES[..]).prop_map(|state| vec![state; MONITORS]);
    let events = select(vec![Event::Silenced, Event::Removed, Event::Defined]);
    let event = proptest::option::weighted(0.3, (events, 0..MONITORS));
    (prop_oneof![2 => alike, 1 => mixed], event).prop_map(|(states, event)| Step { states, event })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 3..9)
}

impl TestGroup {
    fn run_step(&self, tick: i64, step: &Step) -> Vec<TickReport> {
        match step.event {
            Some((Event::Silenced, number)) => self.silence(number, tick + 2),
            Some((Event::Removed, number)) => self.remove(number),
            Some((Event::Defined, number)) => self.define(number, &fields(number)),
            None => {}
        }
        self.tick(tick, &step.states)
    }
}

/// The size of the largest decision state with an empty outbox during `steps`.
fn steady_bytes(steps: &[Step], locations: usize) -> usize {
    let world = TestGroup::new(ids(), locations, usize::MAX, fields);
    let bytes = (0..).zip(steps).map(|(tick, step)| {
        world.run_step(tick, step);
        world.decision_bytes()
    });
    bytes.max().unwrap()
}

/// The bytes that one monitor adds to the outbox and the closed incidents.
const ONE_MONITOR: usize = 2_600;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn small_decision_limit_has_same_result_as_large_one(steps in steps(), locations in 1usize..3) {
        let bytes = steady_bytes(&steps, locations) + ONE_MONITOR;
        let large = TestGroup::new(ids(), locations, usize::MAX, fields);
        let small = TestGroup::new(ids(), locations, bytes, fields);
        let (mut sent_by_large, mut sent_by_small) = (0, 0);
        for (tick, step) in (0..).zip(&steps) {
            large.run_step(tick, step);
            for report in small.run_step(tick, step) {
                prop_assert!(report.errors.is_empty(), "{:?}", report.errors);
            }
            prop_assert_eq!(large.sent_since(sent_by_large), small.sent_since(sent_by_small));
            (sent_by_large, sent_by_small) = (large.topic.sent.borrow().len(), small.topic.sent.borrow().len());
            prop_assert_eq!(large.decision(), small.decision());
            small.assert_each_is_sent_once_and_nothing_waits();
        }
        prop_assert!(small.largest_decision().is_none_or(|largest| largest <= bytes));
    }

    #[test]
    fn temporary_topic_failure_loses_nothing(
        steps in steps(), locations in 1usize..3, from in 0usize..4, length in 1usize..4,
    ) {
        let bytes = steady_bytes(&steps, locations) + ONE_MONITOR;
        let world = TestGroup::new(ids(), locations, bytes, |number| {
            // Flapping incidents would stay open for an hour.
            let mut fields = fields(number);
            fields["flapping_after"] = json!(0);
            fields
        });
        let good = Step { states: vec![MonitorState::Good; MONITORS], event: None };
        let all = steps.iter().chain(std::iter::repeat_n(&good, 8));
        for (number, step) in all.enumerate() {
            *world.topic.faults.borrow_mut() =
                (from..from + length).contains(&number).then(|| -> Box<dyn FnMut() -> TopicFault> { Box::new(|| TopicFault::Before) });
            world.run_step(number.try_into().unwrap(), step);
        }
        world.assert_each_is_sent_once_and_nothing_waits();
        // Every notified end belongs to a notified beginning and vice versa, unless the monitor was removed or is still
        // exposed.
        let row = world.decision();
        let removed: BTreeSet<_> = steps.iter().filter_map(|step| match step.event {
            Some((Event::Removed, number)) => Some(world.ids[number].clone()),
            _ => None,
        }).collect();
        let sent = world.topic.sent.borrow();
        let mut kinds_by_incident = BTreeMap::<_, Vec<_>>::new();
        for id in sent.iter().filter(|id| id.starts_with("monitor-")) {
            let (incident, kind) = id.rsplit_once('/').unwrap();
            kinds_by_incident.entry(incident).or_default().push(kind);
        }
        for (incident, kinds) in kinds_by_incident {
            let (id, _) = incident.split_once('@').unwrap();
            let is_open = row.incidents.keys().any(|(of, _)| of.as_str() == id);
            let last = *kinds.last().unwrap();
            let ended = last == "recovered" || last == "advisory_over";
            prop_assert!(ended || is_open || removed.contains(id), "{} {:?}", incident, kinds);
            prop_assert!(kinds.len() > 1 || !ended, "{} {:?}", incident, kinds);
        }
        prop_assert!(world.largest_decision().is_none_or(|largest| largest <= bytes));
    }
}

#[test]
fn notifications_of_cluster_wait_for_its_first() {
    let ids = ["a", "b"].map(str::to_owned);
    let fields = |number: usize| json!({ "host": "h.example", "flapping_after": number });
    let world = TestGroup::new(ids.to_vec(), 1, usize::MAX, fields);
    use MonitorState::{Failing, Good};
    for (tick, states, faults) in [
        (0, [Good, Good], 0),
        (1, [Failing, Failing], 9),
        // `b` flaps, as a member of the cluster of `a`.
        (2, [Failing, Good], 1),
        (3, [Failing, Failing], 0),
    ] {
        let mut faults = std::iter::repeat_n(TopicFault::Before, faults);
        let fault = move || faults.next().unwrap_or(TopicFault::None);
        *world.topic.faults.borrow_mut() = Some(Box::new(fault));
        let states = states.to_vec();
        world.run_step(tick, &Step { states, event: None });
    }
    let sent = world.topic.sent.borrow();
    let kinds = sent.iter().map(|id| id.rsplit_once('/').unwrap());
    let kinds: Vec<_> = kinds.map(|(incident, kind)| (&incident[..1], kind)).collect();
    assert_eq!(kinds, [("a", "down"), ("a", "flapping-b")]);
}

/// The number of notifications of a kind after the first `since`.
fn notified(world: &TestGroup, since: usize, kind: &str) -> usize {
    let sent = world.topic.sent.borrow();
    sent.iter()
        .skip(since)
        .filter(|id| id.ends_with(&format!("/{kind}")))
        .count()
}

#[test]
fn degraded_group_that_fails_is_notified_within_one_tick() {
    const MONITORS: usize = 399;
    let mut ids: Vec<_> = (0..MONITORS).map(|number| format!("{number:062}")).collect();
    ids.push("unrelated".to_owned());
    let world = TestGroup::new(ids, 3, usize::MAX, |_| json!({}));
    let states = |all, unrelated| {
        let mut states = vec![all; MONITORS];
        states.push(unrelated);
        states
    };
    let mut since = 0;
    use MonitorState::{Failing, Good, Warned};
    for (tick, all, unrelated, expected) in [
        (0, Warned, Good, [("degraded", MONITORS), ("down", 0)]),
        (1, Failing, Failing, [("down", MONITORS + 1), ("degraded", 0)]),
        (2, Failing, Good, [("recovered", 1), ("down", 0)]),
        (3, Good, Failing, [("recovered", 2 * MONITORS), ("down", 1)]),
    ] {
        for report in world.tick(tick, &states(all, unrelated)) {
            assert!(report.errors.is_empty(), "tick {tick}: {:?}", report.errors);
        }
        for (kind, count) in expected {
            assert_eq!(notified(&world, since, kind), count, "tick {tick}: {kind}");
        }
        since = world.topic.sent.borrow().len();
        world.assert_each_is_sent_once_and_nothing_waits();
    }
    let largest = world.largest_decision().unwrap();
    assert!(
        largest <= size::MAX_BYTES && largest > size::MAX_BYTES * 3 / 4,
        "{largest}"
    );
}

#[test]
fn full_group_with_longest_ids_survives_simultaneous_changes() {
    let ids = (0..MAX_MONITORS_PER_GROUP)
        .map(|number| format!("{number:064}"))
        .collect();
    let world = TestGroup::new(
        ids,
        1,
        usize::MAX,
        |_| json!({ "flapping_after": 3, "remind_every": "5m", "escalate_after": "1m" }),
    );
    // Both tracks change often enough for flapping.
    let changes = [
        MonitorState::Failing,
        MonitorState::Good,
        MonitorState::Failing,
        MonitorState::Warned,
    ];
    let mut sent = 0;
    for tick in 0..11 {
        let state = changes[usize::try_from(tick).unwrap() % changes.len()];
        for report in world.tick(tick, &[state; MAX_MONITORS_PER_GROUP]) {
            assert!(report.errors.is_empty(), "tick {tick}: {:?}", report.errors);
        }
        let now = world.topic.sent.borrow().len();
        assert_eq!((now - sent) % MAX_MONITORS_PER_GROUP, 0, "tick {tick}");
        sent = now;
    }
    world.assert_each_is_sent_once_and_nothing_waits();
    assert_eq!(notified(&world, 0, "flapping"), 2 * MAX_MONITORS_PER_GROUP);
    let largest = world.largest_decision().unwrap();
    eprintln!(
        "decision state: at most {largest} bytes, {} at the end",
        world.decision_bytes()
    );
    assert!(largest <= size::MAX_BYTES, "{largest}");
}
