//! `portpulse status`, `silence`, `unsilence` and `ack`, with a running `portpulse local` and with its stored data.

use std::process::Stdio;

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_store::Store;
use portpulse_store::dynamo::DynamoTable;
use portpulse_testkit::embedded::TABLE;
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::program::{Run, Running};
use crate::sockets;
use crate::workspace::Workspace;

/// Starts `portpulse local` and waits until it reports an outage.
fn local_with_outage(workspace: &Workspace) -> Running {
    let watch = Running::start(workspace.command(&["--json"]).stderr(Stdio::null()));
    watch.lines_to(|line| line.contains("\"notification\""));
    watch
}

/// Asserts the output of a command, with times and durations replaced.
fn check(workspace: &Workspace, args: &[&str], (status, expected): (i32, &str)) {
    let found = workspace.on_data(args);
    let times = regex::Regex::new(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:.]+Z").unwrap();
    let lengths = regex::Regex::new(r"[0-9]+ (d|h|min|s)( [0-9]+ (d|h|min|s))?").unwrap();
    let out = times.replace_all(&found.out, "TIME");
    let out = lengths.replace_all(&out, "LENGTH");
    let out = regex::Regex::new(" {2,}").unwrap().replace_all(&out, "  ");
    assert_eq!(
        (found.status, out.as_ref()),
        (status, expected),
        "{args:?}: {}",
        found.err
    );
}

fn status(workspace: &Workspace) -> Value {
    workspace.on_data(&["status", "--json"]).json()[0].clone()
}

