//! A test harness: a group, its locations and its states in memory, driven by readable timelines.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;
use portpulse_core::control::{Acknowledgement, Control, Note, Silence};
use portpulse_core::decide::{
    Completeness, Elsewhere, Input, Notification, SizeLimit, acknowledge_fleet_published,
    acknowledge_published, decide, is_nominal, withheld,
};
use portpulse_core::definition::Monitor;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{ClosedIncident, DecisionState, FleetState, GroupState};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::outbox::Claimant;
use portpulse_core::round::{Definitions, Observations, advance};
use portpulse_core::time::{Interval, Tick};
use portpulse_core::withheld::Withheld;
use serde_json::{Value, json};

use crate::symbols::observation;

/// One group with its stored state.
pub(crate) struct World {
    pub(crate) definitions: Definitions,
    pub(crate) expected: BTreeSet<Location>,
    pub(crate) group_state: GroupState,
    pub(crate) fleet: FleetState,
    pub(crate) controls: BTreeMap<MonitorId, Control>,
    pub(crate) elsewhere: Elsewhere,
    /// The addresses of monitors, if they matter.
    pub(crate) addresses: BTreeMap<MonitorId, IpAddr>,
    pub(crate) archive: Vec<ClosedIncident>,
    /// The ids of all notifications.
    pub(crate) sent: BTreeSet<String>,
    pub(crate) group: GroupId,
    pub(crate) limit: PendingLimit,
}

/// The maximum number of pending notifications and closed incidents in a state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PendingLimit(pub(crate) usize);

impl SizeLimit for PendingLimit {
    fn decision_fits(&self, state: &DecisionState) -> bool {
        state.outbox.pending().len() + state.closed.len() <= self.0
    }

    fn fleet_fits(&self, state: &FleetState) -> bool {
        state.outbox.pending().len() <= self.0
    }
}

/// The time of tick 0.
const START: i64 = 1_795_305_600;

impl World {
    /// Creates a world of one-minute monitors, given by id and fields, in the locations `a`, `b`, ….
    pub(crate) fn new(locations: usize, monitors: &[(&str, Value)]) -> Self {
        let mut definitions = Definitions::default();
        for (id, fields) in monitors {
            let monitor = monitor(id, fields);
            definitions.monitors.insert(monitor.id().clone(), monitor);
        }
        let names = ["a", "b", "c", "d", "e"].iter().take(locations);
        Self {
            definitions,
            expected: names.map(|name| name.parse().unwrap()).collect(),
            group_state: GroupState::default(),
            fleet: FleetState::default(),
            controls: BTreeMap::new(),
            elsewhere: Elsewhere::default(),
            addresses: BTreeMap::new(),
            archive: Vec::new(),
            sent: BTreeSet::new(),
            group: GroupId {
                interval: Interval::OneMinute,
                shard: 0,
            },
            limit: PendingLimit(usize::MAX),
        }
    }

    /// Defines or replaces a monitor.
    pub(crate) fn define(&mut self, id: &str, fields: &Value) {
        self.definitions
            .monitors
            .insert(id.parse().unwrap(), monitor(id, fields));
    }

    /// Lists the expected locations in the group state, one letter each.
    pub(crate) fn list(&mut self, locations: &str) {
        let names = locations.chars().map(String::from);
        self.group_state.listed = names.map(|name| name.parse().unwrap()).collect();
    }

    /// Silences a monitor until a tick.
    pub(crate) fn silence(&mut self, id: &str, until: i64) {
        let silence = Silence::new(Self::time(until, 0), note()).unwrap();
        let control = self.controls.entry(id.parse().unwrap()).or_default();
        *control = control.silenced(silence);
    }

    /// Acknowledges the first open incident.
    pub(crate) fn acknowledge(&mut self) {
        let ((id, _), _) = self.group_state.decision.incidents.first_key_value().unwrap();
        self.acknowledge_first_of(&id.clone());
    }

    /// Acknowledges the first open incident of a monitor.
    pub(crate) fn acknowledge_first_of(&mut self, id: &MonitorId) {
        let mut incidents = self.group_state.decision.incidents.iter();
        let ((monitor, track), incident) = incidents.find(|((of, _), _)| of == id).unwrap();
        let acknowledgement = Acknowledgement {
            incidents: [incident.id(monitor, *track).to_string()].into(),
            note: note(),
        };
        let control = self.controls.entry(monitor.clone()).or_default();
        *control = control.acknowledged(acknowledgement);
    }

