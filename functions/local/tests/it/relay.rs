//! `portpulse local --relay`: each notification is sent to webhooks once, without delaying checks.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{Run, portpulse};
use crate::sockets;
use crate::webhook::{KEY, Webhook};
use crate::workspace::{Workspace, notified, of_type, times};

impl Workspace {
    /// Writes a destinations file with these webhooks, and their signing key.
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

    /// The directory that replaces Parameter Store.
    pub(crate) fn secrets(&self) -> String {
        self.0.join("secrets").display().to_string()
    }
}

#[test]
fn demo_outage_is_sent_before_the_next_check() {
    let workspace = Workspace::new("relay-demo");
    let webhook = Webhook::start(&[]);
    let relay = workspace.relay(&[("audit", webhook.address)]);
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
            &workspace.secrets(),
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

    // Every notification arrives once.
    let accepted = webhook.accepted();
    let bodies: Vec<_> = accepted.iter().map(|(_, body)| body.clone()).collect();
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

    // The outage arrives after the first failed check (the threshold is one) and before the next one.
    let (arrival, down) = accepted
        .iter()
        .find(|(_, body)| body["monitor"] == "dies-and-returns")
        .unwrap();
    let rounds = || lines.iter().filter(|(_, line)| line["type"] == "check");
    let dead = |line: &Value| line["results"]["dies-and-returns"]["outcome"] == "refused";
    let (_, first) = rounds().find(|(_, line)| dead(line)).unwrap();
    assert_eq!((&down["kind"], &down["at"]), (&json!("down"), &first["time"]));
    let (next, _) = rounds()
        .find(|(_, line)| line["time"].as_str() > first["time"].as_str())
        .unwrap();
    assert!(
        arrival < next,
        "delivered {:?} after the next check",
        *arrival - *next
    );
}

#[test]
fn delivery_is_retried_until_the_webhook_recovers() {
    let workspace = Workspace::new("relay-retry");
    let ((_refusing, refused), webhook) = (sockets::refused(), Webhook::start(&[503; 4]));
    workspace.define(&[("db", &refused)]);
    let relay = workspace.relay(&[("audit", webhook.address)]);
    // The first four attempts take about 3.5 s; shutdown triggers the next one.
    let found = workspace.run(&[
        "--json",
        "--for",
        "5s",
        "--relay",
        &relay,
        "--secrets",
        &workspace.secrets(),
    ]);
    assert_eq!((found.status, webhook.refused()), (0, 4), "{}", found.err);
    let bodies: Vec<_> = webhook.accepted().into_iter().map(|(_, body)| body).collect();
    assert_eq!(notified(&bodies), ["down db"], "{}", found.err);
    found.assert_err("delivery failed, will retry: `audit` was unavailable for db@");
    found.assert_err("in 4 attempts, last with 503");
    assert_eq!(of_type(&found.json(), "delivered").len(), 1);
    assert_eq!(of_type(&found.json(), "undelivered").len(), 0);
}

#[test]
fn unresponsive_webhook_delays_nothing_else() {
    let workspace = Workspace::new("relay-silent");
    let ((_refusing, refused), webhook) = (sockets::refused(), Webhook::start(&[]));
    workspace.define(&[("db", &refused)]);
    // Accepts connections and never responds.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let relay = workspace.relay(&[
        ("audit", webhook.address),
        ("silent", silent.local_addr().unwrap()),
    ]);
    let started = Instant::now();
    let found = workspace.run(&[
        "--json",
        "--speed",
        "60",
        "--for",
        "4s",
        "--relay",
        &relay,
        "--secrets",
        &workspace.secrets(),
    ]);
    let took = started.elapsed();
    assert_eq!((found.status, found.err.lines().count()), (0, 1), "{}", found.err);
    assert!(took < Duration::from_secs(15), "{took:?}");
    let lines = found.json();
    assert!(times(&lines).len() >= 3, "{lines:#?}");
    assert_eq!(webhook.accepted().len(), 1);
    let undelivered = of_type(&lines, "undelivered");
    let id = &of_type(&lines, "notification")[0]["id"];
    assert_eq!((undelivered.len(), &undelivered[0]["ids"]), (1, &json!([id])));
    assert_eq!(undelivered[0]["destination"], json!("silent"));
    let reason = "`silent` did not accept it within 5s after shutdown";
    assert_eq!(undelivered[0]["reason"], json!(reason));
}

#[test]
fn mistakes_in_the_destinations_file_have_line_numbers() {
    let workspace = Workspace::new("relay-mistakes");
    let (_open, open) = sockets::open();
    workspace.define(&[("web", &open)]);
    let file = workspace.0.join("relay.yaml");
    fs::write(
        &file,
        "destinations:\n  ops:\n    kind: slack\n    url: https://hooks.slack.com/hush\n  pigeon: { kind: pigeon }\n",
    )
    .unwrap();
    let found = workspace.run(&["--for", "1s", "--relay", &file.display().to_string()]);
    assert_eq!((found.status, found.out.as_str()), (2, ""));
    let name = file.display();
    for part in [
        format!("{name}:4: destinations.ops.url: is not the name of a secret\n  help: store "),
        format!("{name}:5: destinations.pigeon.kind: unknown kind `pigeon`\n  help: use one of slack, "),
    ] {
        assert!(found.err.contains(&part), "{part} is not in {}", found.err);
    }
    assert!(!found.err.contains("hush"), "{}", found.err);
}

#[test]
fn missing_secrets_are_reported_at_start() {
    let workspace = Workspace::new("relay-secrets");
    let (_open, open) = sockets::open();
    workspace.define(&[("web", &open)]);
    let file = workspace.0.join("relay.yaml");
    fs::write(
        &file,
        "destinations:\n  ops: { kind: slack, url: \"ssm:/ops\" }\n  pager: { kind: pagerduty, key: \"env:PORTPULSE_NO_KEY\" }\n",
    )
    .unwrap();
    let found = workspace.run(&["--for", "1s", "--relay", &file.display().to_string()]);
    assert_eq!((found.status, found.out.as_str()), (2, ""));
    for part in [
        "destinations.ops: the secret `ssm:/ops` is unsupported here: use `env:NAME` or `file:/path`, or a folder with the secrets\n",
        "destinations.pager: the secret `env:PORTPULSE_NO_KEY` is missing or empty: create it\n",
    ] {
        assert!(found.err.contains(part), "{part} is not in {}", found.err);
    }
}
