//! `portpulse seed`: to a table in AWS, and to a data directory with and without a running `portpulse local`.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;

use portpulse_store::table::{Condition, Item, Table};
use serde_json::json;

use crate::aws::Aws;
use crate::program::{Run, Running, portpulse};
use crate::sockets;
use crate::workspace::Workspace;

const TWO: &str = "monitors:\n  a: { host: a.example.com, port: 1 }\n  b: { host: b.example.com, port: 2, tier: critical }\n";

fn file(workspace: &Workspace, text: &str) -> String {
    let path = workspace.0.join("monitors.yaml");
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// The stored definitions that checkers read: `group id port`.
fn found(aws: &Aws) -> Vec<String> {
    let mut found = Vec::new();
    for group in ["1m#0", "5m#0"] {
        let read = aws.wait(aws.store().definitions(group.parse().unwrap())).unwrap();
        assert!(read.broken.is_empty(), "{:?}", read.broken);
        let monitors = read.monitors.values();
        found.extend(
            monitors.map(|monitor| format!("{group} {} {}", monitor.id(), monitor.target().port.unwrap())),
        );
    }
    found
}

fn check(run: &Run, status: i32, out: &str) {
    assert_eq!(
        (run.status, run.out.as_str(), run.err.as_str()),
        (status, out, "Table: portpulse in eu-west-1\n")
    );
}

#[test]
fn seed_makes_the_table_equal_to_the_file() {
    let (aws, workspace) = (Aws::new(), Workspace::new("seed"));
    let path = file(&workspace, TWO);
    let added = "+  a  every 5m\n+  b  every 1m\n";
    check(
        &aws.run(&["seed", &path, "--dry-run"]),
        1,
        &format!("{added}2 to add, 0 unchanged.\n"),
    );
    assert_eq!(found(&aws), [""; 0]);
    check(
        &aws.run(&["seed", &path]),
        0,
        &format!("{added}2 added, 0 unchanged.\n"),
    );
    assert_eq!(found(&aws), ["1m#0 b 2", "5m#0 a 1"]);
    check(&aws.run(&["seed", &path]), 0, "2 unchanged.\n");
    check(&aws.run(&["seed", &path, "--dry-run"]), 0, "2 unchanged.\n");

    file(&workspace, "monitors:\n  b: { host: b.example.com, port: 3 }\n");
    let moved = ">  b  every 1m -> 5m  port: 2 -> 3; -tier: critical\n";
    let left = "-  a  every 5m        skipped: requires --prune\n";
    check(
        &aws.run(&["seed", &path]),
        0,
        &format!("{left}{moved}1 moved, 0 unchanged.\n1 not in the file (use --prune to delete).\n"),
    );
    assert_eq!(found(&aws), ["5m#0 a 1", "5m#0 b 3"]);
    check(
        &aws.run(&["seed", &path, "--prune"]),
        0,
        "-  a  every 5m\n1 removed, 1 unchanged.\n",
    );
    assert_eq!(found(&aws), ["5m#0 b 3"]);
}

#[test]
fn definitions_of_terraform_are_skipped_without_take_over() {
    let (aws, workspace) = (Aws::new(), Workspace::new("foreign"));
    let path = file(&workspace, TWO);
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let foreign = Item::from([
        ("pk".to_owned(), text("monitors#5m#0")),
        ("sk".to_owned(), text("a")),
        ("host".to_owned(), text("elsewhere.example.com")),
        (
            "port".to_owned(),
            aws_sdk_dynamodb::types::AttributeValue::N("1".to_owned()),
        ),
    ]);
    let store = aws.store();
    aws.wait(store.table().put(foreign, Condition::Always)).unwrap();

    let run = aws.run(&["seed", &path, "--json"]);
    let host = json!({ "before": "elsewhere.example.com", "after": "a.example.com" });
    let differences = |left: serde_json::Value, b: Option<serde_json::Value>| {
        let a = json!({ "what": "changed", "group": "5m#0", "skipped": left, "fields": { "host": host } });
        match b {
            Some(b) => json!({ "a": a, "b": b }),
            None => json!({ "a": a }),
        }
    };
    let b = json!({ "what": "added", "group": "1m#0", "skipped": null, "fields": {} });
    let expected = json!({
        "table": "portpulse in eu-west-1", "dry_run": false, "unchanged": 0, "others": 0,
        "differences": differences("not_ours".into(), Some(b)),
    });
    assert_eq!((run.status, run.json()), (1, vec![expected]), "{}", run.err);
    let host = |id: &str| {
        let read = aws.wait(store.definitions("5m#0".parse().unwrap())).unwrap();
        read.monitors[&id.parse().unwrap()].target().to_string()
    };
    assert_eq!(host("a"), "elsewhere.example.com:1");

    let run = aws.run(&["seed", &path, "--json", "--take-over"]);
    assert_eq!(
        run.json()[0]["differences"],
        differences(serde_json::Value::Null, None)
    );
    assert_eq!((run.status, host("a")), (0, "a.example.com:1".to_owned()));
}

#[test]
fn locations_option_lists_expected_locations() {
    let (aws, workspace) = (Aws::new(), Workspace::new("seed-regions"));
    let path = file(&workspace, TWO);
    let listed = |group: &str| -> Vec<String> {
        let read = aws.wait(aws.store().group_state(group.parse().unwrap())).unwrap();
        assert!(read.unreadable.is_empty(), "{:?}", read.unreadable);
        read.group_state.listed.iter().map(ToString::to_string).collect()
    };
    check(
        &aws.run(&["seed", &path, "--locations", "eu-west-1,us-east-1"]),
        0,
        "+  a          every 5m\n\
         +  b          every 1m\n\
         +  eu-west-1  every 1m  location\n\
         +  us-east-1  every 1m  location\n\
         +  eu-west-1  every 5m  location\n\
         +  us-east-1  every 5m  location\n\
         2 added, 0 unchanged.\nLocations: 4 added, 0 unchanged.\n",
    );
    assert_eq!([listed("1m#0"), listed("5m#0")], [["eu-west-1", "us-east-1"]; 2]);
    aws.run(&["seed", &path, "--locations", "eu-west-1,us-esat-1"])
        .assert_refused(
            "`us-esat-1` is neither an AWS region nor one of `agents`\n  help: did you mean `us-east-1`?",
        );
    // Without --locations, the lists are unchanged.
    check(&aws.run(&["seed", &path, "--prune"]), 0, "2 unchanged.\n");
    check(
        &aws.run(&["seed", &path, "--prune", "--dry-run", "--locations", "us-east-1"]),
        1,
        "-  eu-west-1  every 1m  location\n\
         -  eu-west-1  every 5m  location\n\
         2 unchanged.\nLocations: 2 to remove, 2 unchanged.\n",
    );
    assert_eq!(listed("1m#0"), ["eu-west-1", "us-east-1"]);
    aws.run(&["seed", &path, "--prune", "--locations", "us-east-1"]);
    assert_eq!([listed("1m#0"), listed("5m#0")], [["us-east-1"]; 2]);

    // Entries of Terraform are skipped without --take-over.
    let deployed = "sa-east-1".parse().unwrap();
    aws.wait(aws.store().list_location("1m#0".parse().unwrap(), &deployed))
        .unwrap();
    let run = aws.run(&["seed", &path, "--prune", "--json", "--locations", "us-east-1"]);
    let left =
        json!([{ "what": "removed", "location": "sa-east-1", "group": "1m#0", "skipped": "not_ours" }]);
    assert_eq!(
        (run.status, &run.json()[0]["locations"]),
        (1, &left),
        "{}",
        run.err
    );
    assert_eq!(listed("1m#0"), ["sa-east-1", "us-east-1"]);
    let run = aws.run(&[
        "seed",
        &path,
        "--prune",
        "--take-over",
        "--locations",
        "us-east-1",
    ]);
    assert_eq!(
        (run.status, listed("1m#0")),
        (0, vec!["us-east-1".to_owned()]),
        "{}",
        run.err
    );
}

#[test]
fn agent_is_listed_in_groups_with_monitors_that_name_it() {
    let (aws, workspace) = (Aws::new(), Workspace::new("seed-agents"));
    let text = "agents: [office]\nmonitors:\n  a: { host: a.example.com, port: 1, locations: [office] }\n  \
                b: { host: b.example.com, port: 2, interval: 1m }\n";
    let path = file(&workspace, text);
    check(
        &aws.run(&["seed", &path, "--locations", "eu-west-1,office"]),
        0,
        "+  a          every 5m\n\
         +  b          every 1m\n\
         +  eu-west-1  every 1m  location\n\
         +  eu-west-1  every 5m  location\n\
         +  office     every 5m  location\n\
         2 added, 0 unchanged.\nLocations: 3 added, 0 unchanged.\n",
    );
    let agents = |group: &str| {
        let read = aws.wait(aws.store().group_state(group.parse().unwrap()));
        read.unwrap().group_state.agents
    };
    assert_eq!(agents("1m#0"), BTreeSet::new());
    assert_eq!(agents("5m#0"), ["office".parse().unwrap()].into());
}

#[test]
fn seed_writes_to_a_data_dir_running_or_not() {
    let workspace = Workspace::new("seed-folder");
    let (_open, open) = sockets::open();
    workspace.define(&[("web", &open)]);
    let path = workspace.0.join("monitors.yaml").display().to_string();
    let data = workspace.0.join("data").display().to_string();
    let seed = |args: &[&str]| workspace.on_data(&[&["seed", &path], args].concat());
    let stopped = seed(&[]);
    assert_eq!(
        (stopped.status, stopped.out.as_str()),
        (0, "+  web  every 1m\n1 added, 0 unchanged.\n")
    );
    assert_eq!(
        stopped.err,
        format!("Table: {data} (portpulse local is not running)\n")
    );

    let watch = Running::start(workspace.command(&["--json"]).stderr(Stdio::null()));
    watch.lines_to(|_| true);
    let running = seed(&["--dry-run"]);
    drop(watch);
    assert_eq!((running.status, running.out.as_str()), (0, "1 unchanged.\n"));
    assert_eq!(
        running.err,
        format!("Table: {data} (portpulse local is running)\n")
    );

    // Files of the killed process are ignored.
    let after = seed(&["--dry-run"]);
    assert_eq!(
        after.err,
        format!("Table: {data} (portpulse local is not running)\n")
    );
}

#[test]
fn mistakes_and_invalid_usage_are_refused() {
    let workspace = Workspace::new("seed-usage");
    let path = file(&workspace, "monitors:\n  a: { host: a.example.com }\n");
    let data = workspace.0.join("data").display().to_string();
    let seed = |args: &[&str]| {
        let args = [&["seed", &path], args].concat();
        Run::of(portpulse().args(args).output().unwrap())
    };
    let run = seed(&["--data", &data]);
    let mistake = "monitors.a.port: is missing\n  help: write a port, or a `service` that has one\n";
    assert!(run.status == 2 && run.err.ends_with(mistake), "{}", run.err);
    for (args, part) in [
        (&["--data", &data, "--table", "t"][..], "cannot be used with"),
        (
            &["--region", "eu-west-1"],
            "--region requires --table\n  help: add --table, or set PORTPULSE_TABLE\n",
        ),
    ] {
        let run = seed(args);
        run.assert_refused(part);
    }
}

#[test]
fn dry_run_without_data_writes_nothing() {
    let workspace = Workspace::new("dry");
    let path = file(&workspace, TWO);
    let data = workspace.0.join("data");
    let mut command = portpulse();
    command
        .args(["seed", &path, "--dry-run", "--data"])
        .arg(&data)
        .current_dir(&workspace.0);
    let run = Run::of(command.output().unwrap());
    assert_eq!(run.status, 1, "{}", run.err);
    assert_eq!(
        run.out,
        "+  a  every 5m\n+  b  every 1m\n2 to add, 0 unchanged.\n"
    );
    assert!(!data.exists(), "the data directory was created");
    let mut command = portpulse();
    command
        .args(["seed", &path, "--dry-run"])
        .current_dir(&workspace.0);
    assert_eq!(Run::of(command.output().unwrap()).status, 1);
    let names: Vec<_> = fs::read_dir(&workspace.0)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["monitors.yaml"]);
}

#[test]
fn dry_run_with_data_writes_nothing() {
    let workspace = Workspace::new("dry-data");
    let path = file(&workspace, TWO);
    let data = workspace.0.join("data");
    let seed = |more: &[&str]| {
        let mut command = portpulse();
        command.args(["seed", &path, "--data"]).arg(&data).args(more);
        Run::of(command.output().unwrap())
    };
    assert_eq!(seed(&[]).status, 0);
    // As a process that was killed leaves it.
    fs::write(data.join("running.json"), "{}").unwrap();
    let contents = || {
        let mut found: Vec<_> = fs::read_dir(&data)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let changed = entry.metadata().unwrap().modified().unwrap();
                (entry.file_name(), changed, fs::read(entry.path()).unwrap())
            })
            .collect();
        found.sort();
        found
    };
    let before = contents();
    file(&workspace, "monitors:\n  a: { host: a.example.com, port: 2 }\n");
    let run = seed(&["--dry-run"]);
    assert!(run.out.contains("port: 1 -> 2"), "{}{}", run.out, run.err);
    assert_eq!(run.status, 1);
    assert!(contents() == before, "the data directory changed");
}
