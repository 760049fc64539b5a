//! The program as Lambda runs it: a process that fetches ticks from the Runtime API, checks real ports, keeps state in
//! DynamoDB and publishes to SNS, all on loopback.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use portpulse_alert::SnsTopic;
use portpulse_checker::{Checker, Clock, Report, TickEvent, TickOutcome};
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::outbox::Claimant;
use portpulse_core::time::{Interval, Tick};
use portpulse_prober::Prober;
use portpulse_store::Store;
use portpulse_testkit::embedded::{EmbeddedDynamo, TABLE};
use portpulse_testkit::function::{Function, program};
use portpulse_testkit::sns::{Published, SnsServer, TOPIC_ARN};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::peers::Port;

const GROUP: GroupId = GroupId {
    interval: Interval::OneHour,
    shard: 0,
};
/// The SDK tries each call this often.
const ATTEMPTS: u64 = 3;
/// Longer than anything here takes.
const RETRY_POLICY: Duration = Duration::from_secs(60);

const PROGRAM: &str = env!("CARGO_BIN_EXE_portpulse-checker");

/// The program at work, with all that it talks to.
struct Checking(Function);

impl Checking {
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

/// This hour's tick, and the next one's: the only two that are neither stale nor in the future. In the last minute of
/// an hour the first would become stale too soon, so that minute is waited out.
async fn ticks() -> (Tick, Tick) {
    let left = 3_600 - Timestamp::now().as_second() % 3_600;
    if left < 60 {
        tokio::time::sleep(Duration::from_secs(left.try_into().unwrap())).await;
    }
    let tick = Tick::containing(Timestamp::now(), Interval::OneHour);
    (tick, tick.later(Interval::OneHour, 1))
}

async fn watch(dynamo: &EmbeddedDynamo, id: &str, port: &Port) {
    let attributes = json!({
        "host": "127.0.0.1", "port": port.number(), "interval": "1h",
        "failures_to_open": 1, "successes_to_close": 1,
    });
    let store = Store::new(dynamo.table());
    store
        .put_definition(GROUP, id, attributes.as_object().unwrap())
        .await
        .unwrap();
}

/// What came to the topic so far, as kind and id.
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

struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// The tick of this time, handled in this process.
async fn checker_at(time: Timestamp, dynamo: &EmbeddedDynamo, sns: &SnsServer) -> Report {
    let here: Location = "eu-west-1".parse().unwrap();
    let prober = Prober::new(portpulse_prober::Settings::default()).unwrap();
    let checker = Checker::new(
        Store::new(dynamo.table()),
        prober,
        SnsTopic::new(sns.client(), TOPIC_ARN),
        At(time),
        here.clone(),
        BTreeSet::from([here]),
    );
    let invocation = portpulse_checker::Invocation {
        claimant: Claimant::new("before"),
        remaining: RETRY_POLICY,
    };
    checker.handle(&TickEvent::new(time, GROUP), &invocation).await
}

#[tokio::test]
async fn an_outage_of_a_real_port_is_told_once_and_its_end_once() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let (sns, mut topic) = SnsServer::start().await.unwrap();
    let (mut dies, stays) = (Port::open(), Port::open());
    watch(&dynamo, "dies", &dies).await;
    watch(&dynamo, "stays", &stays).await;
    let mut function = Checking::start(&dynamo.endpoint_url(), &sns.endpoint_url()).await;
    let (first, second) = ticks().await;

    // The hour before is past for the program, so the same handler with a clock of its own sees the ports open then.
    let before = Timestamp::from_second(first.as_second() - 3_600).unwrap();
    let report = checker_at(before, &dynamo, &sns).await;
    assert!(
        matches!(&report.outcome_of_tick, TickOutcome::Counted(seen) if seen.len() == 2),
        "{report:?}"
    );
    assert_eq!(notified(&mut topic), []);

    dies.close();
    let answer = function.tick(first).await.unwrap();
    assert_eq!(answer, json!({ "tick": first.to_string(), "group": "1h#0" }));
    let down = notified(&mut topic);
    assert_eq!(kinds(&down), ["down"]);
    assert!(down[0].1.starts_with("dies@"), "{down:?}");

    dies.reopen();
    function.tick(first).await.unwrap();
    assert_eq!(notified(&mut topic), [], "a repeated tick counts once");