#[test]
fn outage_is_shown_acknowledged_and_silenced() {
    let workspace = Workspace::new("control");
    let ((_refusing, refused), (_open, open)) = (sockets::refused(), sockets::open());
    workspace.define(&[("db", &refused), ("web", &open)]);
    let watch = local_with_outage(&workspace);
    let down = "1 of 2 monitors up.\nMONITOR  STATE  FOR  CAUSE\ndb  down  LENGTH  port: the connection was refused\n";
    check(&workspace, &["status"], (1, down));
    let silence = [
        "silence",
        "db",
        "--for",
        "2h",
        "--reason",
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
            &db["silence"]["reason"]
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

    let public = [
        "note",
        "db",
        "--text",
        "We are working on it.",
        "--public",
        "--by",
        "ann",
    ];
    check(
        &workspace,
        &public,
        (
            0,
            "Added a note to db@TIME.1, shown on private and public pages.\n",
        ),
    );
    let unknown = workspace.on_data(&["note", "db@2026-01-01T00:00:00Z.1", "--text", "x"]);
    unknown.assert_refused("there is no incident and no monitor");
    check(
        &workspace,
        &["note", "web", "--text", "x"],
        (1, "web has no open incident.\n"),
    );
    let incidents = workspace.on_data(&["incidents", "--json"]).json();
    let notes = &incidents[0]["notes"];
    assert_eq!(
        (&notes[0]["text"], &notes[0]["by"], &notes[0]["public"]),
        (&json!("We are working on it."), &json!("ann"), &json!(true))
    );

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
    let absent = workspace.on_data(&["status"]);
    absent.assert_refused("no data in");
    assert!(!workspace.0.join("data").exists());

    workspace.run(&["--for", "1s"]);
    check(&workspace, &["status"], (0, "All 2 monitors are up.\n"));
    let nothing = "web has no open incident.\n";
    check(&workspace, &["ack", "web"], (1, nothing));
    for (args, part) in [
        (
            &["ack", "ordres-db"][..],
            "): monitor `ordres-db` does not exist\n",
        ),
        (&["ack", "ordres-db"], "\n  help: similar ids: orders-db\n"),
        (
            &["unsilence", "smtp"],
            "\n  help: `portpulse list` lists all monitors\n",
        ),
        (&["silence", "web", "--reason", "x"], "--for <DURATION>"),
        (&["silence", "web", "--for", "1h"], "--reason <TEXT>"),
        (
            &["silence", "web", "--for", "31d", "--reason", "x"],
            "cannot silence: the silence would last longer than 30 days (to disable the monitor, set `enabled: false`",
        ),
        (
            &[
                "silence",
                "web",
                "--until",
                "2020-01-01T00:00:00Z",
                "--reason",
                "x",
            ],
            "cannot silence: the end 2020-01-01T00:00:00Z is not after the current time 20",
        ),
        (
            &["silence", "web", "--for", "1h", "--reason", "a\nb"],
            "the reason contains a line break or another unprintable character\n  help: use a short text without line breaks\n",
        ),
    ] {
        let found = workspace.on_data(args);
        found.assert_refused(part);
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
    let no_data = "0 of 1 monitor up. No results yet.\nMONITOR  STATE    FOR  CAUSE\na        unknown       no location has reported yet\n";
    let found = aws.run(&["status"]);
    assert_eq!((found.status, found.out.as_str()), (1, no_data));
    let silenced = aws.run(&["silence", "a", "--until", "2999-01-01T00:00:00Z", "--reason", "x"]);
    assert_eq!(silenced.status, 2);
    let silenced = aws.run(&["silence", "a", "--for", "1h", "--reason", "x", "--json"]);
    assert_eq!(
        (silenced.status, &silenced.json()[0]["monitor"]),
        (0, &json!("a")),
        "{}",
        silenced.err
    );
    let (controls, unreadable) = aws.wait(aws.store().controls()).unwrap();
    assert_eq!((controls.len(), unreadable.len()), (1, 0));
}

#[test]
fn monitors_are_selected_by_pattern_tag_and_all() {
    let workspace = Workspace::new("control-selection");
    let ((_refusing, refused), (_open, open)) = (sockets::refused(), sockets::open());
    workspace.define(&[
        ("orders-db", &refused),
        ("orders-web", &open),
        ("cache", &refused),
    ]);
    workspace.run(&["--speed", "60", "--for", "3s"]);
    let silence = ["silence", "--for", "1h", "--reason", "x"];
    let silenced = |ids: &[&str]| -> String {
        let line = |id| format!("Silenced {id} until TIME (LENGTH). To end it: portpulse unsilence {id}\n");
        ids.iter().map(line).collect()
    };
    for (selection, ids) in [
        (&["orders-*"][..], &["orders-db", "orders-web"][..]),
        (&["cache", "orders-d?"], &["cache", "orders-db"]),
        (&["--all"], &["cache", "orders-db", "orders-web"]),
    ] {
        check(&workspace, &[&silence, selection].concat(), (0, &silenced(ids)));
    }
    let ended = "Ended the silence of orders-db.\nEnded the silence of orders-web.\n";
    check(&workspace, &["unsilence", "orders-*"], (0, ended));
    let acknowledged = workspace.on_data(&["ack", "--all", "--reason", "on it", "--json"]);
    let count = |line: &Value| line["acknowledged"].as_array().unwrap().len();
    let acknowledged: Vec<_> = acknowledged.json().iter().map(count).collect();
    assert_eq!(acknowledged, [1, 1, 0]);
    check(
        &workspace,
        &["list", "orders-*"],
        (
            0,
            &format!(
                "MONITOR  STATE  EVERY  TARGET  TAGS\norders-db  down  1m  {refused}\norders-web  up  1m  {open}\n"
            ),
        ),
    );
    let listed = workspace.on_data(&["list", "--json"]).json();
    assert_eq!(
        (listed.len(), &listed[0]["monitor"], &listed[0]["status"]),
        (3, &json!("cache"), &json!("down"))
    );
    for (args, part) in [
        (&["silence", "--for", "1h", "--reason", "x"][..], "--all"),
        (
            &["ack", "web-*", "--tag", "prod"],
            "no monitor matches `web-*`\nno monitor has the tag `prod`\n",
        ),
        (
            &["list", "cahce"],
            "): monitor `cahce` does not exist\n  help: similar ids: cache\n",
        ),
    ] {
        let found = workspace.on_data(args);
        found.assert_refused(part);
    }
}

#[test]
fn times_are_local_unless_utc_is_requested() {
    let aws = Aws::new();
    let attributes = json!({ "host": "a.example.com", "port": 1 });
    let (store, group) = (aws.store(), "5m#0".parse().unwrap());
    aws.wait(store.put_definition(group, "a", attributes.as_object().unwrap()))
        .unwrap();
    for (args, offset) in [(&[][..], "+05:30 (1 h)"), (&["--utc"], "Z (1 h)")] {
        let args = [&["silence", "a", "--for", "1h", "--reason", "x"], args].concat();
        let found = Run::of(aws.command(&args).env("TZ", "Asia/Kolkata").output().unwrap());
        assert!(found.out.contains(offset), "{}", found.out);
    }
}

/// Names the standby table in the home table, as Terraform does.
fn name_standby(aws: &Aws, table: &str) {
    let place = [
        ("pk", "standby"),
        ("sk", "standby"),
        ("region", "eu-central-1"),
        ("table", table),
    ];
    let put = aws.dynamodb.client().put_item().table_name(TABLE);
    let put = place.into_iter().fold(put, |put, (name, value)| {
        put.item(name, AttributeValue::S(value.to_owned()))
    });
    aws.wait(put.send()).unwrap();
}

#[test]
fn silence_is_copied_to_the_standby_region() {
    let aws = Aws::new();
    let attributes = json!({ "host": "a.example.com", "port": 1 });
    let (home, group) = (aws.store(), "5m#0".parse().unwrap());
    aws.wait(home.put_definition(group, "a", attributes.as_object().unwrap()))
        .unwrap();
    let standby = Store::new(aws.wait(aws.dynamodb.create_table("standby")).unwrap());
    let control = |store: &Store<DynamoTable>| aws.wait(store.control(&"a".parse().unwrap())).unwrap();

    name_standby(&aws, "standby");
    let run = aws.run(&["silence", "a", "--for", "2h", "--reason", "x"]);
    assert_eq!(run.status, 0, "{}", run.err);
    assert!(!run.err.contains("Warning"), "{}", run.err);
    assert!(control(&home).silence.is_some());
    assert_eq!(control(&standby), control(&home));

    // The command works without the standby region, and says that the copy is missing.
    name_standby(&aws, "missing");
    let run = aws.run(&["unsilence", "a"]);
    assert_eq!(run.status, 0, "{}", run.err);
    let warning = "Warning: a is updated, but not its copy in the standby region: ";
    assert!(run.err.contains(warning), "{}", run.err);
    assert!(control(&home).silence.is_none());
}
