//! `portpulse test-alert`: through a topic as in AWS, and through that of a watch and its relay.

use std::process::Stdio;

use portpulse_testkit::sns::{Account, Subscription, TOPIC_ARN};
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::hook::Hook;
use crate::place::{Place, notified};
use crate::program::{Run, Running, portpulse};
use crate::sockets;

fn subscription(protocol: &str, endpoint: &str, filter_policy: Option<&str>) -> Subscription {
    Subscription {
        protocol: protocol.to_owned(),
        endpoint: endpoint.to_owned(),
        is_confirmed: true,
        filter_policy: filter_policy.map(str::to_owned),
    }
}

/// AWS, where `a` is a monitor that is tagged `prod`.
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

/// What it says of an account, below the line that names message and topic.
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
fn every_subscriber_is_looked_at_and_the_account_is_explained() {
    let mut aws = with_a_monitor();

    check(
        &mut aws,
        Account::default(),
        1,
        &["Nobody subscribes to the topic: no alert reaches anybody."],
    );
    let all_well = Account {
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
        all_well.clone(),
        0,
        &[
            "email  a…@example.com               sent",
            "sms    +49…78                       sent",
            "https  https://hooks.example.com/…  sent",
            "Text messages: the account is not in the sandbox; any number is reached.",
            "Text messages may cost 20 USD a month; beyond that AWS sends none until the month ends. More is to be asked \
             for (Service Quotas, SNS).",
        ],
    );
    let mut not_so_well = Account {
        is_in_sms_sandbox: true,
        sms_monthly_limit: None,
        ..all_well
    };
    not_so_well.subscriptions[0].is_confirmed = false;
    not_so_well.subscriptions[2].filter_policy = Some(r#"{"tag":["staging"]}"#.to_owned());
    check(
        &mut aws,
        not_so_well,
        1,
        &[
            "email  a…@example.com               not sent: the subscription is not confirmed (confirm it by the link \
             that AWS sent there)",
            "sms    +49…78                       sent",
            "https  https://hooks.example.com/…  left out by its filter: `tag` must be staging",
            "Text messages: the account is in the sandbox. They reach only numbers that were verified, at most 10 of \
             them. Ask AWS to move the account out of the SMS sandbox (SNS console, Text messaging).",
            "Text messages may cost 1 USD a month; beyond that AWS sends none until the month ends. More is to be asked \
             for (Service Quotas, SNS).",
        ],
    );
}

#[test]
fn a_message_of_one_monitor_is_asked_for_by_its_id() {
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
        "protocol": "email", "endpoint": "a…@example.com", "fate": "sent", "why": null,
    });
    assert_eq!(
        (&sent["subscribers"], &sent["sms"]),
        (&json!([subscriber]), &Value::Null)
    );
    assert_eq!(aws.published.try_recv().unwrap().attributes["monitor"], "a");
    for (args, part) in [
        (
            &["test-alert", "--topic", TOPIC_ARN, "--monitor", "b"][..],
            "there is no monitor `b`",
        ),
        (
            &["test-alert"],
            "to which topic? (add --topic, or set PORTPULSE_TOPIC_ARN)\n",
        ),
        (
            &["test-alert", "--topic", "ops"],
            "--topic ops: is not the ARN of a topic",
        ),
    ] {
        let run = aws.run(args);
        assert!(run.status == 2 && run.err.contains(part), "{args:?}: {}", run.err);
        assert!(aws.published.try_recv().is_err(), "{args:?}");
    }
}

#[test]
fn the_destinations_of_a_watch_get_it_and_its_ledger_says_so() {
    let place = Place::new("test-alert");
    let (_open, open) = sockets::open();
    place.define(&[("web", &open)]);
    let hook = Hook::start(&[]);
    let relay = place.relay(&[("audit", hook.address)]);
    let data = place.0.join("data").display().to_string();
    let send = |wait: &str| {
        let args = ["test-alert", "--data", &data, "--relay", &relay, "--wait", wait];
        Run::of(portpulse().args(args).output().unwrap())
    };
    // Where minutes are long, a second start in the same one would have nothing to check yet.
    place.run(&["--for", "1s", "--speed", "60"]);
    let resting = send("1s");
    assert!(
        resting.status == 2 && resting.err.contains("(start `portpulse local` first)"),
        "{}",
        resting.err
    );

    let secrets = place.secrets();
    let args = [
        "--json",
        "--speed",
        "60",
        "--relay",
        &relay,
        "--secrets",
        &secrets,
    ];
    let watch = Running::start(place.command(&args).stderr(Stdio::null()));
    watch.lines_to(|_| true);
    let sent = send("20s");
    drop(watch);
    assert_eq!(sent.status, 0, "{}{}", sent.out, sent.err);
    assert!(sent.out.contains("\nrelay  audit  posted\n"), "{}", sent.out);
    let bodies: Vec<_> = hook.taken().into_iter().map(|(_, body)| body).collect();
    assert_eq!(notified(&bodies), ["test -"]);
}
