//! Whatever happens to all monitors of a group at once is told within its tick, in as many writes as it takes, and comes to
//! the same as if all had fitted into one.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use portpulse_checker::{Checker, Invocation, Probe, Report, TickEvent};
use portpulse_core::control::{Control, Note, Silence};
use portpulse_core::group::MAX_MONITORS_PER_GROUP;
use portpulse_core::group_state::{Advisory, DecisionState, Finding, Incident};
use portpulse_core::outbox::Claimant;
use portpulse_core::outcome::{
    Detail, Failure, FailureClass, NoData, Opened, Outcome, Phase, Phases, Trust, Warning,
};
use portpulse_core::target::Target;
use portpulse_store::{Store, size};
use portpulse_testkit::memory_table::MemoryTable;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::rig::{GROUP, InjectedTopicFault, Skewed, Time, Topic, group_state, location, locations, run};
use crate::sizes::{Largest, Weighed};

/// How a monitor is in a tick, in all locations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Good,
    Slow,
    Warned,
    Expiring,
    Failing,
    NoData,
    /// Failing in the first location alone.
    Differs,
}

const MOODS: [Mood; 7] = [
    Mood::Good,
    Mood::Slow,
    Mood::Warned,
    Mood::Expiring,
    Mood::Failing,
    Mood::NoData,
    Mood::Differs,
];

/// Finds each monitor in its mood, and says of it as much as a detail may; monitor `n` has port `1000 + n`.
struct Moody {
    moods: Vec<Mood>,
    location: usize,
}

impl Probe for Moody {
    async fn probe(&self, targets: &[Target], _: Duration) -> Vec<Outcome> {
        let mood = |target: &Target| self.moods[usize::from(target.port) - 1000];
        targets
            .iter()
            .map(|target| outcome(mood(target), self.location))
            .collect()
    }
}

fn outcome(mood: Mood, location: usize) -> Outcome {
    let detail = Detail::new(&"a service that has much to say ".repeat(20));
    let open = |ms, warning| {
        Outcome::Open(Opened {
            address: ([192, 0, 2, 1], 7).into(),
            phases: Phases {
                connect: Some(Duration::from_millis(ms)),
                ..Phases::default()
            },
            trust: Trust::Clock,
            warning,
            banner: None,
        })
    };
    match mood {
        Mood::Differs if location > 0 => open(1, None),
        Mood::Good => open(1, None),
        Mood::Slow => open(500, None),
        Mood::Warned => open(1, detail.map(Warning::Remark)),
        Mood::Expiring => {
            let at = "2026-12-01T00:00:00Z".parse().unwrap();
            open(1, Some(Warning::CertificateExpiring { at, days: 9 }))
        }
        Mood::Failing | Mood::Differs => Outcome::Failed(Failure {
            class: FailureClass::WrongService,
            phase: Phase::Ready,
            phases: Phases::default(),
            address: None,
            detail,
        }),
        Mood::NoData => Outcome::NoData(NoData::OutOfTime),
    }
}

/// A group, whose decisions keep to rows of so many bytes.
struct World {
    table: MemoryTable,
    topic: Topic,
    largest: Largest,
    ids: Vec<String>,
    locations: usize,
    bytes: usize,
}

