//! `portpulse incidents` and `history` on stored data.

use std::net::TcpListener;

use jiff::{SignedDuration, Timestamp};
use portpulse_core::group_state::{
    ClosedIncident, DecisionState, Ending, Incident, Notified, Stability, Status, Track, Urgency,
};
use portpulse_core::observation::{Observation, Seen};
use portpulse_core::round::Observations;
use portpulse_core::time::{Interval, Tick};
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::sockets;
use crate::workspace::Workspace;

#[test]
fn outage_is_listed_while_open_and_after_recovery() {
    let workspace = Workspace::new("past");
    let (refusing, address) = sockets::refused();
    let (_open, open) = sockets::open();
    workspace.define(&[("db", &address), ("web", &open)]);
    workspace.run(&["--speed", "60", "--for", "3s"]);

    let listed = workspace.on_data(&["incidents", "--json", "--open"]).json();
    let [incident] = listed.as_slice() else {
        panic!("{listed:?}");
    };
    assert_eq!(
        (
            &incident["monitor"],
            &incident["status"],
            &incident["cause"],
            &incident["closed"]
        ),
        (&json!("db"), &json!("down"), &json!("refused"), &Value::Null)
    );
    let shown = workspace.on_data(&["incidents"]);
    assert!(
        shown.status == 0 && shown.out.contains("  db       down  "),
        "{}",
        shown.out
    );
    assert!(
        shown
            .out
            .ends_with("  open    port: the connection was refused\n"),
        "{}",
        shown.out
    );
    shown.assert_err("Consumed read units: ");

    drop(refusing);
    let back = TcpListener::bind(&address).unwrap();
    workspace.run(&["--speed", "60", "--for", "3s"]);
    assert_eq!(workspace.on_data(&["incidents", "--json", "--open"]).out, "");
    assert_eq!(workspace.on_data(&["incidents", "--open"]).out, "No incidents.\n");
    let listed = workspace.on_data(&["incidents", "--json"]).json();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0]["id"], &listed[0]["ending"]),
        (&incident["id"], &json!("recovered"))
    );

    let history = workspace.on_data(&["history", "db", "--json"]);
    assert_eq!(history.status, 0, "{}", history.err);
    let history = &history.json()[0];
    assert_eq!(history["incidents"][0]["id"], incident["id"]);
    assert_eq!(
        history["phases"],
        json!({}),
        "a connect to an address has one phase"
    );
    let streaks = history["locations"]["local"].as_array().unwrap();
    let seen: Vec<_> = streaks
        .iter()
        .filter_map(|streak| streak["outcome"].as_str())
        .collect();
    assert_eq!(seen, ["refused", "open"]);
    assert_eq!(
        streaks.iter().find(|s| s["outcome"] == "refused").unwrap()["from"],
        incident["since"]
    );

    // A second outage: the latest is shown unless --incident or --at selects the first.
    drop(back);
    let _refusing = sockets::refused_at(address.parse().unwrap());
    workspace.run(&["--speed", "60", "--for", "3s"]);
    let first = incident["id"].as_str().unwrap();
    let since = incident["since"].as_str().unwrap();
    let named = |args: &[&str]| -> Value {
        let history = workspace.on_data(&[&["history", "db", "--json"], args].concat());
        assert_eq!(history.status, 0, "{}", history.err);
        history.json().remove(0)
    };
    let latest = named(&[]);
    assert_eq!(latest["incidents"].as_array().unwrap().len(), 2);
    assert_eq!(latest["incidents"][1]["id"], first);
    let refused_from = |history: &Value| -> Value {
        let streaks = history["locations"]["local"].as_array().unwrap();
        let refused = streaks.iter().find(|streak| streak["outcome"] == "refused");
        refused.unwrap()["from"].clone()
    };
    for args in [["--incident", first], ["--at", since]] {
        assert_eq!(refused_from(&named(&args)), since, "{args:?}");
    }
    let last = latest["locations"]["local"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["outcome"], &last["from"]),
        (&json!("refused"), &latest["incidents"][0]["since"])
    );
    for (id, message) in [
        ("db@2020-01-01T00:00:00Z.1", "does not exist, or has expired"),
        ("web@2026-11-22T05:40:00Z.7", "is not an incident id of db"),
        ("db@soon", "is not an incident id of db"),
    ] {
        let refused = workspace.on_data(&["history", "db", "--incident", id]);
        refused.assert_refused(message);
    }
    let before = named(&["--at", "2026-01-01T00:00:00Z"]);
    let seen = before["locations"]["local"].as_array().unwrap();
    assert!(
        seen.len() == 1 && seen[0]["outcome"].is_null() && seen[0]["checks"] == 11,
        "five checks before and after that time have no results: {seen:?}"
    );

    let shown = workspace.on_data(&["history", "web"]);
    assert!(
        shown.out.starts_with(&format!(
            "web  {open}  every 1m\nNo incidents in this period.\n\nlocal:\n"
        )),
        "{}",
        shown.out
    );
    assert!(shown.out.contains("  open  "), "{}", shown.out);
    let unknown = workspace.on_data(&["history", "webb"]);
    unknown.assert_refused("help: similar ids: web\n");
}

/// A table that defines `db`, checked every minute.
fn with_a_monitor() -> Aws {
    let aws = Aws::new();
    let fields = json!({ "host": "192.0.2.1", "port": 7, "tier": "critical" });
    let store = aws.store();
    let defined = store.put_definition("1m#0".parse().unwrap(), "db", fields.as_object().unwrap());
    aws.wait(defined).unwrap();
    aws
}

/// The time of the check this number of days ago.
fn days_ago(days: i64) -> Tick {
    let time = Timestamp::now() - SignedDuration::from_hours(days * 24);
    Tick::containing(time, Interval::OneMinute)
}

