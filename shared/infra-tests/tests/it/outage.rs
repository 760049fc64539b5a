//! From a closed port to the message on the topic: the packaged checker in three regions, with the table, topic, environment
//! and input that Terraform created on an AWS emulator.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use jiff::Timestamp;
use portpulse_infra_tests::aws::{Emulator, Operation, call, environment};
use portpulse_infra_tests::terraform::Terraform;
use portpulse_testkit::runtime_api::{FunctionMessage, Invocation, RuntimeApi};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use tokio::process::{Child, Command};

use crate::copy_of_example;
use crate::package::{unpacked, zip};

const HOME: &str = "eu-west-1";
const REGIONS: [&str; 3] = ["eu-west-1", "us-east-1", "ap-southeast-1"];

/// A port that refuses connections: bound, so that no other process can use it, and not listening. 0 selects a free port.
pub(crate) fn closed_port(number: u16) -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // Allow the port while earlier connections are in TIME_WAIT.
    socket.set_reuse_address(true).unwrap();
    socket
        .bind(&SocketAddr::from(([127, 0, 0, 1], number)).into())
        .unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

/// The resources of a module in Terraform's state, including those of its child modules.
fn resources(module: &Value) -> Vec<&Value> {
    let own = module["resources"].as_array().into_iter().flatten();
    let children = module["child_modules"].as_array().into_iter().flatten();
    own.chain(children.flat_map(resources)).collect()
}

/// The attributes of a resource in Terraform's state.
pub(crate) fn resource<'a>(state: &'a Value, address: &str) -> &'a Value {
    let resources = resources(&state["values"]["root_module"]);
    let mut found = resources.iter().filter(|resource| resource["address"] == address);
    &found.next().unwrap()["values"]
}

/// The checker of one region, run as Lambda runs it.
struct RunningChecker {
    runtime: RuntimeApi,
    input_template: String,
    _process: Child,
}

impl RunningChecker {
    async fn start(bootstrap: &Path, region: &str, state: &Value, endpoint: &str) -> Self {
        let runtime = RuntimeApi::start().await.unwrap();
        let find = |address: &str| resource(state, &format!("module.portpulse.module.{region}[0].{address}"));
        let function = find("module.function.aws_lambda_function.this");
        let variables = function["environment"][0]["variables"].as_object().unwrap();
        let target = find("aws_cloudwatch_event_target.shard[\"1m#0\"]");
        let process = Command::new(bootstrap)
            .env_clear()
            .envs(
                variables
                    .iter()
                    .map(|(name, value)| (name, value.as_str().unwrap())),
            )
            .envs(environment(endpoint))
            .env("AWS_REGION", region)
            .env(
                "AWS_LAMBDA_FUNCTION_NAME",
                function["function_name"].as_str().unwrap(),
            )
            .env(
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                function["memory_size"].to_string(),
            )
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/portpulse-checker")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "test")
            .env("AWS_LAMBDA_RUNTIME_API", runtime.url())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            runtime,
            input_template: target["input_transformer"][0]["input_template"]
                .as_str()
                .unwrap()
                .to_owned(),
            _process: process,
        }
    }

    /// Invokes the checker as the EventBridge rule does, with the scheduled time, in quotes, in the input template.
    async fn tick(&mut self, time: Timestamp) {
        let event = self
            .input_template
            .replace("<time>", &json!(time.to_string()).to_string());
        let deadline = Timestamp::now().as_millisecond() + 60_000;
        let invocation = Invocation {
            request_id: format!("tick-at-{}", Timestamp::now().as_nanosecond()),
            deadline_ms: u64::try_from(deadline).unwrap(),
            event,
        };
        let answer = self.runtime.answer(invocation).await;
        assert!(
            matches!(answer, Some(FunctionMessage::Response { .. })),
            "{answer:?}"
        );
    }
}

/// A queue that is subscribed to the alert topic with the filter of a subscriber.
struct Inbox {
    endpoint: String,
    url: String,
}