    /// The time of a tick plus `seconds`.
    pub(crate) fn time(tick: i64, seconds: i64) -> Timestamp {
        Timestamp::from_second(START + tick * 60 + seconds).unwrap()
    }

    pub(crate) fn tick(tick: i64) -> Tick {
        Tick::containing(Self::time(tick, 0), Interval::OneMinute)
    }

    /// Runs one tick of one location as a checker does, and returns the notifications. `seen` maps each monitor to a
    /// symbol.
    pub(crate) fn deliver(
        &mut self,
        tick: i64,
        location: &str,
        seen: impl Fn(&MonitorId) -> char,
    ) -> Vec<Notification> {
        let location: Location = location.parse().unwrap();
        let observations: Observations = self
            .definitions
            .checked_by(&location)
            .map(|monitor| {
                let mut observation = observation(seen(monitor.id()));
                if let Some(point) = &mut observation.point {
                    point.address = self.addresses.get(monitor.id()).copied();
                }
                (monitor.id().clone(), observation)
            })
            .collect();
        let incidents = self.group_state.decision.incidents.clone();
        let has_incident = |id: &MonitorId| incidents.keys().any(|(of, _)| of == id);
        let row = advance(
            self.group_state.locations.get(&location),
            Self::tick(tick),
            &self.definitions,
            &observations,
            has_incident,
        );
        if let Some(row) = row {
            self.group_state.locations.insert(location.clone(), row);
        }
        self.decide_and_publish(Self::time(tick, 5))
    }

    /// Decides, publishes and acknowledges until the decision is complete, as a checker does at `now`.
    pub(crate) fn decide_and_publish(&mut self, now: Timestamp) -> Vec<Notification> {
        let mut notified = Vec::new();
        // No test has more changes than this in one tick.
        for _ in 0..1_000 {
            let before = self.group_state.decision.clone();
            let (more, completeness) = self.step(now);
            if completeness == Completeness::Complete {
                notified.extend(more);
                self.assert_nothing_is_due(now);
                return notified;
            }
            let is_changed = before != self.group_state.decision;
            assert!(is_changed || !more.is_empty(), "each step makes progress");
            notified.extend(more);
        }
        panic!("the steps do not end");
    }

    fn step(&mut self, now: Timestamp) -> (Vec<Notification>, Completeness) {
        let me = Claimant::new("me");
        let nominal = is_nominal(&self.input(now, &me));
        let decision = decide(&self.input(now, &me), &self.limit);
        let completeness = decision.completeness;
        if nominal {
            assert_eq!(
                decision,
                Default::default(),
                "a nominal group has nothing to decide"
            );
        }
        self.write(decision.state, decision.fleet);
        if completeness == Completeness::Complete {
            self.assert_all_is_decided(now, &me);
        }

        let input = self.input(now, &me);
        let claimed = self
            .fleet
            .outbox
            .claimed_by(&me)
            .chain(self.group_state.decision.outbox.claimed_by(&me));
        let notified: Vec<_> = claimed
            .map(|pending| Notification::compose(pending, &input))
            .collect();
        let ids: BTreeSet<_> = notified
            .iter()
            .map(|notification| notification.id.clone())
            .collect();
        assert!(self.sent.is_disjoint(&ids), "an id is used once: {ids:?}");
        self.sent.extend(ids.iter().cloned());
        let filed: Vec<_> = self
            .group_state
            .decision
            .closed
            .iter()
            .map(ClosedIncident::key)
            .collect();
        self.archive.append(&mut self.group_state.decision.closed.clone());
        let group = acknowledge_published(&self.group_state.decision, &me, &ids, &filed);
        let fleet = acknowledge_fleet_published(&self.fleet, &me, &ids);
        self.write(group, fleet);
        (notified, completeness)
    }

