//! The deployed stack with nothing of ours in between: a stand-in of AWS fires the rule, runs the packaged zip and
//! delivers the alert.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use portpulse_infra_tests::aws::{Operation, StandIn, ask};
use portpulse_infra_tests::terraform::Terraform;
use serde_json::{Value, json};

use crate::outage::closed_port;
use crate::{copy_of_infra, repository};

const HOME: &str = "eu-west-1";

/// A subscriber on loopback, which confirms its subscription as SNS asks it to.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html>
fn subscriber() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let Some(message) = delivered(stream) else {
                continue;
            };
            if message["Type"] == "SubscriptionConfirmation" {
                confirm(message["SubscribeURL"].as_str().unwrap());
            } else if tell.send(message).is_err() {
                return;
            }
        }
    });
    (url, told)
}

/// Reads one delivery and acknowledges it.
fn delivered(mut stream: TcpStream) -> Option<Value> {
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
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .ok()?;
    serde_json::from_slice(&body).ok()
}

fn confirm(url: &str) {
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    ask(address, HOME, "sns", &Operation::Get(&format!("/{path}"))).unwrap();
}

#[test]
#[ignore = "needs Terraform, its AWS provider, ministack and the x86_64 zip: .ci/infra runs it"]
fn the_deployed_schedule_ends_in_an_alert() {
    // Open at first, for the rule may fire before anybody has subscribed.
    let (open, number) = closed_port(0);
    open.listen(16).unwrap();
    let aws = StandIn::ministack().unwrap();
    let folder = copy_of_infra("schedule");
    let monitors = format!("monitors: {{ door: {{ host: 127.0.0.1, port: {number}, tier: critical }} }}");
    fs::write(folder.join("test-monitors.yaml"), monitors).unwrap();
    let variables = json!({
        "home_region": HOME,
        "regions": [HOME],
        "architecture": "x86_64",
        "zip": repository().join("infra/dist/checker-x86_64.zip"),
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
}
