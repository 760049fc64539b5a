//! The program as Lambda runs it: a process with a Runtime API, real ports, DynamoDB and SNS, all on loopback.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use portpulse_alert::SnsTopic;
use portpulse_checker::{Checker, TickEvent, TickOutcome, TickReport};
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::time::{Interval, Tick};
use portpulse_prober::Prober;
use portpulse_store::Store;
use portpulse_testkit::embedded::{EmbeddedDynamo, TABLE};
use portpulse_testkit::function::{Function, program};
use portpulse_testkit::sns::{Published, SnsServer, TOPIC_ARN};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::nominal::FixedClock;
use crate::peers::Port;
use crate::rig::invocation;

const GROUP: GroupId = GroupId {
    interval: Interval::OneHour,
    shard: 0,
};
/// The number of attempts of the SDK for each call.
const MAX_ATTEMPTS: u64 = 3;

const PROGRAM: &str = env!("CARGO_BIN_EXE_portpulse-checker");

/// The running program.
struct CheckerProcess(Function);

impl CheckerProcess {
    async fn start(dynamo_url: &str, sns_url: &str) -> Self {
        let environment = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamo_url),
            ("AWS_ENDPOINT_URL_SNS", sns_url),
            ("PORTPULSE_TABLE", TABLE),
            ("PORTPULSE_HOME_REGION", "us-east-1"),
            ("PORTPULSE_TOPIC_ARN", TOPIC_ARN),
        ];
        Self(Function::start(PROGRAM, &environment).await.unwrap())
    }

    async fn tick(&mut self, tick: Tick) -> Result<Value, String> {
        let event = json!({ "time": tick.to_string(), "interval": "1h", "shard": 0 });
        self.0.invoke(&event).await
    }
}

/// The ticks of this hour and of the next: the only two that are neither stale nor in the future. Waits in the last minute
/// of an hour, because the first tick would become stale during the test.
async fn ticks() -> (Tick, Tick) {
    let left = 3_600 - Timestamp::now().as_second() % 3_600;
    if left < 60 {
        tokio::time::sleep(Duration::from_secs(left.try_into().unwrap())).await;
    }
    let tick = Tick::containing(Timestamp::now(), Interval::OneHour);
    (tick, tick.later(Interval::OneHour, 1))
}

async fn define_monitor(dynamo: &EmbeddedDynamo, id: &str, port: &Port) {
    let attributes = json!({
        "host": "127.0.0.1", "port": port.number(), "interval": "1h",
        "failures_to_open": 1, "successes_to_close": 1, "retries": 0,
    });
    let store = Store::new(dynamo.table());
    store
        .put_definition(GROUP, id, attributes.as_object().unwrap())
        .await
        .unwrap();
}

/// The kinds and ids of all notifications published since the last call.
fn notified(topic: &mut UnboundedReceiver<Published>) -> Vec<(String, String)> {
    let mut notified = Vec::new();
    while let Ok(published) = topic.try_recv() {
        assert_eq!(published.topic_arn, TOPIC_ARN);
        let notification: Value = serde_json::from_str(published.text("sqs")).unwrap();
        let field = |name: &str| notification[name].as_str().unwrap().to_owned();
        notified.push((field("kind"), field("id")));
    }
    notified
}

fn kinds(notified: &[(String, String)]) -> Vec<&str> {
    notified.iter().map(|(kind, _)| kind.as_str()).collect()
}

/// Handles the tick at `time` in this process.
async fn handle_at(time: Timestamp, dynamo: &EmbeddedDynamo, sns: &SnsServer) -> TickReport {
    let here: Location = "eu-west-1".parse().unwrap();
    let prober = Prober::new(portpulse_prober::Settings::default()).unwrap();
    let checker = Checker::new(
        Store::new(dynamo.table()),
        prober,
        SnsTopic::new(sns.client(), TOPIC_ARN),
        FixedClock(time),
        here.clone(),
        BTreeSet::from([here]),
    );
    let event = TickEvent::new(time, GROUP);
    checker.handle(&event, &invocation("before")).await
}