    /// Writes states on condition of their revisions.
    fn write(&mut self, group: Option<DecisionState>, fleet: Option<FleetState>) {
        if let Some(next) = group {
            assert_eq!(next.revision, self.group_state.decision.revision + 1);
            self.group_state.decision = next;
        }
        if let Some(next) = fleet {
            assert_eq!(next.revision, self.fleet.revision + 1);
            self.fleet = next;
        }
    }

    /// After a complete decision, there is a reason why no further notification is sent about each open incident.
    fn assert_nothing_is_due(&self, now: Timestamp) {
        let me = Claimant::new("me");
        for (id, track) in self.group_state.decision.incidents.keys() {
            if let Some(monitor) = self.definitions.monitors.get(id) {
                let found = withheld(&self.input(now, &me), monitor, *track);
                assert!(found.is_some(), "{id} {track:?}");
                assert_ne!(found, Some(Withheld::Unpublished), "{id} {track:?}");
            }
        }
    }

    fn assert_all_is_decided(&self, now: Timestamp, me: &Claimant) {
        let again = decide(&self.input(now, me), &self.limit);
        assert_eq!(again.fleet, None, "a repeated decision changes nothing");
        if let Some(again) = again.state {
            // Exception: a location that waited for the fleet state to record its return.
            let DecisionState {
                revision, locations, ..
            } = self.group_state.decision.clone();
            assert!(
                locations.len() > again.locations.len(),
                "a repeated decision changes nothing"
            );
            assert_eq!(
                DecisionState {
                    revision,
                    locations,
                    ..again
                },
                self.group_state.decision
            );
        }
    }

    pub(crate) fn input<'a>(&'a self, now: Timestamp, me: &'a Claimant) -> Input<'a> {
        Input {
            group: self.group,
            definitions: &self.definitions,
            group_state: &self.group_state,
            fleet: Some(&self.fleet),
            fallback_locations: &self.expected,
            controls: &self.controls,
            elsewhere: &self.elsewhere,
            now,
            me,
        }
    }

    /// Plays a timeline with one line per tick: `1 x.?` is tick 1 as seen by the locations a, b and c, in that order.
    /// Returns the notifications, each with its tick and the location that published it.
    pub(crate) fn notified(&mut self, timeline: &str) -> Vec<(i64, &'static str, Notification)> {
        let mut notified = Vec::new();
        for line in timeline.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (tick, seen) = line.split_once(' ').unwrap();
            let tick = tick.parse().unwrap();
            for (symbol, location) in seen.trim().chars().zip(["a", "b", "c", "d", "e"]) {
                // A dash is a missing tick.
                if symbol != '-' {
                    let notifications = self.deliver(tick, location, |_| symbol);
                    notified.extend(
                        notifications
                            .into_iter()
                            .map(|notification| (tick, location, notification)),
                    );
                }
            }
        }
        notified
    }

    /// Like [`World::notified`], with one line per notification.
    pub(crate) fn play(&mut self, timeline: &str) -> String {
        let line = |(tick, location, n): (i64, &str, Notification)| {
            format!("{tick} {location} {} {}", n.kind, n.subject)
        };
        self.notified(timeline)
            .into_iter()
            .map(line)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

fn note() -> Note {
    Note::new("ada", World::time(0, 0), None).unwrap()
}

fn monitor(id: &str, fields: &Value) -> Monitor {
    // Each monitor has its own host, unless a test says otherwise.
    let mut all = json!({ "host": format!("{}.example", id.replace(['_', '.'], "-")), "port": 7, "interval": "1m", "retries": 0 });
    all.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    Monitor::from_attributes(id, &all).unwrap_or_else(|diagnostics| panic!("{diagnostics:?}"))
}

/// The fields of a monitor, and more of them.
pub(crate) fn with(mut fields: Value, more: &Value) -> Value {
    let more = more.as_object().unwrap().clone();
    fields.as_object_mut().unwrap().extend(more);
    fields
}

/// Plays a timeline for one monitor `m` with these fields, and compares the notifications.
#[track_caller]
pub(crate) fn check(locations: usize, fields: Value, timeline: &str, expected: &str) {
    let mut world = World::new(locations, &[("m", fields)]);
    let expected: Vec<_> = expected
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(
        world.play(timeline),
        expected.join("\n"),
        "of the timeline {timeline}"
    );
}
