//! The deployed stack on an AWS emulator, which triggers the rule, runs the packaged zips, and delivers the notification to a
//! subscriber and to the relay.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use portpulse_infra_tests::aws::{Emulator, Invocation, Operation, call, tool};
use portpulse_infra_tests::terraform::Terraform;
use serde_json::{Value, json};

use crate::account::script;
use crate::outage::closed_port;
use crate::package::zip;
use crate::{copy_of_example, repository};

const HOME: &str = "eu-west-1";
/// The maximum duration of a delivery by the relay.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(60);

/// Starts an HTTP subscriber on 127.0.0.1, which confirms its subscription. Returns its URL and the received messages.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html>
fn subscriber() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (sender, received) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let Some(message) = receive_request(stream, "200 OK") else {
                continue;
            };
            if message["Type"] == "SubscriptionConfirmation" {
                confirm(message["SubscribeURL"].as_str().unwrap());
            } else if sender.send(message).is_err() {
                return;
            }
        }
    });
    (url, received)
}

/// A webhook on 127.0.0.1. It responds with 204, or with 404 if `is_gone` is set; `posted` receives both kinds of requests.
struct Webhook {
    url: String,
    posted: Receiver<Value>,
    is_gone: Arc<AtomicBool>,
}

impl Webhook {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let is_gone = Arc::new(AtomicBool::new(false));
        let (sender, posted) = channel();
        let gone = Arc::clone(&is_gone);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let status = if gone.load(Ordering::SeqCst) {
                    "404 Not Found"
                } else {
                    "204 No Content"
                };
                let has_receiver =
                    receive_request(stream, status).is_none_or(|body| sender.send(body).is_ok());
                if !has_receiver {
                    return;
                }
            }
        });
        Self { url, posted, is_gone }
    }
}

/// Reads a request, responds with `status`, and returns the body.
fn receive_request(mut stream: TcpStream, status: &str) -> Option<Value> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let response = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(response.as_bytes()).ok()?;
    serde_json::from_slice(&body).ok()
}

/// Confirms a subscription.
fn confirm(url: &str) {
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    call(address, HOME, "sns", &Operation::Get(&format!("/{path}"))).unwrap();
}

#[test]
#[ignore = "needs Terraform, its AWS provider, ministack and the x86_64 zips: .ci/infra runs it"]
fn deployed_schedule_delivers_to_subscriber_and_webhook() {
    // The port is open at first, because the rule may trigger before the subscription exists.
    let (open, number) = closed_port(0);
    open.listen(16).unwrap();
    let emulator = Emulator::ministack().unwrap();
    let directory = copy_of_example("plain", "schedule");
    let monitors =
        format!("monitors: {{ orders-db: {{ host: 127.0.0.1, port: {number}, tier: critical }} }}");
    fs::write(directory.join("test-monitors.yaml"), monitors).unwrap();
    let webhook = Webhook::start();
    let destinations = format!(
        "destinations: {{ audit: {{ kind: webhook, url: '{}', key: 'ssm:/portpulse/audit' }} }}",
        webhook.url
    );
    fs::write(directory.join("test-relay.yaml"), destinations).unwrap();
    let key = json!({ "Name": "/portpulse/audit", "Type": "SecureString", "Value": "0123456789abcdef" })
        .to_string();
    let put = Operation::Json {
        target: "AmazonSSM.PutParameter",
        body: &key,
    };
    call(emulator.endpoint(), HOME, "ssm", &put).unwrap();
    let variables = json!({
        "home_region": HOME,
        "regions": [HOME],
        "architecture": "x86_64",
        "zip": zip("checker", "x86_64"),
        "relay_zip": zip("relay", "x86_64"),
        "relay_file": "test-relay.yaml",
        "monitors_file": "test-monitors.yaml",
        "deletion_protection": false,
        "vpc": { HOME: { "subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"] } },
        // The emulator runs the functions without its own endpoint in their environment.
        "environment": { "AWS_ENDPOINT_URL": emulator.endpoint() },
    });
    let terraform = Terraform::init(&directory, emulator.environment()).unwrap();
    terraform.apply(&variables).unwrap();
    let topic = terraform.output("topic_arn").unwrap();

    let (url, received) = subscriber();
    let form = format!(
        "Action=Subscribe&Version=2010-03-31&TopicArn={}&Protocol=http&Endpoint={url}",
        topic.as_str().unwrap()
    );
    call(emulator.endpoint(), HOME, "sns", &Operation::Query(&form)).unwrap();

    drop(open);
    let _closed = closed_port(number);
    // The rule triggers every minute.
    let alert = received.recv_timeout(Duration::from_secs(150)).unwrap();
    assert_eq!(alert["Type"], "Notification");
    let subject = alert["Subject"].as_str().unwrap();
    assert!(
        subject.starts_with("DOWN: orders-db since ")
            && subject.ends_with(" UTC - port: the connection was refused"),
        "{subject}"
    );
    assert_eq!(alert["TopicArn"], topic);

    // The relay posts the same notification to the webhook.
    let message = alert["Message"].as_str().unwrap();
    let posted = webhook.posted.recv_timeout(DELIVERY_TIMEOUT).unwrap();
    assert_eq!(posted, serde_json::from_str::<Value>(message).unwrap());
    // SNS may deliver a notification twice: the second delivery is not posted.
    let event = json!({ "Records": [{ "EventSource": "aws:sns", "Sns": alert }] }).to_string();
    let invoke = |invocation, event: &str| {
        let operation = Operation::Invoke {
            function: "portpulse-relay",
            invocation,
            event,
        };
        call(emulator.endpoint(), HOME, "lambda", &operation).unwrap()
    };
    let answer: Value = serde_json::from_str(&invoke(Invocation::Synchronous, &event)).unwrap();
    assert_eq!(answer, json!({ "delivered": 0, "duplicates": 1 }));

    // Lambda invokes the relay three times for a notification that fails, and then sends it to the dead-letter queue.
    webhook.is_gone.store(true, Ordering::SeqCst);
    let id = posted["id"].as_str().unwrap();
    let other = format!("{id}-again");
    invoke(Invocation::Asynchronous, &event.replace(id, &other));
    let queue = terraform.output("relay").unwrap()["dead_letters"].clone();
    let receive = json!({ "QueueUrl": queue, "WaitTimeSeconds": 20, "VisibilityTimeout": 0 }).to_string();
    let receive = Operation::Json {
        target: "AmazonSQS.ReceiveMessage",
        body: &receive,
    };
    let messages: Value =
        serde_json::from_str(&call(emulator.endpoint(), HOME, "sqs", &receive).unwrap()).unwrap();
    let dead_letter: Value = serde_json::from_str(messages["Messages"][0]["Body"].as_str().unwrap()).unwrap();
    assert!(
        dead_letter["requestPayload"].to_string().contains(&other),
        "{dead_letter}"
    );
    let attempts: Vec<_> = webhook.posted.try_iter().map(|body| body["id"].clone()).collect();
    assert_eq!(attempts, vec![json!(other); 3]);

    // SNS itself sends the notification that it could not hand to the function, as subscribers of other protocols receive it.
    let third = format!("{id}-third");
    let mut undelivered = alert.clone();
    undelivered["Message"] = json!(message.replace(id, &third));
    let send = json!({ "QueueUrl": queue, "MessageBody": undelivered.to_string() }).to_string();
    let send = Operation::Json {
        target: "AmazonSQS.SendMessage",
        body: &send,
    };
    call(emulator.endpoint(), HOME, "sqs", &send).unwrap();
    let script_path = repository().join("infra/redeliver");
    let queue = queue.as_str().unwrap();
    // The webhook still rejects them: they stay in the queue.
    let redeliver = || script(&script_path, &[queue, "portpulse-relay"], with_aws_cli(&emulator));
    let (status, printed) = redeliver();
    assert_eq!(status, 1, "{printed}");
    assert!(printed.contains("stays in the queue"), "{printed}");
    webhook.posted.try_iter().for_each(drop);
    webhook.is_gone.store(false, Ordering::SeqCst);
    let (status, printed) = redeliver();
    assert_eq!(status, 0, "{printed}");
    let mut again: Vec<_> = webhook
        .posted
        .try_iter()
        .map(|body| body["id"].to_string())
        .collect();
    again.sort();
    assert_eq!(
        again,
        [json!(other).to_string(), json!(third).to_string()],
        "{printed}"
    );
}