impl World {
    fn new(ids: Vec<String>, locations: usize, bytes: usize, fields: impl Fn(usize) -> Value) -> Self {
        let world = Self {
            table: MemoryTable::new(),
            topic: Topic::default(),
            largest: Rc::new(RefCell::new(BTreeMap::new())),
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
            "host": "192.0.2.1", "port": 1000 + number, "interval": "1m", "failures_to_open": 1, "successes_to_close": 1,
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
        let note = Note::new("ada", Time::of_tick(0), None).unwrap();
        let control = Control::default().silenced(Silence::new(Time::of_tick(until), note).unwrap());
        let store = Store::new(self.table.clone());
        let id = self.ids[number].parse().unwrap();
        run(store.put_control(&id, &control, Time::of_tick(0))).unwrap();
    }

    /// One tick in each location.
    fn tick(&self, tick: i64, moods: &[Mood]) -> Vec<Report> {
        let of_location = |at| {
            let time = Time::default();
            time.set(tick * 60_000 + 5_000);
            let table = Weighed {
                table: self.table.clone(),
                largest: Rc::clone(&self.largest),
            };
            let checker = Checker::new(
                Store::new(table).with_decision_bytes(self.bytes),
                Moody {
                    moods: moods.to_vec(),
                    location: at,
                },
                self.topic.clone(),
                Skewed { time, skew_ms: 0 },
                location(at),
                locations(self.locations),
            );
            let invocation = Invocation {
                claimant: Claimant::new(format!("00000000-0000-0000-0000-{tick:06}{at:06}")),
                remaining: Duration::from_secs(60),
            };
            run(checker.handle(&TickEvent::new(Time::of_tick(tick), GROUP), &invocation))
        };
        (0..self.locations).map(of_location).collect()
    }

    /// The decision row, without what depends on how many writes it took: revisions, and details that were left out.
    fn row(&self) -> DecisionState {
        let row = group_state(&self.table).group_state.status;
        let plain = |incident: Incident| Incident {
            revision: 0,
            finding: incident.finding.map(|finding| Finding {
                detail: None,
                ..finding
            }),
            ..incident
        };
        let incidents = row
            .incidents
            .into_iter()
            .map(|(key, incident)| (key, plain(incident)));
        let advisories = row.advisories.into_iter();
        let advisories = advisories.map(|(id, advisory)| {
            (
                id,
                Advisory {
                    revision: 0,
                    ..advisory
                },
            )
        });
        DecisionState {
            revision: 0,
            incidents: incidents.collect(),
            advisories: advisories.collect(),
            ..row
        }
    }

    fn row_bytes(&self) -> usize {
        let item = self.table.peek(&format!("group#{GROUP}"), "decision");
        item.map_or(0, |item| size::item(&item))
    }

    /// What was sent since, without revisions, sorted.
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
        let row = group_state(&self.table).group_state.status;
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

/// What happens in a tick: each monitor's mood, and who is silenced, removed or defined anew before it.
#[derive(Debug, Clone)]
struct Step {
    moods: Vec<Mood>,
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
    let mixed = proptest::collection::vec(select(&MOODS[..]), MONITORS);
    let alike = select(&MOODS[..]).prop_map(|mood| vec![mood; MONITORS]);
    let events = select(vec![Event::Silenced, Event::Removed, Event::Defined]);
    let event = proptest::option::weighted(0.3, (events, 0..MONITORS));
    (prop_oneof![2 => alike, 1 => mixed], event).prop_map(|(moods, event)| Step { moods, event })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 3..9)
}

impl World {
    fn play(&self, tick: i64, step: &Step) -> Vec<Report> {
        match step.event {
            Some((Event::Silenced, number)) => self.silence(number, tick + 2),
            Some((Event::Removed, number)) => self.remove(number),
            Some((Event::Defined, number)) => self.define(number, &fields(number)),
            None => {}
        }
        self.tick(tick, &step.moods)
    }
}

/// The largest row of these steps in which nothing waits.
fn steady_bytes(steps: &[Step], locations: usize) -> usize {
    let world = World::new(ids(), locations, usize::MAX, fields);
    let bytes = (0..).zip(steps).map(|(tick, step)| {
        world.play(tick, step);
        world.row_bytes()
    });
    bytes.max().unwrap()
}

/// What one monitor brings that waits to be published and filed.
const ONE_MONITOR: usize = 2_600;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_little_room_comes_to_the_same_as_much(steps in steps(), locations in 1usize..3) {
        let bytes = steady_bytes(&steps, locations) + ONE_MONITOR;
        let much = World::new(ids(), locations, usize::MAX, fields);
        let little = World::new(ids(), locations, bytes, fields);
        let (mut of_much, mut of_little) = (0, 0);
        for (tick, step) in (0..).zip(&steps) {
            much.play(tick, step);
            for report in little.play(tick, step) {
                prop_assert!(report.errors.is_empty(), "{:?}", report.errors);
            }
            prop_assert_eq!(much.sent_since(of_much), little.sent_since(of_little));
            (of_much, of_little) = (much.topic.sent.borrow().len(), little.topic.sent.borrow().len());
            prop_assert_eq!(much.row(), little.row());
            little.assert_each_is_sent_once_and_nothing_waits();
        }
        prop_assert!(little.largest.borrow().get("decision").is_none_or(|largest| *largest <= bytes));
    }

