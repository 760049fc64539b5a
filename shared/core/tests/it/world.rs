//! A group, its regions and its rows in memory, driven by timelines that a reader can see at a glance.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use portpulse_core::board::{Board, ClosedIncident, FleetRow, VerdictRow};
use portpulse_core::control::{Acknowledgement, Control, Note, Silence};
use portpulse_core::decide::{
    Input, Notification, Rest, SizeLimit, decide, is_nominal, settle, settle_fleet,
};
use portpulse_core::definition::Monitor;
use portpulse_core::group::GroupId;
use portpulse_core::id::{MonitorId, Region};
use portpulse_core::observation::{Observation, Remark, Seen};
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::outbox::Claimant;
use portpulse_core::outcome::{FailureClass, NoData};
use portpulse_core::round::{Definitions, Observations, advance};
use portpulse_core::time::{Interval, Tick};
use serde_json::{Value, json};

/// One group with everything that is stored of it.
pub(crate) struct World {
    pub(crate) definitions: Definitions,
    pub(crate) expected: BTreeSet<Region>,
    pub(crate) board: Board,
    pub(crate) fleet: FleetRow,
    pub(crate) controls: BTreeMap<MonitorId, Control>,
    pub(crate) down_elsewhere: BTreeSet<MonitorId>,
    pub(crate) archive: Vec<ClosedIncident>,
    pub(crate) group: GroupId,
    pub(crate) room: Room,
}

/// How many notifications and closed incidents may wait in a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room(pub(crate) usize);

impl SizeLimit for Room {
    fn fits_verdict(&self, row: &VerdictRow) -> bool {
        row.outbox.pending().len() + row.closed.len() <= self.0
    }

    fn fits_fleet(&self, row: &FleetRow) -> bool {
        row.outbox.pending().len() <= self.0
    }
}

/// The time of tick 0.
const START: i64 = 1_795_305_600;

impl World {
    /// A world of one-minute monitors, each given by id and fields, in regions `a`, `b`, ….
    pub(crate) fn new(regions: usize, monitors: &[(&str, Value)]) -> Self {
        let mut definitions = Definitions::default();
        for (id, fields) in monitors {
            let monitor = monitor(id, fields);
            definitions.monitors.insert(monitor.id().clone(), monitor);
        }
        let names = ["a", "b", "c", "d", "e"].iter().take(regions);
        Self {
            definitions,
            expected: names.map(|name| name.parse().unwrap()).collect(),
            board: Board::default(),
            fleet: FleetRow::default(),
            controls: BTreeMap::new(),
            down_elsewhere: BTreeSet::new(),
            archive: Vec::new(),
            group: GroupId {
                interval: Interval::OneMinute,
                shard: 0,
            },
            room: Room(usize::MAX),
        }
    }

    /// Defines a monitor anew.
    pub(crate) fn define(&mut self, id: &str, fields: &Value) {
        self.definitions
            .monitors
            .insert(id.parse().unwrap(), monitor(id, fields));
    }

    /// Lists the regions that should report on the board: a letter each.
    pub(crate) fn list(&mut self, regions: &str) {
        let names = regions.chars().map(String::from);
        self.board.listed = names.map(|name| name.parse().unwrap()).collect();
    }

    /// Holds back what is told of a monitor until a tick.
    pub(crate) fn silence(&mut self, id: &str, until: i64) {
        let silence = Silence::new(Self::time(until, 0), note()).unwrap();
        let control = self.controls.entry(id.parse().unwrap()).or_default();
        *control = control.silenced(silence);
    }

    /// Says of the one incident that is open that somebody is at work on it.
    pub(crate) fn acknowledge(&mut self) {
        let ((monitor, track), incident) = self.board.verdict.incidents.iter().next().unwrap();
        let acknowledgement = Acknowledgement {
            incidents: [incident.id(monitor, *track).to_string()].into(),
            note: note(),
        };
        let control = self.controls.entry(monitor.clone()).or_default();
        *control = control.acknowledged(acknowledgement);
    }

    /// The time of a tick, and some seconds.
    pub(crate) fn time(tick: i64, seconds: i64) -> Timestamp {
        Timestamp::from_second(START + tick * 60 + seconds).unwrap()
    }

    pub(crate) fn tick(tick: i64) -> Tick {
        Tick::containing(Self::time(tick, 0), Interval::OneMinute)
    }

    /// What a checker does with one tick in one region, and what it tells; `seen` gives each monitor's symbol.
    pub(crate) fn deliver(
        &mut self,
        tick: i64,
        region: &str,
        seen: impl Fn(&MonitorId) -> char,
    ) -> Vec<Notification> {
        let region: Region = region.parse().unwrap();
        let observations: Observations = self
            .definitions
            .checked_by(&region)
            .map(|monitor| (monitor.id().clone(), observation(seen(monitor.id()))))
            .collect();
        let incidents = self.board.verdict.incidents.clone();
        let has_incident = |id: &MonitorId| incidents.keys().any(|(of, _)| of == id);
        let row = advance(
            self.board.rows.get(&region),
            Self::tick(tick),
            &self.definitions,
            &observations,
            has_incident,
        );
        if let Some(row) = row {
            self.board.rows.insert(region.clone(), row);
        }
        self.settle(Self::time(tick, 5))
    }

