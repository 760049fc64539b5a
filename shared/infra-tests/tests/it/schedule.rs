//! The deployed stack with nothing of ours in between: a stand-in of AWS fires the rule, runs the packaged zips and
//! delivers the alert, to a subscriber and through the relay.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use portpulse_infra_tests::aws::{Invocation, Operation, StandIn, ask};
use portpulse_infra_tests::terraform::Terraform;
use serde_json::{Value, json};

use crate::copy_of_infra;
use crate::outage::closed_port;
use crate::package::zip;

const HOME: &str = "eu-west-1";
/// Longer than one delivery takes.
const RETRY_POLICY: Duration = Duration::from_secs(60);

/// A subscriber on loopback, which confirms its subscription as SNS asks it to.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html>
fn subscriber() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (notify, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let Some(message) = delivered(stream, "200 OK") else {
                continue;
            };
            if message["Type"] == "SubscriptionConfirmation" {
                confirm(message["SubscribeURL"].as_str().unwrap());
            } else if notify.send(message).is_err() {
                return;
            }
        }
    });
    (url, told)
}

/// A webhook on loopback: everything that is posted to it, whether it takes it or, once it is gone, not.
struct Hook {
    url: String,
    posted: Receiver<Value>,
    is_gone: Arc<AtomicBool>,
}

impl Hook {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let is_gone = Arc::new(AtomicBool::new(false));
        let (notify, posted) = channel();
        let answers = Arc::clone(&is_gone);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let gone = answers.load(Ordering::SeqCst);
                let status = if gone { "404 Not Found" } else { "204 No Content" };
                let told = delivered(stream, status).is_none_or(|body| notify.send(body).is_ok());
                if !told {
                    return;
                }
            }
        });
        Self { url, posted, is_gone }
    }
}

/// Reads one delivery and answers it.
fn delivered(mut stream: TcpStream, status: &str) -> Option<Value> {
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
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).ok()?;
    serde_json::from_slice(&body).ok()
}

fn confirm(url: &str) {
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    ask(address, HOME, "sns", &Operation::Get(&format!("/{path}"))).unwrap();
}

#[test]
#[ignore = "needs Terraform, its AWS provider, ministack and the x86_64 zips: .ci/infra runs it"]
fn the_deployed_schedule_ends_in_an_alert() {
    // Open at first, for the rule may fire before anybody has subscribed.
    let (open, number) = closed_port(0);
    open.listen(16).unwrap();
    let aws = StandIn::ministack().unwrap();
    let folder = copy_of_infra("schedule");
    let monitors = format!("monitors: {{ door: {{ host: 127.0.0.1, port: {number}, tier: critical }} }}");
    fs::write(folder.join("test-monitors.yaml"), monitors).unwrap();
    let hook = Hook::start();
    let destinations = format!(
        "destinations: {{ audit: {{ kind: webhook, url: '{}', key: 'ssm:/portpulse/audit' }} }}",
        hook.url
    );
    fs::write(folder.join("test-relay.yaml"), destinations).unwrap();
    let key = json!({ "Name": "/portpulse/audit", "Type": "SecureString", "Value": "0123456789abcdef" })
        .to_string();
    let put = Operation::Json {
        target: "AmazonSSM.PutParameter",
        body: &key,
    };
    ask(aws.endpoint(), HOME, "ssm", &put).unwrap();
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
        // It runs the function, but does not tell it where AWS is.
        "environment": { "AWS_ENDPOINT_URL": aws.endpoint() },
    });
    let terraform = Terraform::init(&folder, aws.environment()).unwrap();
    terraform.apply(&variables).unwrap();
    let topic = terraform.output("topic_arn").unwrap();

    let (url, told) = subscriber();
    let form = format!(
        "Action=Subscribe&Version=2010-03-31&TopicArn={}&Protocol=http&Endpoint={url}",
        topic.as_str().unwrap()
    );
    ask(aws.endpoint(), HOME, "sns", &Operation::Query(&form)).unwrap();

    drop(open);
    let _closed = closed_port(number);
    // The rule fires each minute.
    let alert = told.recv_timeout(Duration::from_secs(150)).unwrap();
    assert_eq!(alert["Type"], "Notification");
    assert_eq!(alert["Subject"], "DOWN: door - the connection was refused");
    assert_eq!(alert["TopicArn"], topic);

    // The relay has told its webhook the same.
    let message = alert["Message"].as_str().unwrap();
    let posted = hook.posted.recv_timeout(RETRY_POLICY).unwrap();
    assert_eq!(posted, serde_json::from_str::<Value>(message).unwrap());
    // What SNS delivers twice is not told again.
    let event = json!({ "Records": [{ "EventSource": "aws:sns", "Sns": alert }] }).to_string();
    let invoke = |invocation, event: &str| {
        let operation = Operation::Invoke {
            function: "portpulse-relay",
            invocation,
            event,
        };
        ask(aws.endpoint(), HOME, "lambda", &operation).unwrap()
    };
    let answer: Value = serde_json::from_str(&invoke(Invocation::Awaited, &event)).unwrap();
    assert_eq!(answer, json!({ "delivered": 0, "repeated": 1 }));

    // What a webhook does not take is tried three times, and then kept.
    hook.is_gone.store(true, Ordering::SeqCst);
    let id = posted["id"].as_str().unwrap();
    let other = format!("{id}-again");
    invoke(Invocation::Asynchronous, &event.replace(id, &other));
    let queue = terraform.output("relay").unwrap()["dead_letters"].clone();
    let receive = json!({ "QueueUrl": queue, "WaitTimeSeconds": 20 }).to_string();
    let receive = Operation::Json {
        target: "AmazonSQS.ReceiveMessage",
        body: &receive,
    };
    let kept: Value = serde_json::from_str(&ask(aws.endpoint(), HOME, "sqs", &receive).unwrap()).unwrap();
    let kept: Value = serde_json::from_str(kept["Messages"][0]["Body"].as_str().unwrap()).unwrap();
    assert!(kept["requestPayload"].to_string().contains(&other), "{kept}");
    let tries: Vec<_> = hook.posted.try_iter().map(|body| body["id"].clone()).collect();
    assert_eq!(tries, vec![json!(other); 3]);
}