#[test]
fn incident_is_listed_by_its_closing_time() {
    let aws = with_a_monitor();
    let store = aws.store();
    let opened = days_ago(200);
    let closed = ClosedIncident {
        monitor: "db".parse().unwrap(),
        track: Track::Health,
        incident: Incident {
            cause_changes: Vec::new(),
            flapped_until: None,
            cluster: None,
            diagnosis: None,
            status: Status::Down,
            opened,
            revision: 1,
            since: opened,
            finding: None,
            notified: Notified::NotYet,
            urgency: Urgency::Normal,
            stability: Stability::Steady,
        },
        closed: days_ago(10),
        ending: Ending::Recovered,
    };
    aws.wait(store.file_incident(&closed)).unwrap();

    let at = days_ago(100).to_string();
    for (args, listed) in [
        (&["incidents", "--json"][..], false),
        (&["incidents", "--json", "--since", "11d"], true),
        (&["history", "db", "--json"], false),
        (&["history", "db", "--json", "--since", "11d"], true),
        (&["history", "db", "--json", "--at", &at], true),
    ] {
        let run = aws.run(args);
        assert_eq!(run.status, 0, "{args:?}: {}", run.err);
        let id = format!("\"id\":\"db@{opened}.1\"");
        assert_eq!(run.out.contains(&id), listed, "{args:?}: {}", run.out);
    }
    let reason = format!("db@{opened}.1 was never notified: the reason is not recorded.");
    for command in [&["incidents"][..], &["history", "db"]] {
        let run = aws.run(&[command, &["--since", "11d"]].concat());
        assert!(run.out.contains(&reason), "{command:?}: {}", run.out);
    }
    let incident = &aws.run(&["incidents", "--json", "--since", "11d"]).json()[0];
    assert_eq!(incident["withheld"]["reason"], "not_recorded", "{incident}");
}

#[test]
fn silenced_incident_is_listed_with_the_reason() {
    let aws = with_a_monitor();
    let (store, at) = (aws.store(), days_ago(0));
    let group = "1m#0".parse().unwrap();
    let incident = Incident {
        cause_changes: Vec::new(),
        flapped_until: None,
        cluster: None,
        diagnosis: None,
        status: Status::Down,
        opened: at,
        revision: 1,
        since: at,
        finding: None,
        notified: Notified::NotYet,
        urgency: Urgency::Normal,
        stability: Stability::Steady,
    };
    let decision = DecisionState {
        revision: 1,
        incidents: [(("db".parse().unwrap(), Track::Health), incident)].into(),
        ..DecisionState::default()
    };
    aws.wait(store.put_decision(group, &decision)).unwrap();
    let silenced = aws.run(&["silence", "db", "--for", "2h", "--reason", "x", "--by", "ann"]);
    assert_eq!(silenced.status, 0, "{}", silenced.err);

    let reason = format!("db@{at}.1 is not notified: the monitor is silenced until ");
    for args in [&["incidents"][..], &["history", "db"], &["status"]] {
        let run = aws.run(args);
        assert!(run.out.contains(&reason), "{args:?}: {} {}", run.out, run.err);
    }
    let incident = &aws.run(&["incidents", "--json"]).json()[0];
    let history = &aws.run(&["history", "db", "--json"]).json()[0];
    let status = &aws.run(&["status", "--json"]).json()[0];
    for incident in [
        incident,
        &history["incidents"][0],
        &status["monitors"]["db"]["incidents"][0],
    ] {
        assert_eq!(incident["withheld"]["reason"], "silenced", "{incident}");
        let text = incident["withheld"]["text"].as_str().unwrap();
        assert!(text.starts_with("the monitor is silenced until 2"), "{text}");
    }
}

#[test]
fn history_shows_phase_percentiles_by_location() {
    let aws = with_a_monitor();
    let (store, at) = (aws.store(), days_ago(2));
    for (location, results) in [
        (
            "eu-west-1",
            &["10/1.5/25/12", "12/2/30/12", "timeout", "14/9/40/80"][..],
        ),
        ("us-east-1", &["7", "8"]),
    ] {
        let location = location.parse().unwrap();
        aws.wait(store.list_location("1m#0".parse().unwrap(), &location))
            .unwrap();
        for (minute, seen) in (0..).zip(results) {
            let seen = Observation::from(seen.parse::<Seen>().unwrap());
            let (group, time) = ("1m#0".parse().unwrap(), at.later(Interval::OneMinute, minute));
            let all = Observations::from([("db".parse().unwrap(), seen)]);
            aws.wait(store.put_results(group, time, &location, &all)).unwrap();
        }
    }
    let at = at.to_string();
    let shown = aws.run(&["history", "db", "--at", &at]).out;
    let phases = shown.split_once("  PHASE ").unwrap().1;
    // Accurate to 12 %.
    let expected = "        P50        P95     MAX
  total    53.75 ms  138.23 ms  143 ms
  dns       1.99 ms       9 ms    9 ms
  connect  12.15 ms   13.43 ms   14 ms
  tls      29.43 ms   39.67 ms   40 ms
  ready    12.15 ms   79.35 ms   80 ms
";
    assert!(phases.starts_with(expected), "{phases}");
    let json = aws
        .run(&["history", "db", "--json", "--at", &at])
        .json()
        .remove(0);
    let east = &json["phases"]["eu-west-1"];
    assert_eq!(
        east["ready"],
        json!({ "p50_ms": 12.15, "p95_ms": 79.35, "max_ms": 80.0 })
    );
    let locations: Vec<_> = json["phases"].as_object().unwrap().keys().collect();
    assert_eq!(
        locations,
        ["eu-west-1"],
        "the other location has connect times only"
    );
}
