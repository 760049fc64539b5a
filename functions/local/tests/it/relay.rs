//! `portpulse local --relay`: what is told goes on to webhooks, each once, and waits for none of them.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::hook::{Hook, KEY};
use crate::place::{Place, notified, of_type, times};
use crate::program::{Run, portpulse};
use crate::sockets;

impl Place {
    /// A file of destinations that leads to these webhooks, and the key that signs for all of them.
    pub(crate) fn relay(&self, hooks: &[(&str, SocketAddr)]) -> String {
        let folder = self.secrets();
        fs::create_dir_all(format!("{folder}/ssm/portpulse")).unwrap();
        let key = format!("{folder}/ssm/portpulse/key");
        fs::write(&key, KEY).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let mut text = "destinations:\n".to_owned();
        for (name, address) in hooks {
            let fields = format!("kind: webhook, url: 'http://{address}/', key: 'ssm:/portpulse/key'");
            text.push_str(&format!("  {name}: {{ {fields}, timeout: 30s }}\n"));
        }
        let file = self.0.join("relay.yaml");
        fs::write(&file, text).unwrap();
        file.display().to_string()
    }

    /// The folder that stands in for Parameter Store.
    pub(crate) fn secrets(&self) -> String {
        self.0.join("secrets").display().to_string()
    }
}