/// The environment in which scripts find the AWS CLI, and the CLI the emulator.
fn with_aws_cli(emulator: &Emulator) -> Vec<(&'static str, OsString)> {
    let tools = tool("aws").unwrap();
    let path = format!(
        "{}:{}",
        tools.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let mut environment = emulator.environment();
    environment.extend([
        ("PATH", path.into()),
        ("AWS_REGION", HOME.into()),
        ("AWS_DEFAULT_REGION", HOME.into()),
        // The emulator has no network interfaces.
        ("PORTPULSE_INTERFACES_SECONDS", "0".into()),
    ]);
    environment
}

#[test]
#[ignore = "needs Terraform, its AWS provider, the AWS CLI, ministack and the x86_64 zips: .ci/infra runs it"]
fn first_alert_checks_each_step_and_removes_everything() {
    let emulator = Emulator::ministack().unwrap();
    let open = TcpListener::bind("127.0.0.1:0").unwrap();
    let open = open.local_addr().unwrap().port().to_string();
    let (_socket, closed) = closed_port(0);
    let endpoint = format!("AWS_ENDPOINT_URL={}", emulator.endpoint());
    let (status, printed) = script(
        &repository().join("infra/first-alert"),
        &[
            "--region",
            HOME,
            "--architecture",
            "x86_64",
            "--yes",
            "--host",
            "127.0.0.1",
            "--open",
            &open,
            "--closed",
            &closed.to_string(),
            // An address of the machine is valid only in a VPC.
            "--vpc",
            "subnet-1",
            "sg-1",
            "--environment",
            &endpoint,
        ],
        with_aws_cli(&emulator),
    );
    assert_eq!(status, 0, "{printed}");
    for expected in [
        "ok: created",
        "ok: received: down",
        "ok: received: recovered",
        "ok: the function and the table are gone",
        "Every step succeeded.",
    ] {
        assert!(
            printed.contains(expected),
            "`{expected}` is missing in:\n{printed}"
        );
    }
    let list = Operation::Json {
        target: "AmazonSQS.ListQueues",
        body: "{}",
    };
    let queues = call(emulator.endpoint(), HOME, "sqs", &list).unwrap();
    assert!(!queues.contains("portpulse-first-alert"), "{queues}");
}
