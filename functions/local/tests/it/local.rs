//! `portpulse local`, over real sockets, an embedded DynamoDB and the SDK's real `Publish`.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::program::{Run, portpulse, run};
use crate::sockets;

/// A folder of the test's own; removed at its end.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("portpulse-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Monitors every minute, told at the first failed tick and again at the first good one.
    fn define(&self, monitors: &[(&str, &str)]) {
        let mut text =
            "defaults: { tier: critical, timeout: 300ms, successes_to_close: 1 }\nmonitors:\n".to_owned();
        for (id, address) in monitors {
            let (host, port) = address.rsplit_once(':').unwrap();
            text.push_str(&format!("  {id}: {{ host: {host}, port: {port} }}\n"));
        }
        fs::write(self.0.join("monitors.yaml"), text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = portpulse();
        command
            .args(["local", "--monitors"])
            .arg(self.0.join("monitors.yaml"));
        command.arg("--data").arg(self.0.join("data")).args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command(args).output().unwrap())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn of_type(lines: &[Value], kind: &str) -> Vec<Value> {
    lines
        .iter()
        .filter(|line| line["type"] == json!(kind))
        .cloned()
        .collect()
}

/// `down a`, `recovered a`, …
fn told(lines: &[Value]) -> Vec<String> {
    let notifications = of_type(lines, "notification").into_iter();
    notifications
        .map(|line| {
            format!(
                "{} {}",
                line["kind"].as_str().unwrap(),
                line["monitor"].as_str().unwrap_or("-")
            )
        })
        .collect()
}

fn times(lines: &[Value]) -> Vec<String> {
    of_type(lines, "tick")
        .iter()
        .map(|line| line["time"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_demo_opens_tells_and_closes_an_outage_within_half_a_minute() {
    let found = run(&["local", "--demo", "--json", "--for", "23s"]);
    assert_eq!(found.status, 0, "{}", found.err);
    let lines = found.json();
    let mut told = told(&lines);
    told.sort();
    assert_eq!(
        told,
        [
            "degraded slow",
            "down dies-and-returns",
            "down refused",
            "down silent",
            "recovered dies-and-returns"
        ]
    );
    let ids: BTreeSet<_> = of_type(&lines, "notification")
        .iter()
        .filter(|line| line["monitor"] == json!("dies-and-returns"))
        .map(|line| {
            line["id"]
                .as_str()
                .unwrap()
                .rsplit_once('/')
                .unwrap()
                .0
                .to_owned()
        })
        .collect();
    assert_eq!(ids.len(), 1, "an outage and its end share the incident: {ids:?}");

    let outcomes = |id: &str| -> BTreeSet<String> {
        let ticks = of_type(&lines, "tick").into_iter();
        ticks
            .map(|line| line["results"][id]["outcome"].as_str().unwrap().to_owned())
            .collect()
    };
    for (id, expected) in [
        ("healthy", &["open"][..]),
        ("refused", &["refused"]),
        ("silent", &["timeout"]),
        ("slow", &["open"]),
        ("expected-closed", &["refused"]),
        ("dies-and-returns", &["open", "refused"]),
    ] {
        let expected = expected.iter().map(|outcome| (*outcome).to_owned()).collect();
        assert_eq!(outcomes(id), expected, "{id}");
    }
    let summary = lines.last().unwrap();
    assert_eq!(summary["type"], json!("summary"));
    assert_eq!(
        summary["open"],
        json!({ "refused": "down", "silent": "down", "slow": "degraded" })
    );
}

#[test]
fn an_outage_is_told_once_over_restarts_and_time_never_goes_back() {
    let place = Place::new("restart");
    let (refusing, address) = sockets::refused();
    place.define(&[("db", &address)]);
    let first = place.run(&["--speed", "60", "--json", "--for", "3s"]);
    assert_eq!(
        (first.status, told(&first.json())),
        (0, vec!["down db".to_owned()]),
        "{}",
        first.err
    );

    let second = place.run(&["--speed", "60", "--json", "--for", "2s"]);
    assert_eq!(
        (second.status, told(&second.json())),
        (0, vec![]),
        "{}",
        second.err
    );

    drop(refusing);
    let _open = TcpListener::bind(&address).unwrap();
    let third = place.run(&["--speed", "60", "--json", "--for", "2s"]);
    assert_eq!(
        (third.status, told(&third.json())),
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
    assert_eq!(told(&first.json()), ["down a"], "{}", first.err);
    place.define(&[("b", &open)]);
    let second = place.run(&["--speed", "60", "--json", "--for", "2s"]);
    assert_eq!(told(&second.json()), [""; 0], "{}", second.err);
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
fn several_regions_agree_on_one_outage() {
    let place = Place::new("regions");
    let (_refusing, refused) = sockets::refused();
    place.define(&[("db", &refused)]);
    let found = place.run(&[
        "--regions",
        "east,west,north",
        "--speed",
        "60",
        "--json",
        "--for",
        "3s",
    ]);
    let lines = found.json();
    assert_eq!(
        (found.status, told(&lines)),
        (0, vec!["down db".to_owned()]),
        "{}",
        found.err
    );
    let tick_regions: BTreeSet<_> = of_type(&lines, "tick")
        .iter()
        .map(|line| line["region"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(tick_regions, ["east", "north", "west"].map(str::to_owned).into());
    let notification = &of_type(&lines, "notification")[0];
    let regions: Vec<_> = notification["regions"].as_object().unwrap().keys().collect();
    assert_eq!(regions, ["east", "north", "west"]);
    assert_eq!(
        (&notification["verdict"], &notification["finding"]),
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
        (&tick["region"], &tick["group"]),
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
    for part in [
        "Watching 1 monitor from local. Ctrl-C ends it.\n",
        "Z  local  1m#0  0 of 1 as expected; db refused\n",
        "Z  DOWN: db - the connection was refused\n    db is down.\n",
        "\n1 tick, 1 check, 1 notification.\nStill open: db (down).\n",
    ] {
        assert!(found.out.contains(part), "{part:?} is not in\n{}", found.out);
    }
    assert!(!found.out.contains('\u{1b}'), "{}", found.out);
}

#[test]
fn an_interrupt_ends_it_cleanly_and_a_kill_loses_nothing() {
    let place = Place::new("signals");
    let (_refusing, refused) = sockets::refused();
    place.define(&[("db", &refused)]);
    for (signal, status, told) in [("-KILL", None, 1), ("-INT", Some(0), 0), ("-TERM", Some(0), 0)] {
        let mut child = place
            .command(&["--json", "--speed", "60"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let mut seen = Vec::new();
        for line in lines.by_ref() {
            seen.push(line);
            if seen.last().unwrap().contains("\"tick\"") {
                break;
            }
        }
        let pid = child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        seen.extend(lines);
        assert_eq!(child.wait().unwrap().code(), status, "{signal}");
        let mut complaints = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut complaints)
            .unwrap();
        let notes: Vec<_> = complaints
            .lines()
            .filter(|line| !line.starts_with("Watching") && !line.starts_with("Time goes on"))
            .collect();
        assert_eq!(notes, [""; 0], "{signal}");
        let notifications = seen
            .iter()
            .filter(|line| line.contains("\"type\":\"notification\""))
            .count();
        assert_eq!(notifications, told, "{signal}: {seen:#?}");
        assert_eq!(
            seen.last().unwrap().contains("\"summary\""),
            status.is_some(),
            "{signal}: {seen:#?}"
        );
    }
}

#[test]
fn a_reader_that_leaves_ends_it_without_a_word() {
    let place = Place::new("pipe");
    let (_open, open) = sockets::open();
    place.define(&[("web", &open)]);
    let mut child = place
        .command(&["--speed", "60"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    assert!(first.starts_with("Watching 1 monitor"), "{first}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut complaints = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut complaints)
        .unwrap();
    assert_eq!(complaints, "");
}

#[test]
fn wrong_usage_says_what_to_do() {
    let place = Place::new("usage");
    let (_open, open) = sockets::open();
    place.define(&[("web", &open)]);
    for (args, part) in [
        (
            &["--speed", "200"][..],
            "--speed 200: web has a timeout of 300ms, and its ticks would come every 300ms (use --speed 199 or less, or shorten the timeout)\n",
        ),
        (&["--speed", "0"], "0 is not in 1..=600"),
        (&["--regions", "EU"], "`EU` is not a region name"),
        (&["--demo"], "cannot be used with"),
        (&["--for", "soon"], "`soon` is not a duration"),
    ] {
        let found = place.run(args);
        assert_eq!((found.status, found.out.as_str()), (2, ""), "{args:?}");
        assert!(found.err.contains(part), "{args:?}: {}", found.err);
    }
    fs::write(
        place.0.join("monitors.yaml"),
        "monitors:\n  a: { host: a.example.com }\n",
    )
    .unwrap();
    let found = place.run(&[]);
    assert_eq!(found.status, 2);
    assert!(
        found.err.ends_with(
            "monitors.yaml:2: monitors.a.port: is missing (write a port, or a `service` that has one)\n"
        ),
        "{}",
        found.err
    );
}

#[test]
fn two_do_not_share_their_data() {
    let place = Place::new("shared");
    let (_open, open) = sockets::open();
    place.define(&[("web", &open)]);
    let mut first = place
        .command(&["--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(first.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let second = place.run(&[]);
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(second.status, 2);
    assert!(
        second
            .err
            .contains("another portpulse is using them (end it, or choose another --data)"),
        "{}",
        second.err
    );
}
