//! `portpulse status`, `silence`, `unsilence` and `ack`, beside a watch that runs, and on what it left.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::aws::Aws;
use crate::place::Place;
use crate::program::{Run, Running, portpulse};
use crate::sockets;

/// A watch that has told of an outage.
fn watch_of_an_outage(place: &Place) -> Running {
    let watch = Running::start(place.command(&["--json"]).stderr(Stdio::null()));
    watch.lines_to(|line| line.contains("\"notification\""));
    watch
}

fn run(place: &Place, args: &[&str]) -> Run {
    let mut command = portpulse();
    command.args(args).arg("--data").arg(place.0.join("data"));
    Run::of(command.env("USER", "ann").output().unwrap())
}

/// What a command says, with times and lengths of time left out.
fn check(place: &Place, args: &[&str], (status, expected): (i32, &str)) {
    let found = run(place, args);
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

fn status(place: &Place) -> Value {
    run(place, &["status", "--json"]).json()[0].clone()
}

#[test]
fn an_outage_is_seen_acknowledged_and_silenced() {
    let place = Place::new("control");
    let ((_refusing, refused), (_open, open)) = (sockets::refused(), sockets::open());
    place.define(&[("db", &refused), ("web", &open)]);
    let watch = watch_of_an_outage(&place);
    let down = "1 of 2 monitors up.\ndb  down  LENGTH  the connection was refused\n";
    check(&place, &["status"], (1, down));
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
        &place,
        &silence,
        (
            0,
            "db is silent until TIME, for LENGTH. `portpulse unsilence db` ends it.\n",
        ),
    );
    check(
        &place,
        &["ack", "db"],
        (
            0,
            "Acknowledged db@TIME.1: down since TIME, for LENGTH. No more reminders of it.\n",
        ),
    );
    let both = format!(
        "{down}db is silent until TIME, LENGTH more, by bob: new switch.\ndb@TIME.1 is acknowledged, by ann.\n"
    );
    check(&place, &["status"], (1, &both));
    let seen = status(&place);
    let db = &seen["monitors"]["db"];
    assert_eq!(
        (
            &seen["well"],
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

    // What was said stays when the watch is gone, and can be taken back then.
    drop(watch);
    check(&place, &["unsilence", "db"], (0, "db is silent no more.\n"));
    check(&place, &["unsilence", "db"], (0, "db was not silenced.\n"));
    let seen = status(&place);
    let db = &seen["monitors"]["db"];
    assert_eq!(
        (&db["silence"], &db["incidents"][0]["acknowledged"]["by"]),
        (&Value::Null, &json!("ann"))
    );
}

#[test]
fn what_cannot_be_said_is_refused_with_the_mend() {
    let place = Place::new("control-usage");
    let (_open, open) = sockets::open();
    place.define(&[("orders-db", &open), ("web", &open)]);
    let absent = run(&place, &["status"]);
    assert_eq!(absent.status, 2);
    assert!(absent.err.contains("there are no data in"), "{}", absent.err);
    assert!(!place.0.join("data").exists());

    place.run(&["--for", "1s"]);
    check(&place, &["status"], (0, "All 2 monitors are up.\n"));
    let nothing = "web has no open incident: there is nothing to acknowledge.\n";
    check(&place, &["ack", "web"], (1, nothing));
    for (args, part) in [
        (&["ack", "ordres-db"][..], "there is no monitor `ordres-db` in "),
        (&["ack", "ordres-db"], "(did you mean orders-db?)\n"),
        (
            &["unsilence", "smtp"],
            "(`portpulse status --json` lists those there are)\n",
        ),
        (&["silence", "web", "--why", "x"], "--for <DURATION>"),
        (&["silence", "web", "--for", "1h"], "--why <TEXT>"),
        (
            &["silence", "web", "--for", "31d", "--why", "x"],
            "cannot silence web: it would last longer than 30 days (for good, write `enabled: false`",
        ),
        (
            &["silence", "web", "--until", "2020-01-01T00:00:00Z", "--why", "x"],
            "cannot silence web: it would end at 2020-01-01T00:00:00Z, and it is 20",
        ),
        (
            &["silence", "web", "--for", "1h", "--why", "a\nb"],
            "the reason has a line break or another character that does not show (say it in a few words, on one line)",
        ),
    ] {
        let found = run(&place, args);
        assert_eq!((found.status, found.out.as_str()), (2, ""), "{args:?}");
        assert!(found.err.contains(part), "{args:?}: {}", found.err);
    }
}

#[test]
fn a_table_in_aws_is_spoken_to_as_well() {
    let aws = Aws::new();
    let empty = aws.run(&["status"]);
    assert_eq!(
        (empty.status, empty.out.as_str()),
        (0, "There is nothing to watch.\n")
    );
    assert!(
        empty.err.starts_with("Table: portpulse in eu-west-1\nRead ")
            && empty.err.ends_with(" read units.\n"),
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
    let no_data =
        "0 of 1 monitor up. Nobody has checked them yet.\na  unknown    no location has reported yet\n";
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
