//! `portpulse local`, over real sockets, an embedded DynamoDB and the SDK's real `Publish`.

use std::collections::BTreeSet;
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::place::{Place, notified, of_type, times};
use crate::program::{Run, portpulse};
use crate::sockets;

#[test]
fn an_outage_is_told_once_over_restarts_and_time_never_goes_back() {
    let place = Place::new("restart");
    let (refusing, address) = sockets::refused();
    place.define(&[("db", &address)]);
    let first = place.run(&["--speed", "60", "--json", "--for", "3s"]);
    assert_eq!(
        (first.status, notified(&first.json())),
        (0, vec!["down db".to_owned()]),
        "{}",
        first.err
    );

    let second = place.run(&["--speed", "60", "--json", "--for", "2s"]);
    assert_eq!(
        (second.status, notified(&second.json())),
        (0, vec![]),
        "{}",
        second.err
    );

    drop(refusing);
    let _open = TcpListener::bind(&address).unwrap();
    let third = place.run(&["--speed", "60", "--json", "--for", "2s"]);
    assert_eq!(
        (third.status, notified(&third.json())),
        (0, vec!["recovered db".to_owned()]),
        "{}",
        third.err
    );

    let times: Vec<_> = [&first, &second, &third]
        .into_iter()
        .flat_map(|run| times(&run.json()))
        .collect();
    assert!(times.len() >= 4, "{times:?}");
    assert!(
        times.is_sorted() && times.iter().collect::<BTreeSet<_>>().len() == times.len(),
        "{times:?}"
    );
}

#[test]
fn what_is_gone_from_the_file_is_watched_no_more() {
    let place = Place::new("gone");
    let ((_refusing, refused), (_open, open)) = (sockets::refused(), sockets::open());
    place.define(&[("a", &refused), ("b", &open)]);
    let first = place.run(&["--speed", "60", "--json", "--for", "2s"]);
    assert_eq!(notified(&first.json()), ["down a"], "{}", first.err);
    place.define(&[("b", &open)]);
    let second = place.run(&["--speed", "60", "--json", "--for", "2s"]);
    assert_eq!(notified(&second.json()), [""; 0], "{}", second.err);
    let checked: BTreeSet<String> = of_type(&second.json(), "tick")
        .iter()
        .flat_map(|line| {
            line["results"]
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(checked, BTreeSet::from(["b".to_owned()]));
    assert_eq!(second.json().last().unwrap()["open"], json!({}));
}

#[test]
fn a_location_that_a_later_start_leaves_out_is_expected_no_more() {
    let place = Place::new("fewer-regions");
    let (_open, open) = sockets::open();
    place.define(&[("db", &open)]);
    for locations in ["east,west", "east"] {
        let found = place.run(&["--locations", locations, "--speed", "60", "--json", "--for", "1s"]);
        assert_eq!(found.status, 0, "{}", found.err);
    }
    let path = place.0.join("monitors.yaml").display().to_string();
    let data = place.0.join("data").display().to_string();
    let args = [
        "seed",
        &path,
        "--data",
        &data,
        "--locations",
        "east",
        "--prune",
        "--dry-run",
    ];
    let seed = Run::of(portpulse().args(args).output().unwrap());
    let same = "1 unchanged.\nRegions: 1 unchanged.\n";
    assert_eq!((seed.status, seed.out.as_str()), (0, same), "{}", seed.err);
}

#[test]
fn several_locations_agree_on_one_outage() {
    let place = Place::new("locations");
    let (_refusing, refused) = sockets::refused();
    place.define(&[("db", &refused)]);
    let found = place.run(&[
        "--locations",
        "east,west,north",
        "--speed",
        "60",
        "--json",
        "--for",
        "3s",
    ]);
    let lines = found.json();
    assert_eq!(
        (found.status, notified(&lines)),
        (0, vec!["down db".to_owned()]),
        "{}",
        found.err
    );
    let tick_regions: BTreeSet<_> = of_type(&lines, "tick")
        .iter()
        .map(|line| line["location"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(tick_regions, ["east", "north", "west"].map(str::to_owned).into());
    let notification = &of_type(&lines, "notification")[0];
    let locations: Vec<_> = notification["locations"].as_object().unwrap().keys().collect();
    assert_eq!(locations, ["east", "north", "west"]);
    assert_eq!(
        (&notification["status"], &notification["finding"]),
        (&json!("down"), &json!("refused"))
    );
}

#[test]
fn a_tick_is_one_object_of_a_known_shape() {
    let place = Place::new("shape");
    let ((_refusing, refused), (_open, open)) = (sockets::refused(), sockets::open());
    place.define(&[("a", &refused), ("b", &open)]);
    let found = place.run(&["--json", "--for", "1s"]);
    let line = found.out.lines().find(|line| line.contains("\"tick\"")).unwrap();
    assert!(line.starts_with("{\"type\":\"tick\",\"time\":\""), "{line}");
    let tick: Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        (&tick["location"], &tick["group"]),
        (&json!("local"), &json!("1m#0"))
    );
    assert_eq!(tick["results"]["a"], json!({ "outcome": "refused" }));
    assert_eq!(tick["results"]["b"]["outcome"], json!("open"));
    assert!(tick["results"]["b"]["connect_ms"].is_number());
}

#[test]
fn without_a_terminal_lines_are_appended() {
    let place = Place::new("lines");
    let (_refusing, refused) = sockets::refused();
    place.define(&[("db", &refused)]);
    let found = place.run(&["--for", "1s"]);
    assert_eq!((found.status, found.err.as_str()), (0, ""));
    // The wall clock may begin a minute meanwhile: what the end counts is what was printed.
    let ticks = found.out.matches("Z  local  1m#0  ").count();
    let plural = if ticks == 1 { "" } else { "s" };
    let end =
        format!("\n{ticks} tick{plural}, {ticks} check{plural}, 1 notification.\nStill open: db (down).\n");
    for part in [
        "Watching 1 monitor from local. Ctrl-C ends it.\n",
        "Z  local  1m#0  0 of 1 as expected; db refused\n",
        "Z  DOWN: db - the connection was refused\n    db is down.\n",
        end.as_str(),
    ] {
        assert!(found.out.contains(part), "{part:?} is not in\n{}", found.out);
    }
    assert!(!found.out.contains('\u{1b}'), "{}", found.out);
}

#[test]
fn what_is_changed_in_the_file_is_watched_as_it_is_now() {
    let place = Place::new("changed");
    let ((_refusing, refused), (_open, open)) = (sockets::refused(), sockets::open());
    place.define(&[("db", &refused)]);
    let first = place.run(&["--speed", "60", "--json", "--for", "2s"]);
    assert_eq!(notified(&first.json()), ["down db"], "{}", first.err);
    place.define(&[("db", &open)]);
    let second = place.run(&["--speed", "60", "--json", "--for", "2s"]);
    assert_eq!(notified(&second.json()), ["recovered db"], "{}", second.err);
}
