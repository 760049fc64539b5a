//! `portpulse local` with real sockets, the embedded DynamoDB and the real SDK.

use std::collections::BTreeSet;
use std::net::TcpListener;

use serde_json::json;

use crate::sockets;
use crate::workspace::{Workspace, notified, of_type, times};

#[test]
fn outage_is_notified_once_across_restarts() {
    let workspace = Workspace::new("restart");
    let (refusing, address) = sockets::refused();
    workspace.define(&[("db", &address)]);
    let first = workspace.run(&["--speed", "60", "--json", "--for", "3s"]);
    assert_eq!(
        (first.status, notified(&first.json())),
        (0, vec!["down db".to_owned()]),
        "{}",
        first.err
    );

    let second = workspace.run(&["--speed", "60", "--json", "--for", "2s"]);
    assert_eq!(
        (second.status, notified(&second.json())),
        (0, vec![]),
        "{}",
        second.err
    );

    drop(refusing);
    let _open = TcpListener::bind(&address).unwrap();
    let third = workspace.run(&["--speed", "60", "--json", "--for", "2s"]);
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
fn removed_monitor_is_not_checked_after_restart() {
    let workspace = Workspace::new("gone");
    let ((_refusing, refused), (_open, open)) = (sockets::refused(), sockets::open());
    workspace.define(&[("a", &refused), ("b", &open)]);
    let first = workspace.run(&["--speed", "60", "--json", "--for", "2s"]);
    assert_eq!(notified(&first.json()), ["down a"], "{}", first.err);
    workspace.define(&[("b", &open)]);
    let second = workspace.run(&["--speed", "60", "--json", "--for", "2s"]);
    assert_eq!(notified(&second.json()), [""; 0], "{}", second.err);
    let checked: BTreeSet<String> = of_type(&second.json(), "check")
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
fn removed_location_is_not_expected_after_restart() {
    let workspace = Workspace::new("fewer-locations");
    let (_open, open) = sockets::open();
    workspace.define(&[("db", &open)]);
    for locations in ["east,west", "east"] {
        let found = workspace.run(&["--locations", locations, "--speed", "60", "--json", "--for", "1s"]);
        assert_eq!(found.status, 0, "{}", found.err);
    }
    let path = workspace.0.join("monitors.yaml").display().to_string();
    let seed = workspace.on_data(&["seed", &path, "--locations", "east", "--prune", "--dry-run"]);
    let same = "1 unchanged.\nLocations: 1 unchanged.\n";
    assert_eq!((seed.status, seed.out.as_str()), (0, same), "{}", seed.err);
}

#[test]
fn locations_agree_on_one_outage() {
    let workspace = Workspace::new("locations");
    let (_refusing, refused) = sockets::refused();
    workspace.define(&[("db", &refused)]);
    let found = workspace.run(&[
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
    let found_locations: BTreeSet<_> = of_type(&lines, "check")
        .iter()
        .map(|line| line["location"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        found_locations,
        ["east", "north", "west"].map(str::to_owned).into()
    );
    let notification = &of_type(&lines, "notification")[0];
    let locations: Vec<_> = notification["locations"].as_object().unwrap().keys().collect();
    assert_eq!(locations, ["east", "north", "west"]);
    assert_eq!(
        (&notification["status"], &notification["finding"]),
        (&json!("down"), &json!("refused"))
    );
}

#[test]
fn check_json_has_the_documented_fields() {
    let workspace = Workspace::new("shape");
    let ((_refusing, refused), (_open, open)) = (sockets::refused(), sockets::open());
    workspace.define(&[("a", &refused), ("b", &open)]);
    let found = workspace.run(&["--json", "--for", "1s"]);
    let check = &of_type(&found.json(), "check")[0];
    assert_eq!(
        (&check["location"], &check["interval"], &check["results"]["a"]),
        (
            &json!("local"),
            &json!("1m"),
            &json!({ "outcome": "refused", "retries": 2 })
        )
    );
    assert!(check["time"].is_string());
    assert_eq!(check["results"]["b"]["outcome"], json!("open"));
    assert!(check["results"]["b"]["connect_ms"].is_number());
}

#[test]
fn output_without_a_terminal_appends_lines() {
    let workspace = Workspace::new("lines");
    let (_refusing, refused) = sockets::refused();
    workspace.define(&[("db", &refused)]);
    let found = workspace.run(&["--for", "1s"]);
    assert_eq!((found.status, found.err.as_str()), (0, ""));
    // A second check may fall into the run: compare the summary with the printed checks.
    let checks = found.out.matches("Z  local  every 1m  ").count();
    let plural = if checks == 1 { "" } else { "s" };
    let end = format!("\n{checks} check{plural}, 1 notification.\nOpen incidents: db (down).\n");
    for part in [
        "Monitoring 1 monitor from local. Press Ctrl-C to stop.\n",
        "Z  local  every 1m  0 of 1 as expected; db: ✗ refused\n",
        "Z  DOWN: db since ",
        " UTC - port: the connection was refused\n    127.0.0.1 refuses connections to port ",
        end.as_str(),
    ] {
        assert!(found.out.contains(part), "{part:?} is not in\n{}", found.out);
    }
    assert!(!found.out.contains('\u{1b}'), "{}", found.out);
}

#[test]
fn changed_monitor_is_checked_as_defined_after_restart() {
    let workspace = Workspace::new("changed");
    let ((_refusing, refused), (_open, open)) = (sockets::refused(), sockets::open());
    workspace.define(&[("db", &refused)]);
    let first = workspace.run(&["--speed", "60", "--json", "--for", "2s"]);
    assert_eq!(notified(&first.json()), ["down db"], "{}", first.err);
    workspace.define(&[("db", &open)]);
    let second = workspace.run(&["--speed", "60", "--json", "--for", "2s"]);
    assert_eq!(notified(&second.json()), ["recovered db"], "{}", second.err);
}
