//! How `portpulse local` ends, and why it may not start.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use crate::place::Place;
use crate::program::Running;
use crate::sockets;

#[test]
fn an_interrupt_ends_it_cleanly_and_a_kill_loses_nothing() {
    let place = Place::new("signals");
    let (_refusing, refused) = sockets::refused();
    place.define(&[("db", &refused)]);
    for (signal, status, notified) in [("-KILL", None, 1), ("-INT", Some(0), 0), ("-TERM", Some(0), 0)] {
        let mut watch = Running::start(place.command(&["--json", "--speed", "60"]).stderr(Stdio::piped()));
        let mut seen = watch.lines_to(|line| line.contains("\"tick\""));
        let pid = watch.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        seen.extend(watch.lines.iter());
        assert_eq!(watch.child.wait().unwrap().code(), status, "{signal}");
        let mut complaints = String::new();
        watch
            .child
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
        assert_eq!(notifications, notified, "{signal}: {seen:#?}");
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
        (&["--locations", "EU"], "`EU` is not a location name"),
        (&["--demo"], "cannot be used with"),
    ] {
        // Ends even if it starts, against all expectation.
        let found = place.run(&[&["--for", "1s"][..], args].concat());
        assert_eq!((found.status, found.out.as_str()), (2, ""), "{args:?}");
        assert!(found.err.contains(part), "{args:?}: {}", found.err);
    }
    fs::write(
        place.0.join("monitors.yaml"),
        "monitors:\n  a: { host: a.example.com }\n",
    )
    .unwrap();
    let found = place.run(&["--for", "1s"]);
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
    let first = Running::start(place.command(&["--json"]).stderr(Stdio::null()));
    first.lines_to(|_| true);
    let second = place.run(&["--for", "1s"]);
    assert_eq!(second.status, 2);
    assert!(
        second
            .err
            .contains("another portpulse is using them (end it, or choose another --data)"),
        "{}",
        second.err
    );
}
