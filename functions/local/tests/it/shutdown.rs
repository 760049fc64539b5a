//! How `portpulse local` stops, and errors that prevent its start.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use crate::program::Running;
use crate::sockets;
use crate::workspace::Workspace;

#[test]
fn signals_stop_cleanly_and_a_kill_loses_no_state() {
    let workspace = Workspace::new("signals");
    let (_refusing, refused) = sockets::refused();
    workspace.define(&[("db", &refused)]);
    for (signal, status, notified) in [("-KILL", None, 1), ("-INT", Some(0), 0), ("-TERM", Some(0), 0)] {
        let mut watch = Running::start(
            workspace
                .command(&["--json", "--speed", "60"])
                .stderr(Stdio::piped()),
        );
        let mut seen = watch.lines_to(|line| line.contains("\"check\""));
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
        let mut messages = String::new();
        watch
            .child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut messages)
            .unwrap();
        let notes: Vec<_> = messages
            .lines()
            .filter(|line| !line.starts_with("Monitoring") && !line.starts_with("The clock continues"))
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
fn closed_output_stops_local_silently() {
    let workspace = Workspace::new("pipe");
    let (_open, open) = sockets::open();
    workspace.define(&[("web", &open)]);
    let mut child = workspace
        .command(&["--speed", "60"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    assert!(first.starts_with("Monitoring 1 monitor"), "{first}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut messages = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut messages)
        .unwrap();
    assert_eq!(messages, "");
}

#[test]
fn invalid_usage_is_refused_with_help() {
    let workspace = Workspace::new("usage");
    let (_open, open) = sockets::open();
    workspace.define(&[("web", &open)]);
    for (args, part) in [
        (
            &["--speed", "200"][..],
            "--speed 200 is too high: monitor web has a timeout of 300ms and would be checked every 300ms\n  help: use --speed 199 or less, or a shorter timeout\n",
        ),
        (&["--speed", "0"], "0 is not in 1..=600"),
        (&["--locations", "EU"], "`EU` is not a location name"),
        (&["--demo"], "cannot be used with"),
    ] {
        // Stops even if it starts unexpectedly.
        let found = workspace.run(&[&["--for", "1s"][..], args].concat());
        found.assert_refused(part);
    }
    fs::write(
        workspace.0.join("monitors.yaml"),
        "monitors:\n  a: { host: a.example.com }\n",
    )
    .unwrap();
    let found = workspace.run(&["--for", "1s"]);
    assert_eq!(found.status, 2);
    assert!(
        found.err.ends_with(
            "monitors.yaml:2: monitors.a.port: is missing\n  help: write a port, or a `service` that has one\n"
        ),
        "{}",
        found.err
    );
}

#[test]
fn two_instances_cannot_share_a_data_dir() {
    let workspace = Workspace::new("shared");
    let (_open, open) = sockets::open();
    workspace.define(&[("web", &open)]);
    let first = Running::start(workspace.command(&["--json"]).stderr(Stdio::null()));
    first.lines_to(|_| true);
    let second = workspace.run(&["--for", "1s"]);
    second.assert_refused("another portpulse process is using it\n  help: stop that process, or set another directory with --data");
}