#[test]
fn the_outage_of_the_demo_is_told_within_the_tick_that_met_its_threshold() {
    let place = Place::new("relay-demo");
    let hook = Hook::start(&[]);
    let relay = place.relay(&[("audit", hook.address)]);
    let mut child = portpulse()
        .args([
            "local",
            "--demo",
            "--json",
            "--for",
            "20s",
            "--relay",
            &relay,
            "--secrets",
            &place.secrets(),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let lines: Vec<(Instant, Value)> = lines
        .map(|line| (Instant::now(), serde_json::from_str(&line.unwrap()).unwrap()))
        .collect();
    let ended = Run::of(child.wait_with_output().unwrap());
    assert_eq!(ended.status, 0, "{}", ended.err);

    // Every notification, once.
    let taken = hook.taken();
    let bodies: Vec<_> = taken.iter().map(|(_, body)| body.clone()).collect();
    let ids: BTreeSet<_> = bodies.iter().map(|body| body["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), bodies.len(), "{bodies:#?}");
    let plain: Vec<_> = lines.iter().map(|(_, line)| line.clone()).collect();
    let (mut arrived, mut shown) = (notified(&bodies), notified(&plain));
    assert!(
        arrived.iter().position(|it| it == "down dies-and-returns")
            < arrived.iter().position(|it| it == "recovered dies-and-returns")
    );
    arrived.sort();
    shown.sort();
    assert_eq!(arrived, shown);
    let of_dying = ["down dies-and-returns", "recovered dies-and-returns"];
    assert!(
        of_dying.iter().all(|it| arrived.contains(&(*it).to_owned())),
        "{arrived:?}"
    );
    assert_eq!(of_type(&plain, "delivered").len(), bodies.len());
    assert_eq!(of_type(&plain, "undelivered"), [json!(null); 0]);
    assert_eq!(plain.last().unwrap()["deliveries"], json!(bodies.len()));

    // The outage, at the first tick that saw it (its threshold is one), and before the next.
    let (arrival, down) = taken
        .iter()
        .find(|(_, body)| body["monitor"] == "dies-and-returns")
        .unwrap();
    let ticks = || lines.iter().filter(|(_, line)| line["type"] == "tick");
    let dead = |line: &Value| line["results"]["dies-and-returns"]["outcome"] == "refused";
    let (_, first) = ticks().find(|(_, line)| dead(line)).unwrap();
    assert_eq!((&down["kind"], &down["at"]), (&json!("down"), &first["time"]));
    let (next, _) = ticks()
        .find(|(_, line)| line["time"].as_str() > first["time"].as_str())
        .unwrap();
    assert!(arrival < next, "told {:?} after the next tick", *arrival - *next);
}

#[test]
fn a_webhook_that_is_out_of_order_is_told_when_it_is_back() {
    let place = Place::new("relay-retry");
    let ((_refusing, refused), hook) = (sockets::refused(), Hook::start(&[503; 4]));
    place.define(&[("db", &refused)]);
    let relay = place.relay(&[("audit", hook.address)]);
    // The first four attempts take some 3.5 s; the end makes the next come sooner.
    let found = place.run(&[
        "--json",
        "--for",
        "5s",
        "--relay",
        &relay,
        "--secrets",
        &place.secrets(),
    ]);
    assert_eq!((found.status, hook.refused()), (0, 4), "{}", found.err);
    let bodies: Vec<_> = hook.taken().into_iter().map(|(_, body)| body).collect();
    assert_eq!(notified(&bodies), ["down db"], "{}", found.err);
    assert!(
        found.err.contains("will try again: `audit` put off db@")
            && found.err.contains("4 times, last with 503"),
        "{}",
        found.err
    );
    assert_eq!(of_type(&found.json(), "delivered").len(), 1);
    assert_eq!(of_type(&found.json(), "undelivered").len(), 0);
}

#[test]
fn a_webhook_that_never_answers_delays_neither_ticks_nor_others_nor_the_end() {
    let place = Place::new("relay-silent");
    let ((_refusing, refused), hook) = (sockets::refused(), Hook::start(&[]));
    place.define(&[("db", &refused)]);
    // Connections are made, and nobody answers.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let relay = place.relay(&[("audit", hook.address), ("silent", silent.local_addr().unwrap())]);
    let started = Instant::now();
    let found = place.run(&[
        "--json",
        "--speed",
        "60",
        "--for",
        "4s",
        "--relay",
        &relay,
        "--secrets",
        &place.secrets(),
    ]);
    let took = started.elapsed();
    assert_eq!((found.status, found.err.lines().count()), (0, 1), "{}", found.err);
    assert!(took < Duration::from_secs(15), "{took:?}");
    let lines = found.json();
    assert!(times(&lines).len() >= 3, "{lines:#?}");
    assert_eq!(hook.taken().len(), 1);
    let undelivered = of_type(&lines, "undelivered");
    let id = &of_type(&lines, "notification")[0]["id"];
    assert_eq!((undelivered.len(), &undelivered[0]["ids"]), (1, &json!([id])));
    assert_eq!(undelivered[0]["destination"], json!("silent"));
    let why = "`silent` did not take it within the last 5s";
    assert_eq!(undelivered[0]["why"], json!(why));
}

#[test]
fn mistakes_in_the_destinations_are_named_with_their_lines() {
    let place = Place::new("relay-mistakes");
    let (_open, open) = sockets::open();
    place.define(&[("web", &open)]);
    let file = place.0.join("relay.yaml");
    fs::write(
        &file,
        "destinations:\n  ops:\n    kind: slack\n    url: https://hooks.slack.com/hush\n  pigeon: { kind: pigeon }\n",
    )
    .unwrap();
    let found = place.run(&["--for", "1s", "--relay", &file.display().to_string()]);
    assert_eq!((found.status, found.out.as_str()), (2, ""));
    let name = file.display();
    for part in [
        format!("{name}:4: destinations.ops.url: is not the name of a secret (put "),
        format!("{name}:5: destinations.pigeon.kind: `pigeon` is not known here (write one of slack, "),
    ] {
        assert!(found.err.contains(&part), "{part} is not in {}", found.err);
    }
    assert!(!found.err.contains("hush"), "{}", found.err);
}

#[test]
fn a_secret_that_is_not_here_is_missed_before_the_first_outage() {
    let place = Place::new("relay-secrets");
    let (_open, open) = sockets::open();
    place.define(&[("web", &open)]);
    let file = place.0.join("relay.yaml");
    fs::write(
        &file,
        "destinations:\n  ops: { kind: slack, url: \"ssm:/ops\" }\n  pager: { kind: pagerduty, key: \"env:PORTPULSE_NO_KEY\" }\n",
    )
    .unwrap();
    let found = place.run(&["--for", "1s", "--relay", &file.display().to_string()]);
    assert_eq!((found.status, found.out.as_str()), (2, ""));
    for part in [
        "destinations.ops: cannot read the secret `ssm:/ops` from here: name one by `env:NAME` or `file:/path`, or give a folder that holds it\n",
        "destinations.pager: there is no secret `env:PORTPULSE_NO_KEY`, or it is empty: put it there\n",
    ] {
        assert!(found.err.contains(part), "{part} is not in {}", found.err);
    }
}
