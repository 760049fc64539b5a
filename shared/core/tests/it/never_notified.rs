//! Why a closed incident was never notified.

use portpulse_core::control::{Control, Note, Silence};
use portpulse_core::definition::Monitor;
use portpulse_core::group_state::{ClosedIncident, Health, Stability, Status};
use portpulse_core::id::MonitorId;
use portpulse_core::never_notified::NeverNotified;
use serde_json::{Value, json};

use crate::world::{World, with};

fn fields(more: &Value) -> Value {
    with(json!({ "failures_to_open": 1, "successes_to_close": 1 }), more)
}

/// The reason by its code and its text; `notified` if the incident was notified.
fn reason(closed: &ClosedIncident, monitor: Option<&Monitor>, control: Option<&Control>) -> String {
    let found = NeverNotified::of(closed, monitor, control);
    found.map_or("notified".to_owned(), |found| {
        format!("{}: {found}", found.code())
    })
}

/// The reason for the only closed incident of `m`, by what is stored.
fn reason_in(world: &World) -> String {
    let m: MonitorId = "m".parse().unwrap();
    let own: Vec<_> = world
        .archive
        .iter()
        .filter(|closed| closed.monitor == m)
        .collect();
    let [closed] = own[..] else {
        panic!("{:?}", world.archive);
    };
    reason(closed, world.definitions.monitors.get(&m), world.controls.get(&m))
}

const OUTAGE: &str = "1 x\n2 .\n3 .";
const SILENCED: &str = "silenced: the monitor was silenced until 2026-11-22 00:09:00 UTC";
const MAINTENANCE: &str = "maintenance: the monitor was in maintenance, according to its current definition";
const NOT_RECORDED: &str = "not_recorded: the reason is not recorded";

fn window(from: i64, until: i64) -> Value {
    let time = |tick| World::time(tick, 0).to_string();
    fields(&json!({ "maintenance": [{ "from": time(from), "until": time(until) }] }))
}

#[test]
fn closed_incident_names_what_suppressed_its_opening() {
    for (defined, silent_until, expected) in [
        (fields(&json!({})), None, "notified"),
        (fields(&json!({})), Some(9), SILENCED),
        (window(1, 9), None, MAINTENANCE),
        (window(1, 9), Some(9), SILENCED),
        // The silence was over before the incident opened.
        (window(1, 9), Some(1), MAINTENANCE),
    ] {
        let mut world = World::new(1, &[("m", defined.clone())]);
        if let Some(until) = silent_until {
            world.silence("m", until);
        }
        world.play(OUTAGE);
        assert_eq!(reason_in(&world), expected, "{defined} {silent_until:?}");
    }
}

#[test]
fn reason_that_is_stored_no_more_is_not_recorded() {
    let mut world = World::new(1, &[("m", window(1, 9))]);
    world.play(OUTAGE);
    world.define("m", &window(4, 9));
    assert_eq!(reason_in(&world), NOT_RECORDED, "the window was moved");
    world.definitions.monitors.clear();
    assert_eq!(reason_in(&world), NOT_RECORDED, "the monitor was removed");

    let mut world = World::new(1, &[("m", fields(&json!({})))]);
    world.silence("m", 9);
    world.play(OUTAGE);
    world.controls.clear();
    assert_eq!(reason_in(&world), NOT_RECORDED, "the silence was removed");
    let note = Note::new("ann", World::time(2, 0), None).unwrap();
    let later = Silence::new(World::time(9, 0), note).unwrap();
    world
        .controls
        .insert("m".parse().unwrap(), Control::default().silenced(later));
    assert_eq!(reason_in(&world), NOT_RECORDED, "the silence began later");
}

#[test]
fn incident_behind_an_outage_names_it() {
    let child = fields(&json!({ "depends_on": ["switch"] }));
    let mut world = World::new(1, &[("m", child), ("switch", fields(&json!({})))]);
    assert_eq!(world.play(OUTAGE), "1 a down switch\n2 a recovered switch");
    let expected = "dependency: switch was down, which the monitor depends on";
    assert_eq!(reason_in(&world), expected);
    // An outage explains no exposed port, and its evidence may not have fitted into the state.
    let m = world.archive.iter().find(|closed| closed.monitor.as_str() == "m");
    let mut exposed = m.unwrap().clone();
    exposed.incident.status = Status::Exposed;
    assert_eq!(reason(&exposed, None, None), NOT_RECORDED);
    let mut cut = m.unwrap().clone();
    cut.incident.diagnosis.as_mut().unwrap().evidence = None;
    assert_eq!(reason(&cut, None, None), NOT_RECORDED);
}

#[test]
fn incident_that_flapped_to_its_end_says_so() {
    let mut world = World::new(1, &[("m", window(1, 9))]);
    world.play(OUTAGE);
    let mut closed = world.archive.remove(0);
    for (stability, expected) in [
        (
            Stability::Flapping {
                state: Health::Good,
                notified: None,
            },
            "flapping: the monitor was flapping: it changed too often",
        ),
        (Stability::StoppedFlapping, NOT_RECORDED),
        (Stability::Steady, NOT_RECORDED),
    ] {
        closed.incident.stability = stability;
        assert_eq!(reason(&closed, None, None), expected, "{stability:?}");
    }
}