    function.tick(second).await.unwrap();
    let recovered = notified(&mut topic);
    assert_eq!(kinds(&recovered), ["recovered"]);
    assert_eq!(
        recovered[0].1.rsplit_once('/').unwrap().0,
        down[0].1.rsplit_once('/').unwrap().0,
        "of the same incident"
    );
    for tick in [second, first] {
        function.tick(tick).await.unwrap();
        assert_eq!(notified(&mut topic), [], "{tick} again");
    }
}

#[tokio::test]
async fn what_the_topic_did_not_take_fails_the_invocation_and_goes_out_with_the_next() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let (sns, mut topic) = SnsServer::start().await.unwrap();
    let port = Port::closed();
    watch(&dynamo, "m", &port).await;
    let mut function = Checking::start(&dynamo.endpoint_url(), &sns.endpoint_url()).await;
    let (first, second) = ticks().await;

    sns.fail_next(ATTEMPTS);
    let error = function.tick(first).await.unwrap_err();
    assert!(error.starts_with("Publish: cannot publish m@"), "{error}");
    assert!(
        error.contains("as the test asked for"),
        "names the cause: {error}"
    );
    assert_eq!(notified(&mut topic), []);
    function.tick(second).await.unwrap();
    assert_eq!(kinds(&notified(&mut topic)), ["down"]);
    function.tick(second).await.unwrap();
    assert_eq!(notified(&mut topic), []);
}

#[tokio::test]
async fn an_event_that_is_no_tick_is_one_error_that_names_everything_wrong() {
    let mut function = Checking::start("http://127.0.0.1:9", "http://127.0.0.1:9").await;
    let event = json!({ "time": "yesterday", "interval": "3m", "shard": "none" });
    let error = function.0.invoke(&event).await.unwrap_err();
    for part in [
        "BadEvent: the event is not a tick",
        "`time`",
        "`interval`",
        "`shard`",
        "expected one like",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[tokio::test]
async fn a_tick_of_the_future_is_refused_before_anything_is_read() {
    let mut function = Checking::start("http://127.0.0.1:9", "http://127.0.0.1:9").await;
    let (_, second) = ticks().await;
    let error = function
        .tick(second.later(Interval::OneHour, 1))
        .await
        .unwrap_err();
    assert!(error.starts_with("FutureTick: tick "), "{error}");
    assert!(error.contains("of 1h#0 lies in the future"), "{error}");
}

#[tokio::test]
async fn a_table_that_cannot_be_reached_fails_the_invocation() {
    let (sns, mut topic) = SnsServer::start().await.unwrap();
    let nobody = Port::closed();
    let url = format!("http://127.0.0.1:{}", nobody.number());
    let mut function = Checking::start(&url, &sns.endpoint_url()).await;
    let (tick, _) = ticks().await;
    let error = function.tick(tick).await.unwrap_err();
    for part in [
        "Read: cannot read the definitions of 1h#0: could not query `monitors#1h#0`",
        "cannot read the group state of 1h#0: could not query `group#1h#0`",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!(notified(&mut topic), []);
}

#[tokio::test]
async fn a_table_that_accepts_and_never_answers_does_not_eat_the_invocation() {
    let (sns, _topic) = SnsServer::start().await.unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let mut function = Checking::start(&url, &sns.endpoint_url()).await;
    let (tick, _) = ticks().await;
    let began = Instant::now();
    let error = function.tick(tick).await.unwrap_err();
    assert!(error.contains("timeout"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[test]
fn settings_that_will_not_do_end_the_program_with_one_error_that_names_them_all() {
    let environment = [
        ("PORTPULSE_LOCATION", "Nowhere"),
        ("PORTPULSE_LOCATIONS", "eu-west-1,?"),
    ];
    let run = program(PROGRAM, &environment).output().unwrap();
    let said = String::from_utf8([run.stdout, run.stderr].concat()).unwrap();
    assert_eq!(run.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for part in [
        "PORTPULSE_TABLE is not set",
        "PORTPULSE_HOME_REGION is not set",
        "PORTPULSE_TOPIC_ARN is not set",
        "PORTPULSE_LOCATION: `Nowhere`",
        "PORTPULSE_LOCATIONS: `?`",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