    #[test]
    fn a_topic_that_fails_for_a_while_loses_nothing(
        steps in steps(), locations in 1usize..3, from in 0usize..4, length in 1usize..4,
    ) {
        let bytes = steady_bytes(&steps, locations) + ONE_MONITOR;
        let world = World::new(ids(), locations, bytes, |number| {
            // What flaps stays open for an hour.
            let mut fields = fields(number);
            fields["flapping_after"] = json!(0);
            fields
        });
        let well = Step { moods: vec![Mood::Good; MONITORS], event: None };
        let all = steps.iter().chain(std::iter::repeat_n(&well, 8));
        for (number, step) in all.enumerate() {
            *world.topic.faults.borrow_mut() =
                (from..from + length).contains(&number).then(|| -> Box<dyn FnMut() -> InjectedTopicFault> { Box::new(|| InjectedTopicFault::Before) });
            world.play(number.try_into().unwrap(), step);
        }
        world.assert_each_is_sent_once_and_nothing_waits();
        // Every end that is told belongs to a beginning, and the other way round, but where a monitor was removed, or
        // an open port that should be closed stays so.
        let row = world.row();
        let removed: BTreeSet<_> = steps.iter().filter_map(|step| match step.event {
            Some((Event::Removed, number)) => Some(world.ids[number].clone()),
            _ => None,
        }).collect();
        let sent = world.topic.sent.borrow();
        let mut stories = BTreeMap::<_, Vec<_>>::new();
        for id in sent.iter().filter(|id| id.starts_with("monitor-")) {
            let (transcript, word) = id.rsplit_once('/').unwrap();
            stories.entry(transcript).or_default().push(word);
        }
        for (transcript, banners) in stories {
            let (id, _) = transcript.split_once('@').unwrap();
            let is_open = row.incidents.keys().any(|(of, _)| of.as_str() == id);
            let last = *banners.last().unwrap();
            let ended = last == "recovered" || last == "advisory_over";
            prop_assert!(ended || is_open || removed.contains(id), "{} {:?}", transcript, banners);
            prop_assert!(banners.len() > 1 || !ended, "{} {:?}", transcript, banners);
        }
        prop_assert!(world.largest.borrow().get("decision").is_none_or(|largest| *largest <= bytes));
    }
}

/// Who was told of, by the last word of the id.
fn notified(world: &World, since: usize, word: &str) -> usize {
    let sent = world.topic.sent.borrow();
    sent.iter()
        .skip(since)
        .filter(|id| id.ends_with(&format!("/{word}")))
        .count()
}

#[test]
fn a_degraded_group_that_fails_altogether_is_told_within_the_tick() {
    const MONITORS: usize = 399;
    let mut ids: Vec<_> = (0..MONITORS).map(|number| format!("{number:062}")).collect();
    ids.push("unrelated".to_owned());
    let world = World::new(ids, 3, usize::MAX, |_| json!({}));
    let moods = |all, unrelated| {
        let mut moods = vec![all; MONITORS];
        moods.push(unrelated);
        moods
    };
    let mut since = 0;
    for (tick, all, unrelated, expected) in [
        (0, Mood::Warned, Mood::Good, [("degraded", MONITORS), ("down", 0)]),
        (
            1,
            Mood::Failing,
            Mood::Failing,
            [("down", MONITORS + 1), ("degraded", 0)],
        ),
        (2, Mood::Failing, Mood::Good, [("recovered", 1), ("down", 0)]),
        (
            3,
            Mood::Good,
            Mood::Failing,
            [("recovered", 2 * MONITORS), ("down", 1)],
        ),
    ] {
        for report in world.tick(tick, &moods(all, unrelated)) {
            assert!(report.errors.is_empty(), "tick {tick}: {:?}", report.errors);
        }
        for (word, count) in expected {
            assert_eq!(notified(&world, since, word), count, "tick {tick}: {word}");
        }
        since = world.topic.sent.borrow().len();
        world.assert_each_is_sent_once_and_nothing_waits();
    }
    let largest = world.largest.borrow()["decision"];
    assert!(
        largest <= size::MAX_BYTES && largest > size::MAX_BYTES * 3 / 4,
        "{largest}"
    );
}

#[test]
fn a_full_group_with_the_longest_ids_comes_through_every_change_at_once() {
    let ids = (0..MAX_MONITORS_PER_GROUP)
        .map(|number| format!("{number:064}"))
        .collect();
    let world = World::new(
        ids,
        1,
        usize::MAX,
        |_| json!({ "flapping_after": 3, "remind_every": "5m", "escalate_after": "1m" }),
    );
    // Both tracks change often enough to flap.
    let changes = [Mood::Failing, Mood::Good, Mood::Failing, Mood::Warned];
    let mut sent = 0;
    for tick in 0..11 {
        let mood = changes[usize::try_from(tick).unwrap() % changes.len()];
        for report in world.tick(tick, &[mood; MAX_MONITORS_PER_GROUP]) {
            assert!(report.errors.is_empty(), "tick {tick}: {:?}", report.errors);
        }
        let now = world.topic.sent.borrow().len();
        assert_eq!((now - sent) % MAX_MONITORS_PER_GROUP, 0, "tick {tick}");
        sent = now;
    }
    world.assert_each_is_sent_once_and_nothing_waits();
    assert_eq!(notified(&world, 0, "flapping"), 2 * MAX_MONITORS_PER_GROUP);
    let largest = world.largest.borrow()["decision"];
    eprintln!(
        "decision row: at most {largest} bytes, {} at the end",
        world.row_bytes()
    );
    assert!(largest <= size::MAX_BYTES, "{largest}");
}
