//! `portpulse agent`: settings, checks as a location of a deployment, several agents, and failures of AWS.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use jiff::Timestamp;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::GroupState;
use portpulse_core::id::Location;
use portpulse_store::definitions::WriteMode;
use portpulse_testkit::embedded::Fault;
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::program::{Run, Running};
use crate::sockets;
use crate::workspace::of_type;

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:alerts";

fn group() -> GroupId {
    "1m#0".parse().unwrap()
}

fn office() -> Location {
    "office".parse().unwrap()
}

/// A deployment with the monitors `own` (at `address`, checked by the agent `office` alone) and `other` (checked by regions).
fn deployed(address: &str) -> Aws {
    let aws = Aws::new();
    let (host, port) = address.rsplit_once(':').unwrap();
    let port: u16 = port.parse().unwrap();
    let fields = json!({
        "host": host, "port": port, "tier": "critical", "timeout": "300ms", "successes_to_close": 1, "retries": 0,
        "locations": ["office"],
    });
    let other = json!({ "host": "192.0.2.1", "port": 1, "interval": "1m" });
    let store = aws.store();
    aws.wait(async {
        for (id, fields) in [("own", &fields), ("other", &other)] {
            let fields = fields.as_object().unwrap();
            store.put_definition(group(), id, fields).await.unwrap();
        }
        store.list_agent(group(), &office()).await.unwrap();
    });
    aws
}

fn agent(aws: &Aws, args: &[&str]) -> Command {
    let mut command = aws.environment();
    command.args(["agent", "--location", "office", "--listen", "off", "--json"]);
    command.args([
        "--table",
        "portpulse",
        "--home-region",
        "eu-west-1",
        "--topic",
        TOPIC,
    ]);
    command.args(args);
    command
}

fn once(aws: &Aws) -> Run {
    Run::of(agent(aws, &["--once"]).output().unwrap())
}

fn state(aws: &Aws) -> GroupState {
    aws.wait(aws.store().group_state(group())).unwrap().group_state
}

#[test]
fn agent_checks_only_monitors_that_name_it_and_notifies() {
    let (_refusing, refused) = sockets::refused();
    let mut aws = deployed(&refused);
    let run = once(&aws);
    assert_eq!((run.status, run.err.as_str()), (0, ""), "{}", run.out);
    let lines = run.json();
    let [check] = &of_type(&lines, "check")[..] else {
        panic!("{lines:?}")
    };
    assert_eq!(check["results"], json!({ "own": { "outcome": "refused" } }));
    assert_eq!(check["location"], "office");
    let published = aws.published.try_recv().unwrap();
    assert_eq!(published.topic_arn, TOPIC);
    assert!(published.subject.unwrap().contains("own"));
    assert_eq!(of_type(&lines, "notification")[0]["subject"], "own");
    let state = state(&aws);
    let incidents: Vec<_> = state
        .decision
        .incidents
        .keys()
        .map(|(id, _)| id.to_string())
        .collect();
    assert_eq!(
        incidents,
        ["other", "own"],
        "no region checks `other`, so its status is unknown"
    );

    // The tick counts once.
    let again = once(&aws);
    let summary = &of_type(&again.json(), "summary")[0];
    assert_eq!(
        (again.status, &summary["counted"], &summary["repeated"]),
        (0, &json!(0), &json!(1))
    );
}

/// A server on loopback that answers each request with `response`, and the requests without their bodies.
fn answering(response: String) -> (String, Receiver<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
            reader.get_mut().write_all(response.as_bytes()).unwrap();
            if sender.send(head.to_lowercase()).is_err() {
                return;
            }
        }
    });
    (address, requests)
}

#[test]
fn secret_of_a_request_is_read_from_aws() {
    let (shop, requests) = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned());
    let parameter =
        json!({ "Parameter": { "Name": "/office/shop", "Type": "SecureString", "Value": "hush-hush-42" } });
    let parameter = parameter.to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close",
        parameter.len()
    );
    let (parameters, reads) = answering(format!("{head}\r\n\r\n{parameter}"));
    let aws = deployed(&shop);
    let (host, port) = shop.rsplit_once(':').unwrap();
    let port: u16 = port.parse().unwrap();
    let fields = json!({
        "host": host, "port": port, "service": "http", "tier": "critical", "locations": ["office"],
        "http": { "bearer_token": "ssm:/office/shop" },
    });
    let store = aws.store();
    aws.wait(store.put_definition(group(), "own", fields.as_object().unwrap()))
        .unwrap();
    let mut command = agent(&aws, &["--once"]);
    command.env("AWS_ENDPOINT_URL_SSM", format!("http://{parameters}"));
    let run = Run::of(command.output().unwrap());
    assert_eq!((run.status, run.err.as_str()), (0, ""), "{}", run.out);
    let results = &of_type(&run.json(), "check")[0]["results"];
    assert_eq!(results["own"]["outcome"], "open", "{}", run.out);
    let request = requests.try_recv().unwrap();
    assert!(
        request.contains("authorization: bearer hush-hush-42\r\n"),
        "{request}"
    );
    assert!(reads.try_recv().unwrap().contains("amazonssm.getparameter"));
    assert!(!run.out.contains("hush"), "{}", run.out);
}