#[tokio::test]
async fn outage_of_real_port_is_notified_once_and_recovers_once() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let (sns, mut topic) = SnsServer::start().await.unwrap();
    let (mut failing, good) = (Port::open(), Port::open());
    define_monitor(&dynamo, "failing", &failing).await;
    define_monitor(&dynamo, "good", &good).await;
    let mut function = CheckerProcess::start(&dynamo.endpoint_url(), &sns.endpoint_url()).await;
    let (first, second) = ticks().await;

    // The previous hour is stale for the program, so that the first good results come from a checker with a fixed clock.
    let before = Timestamp::from_second(first.as_second() - 3_600).unwrap();
    let report = handle_at(before, &dynamo, &sns).await;
    assert!(
        matches!(&report.outcome, TickOutcome::Counted(seen) if seen.len() == 2),
        "{report:?}"
    );
    assert_eq!(notified(&mut topic), []);

    failing.close();
    let answer = function.tick(first).await.unwrap();
    assert_eq!(answer, json!({ "ticks": [first.to_string()], "group": "1h#0" }));
    let down = notified(&mut topic);
    assert_eq!(kinds(&down), ["down"]);
    assert!(down[0].1.starts_with("failing@"), "{down:?}");

    failing.reopen();
    function.tick(first).await.unwrap();
    assert_eq!(notified(&mut topic), [], "a repeated tick counts once");

    function.tick(second).await.unwrap();
    let recovered = notified(&mut topic);
    assert_eq!(kinds(&recovered), ["recovered"]);
    assert_eq!(
        recovered[0].1.rsplit_once('/').unwrap().0,
        down[0].1.rsplit_once('/').unwrap().0,
        "same incident"
    );
    for tick in [second, first] {
        function.tick(tick).await.unwrap();
        assert_eq!(notified(&mut topic), [], "{tick} again");
    }
}

#[tokio::test]
async fn failed_publish_fails_invocation_and_is_retried_next_tick() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let (sns, mut topic) = SnsServer::start().await.unwrap();
    let port = Port::closed();
    define_monitor(&dynamo, "m", &port).await;
    let mut function = CheckerProcess::start(&dynamo.endpoint_url(), &sns.endpoint_url()).await;
    let (first, second) = ticks().await;

    sns.fail_next(MAX_ATTEMPTS);
    let error = function.tick(first).await.unwrap_err();
    assert!(error.starts_with("Publish: cannot publish m@"), "{error}");
    assert!(error.contains("injected by the test"), "names the cause: {error}");
    assert_eq!(notified(&mut topic), []);
    function.tick(second).await.unwrap();
    assert_eq!(kinds(&notified(&mut topic)), ["down"]);
    function.tick(second).await.unwrap();
    assert_eq!(notified(&mut topic), []);
}

#[tokio::test]
async fn invalid_event_is_reported_with_all_diagnostics() {
    let mut function = CheckerProcess::start("http://127.0.0.1:9", "http://127.0.0.1:9").await;
    let event = json!({ "time": "yesterday", "interval": "3m", "shard": "none" });
    let error = function.0.invoke(&event).await.unwrap_err();
    for part in [
        "InvalidEvent: invalid tick event",
        "`time`",
        "`interval`",
        "`shard`",
        "expected an event such as",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[tokio::test]
async fn future_tick_is_refused_before_reads() {
    let mut function = CheckerProcess::start("http://127.0.0.1:9", "http://127.0.0.1:9").await;
    let (_, second) = ticks().await;
    let error = function
        .tick(second.later(Interval::OneHour, 1))
        .await
        .unwrap_err();
    assert!(error.starts_with("FutureTick: tick "), "{error}");
    assert!(error.contains("of 1h#0 is in the future"), "{error}");
}

#[tokio::test]
async fn unreachable_table_fails_invocation() {
    let (sns, mut topic) = SnsServer::start().await.unwrap();
    let closed = Port::closed();
    let url = format!("http://127.0.0.1:{}", closed.number());
    let mut function = CheckerProcess::start(&url, &sns.endpoint_url()).await;
    let (tick, _) = ticks().await;
    let error = function.tick(tick).await.unwrap_err();
    for part in [
        "Read: cannot read the definitions of 1h#0: cannot query `monitors#1h#0`",
        "cannot read the group state of 1h#0: cannot query `group#1h#0`",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!(notified(&mut topic), []);
}

#[tokio::test]
async fn unresponsive_table_fails_invocation_in_time() {
    let (sns, _topic) = SnsServer::start().await.unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let mut function = CheckerProcess::start(&url, &sns.endpoint_url()).await;
    let (tick, _) = ticks().await;
    let began = Instant::now();
    let error = function.tick(tick).await.unwrap_err();
    assert!(error.contains("timeout"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[test]
fn invalid_settings_exit_with_one_error_for_all() {
    let environment = [
        ("PORTPULSE_LOCATION", "Nowhere"),
        ("PORTPULSE_LOCATIONS", "eu-west-1,?"),
    ];
    let run = program(PROGRAM, &environment).output().unwrap();
    let output = String::from_utf8([run.stdout, run.stderr].concat()).unwrap();
    assert_eq!(run.status.code(), Some(1), "{output}");
    assert_eq!(output.lines().count(), 1, "{output}");
    for part in [
        "PORTPULSE_TABLE is not set",
        "PORTPULSE_HOME_REGION is not set",
        "PORTPULSE_TOPIC_ARN is not set",
        "PORTPULSE_LOCATION is invalid: `Nowhere`",
        "PORTPULSE_LOCATIONS is invalid: `?`",
    ] {
        assert!(output.contains(part), "{part}: {output}");
    }
}
