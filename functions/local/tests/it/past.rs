//! `portpulse incidents` and `history`, on what a watch has left.

use std::net::TcpListener;

use serde_json::{Value, json};

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
            &incident["verdict"],
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
    let _back = TcpListener::bind(&address).unwrap();
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
    let streaks = history["regions"]["local"].as_array().unwrap();
    let seen: Vec<_> = streaks
        .iter()
        .filter_map(|streak| streak["outcome"].as_str())
        .collect();
    assert_eq!(seen, ["refused", "open"]);
    assert_eq!(
        streaks.iter().find(|s| s["outcome"] == "refused").unwrap()["from"],
        incident["since"]
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
