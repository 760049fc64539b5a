//! The stand-in for SNS.

use std::collections::BTreeMap;

use portpulse_alert::{Attribute, Message, Publish, SnsTopic};
use portpulse_testkit::sns::{SnsServer, TOPIC_ARN};
use serde_json::json;

fn message() -> Message {
    let attributes = [
        ("severity", Attribute::Text("critical".to_owned())),
        ("tag", Attribute::List(vec!["prod".to_owned(), "eu".to_owned()])),
    ];
    Message {
        ids: vec!["orders-db@2026-11-22T05:40:00Z.7/down".to_owned()],
        subject: "DOWN: orders-db".to_owned(),
        body: "orders-db is down: \"a & b\" ü\n".to_owned(),
        sms: "DOWN: orders-db".to_owned(),
        json: json!({ "type": "notification", "detail": "a\"b" }),
        attributes: BTreeMap::from(attributes),
    }
}

#[tokio::test]
async fn published_message_is_received_unchanged() {
    let (sns, mut published) = SnsServer::start().await.unwrap();
    let topic = SnsTopic::new(sns.client(), TOPIC_ARN);
    topic.publish(&message()).await.unwrap();
    let arrived = published.try_recv().unwrap();
    assert_eq!(arrived.topic_arn, TOPIC_ARN);
    assert_eq!(arrived.subject.as_deref(), Some("DOWN: orders-db"));
    assert_eq!(arrived.text("email"), message().body);
    assert_eq!(arrived.text("sms"), message().sms);
    assert_eq!(arrived.text("https"), message().json.to_string());
    let attributes = arrived
        .attributes
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    assert_eq!(
        attributes.collect::<Vec<_>>(),
        [("severity", "critical"), ("tag", r#"["prod","eu"]"#)]
    );
}

#[tokio::test]
async fn publish_is_retried_and_reports_cause_of_failure() {
    let (sns, mut published) = SnsServer::start().await.unwrap();
    let topic = SnsTopic::new(sns.client(), TOPIC_ARN);
    sns.fail_next(1);
    topic.publish(&message()).await.unwrap();
    assert!(published.try_recv().is_ok());
    sns.fail_next(3);
    let error = topic.publish(&message()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("failed to publish `DOWN: orders-db` to `{TOPIC_ARN}`")
    );
    let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    assert!(
        chain
            .into_iter()
            .any(|error| error.to_string().contains("InternalError"))
    );
    assert!(published.try_recv().is_err());
    topic.publish(&message()).await.unwrap();
}

#[tokio::test]
async fn messages_beyond_limits_of_sns_are_refused() {
    type Change = fn(&mut Message);
    let changes: [(Change, bool); 7] = [
        (|_| {}, true),
        (|message| message.subject = "x".repeat(100), false),
        (|message| message.subject = "a\nb".to_owned(), false),
        (|message| message.subject = "ü".to_owned(), false),
        (|message| message.body = "x".repeat(262_144), false),
        (|message| message.body = "x".repeat(200_000), true),
        (
            |message| drop(message.attributes.insert("empty", Attribute::Text(String::new()))),
            false,
        ),
    ];
    let (sns, mut published) = SnsServer::start().await.unwrap();
    let topic = SnsTopic::new(sns.client(), TOPIC_ARN);
    for (number, (change, is_accepted)) in changes.into_iter().enumerate() {
        let mut message = message();
        change(&mut message);
        let result = topic.publish(&message).await;
        assert_eq!(result.is_ok(), is_accepted, "{number}: {result:?}");
        assert_eq!(published.try_recv().is_ok(), is_accepted, "{number}");
    }
}
