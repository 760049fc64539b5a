//! `portpulse status`, `silence`, `unsilence` and `ack`, with a running `portpulse local` and with its stored data.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::aws::Aws;
use crate::program::{Run, Running, portpulse};
use crate::sockets;
use crate::workspace::Workspace;

/// Starts `portpulse local` and waits until it reports an outage.
fn local_with_outage(workspace: &Workspace) -> Running {
    let watch = Running::start(workspace.command(&["--json"]).stderr(Stdio::null()));
    watch.lines_to(|line| line.contains("\"notification\""));
    watch
}

fn run(workspace: &Workspace, args: &[&str]) -> Run {
    let mut command = portpulse();
    command.args(args).arg("--data").arg(workspace.0.join("data"));
    Run::of(command.env("USER", "ann").output().unwrap())
}

/// Asserts the output of a command, with times and durations replaced.
fn check(workspace: &Workspace, args: &[&str], (status, expected): (i32, &str)) {
    let found = run(workspace, args);
    let times = regex::Regex::new(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:.]+Z").unwrap();
    let lengths = regex::Regex::new(r"[0-9]+ (d|h|min|s)( [0-9]+ (d|h|min|s))?").unwrap();
    let out = times.replace_all(&found.out, "TIME");
    let out = lengths.replace_all(&out, "LENGTH");
    assert_eq!(
        (found.status, out.as_ref()),
        (status, expected),
        "{args:?}: {}",
        found.err
    );
}

fn status(workspace: &Workspace) -> Value {
    run(workspace, &["status", "--json"]).json()[0].clone()
}

#[test]
fn outage_is_shown_acknowledged_and_silenced() {
    let workspace = Workspace::new("control");
    let ((_refusing, refused), (_open, open)) = (sockets::refused(), sockets::open());
    workspace.define(&[("db", &refused), ("web", &open)]);
    let watch = local_with_outage(&workspace);
    let down = "1 of 2 monitors up.\ndb  down  LENGTH  the connection was refused\n";
    check(&workspace, &["status"], (1, down));
    let silence = [
        "silence",
        "db",
        "--for",
        "2h",
        "--why",
        "new switch",
        "--by",
        "bob",
    ];
    check(
        &workspace,
        &silence,
        (
            0,
            "Silenced db until TIME (LENGTH). To end it: portpulse unsilence db\n",
        ),
    );
    check(
        &workspace,
        &["ack", "db"],
        (
            0,
            "Acknowledged db@TIME.1 (down since TIME, LENGTH). Reminders are stopped.\n",
        ),
    );
    let both = format!(
        "{down}db is silenced until TIME (LENGTH left), by bob: new switch.\ndb@TIME.1 is acknowledged, by ann.\n"
    );
    check(&workspace, &["status"], (1, &both));
    let seen = status(&workspace);
    let db = &seen["monitors"]["db"];
    assert_eq!(
        (
            &seen["healthy"],
            &db["status"],
            &db["locations"],
            &db["silence"]["why"]
        ),
        (
            &json!(false),
            &json!("down"),
            &json!({ "local": "failing" }),
            &json!("new switch")
        )
    );
    assert_eq!(db["incidents"][0]["acknowledged"]["by"], json!("ann"));
    assert_eq!(seen["monitors"]["web"]["status"], json!("up"));

    // The silence and the acknowledgement are stored.
    drop(watch);
    check(
        &workspace,
        &["unsilence", "db"],
        (0, "Ended the silence of db.\n"),
    );
    check(&workspace, &["unsilence", "db"], (0, "db was not silenced.\n"));
    let seen = status(&workspace);
    let db = &seen["monitors"]["db"];
    assert_eq!(
        (&db["silence"], &db["incidents"][0]["acknowledged"]["by"]),
        (&Value::Null, &json!("ann"))
    );
}

#[test]
fn invalid_control_commands_are_refused_with_help() {
    let workspace = Workspace::new("control-usage");
    let (_open, open) = sockets::open();
    workspace.define(&[("orders-db", &open), ("web", &open)]);
    let absent = run(&workspace, &["status"]);
    assert_eq!(absent.status, 2);
    assert!(absent.err.contains("no data in"), "{}", absent.err);
    assert!(!workspace.0.join("data").exists());

    workspace.run(&["--for", "1s"]);
    check(&workspace, &["status"], (0, "All 2 monitors are up.\n"));
    let nothing = "web has no open incident.\n";
    check(&workspace, &["ack", "web"], (1, nothing));
    for (args, part) in [
        (
            &["ack", "ordres-db"][..],
            "monitor `ordres-db` does not exist in ",
        ),
        (&["ack", "ordres-db"], "\n  help: similar ids: orders-db\n"),
        (
            &["unsilence", "smtp"],
            "\n  help: `portpulse status --json` lists all monitors\n",
        ),
        (&["silence", "web", "--why", "x"], "--for <DURATION>"),
        (&["silence", "web", "--for", "1h"], "--why <TEXT>"),
        (
            &["silence", "web", "--for", "31d", "--why", "x"],
            "cannot silence web: the silence would last longer than 30 days (to disable the monitor, set `enabled: false`",
        ),
        (
            &["silence", "web", "--until", "2020-01-01T00:00:00Z", "--why", "x"],
            "cannot silence web: the end 2020-01-01T00:00:00Z is not after the current time 20",
        ),
        (
            &["silence", "web", "--for", "1h", "--why", "a\nb"],
            "the reason contains a line break or another unprintable character\n  help: use a short text without line breaks\n",
        ),
    ] {
        let found = run(&workspace, args);
        assert_eq!((found.status, found.out.as_str()), (2, ""), "{args:?}");
        assert!(found.err.contains(part), "{args:?}: {}", found.err);
    }
}

#[test]
fn commands_work_on_a_table_in_aws() {
    let aws = Aws::new();
    let empty = aws.run(&["status"]);
    assert_eq!(
        (empty.status, empty.out.as_str()),
        (0, "No monitors are defined.\n")
    );
    assert!(
        empty
            .err
            .starts_with("Table: portpulse in eu-west-1\nConsumed read units: ")
            && empty.err.lines().count() == 2,
        "{}",
        empty.err
    );
    let attributes = json!({ "host": "a.example.com", "port": 1 });
    let group = "5m#0".parse().unwrap();
    aws.wait(
        aws.store()
            .put_definition(group, "a", attributes.as_object().unwrap()),
    )
    .unwrap();
    let no_data = "0 of 1 monitor up. No results yet.\na  unknown    no location has reported yet\n";
    let found = aws.run(&["status"]);
    assert_eq!((found.status, found.out.as_str()), (1, no_data));
    let silenced = aws.run(&["silence", "a", "--until", "2999-01-01T00:00:00Z", "--why", "x"]);
    assert_eq!(silenced.status, 2);
    let silenced = aws.run(&["silence", "a", "--for", "1h", "--why", "x", "--json"]);
    assert_eq!(
        (silenced.status, &silenced.json()[0]["monitor"]),
        (0, &json!("a")),
        "{}",
        silenced.err
    );
    let (controls, unreadable) = aws.wait(aws.store().controls()).unwrap();
    assert_eq!((controls.len(), unreadable.len()), (1, 0));
}