#[test]
fn unlisted_agent_reports_how_to_list_it() {
    let (_open, open) = sockets::open();
    let aws = deployed(&open);
    let (store, location) = (aws.store(), office());
    aws.wait(store.unlist_location(group(), &location, WriteMode::TakeOver))
        .unwrap();
    let run = once(&aws);
    let problem = &of_type(&run.json(), "monitors")[0]["problem"];
    assert!(
        problem
            .as_str()
            .unwrap()
            .contains("office is not listed as an agent"),
        "{problem}"
    );
    assert_eq!((run.status, state(&aws).locations.len()), (1, 0));
}

#[test]
fn agents_of_one_location_count_a_tick_once_and_end_at_a_signal() {
    let (_open, open) = sockets::open();
    let aws = deployed(&open);
    let start = || Running::start(agent(&aws, &[]).stderr(Stdio::piped()));
    let mut agents = [start(), start()];
    let mut handled = Vec::new();
    for (running, signal) in agents.iter_mut().zip(["-TERM", "-INT"]) {
        running.lines_to(|line| line.contains("\"monitors\""));
        let pid = running.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        let summary = running.lines_to(|line| line.contains("\"summary\""));
        handled.push(serde_json::from_str::<Value>(summary.last().unwrap()).unwrap());
        assert_eq!(running.child.wait().unwrap().code(), Some(0), "{signal}");
        let mut messages = String::new();
        running
            .child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut messages)
            .unwrap();
        assert_eq!(messages, "", "{signal}");
    }
    let sum = |field: &str| {
        handled
            .iter()
            .map(|one| one[field].as_u64().unwrap())
            .sum::<u64>()
    };
    // A minute may begin between the two.
    let rounds = state(&aws).locations.len() as u64;
    assert_eq!(rounds, 1);
    assert!((1..=2).contains(&sum("counted")), "{handled:?}");
    assert_eq!(
        (sum("counted") + sum("repeated"), sum("failed")),
        (2, 0),
        "{handled:?}"
    );
}

#[test]
fn unreachable_table_is_reported_once_and_stores_nothing() {
    let (_open, open) = sockets::open();
    let aws = deployed(&open);
    let (_refusing, refused) = sockets::refused();
    let mut command = agent(&aws, &["--once"]);
    let run = Run::of(
        command
            .env("AWS_ENDPOINT_URL", format!("http://{refused}"))
            .output()
            .unwrap(),
    );
    let lines = run.json();
    assert_eq!(
        (run.status, of_type(&lines, "problem").len()),
        (1, 1),
        "{lines:?}"
    );
    assert!(run.out.contains("cannot query `monitors#"), "{}", run.out);
    assert_eq!(state(&aws).locations, BTreeMap::new());
}

#[test]
fn failing_aws_is_reported_once_and_the_next_run_counts() {
    let (_open, open) = sockets::open();
    let aws = deployed(&open);
    for (fault, part) in [
        (Fault::Hangs, "timed out"),
        (Fault::Denied, "AccessDeniedException"),
        (Fault::Throttled, "ProvisionedThroughputExceededException"),
    ] {
        aws.dynamodb.set_fault(fault);
        let run = once(&aws);
        let problems = of_type(&run.json(), "problem");
        let messages: Vec<_> = problems
            .iter()
            .map(|problem| problem["message"].as_str().unwrap())
            .collect();
        assert!(
            matches!(messages[..], [only] if only.contains(part)),
            "{fault:?}: {}",
            run.out
        );
        assert_eq!(run.status, 1, "{fault:?}");
        aws.dynamodb.set_fault(Fault::None);
        assert_eq!(state(&aws).locations, BTreeMap::new(), "{fault:?}");
    }
    aws.sns.fail_next(0);
    assert_eq!((once(&aws).status, state(&aws).locations.len()), (0, 1));
}