impl Inbox {
    fn subscribe(moto: &Emulator, topic: &str, filter: &str) -> Self {
        let endpoint = moto.endpoint().to_owned();
        let create = Operation::Json {
            target: "AmazonSQS.CreateQueue",
            body: r#"{"QueueName":"inbox"}"#,
        };
        let queue: Value = serde_json::from_str(&call(&endpoint, HOME, "sqs", &create).unwrap()).unwrap();
        let filter = filter.replace('=', "%3D");
        let form = format!(
            "Action=Subscribe&Version=2010-03-31&TopicArn={topic}&Protocol=sqs\
             &Endpoint=arn:aws:sqs:{HOME}:123456789012:inbox\
             &Attributes.entry.1.key=FilterPolicy&Attributes.entry.1.value={filter}"
        );
        call(&endpoint, HOME, "sns", &Operation::Query(&form)).unwrap();
        Self {
            endpoint,
            url: queue["QueueUrl"].as_str().unwrap().to_owned(),
        }
    }

    /// The kinds of the notifications that arrived since the last call.
    fn kinds(&self) -> Vec<String> {
        let body = json!({ "QueueUrl": self.url, "MaxNumberOfMessages": 10 }).to_string();
        let receive = Operation::Json {
            target: "AmazonSQS.ReceiveMessage",
            body: &body,
        };
        let answer: Value =
            serde_json::from_str(&call(&self.endpoint, HOME, "sqs", &receive).unwrap()).unwrap();
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        let kind = |message: &Value| {
            let envelope: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
            envelope["MessageAttributes"]["kind"]["Value"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        messages.iter().map(kind).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Terraform, its AWS provider, moto and the x86_64 zip: .ci/infra runs it"]
async fn outage_and_recovery_in_three_regions_are_notified_once() {
    let (port, number) = closed_port(0);
    let moto = Emulator::moto().unwrap();
    let directory = copy_of_example("plain", "outage");
    let monitors = format!(
        "monitors: {{ orders-db: {{ host: 127.0.0.1, port: {number}, tier: critical, successes_to_close: 1, tags: [team=orders] }} }}"
    );
    fs::write(directory.join("test-monitors.yaml"), monitors).unwrap();
    // Loopback addresses are valid only for checkers in a VPC.
    let vpc = json!({ "subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"] });
    let variables = json!({
        "home_region": HOME,
        "regions": REGIONS,
        "architecture": "x86_64",
        "zip": zip("checker", "x86_64"),
        "monitors_file": "test-monitors.yaml",
        "deletion_protection": false,
        "vpc": REGIONS.map(|region| (region, &vpc)).into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "subscribers": {
            "team": { "protocol": "email", "endpoint": "team@example.com", "severities": ["critical"], "tags": ["team=orders"] },
        },
    });
    let terraform = Terraform::init(&directory, moto.environment()).unwrap();
    terraform.apply(&variables).unwrap();
    let state = terraform.show().unwrap();
    let topic = terraform.output("topic_arn").unwrap();
    let team = resource(
        &state,
        "module.portpulse.module.alerts.aws_sns_topic_subscription.this[\"team\"]",
    );
    let inbox = Inbox::subscribe(
        &moto,
        topic.as_str().unwrap(),
        team["filter_policy"].as_str().unwrap(),
    );

    let bootstrap = unpacked("checker", "x86_64", "outage-zip").join("bootstrap");
    let mut permissions = fs::metadata(&bootstrap).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(&bootstrap, permissions).unwrap();
    let [mut a, mut b, mut c] = [
        RunningChecker::start(&bootstrap, REGIONS[0], &state, moto.endpoint()).await,
        RunningChecker::start(&bootstrap, REGIONS[1], &state, moto.endpoint()).await,
        RunningChecker::start(&bootstrap, REGIONS[2], &state, moto.endpoint()).await,
    ];

    let minute = Timestamp::now().as_second() / 60 * 60;
    let first = Timestamp::from_second(minute).unwrap();
    tokio::join!(a.tick(first), b.tick(first), c.tick(first));
    assert_eq!(inbox.kinds(), ["down"]);

    // EventBridge may deliver a tick twice.
    tokio::join!(a.tick(first), b.tick(first), c.tick(first));
    assert_eq!(inbox.kinds(), [""; 0]);

    port.listen(16).unwrap();
    let next = Timestamp::from_second(minute + 60).unwrap();
    tokio::join!(a.tick(next), b.tick(next), c.tick(next));
    assert_eq!(inbox.kinds(), ["recovered"]);
}
