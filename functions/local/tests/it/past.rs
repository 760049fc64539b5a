//! `portpulse incidents` and `history`, on what a watch has left.

use std::net::TcpListener;

use jiff::{SignedDuration, Timestamp};
use portpulse_core::group_state::{
    ClosedIncident, Ending, Incident, Notified, Stability, Status, Track, Urgency,
};
use portpulse_core::observation::Observation;
use portpulse_core::round::Observations;
use portpulse_core::time::{Interval, Tick};
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::place::Place;
use crate::program::{Run, portpulse};
use crate::sockets;

fn run(place: &Place, args: &[&str]) -> Run {
    let mut command = portpulse();
    command.args(args).arg("--data").arg(place.0.join("data"));
    Run::of(command.output().unwrap())
}

#[test]
fn an_outage_is_listed_while_it_lasts_and_when_it_is_over() {
    let place = Place::new("past");
    let (refusing, address) = sockets::refused();
    let (_open, open) = sockets::open();
    place.define(&[("db", &address), ("web", &open)]);
    place.run(&["--speed", "60", "--for", "3s"]);

    let listed = run(&place, &["incidents", "--json", "--open"]).json();
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
    let shown = run(&place, &["incidents"]);
    assert!(
        shown.status == 0 && shown.out.contains("  db  down  "),
        "{}",
        shown.out
    );
    assert!(
        shown.out.ends_with("  open  the connection was refused\n"),
        "{}",
        shown.out
    );
    assert!(shown.err.contains("read units.\n"), "{}", shown.err);

    drop(refusing);
    let back = TcpListener::bind(&address).unwrap();
    place.run(&["--speed", "60", "--for", "3s"]);
    assert_eq!(run(&place, &["incidents", "--json", "--open"]).out, "");
    assert_eq!(run(&place, &["incidents", "--open"]).out, "There is none.\n");
    let listed = run(&place, &["incidents", "--json"]).json();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0]["id"], &listed[0]["ending"]),
        (&incident["id"], &json!("recovered"))
    );

    let history = run(&place, &["history", "db", "--json"]);
    assert_eq!(history.status, 0, "{}", history.err);
    let history = &history.json()[0];
    assert_eq!(history["incidents"][0]["id"], incident["id"]);
    assert_eq!(history.get("phases"), None, "of a bare connect to an address");
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

    // Another outage: the latest is shown, unless an earlier one is named, or a time at which it was open.
    drop(back);
    let _refusing = sockets::refused_at(address.parse().unwrap());
    place.run(&["--speed", "60", "--for", "3s"]);
    let first = incident["id"].as_str().unwrap();
    let since = incident["since"].as_str().unwrap();
    let named = |args: &[&str]| -> Value {
        let history = run(&place, &[&["history", "db", "--json"], args].concat());
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
    for (id, complaint) in [
        (
            "db@2020-01-01T00:00:00Z.1",
            "there is none, or it is no longer kept",
        ),
        ("web@2026-11-22T05:40:00Z.7", "is no incident of db"),
        ("db@soon", "is no incident of db"),
    ] {
        let refused = run(&place, &["history", "db", "--incident", id]);
        assert!(
            refused.status == 2 && refused.err.contains(complaint),
            "{}",
            refused.err
        );
    }
    let before = named(&["--at", "2026-01-01T00:00:00Z"]);
    let seen = before["locations"]["local"].as_array().unwrap();
    assert!(
        seen.len() == 1 && seen[0]["outcome"].is_null() && seen[0]["ticks"] == 11,
        "five ticks before and after that time, of which nothing is known: {seen:?}"
    );

    let shown = run(&place, &["history", "web"]);
    assert!(
        shown.out.starts_with(&format!(
            "web  {open}  1m#0\nNo incident in this time.\n\nlocal:\n"
        )),
        "{}",
        shown.out
    );
    assert!(shown.out.contains("  open  "), "{}", shown.out);
    let unknown = run(&place, &["history", "webb"]);
    assert!(
        unknown.status == 2 && unknown.err.contains("(did you mean web?)"),
        "{}",
        unknown.err
    );
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

/// The tick of so many days ago.
fn before(days: i64) -> Tick {
    let time = Timestamp::now() - SignedDuration::from_hours(days * 24);
    Tick::containing(time, Interval::OneMinute)
}

#[test]
fn an_outage_is_listed_by_when_it_ended_however_long_it_lasted() {
    let aws = with_a_monitor();
    let store = aws.store();
    let opened = before(200);
    let closed = ClosedIncident {
        monitor: "db".parse().unwrap(),
        track: Track::Health,
        incident: Incident {
            status: Status::Down,
            opened,
            revision: 1,
            since: opened,
            finding: None,
            notified: Notified::NotYet,
            urgency: Urgency::Usual,
            pace: Stability::Steady,
        },
        closed: before(10),
        ending: Ending::Recovered,
    };
    aws.wait(store.file_incident(&closed)).unwrap();

    let at = before(100).to_string();
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
}

#[test]
fn the_phases_of_the_ticks_that_are_shown_are_told_by_location() {
    let aws = with_a_monitor();
    let (store, at) = (aws.store(), before(2));
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
            let seen = Observation {
                seen: seen.parse().unwrap(),
                detail: None,
            };
            let (group, tick) = ("1m#0".parse().unwrap(), at.later(Interval::OneMinute, minute));
            let all = Observations::from([("db".parse().unwrap(), seen)]);
            aws.wait(store.put_results(group, tick, &location, &all)).unwrap();
        }
    }
    let at = at.to_string();
    let shown = aws.run(&["history", "db", "--at", &at]).out;
    let notified: Vec<_> = shown.lines().filter(|line| line.contains("p50")).collect();
    // The connect within 6.25 %, the others within 12.
    assert_eq!(
        notified,
        [
            "  dns      p50 1.99 ms   p95 9 ms      max 9 ms",
            "  connect  p50 12.15 ms  p95 13.43 ms  max 14 ms",
            "  tls      p50 29.43 ms  p95 39.67 ms  max 40 ms",
            "  ready    p50 12.15 ms  p95 79.35 ms  max 80 ms",
        ]
    );
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
    assert_eq!(locations, ["eu-west-1"], "the other saw nothing but the connect");
}
