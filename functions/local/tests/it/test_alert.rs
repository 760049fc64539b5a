//! `portpulse test-alert` with a topic as in AWS, and with a running `portpulse local` and its relay.

use std::process::Stdio;

use portpulse_testkit::sns::{Account, Subscription, TOPIC_ARN};
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::program::Running;
use crate::sockets;
use crate::webhook::Webhook;
use crate::workspace::{Workspace, notified};

fn subscription(protocol: &str, endpoint: &str, filter_policy: Option<&str>) -> Subscription {
    Subscription {
        protocol: protocol.to_owned(),
        endpoint: endpoint.to_owned(),
        is_confirmed: true,
        is_authenticated: true,
        filter_policy: filter_policy.map(str::to_owned),
    }
}

/// A table in AWS with the monitor `a`, which has the tag `prod`.
fn with_a_monitor() -> Aws {
    let aws = Aws::new();
    let attributes = json!({ "host": "a.example.com", "port": 1, "tags": ["prod"] });
    let group = "5m#0".parse().unwrap();
    aws.wait(
        aws.store()
            .put_definition(group, "a", attributes.as_object().unwrap()),
    )
    .unwrap();
    aws
}

/// Asserts the output for an account, after the line with the message and topic.
fn check(aws: &mut Aws, account: Account, status: i32, expected: &[&str]) {
    aws.sns.set_account(account);
    let run = aws.run(&["test-alert", "--topic", TOPIC_ARN]);
    let mut lines = run.out.lines();
    let first = lines.next().unwrap_or_default();
    assert!(
        first.starts_with("Sent portpulse@") && first.ends_with(&format!("{TOPIC_ARN}.")),
        "{first}: {}",
        run.err
    );
    assert_eq!(
        (run.status, lines.collect::<Vec<_>>().as_slice()),
        (status, expected)
    );
    let message = aws.published.try_recv().unwrap();
    assert_eq!(message.attributes["severity"], r#"["critical","info","warning"]"#);
    assert!(
        message.text("email").contains("test"),
        "{}",
        message.text("email")
    );
}

#[test]
fn subscribers_and_sms_settings_are_reported() {
    let mut aws = with_a_monitor();

    check(
        &mut aws,
        Account::default(),
        1,
        &["The topic has no subscribers: notifications are not delivered."],
    );
    let without_problems = Account {
        subscriptions: vec![
            subscription("email", "ann@example.com", None),
            subscription("sms", "+4915112345678", Some(r#"{"severity":["critical"]}"#)),
            subscription(
                "https",
                "https://hooks.example.com/x?y=1",
                Some(r#"{"tag":["prod"]}"#),
            ),
        ],
        is_in_sms_sandbox: false,
        sms_monthly_limit: Some("20".to_owned()),
    };
    check(
        &mut aws,
        without_problems.clone(),
        0,
        &[
            "PROTOCOL  ENDPOINT                     RESULT",
            "email     a…@example.com               sent",
            "sms       +49…78                       sent",
            "https     https://hooks.example.com/…  sent",
            "SMS: the account is not in the SMS sandbox and reaches all numbers.",
            "SMS: the monthly spend limit is 20 USD; AWS sends no SMS beyond it. Request an increase in Service Quotas, \
             SNS.",
        ],
    );
    let mut with_problems = Account {
        is_in_sms_sandbox: true,
        sms_monthly_limit: None,
        ..without_problems
    };
    with_problems.subscriptions[0].is_confirmed = false;
    let mut clicked = subscription("email", "bob@example.com", None);
    clicked.is_authenticated = false;
    with_problems.subscriptions.push(clicked);
    // Only email has a link that ends the subscription.
    with_problems.subscriptions[1].is_authenticated = false;
    with_problems.subscriptions[2].filter_policy = Some(r#"{"tag":["staging"]}"#.to_owned());
    check(
        &mut aws,
        with_problems,
        1,
        &[
            "PROTOCOL  ENDPOINT                     RESULT",
            "email     a…@example.com               not sent: the subscription is not confirmed; use the link in the \
             message from AWS",
            "sms       +49…78                       sent",
            "https     https://hooks.example.com/…  not sent: rejected by the filter policy: `tag` must be staging",
            "email     b…@example.com               sent",
            "Email: the link at the end of each message ends the subscription of b…@example.com, whoever opens it, such as \
             a mail scanner. Subscribe again, and confirm with `aws sns confirm-subscription --authenticate-on-unsubscribe \
             true`.",
            "SMS: the account is in the SMS sandbox and reaches at most 10 verified numbers. Request to leave the sandbox \
             in the SNS console, Text messaging.",
            "SMS: the monthly spend limit is 1 USD; AWS sends no SMS beyond it. Request an increase in Service Quotas, \
             SNS.",
        ],
    );
}

#[test]
fn test_message_of_one_monitor_has_its_id() {
    let mut aws = with_a_monitor();
    aws.sns.set_account(Account {
        subscriptions: vec![subscription("email", "ann@example.com", None)],
        ..Account::default()
    });
    let run = aws.run(&["test-alert", "--topic", TOPIC_ARN, "--monitor", "a", "--json"]);
    assert_eq!(run.status, 0, "{}", run.err);
    let sent = &run.json()[0];
    assert!(sent["id"].as_str().unwrap().starts_with("a@"), "{sent}");
    let subscriber = json!({
        "protocol": "email", "endpoint": "a…@example.com", "delivery": "sent", "reason": null, "link_unsubscribes": false,
    });
    assert_eq!(
        (&sent["subscribers"], &sent["sms"]),
        (&json!([subscriber]), &Value::Null)
    );
    assert_eq!(aws.published.try_recv().unwrap().attributes["monitor"], "a");
    for (args, part) in [
        (
            &["test-alert", "--topic", TOPIC_ARN, "--monitor", "b"][..],
            "monitor `b` does not exist",
        ),
        (
            &["test-alert"],
            "--topic is required with a table in AWS\n  help: add --topic, or set PORTPULSE_TOPIC_ARN\n",
        ),
        (
            &["test-alert", "--topic", "ops"],
            "--topic ops is not the ARN of a topic",
        ),
    ] {
        let run = aws.run(args);
        run.assert_refused(part);
        assert!(aws.published.try_recv().is_err(), "{args:?}");
    }
}

#[test]
fn test_message_reaches_the_destinations_of_local() {
    let workspace = Workspace::new("test-alert");
    let (_open, open) = sockets::open();
    workspace.define(&[("web", &open)]);
    let webhook = Webhook::start(&[]);
    let relay = workspace.relay(&[("audit", webhook.address)]);
    let send = |wait: &str| workspace.on_data(&["test-alert", "--relay", &relay, "--wait", wait]);
    // With real minutes, a second start in the same minute would check nothing.
    workspace.run(&["--for", "1s", "--speed", "60"]);
    let stopped = send("1s");
    stopped.assert_refused("help: start `portpulse local` first");

    let secrets = workspace.secrets();
    let args = [
        "--json",
        "--speed",
        "60",
        "--relay",
        &relay,
        "--secrets",
        &secrets,
    ];
    let watch = Running::start(workspace.command(&args).stderr(Stdio::null()));
    watch.lines_to(|_| true);
    let sent = send("20s");
    drop(watch);
    assert_eq!(sent.status, 0, "{}{}", sent.out, sent.err);
    assert!(
        sent.out.contains("\nrelay     audit     delivered\n"),
        "{}",
        sent.out
    );
    let bodies: Vec<_> = webhook.accepted().into_iter().map(|(_, body)| body).collect();
    assert_eq!(notified(&bodies), ["test -"]);
}
