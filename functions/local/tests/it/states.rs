//! The states of monitors in `portpulse status` and `portpulse list`: those of the status page, its API and its badges.

use jiff::{SignedDuration, Timestamp};
use portpulse_core::group_state::{
    DecisionState, Health, Incident, LocationState, Notified, Stability, Status, Track, Urgency,
};
use portpulse_core::time::{Interval, Tick};
use serde_json::{Value, json};

use crate::aws::Aws;

const FLAPPING: Stability = Stability::Flapping {
    state: Health::Good,
    notified: None,
};

/// The id of a monitor, its open incident, whether it is in maintenance, and its status and state.
type Sample = (&'static str, Option<(Status, Stability)>, bool, [&'static str; 2]);

const MONITORS: [Sample; 7] = [
    ("calm", None, true, ["up", "maintenance"]),
    (
        "db",
        Some((Status::Down, Stability::Steady)),
        false,
        ["down", "down"],
    ),
    (
        "flaps",
        Some((Status::Down, FLAPPING)),
        false,
        ["down", "flapping"],
    ),
    (
        "moved",
        Some((Status::Down, FLAPPING)),
        true,
        ["down", "maintenance"],
    ),
    (
        "old",
        Some((Status::Exposed, Stability::Steady)),
        true,
        ["exposed", "exposed"],
    ),
    (
        "slow",
        Some((Status::Degraded, Stability::Steady)),
        true,
        ["degraded", "maintenance"],
    ),
    ("web", None, false, ["up", "up"]),
];

/// Stores the monitors, their incidents, and a check of this minute without failures.
fn store(aws: &Aws) {
    let now = Timestamp::now();
    let tick = Tick::containing(now, Interval::OneMinute);
    let hour = SignedDuration::from_hours(1);
    let window = json!([{ "from": (now - hour).to_string(), "until": (now + hour).to_string() }]);
    let (store, group) = (aws.store(), "1m#0".parse().unwrap());
    let mut decision = DecisionState {
        revision: 1,
        ..DecisionState::default()
    };
    for (id, incident, in_maintenance, _) in MONITORS {
        let mut attributes = json!({ "host": "a.example.com", "port": 1, "interval": "1m" });
        if in_maintenance {
            attributes["maintenance"] = window.clone();
        }
        aws.wait(store.put_definition(group, id, attributes.as_object().unwrap()))
            .unwrap();
        let Some((status, stability)) = incident else {
            continue;
        };
        let track = match status {
            Status::Degraded => Track::Quality,
            Status::Unknown => Track::Visibility,
            Status::Down | Status::Exposed | Status::Up => Track::Health,
        };
        let incident = Incident {
            cluster: None,
            cause_changes: Vec::new(),
            flapped_until: None,
            diagnosis: None,
            status,
            opened: tick,
            revision: 1,
            since: tick,
            finding: None,
            notified: Notified::NotYet,
            urgency: Urgency::Normal,
            stability,
        };
        decision.incidents.insert((id.parse().unwrap(), track), incident);
    }
    let row = LocationState {
        tick,
        entries: [].into(),
    };
    let location = "eu-west-1".parse().unwrap();
    aws.wait(store.put_location_state(group, &location, None, &row))
        .unwrap();
    aws.wait(store.put_decision(group, &decision)).unwrap();
    let attributes = json!({ "host": "a.example.com", "port": 1, "interval": "1m", "enabled": false });
    aws.wait(store.put_definition(group, "paused", attributes.as_object().unwrap()))
        .unwrap();
}

/// The first two columns of each row of a table, up to the first line that is not a row.
fn first_columns(text: &str) -> Vec<[String; 2]> {
    let lines = text.lines().skip_while(|line| !line.starts_with("MONITOR"));
    let columns = lines.map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()));
    let pairs = columns.map_while(|mut cells| Some([cells.next()?.to_owned(), cells.next()?.to_owned()]));
    pairs.skip(1).collect()
}

#[test]
fn list_shows_flapping_and_maintenance_as_states() {
    let aws = Aws::new();
    store(&aws);
    let expected = MONITORS.map(|(id, _, _, [status, state])| [id, status, state]);
    let paused = ["paused", "disabled", "disabled"];
    let mut expected = [&expected[..], &[paused]].concat();
    expected.sort_unstable();
    let found = aws.run(&["list"]);
    let shown: Vec<_> = expected.iter().map(|[id, _, state]| [*id, *state]).collect();
    assert_eq!(
        (found.status, first_columns(&found.out)),
        (0, owned(&shown)),
        "{}",
        found.out
    );
    let listed = aws.run(&["list", "--json"]).json();
    let found: Vec<_> = listed
        .iter()
        .map(|one| ["monitor", "status", "state"].map(|field| one[field].as_str().unwrap_or("-")))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn status_shows_flapping_and_maintenance_as_states() {
    let aws = Aws::new();
    store(&aws);
    let found = aws.run(&["status"]);
    let expected = [
        ["old", "exposed"],
        ["db", "down"],
        ["flaps", "flapping"],
        ["moved", "maintenance (down)"],
        ["slow", "maintenance (degraded)"],
    ];
    assert!(
        found.out.starts_with("1 of 7 monitors up, 3 in maintenance.\n"),
        "{}",
        found.out
    );
    let rows = first_columns(&found.out);
    assert_eq!(
        (found.status, &rows[..5]),
        (1, &owned(&expected)[..]),
        "{}",
        found.out
    );
    let json = &aws.run(&["status", "--json"]).json()[0];
    assert_eq!(json["healthy"], json!(false));
    for (id, _, _, expected) in MONITORS {
        let monitor = &json["monitors"][id];
        let found: [&Value; 2] = [&monitor["status"], &monitor["state"]];
        assert_eq!(found, expected, "{id}");
    }
}

fn owned(rows: &[[&str; 2]]) -> Vec<[String; 2]> {
    rows.iter().map(|row| row.map(str::to_owned)).collect()
}