#[test]
fn agent_with_a_wrong_clock_follows_that_of_aws() {
    let (_open, open) = sockets::open();
    for (ahead, word) in [(-300, "ahead of"), (600, "behind")] {
        let aws = deployed(&open);
        aws.dynamodb.set_clock_ahead(ahead);
        let before = Timestamp::now();
        let mut command = agent(&aws, &["--once"]);
        let run = Run::of(command.output().unwrap());
        let lines = run.json();
        let reported = of_type(&lines, "clock")[0]["ahead_seconds"].as_i64().unwrap();
        assert!((reported + ahead).abs() <= 2, "{ahead}: {reported}");
        let [state] = &state(&aws).locations.into_values().collect::<Vec<_>>()[..] else {
            panic!("{lines:?}")
        };
        let age = before.as_second() + ahead - state.tick.as_second();
        assert!(
            (-62..=62).contains(&age),
            "{ahead}: the tick {} is {age} s old",
            state.tick
        );
        let command = agent(&aws, &["--once"]);
        let args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let mut command_without_json = aws.environment();
        command_without_json.args(args.iter().filter(|arg| *arg != "--json"));
        let text = Run::of(command_without_json.output().unwrap()).out;
        assert!(
            text.contains(&format!("{word} that of AWS; checks follow")),
            "{text}"
        );
    }
}

#[test]
fn loopback_endpoint_has_health_metrics_and_state() {
    let (_open, open) = sockets::open();
    let aws = deployed(&open);
    let mut command = aws.environment();
    command.args([
        "agent",
        "--location",
        "office",
        "--listen",
        "127.0.0.1:0",
        "--json",
    ]);
    command.args([
        "--table",
        "portpulse",
        "--home-region",
        "eu-west-1",
        "--topic",
        TOPIC,
    ]);
    let running = Running::start(&mut command);
    let start = running.lines_to(|line| line.contains("\"start\""));
    let start: Value = serde_json::from_str(&start[0]).unwrap();
    let address = start["url"]
        .as_str()
        .unwrap()
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned();
    let get = |path: &str| {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    running.lines_to(|line| line.contains("\"check\""));
    let health = get("/healthz");
    assert!(
        health.starts_with("HTTP/1.1 200") && health.ends_with("ok\n"),
        "{health}"
    );
    let metrics = get("/metrics");
    for line in [
        "portpulse_agent_healthy{location=\"office\"} 1",
        "portpulse_agent_monitors{location=\"office\"} 1",
        "portpulse_agent_checks_total{location=\"office\",result=\"good\"} 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}: {metrics}");
    }
    assert!(get("/").contains("\"problems\":[]"));
    assert!(get("/x").starts_with("HTTP/1.1 404"));
}

#[test]
fn status_and_history_say_which_locations_are_agents() {
    let (_open, open) = sockets::open();
    let aws = deployed(&open);
    let region = "eu-west-1".parse().unwrap();
    aws.wait(aws.store().list_location(group(), &region)).unwrap();
    assert_eq!(once(&aws).status, 0);
    let reach =
        "An agent can also check private addresses, port 25, IPv6 and pings, as far as its network allows.";

    let status = aws.run(&["status"]).out;
    let last = status.lines().last().unwrap();
    assert_eq!(last, format!("Regions: eu-west-1. Agents: office. {reach}"));
    let kinds = json!({ "eu-west-1": "region", "office": "agent" });
    assert_eq!(aws.run(&["status", "--json"]).json()[0]["location_kinds"], kinds);

    let history = aws.run(&["history", "own"]).out;
    assert_eq!(history.lines().nth(1), Some(reach), "{history}");
    assert!(history.contains("\noffice (agent):\n"), "{history}");
    let kinds = |monitor| aws.run(&["history", monitor, "--json"]).json().remove(0)["location_kinds"].clone();
    assert_eq!(kinds("own"), json!({ "office": "agent" }));
    // Agents check only monitors that name them.
    assert_eq!(kinds("other"), json!({ "eu-west-1": "region" }));
    let other = aws.run(&["history", "other"]).out;
    assert!(
        other.contains("\neu-west-1 (region):\n") && !other.contains("agent"),
        "{other}"
    );
}

#[test]
fn invalid_settings_are_refused_together() {
    let aws = Aws::new();
    let mut command = aws.environment();
    let run = Run::of(
        command
            .args(["agent", "--home-region", "Europe"])
            .output()
            .unwrap(),
    );
    for part in [
        "--location is missing",
        "--table is missing",
        "--topic is missing",
        "`Europe` is not an AWS region",
    ] {
        run.assert_refused(part);
    }
}