    /// Decides, tells and strikes out until everything is decided, as a checker does at `now`.
    pub(crate) fn settle(&mut self, now: Timestamp) -> Vec<Notification> {
        let mut told = Vec::new();
        loop {
            let (more, rest) = self.step(now);
            assert!(
                rest == Rest::Nothing || !more.is_empty(),
                "each step tells of something"
            );
            told.extend(more);
            if rest == Rest::Nothing {
                return told;
            }
        }
    }

    fn step(&mut self, now: Timestamp) -> (Vec<Notification>, Rest) {
        let me = Claimant::new("me");
        let nominal = is_nominal(&self.input(now, &me));
        let decision = decide(&self.input(now, &me), &self.room);
        let rest = decision.rest;
        if nominal {
            assert_eq!(
                decision,
                Default::default(),
                "a nominal board leaves nothing to decide"
            );
        }
        self.board.verdict = decision.verdict.unwrap_or_else(|| self.board.verdict.clone());
        self.fleet = decision.fleet.unwrap_or_else(|| self.fleet.clone());
        if rest == Rest::Nothing {
            self.assert_all_is_decided(now, &me);
        }

        let input = self.input(now, &me);
        let claimed = self
            .fleet
            .outbox
            .claimed_by(&me)
            .chain(self.board.verdict.outbox.claimed_by(&me));
        let told: Vec<_> = claimed
            .map(|pending| Notification::compose(pending, &input))
            .collect();
        let ids = told.iter().map(|notification| notification.id.clone()).collect();
        let filed: Vec<_> = self
            .board
            .verdict
            .closed
            .iter()
            .map(ClosedIncident::key)
            .collect();
        self.archive.append(&mut self.board.verdict.closed.clone());
        if let Some(next) = settle(&self.board.verdict, &me, &ids, &filed) {
            self.board.verdict = next;
        }
        if let Some(next) = settle_fleet(&self.fleet, &me, &ids) {
            self.fleet = next;
        }
        (told, rest)
    }

    fn assert_all_is_decided(&self, now: Timestamp, me: &Claimant) {
        let again = decide(&self.input(now, me), &self.room);
        assert_eq!(again.fleet, None, "a decision on what is decided changes nothing");
        if let Some(again) = again.verdict {
            // But for a region that was waiting for the fleet row to forget it.
            let VerdictRow {
                revision, regions, ..
            } = self.board.verdict.clone();
            assert!(
                regions.len() > again.regions.len(),
                "a decision on what is decided changes nothing"
            );
            assert_eq!(
                VerdictRow {
                    revision,
                    regions,
                    ..again
                },
                self.board.verdict
            );
        }
    }

    pub(crate) fn input<'a>(&'a self, now: Timestamp, me: &'a Claimant) -> Input<'a> {
        Input {
            group: self.group,
            definitions: &self.definitions,
            board: &self.board,
            fleet: Some(&self.fleet),
            otherwise: &self.expected,
            controls: &self.controls,
            down_elsewhere: &self.down_elsewhere,
            now,
            me,
        }
    }

    /// Plays a timeline of one line a tick: `1 x.?` is tick 1 as regions a, b and c see it, in that order.
    /// Returns what is told, each with its tick and the region after whose commit it came.
    pub(crate) fn told(&mut self, timeline: &str) -> Vec<(i64, &'static str, Notification)> {
        let mut told = Vec::new();
        for line in timeline.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (tick, seen) = line.split_once(' ').unwrap();
            let tick = tick.parse().unwrap();
            for (symbol, region) in seen.trim().chars().zip(["a", "b", "c", "d", "e"]) {
                // A dash is a tick that never came.
                if symbol != '-' {
                    let notifications = self.deliver(tick, region, |_| symbol);
                    told.extend(
                        notifications
                            .into_iter()
                            .map(|notification| (tick, region, notification)),
                    );
                }
            }
        }
        told
    }

    /// The same, as one line a notification.
    pub(crate) fn play(&mut self, timeline: &str) -> String {
        let line = |(tick, region, n): (i64, &str, Notification)| {
            format!("{tick} {region} {} {}", n.kind, n.subject)
        };
        self.told(timeline)
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
    let mut all = json!({ "host": "192.0.2.1", "port": 7, "interval": "1m" });
    all.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    Monitor::from_attributes(id, &all).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// What a symbol of a timeline means.
pub(crate) fn observation(symbol: char) -> Observation {
    let open = |ms| Seen::Open {
        connect: Duration::from_millis(ms),
        others: OtherPhases::default(),
        remark: Remark::None,
    };
    let seen = match symbol {
        '.' => open(1),
        's' => open(200),
        'w' => Seen::Open {
            connect: Duration::from_millis(1),
            others: OtherPhases::default(),
            remark: Remark::Warning,
        },
        'c' => Seen::Open {
            connect: Duration::from_millis(1),
            others: OtherPhases::default(),
            remark: Remark::Certificate,
        },
        'x' => Seen::Failed(FailureClass::Refused),
        't' => Seen::Failed(FailureClass::Timeout),
        '?' => Seen::NoData(NoData::OutOfTime),
        other => panic!("`{other}` is no symbol"),
    };
    Observation { seen, detail: None }
}

/// Plays a timeline for one monitor `m` with these fields, and compares what is told.
#[track_caller]
pub(crate) fn check(regions: usize, fields: Value, timeline: &str, expected: &str) {
    let mut world = World::new(regions, &[("m", fields)]);
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
