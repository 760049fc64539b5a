//! The event that SNS invokes a Lambda with: records, each with one message.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>

use portpulse_core::decide::Notification;
use portpulse_relay::InvalidNotification;
use serde_json::Value;

/// A part of an event that tells no notification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRecord {
    /// The event has no records.
    #[error("the event has no `Records`: subscribe this function to the topic of Portpulse")]
    NoRecords,
    /// A record has no message.
    #[error("record {index} has no text at `Sns.Message`")]
    NoMessage {
        /// Which, from 0.
        index: usize,
    },
    /// A message holds something that is no notification.
    #[error("the message {message_id} holds what is no notification")]
    NoNotification {
        /// The id of the message.
        message_id: String,
        /// What is wrong with it.
        source: InvalidNotification,
    },
}

/// Every notification of an event, in order, and everything in it that is none.
pub fn notifications(event: &Value) -> (Vec<Notification>, Vec<InvalidRecord>) {
    let (mut notified, mut bad) = (Vec::new(), Vec::new());
    let Some(records) = event.get("Records").and_then(Value::as_array) else {
        return (notified, vec![InvalidRecord::NoRecords]);
    };
    for (index, record) in records.iter().enumerate() {
        let text = |at: &str| record.pointer(at).and_then(Value::as_str);
        let Some(message) = text("/Sns/Message") else {
            bad.push(InvalidRecord::NoMessage { index });
            continue;
        };
        for read in portpulse_relay::notifications(message) {
            match read {
                Ok(notification) => notified.push(notification),
                Err(source) => bad.push(InvalidRecord::NoNotification {
                    message_id: text("/Sns/MessageId").unwrap_or("without an id").to_owned(),
                    source,
                }),
            }
        }
    }
    (notified, bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portpulse_testkit::event::sample;
    use serde_json::json;

    #[test]
    fn the_samples_under_events_are_read() {
        for (name, ids) in [
            ("relay-down.json", &["orders-db@2026-11-22T05:40:00Z.7/down"][..]),
            (
                "relay-together.json",
                &[
                    "orders-db@2026-11-22T05:40:00Z.7/recovered",
                    "cache@2026-11-22T05:41:00Z.9/down",
                    "queue@2026-11-22T05:41:00Z.9/down",
                    "eu-west-1.12/location_silent",
                ],
            ),
        ] {
            let (notified, bad) = notifications(&sample(name));
            assert_eq!(bad, [], "{name}");
            let notified: Vec<_> = notified.iter().map(|each| each.id.as_str()).collect();
            assert_eq!(notified, ids, "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_the_rest_goes_on() {
        let good = sample("relay-down.json")["Records"][0].clone();
        let foreign = json!({ "Sns": { "MessageId": "m-1", "Message": "Hello" } });
        let (notified, bad) = notifications(&json!({ "Records": [{}, foreign, good] }));
        let bad: Vec<_> = bad.iter().map(|error| portpulse_relay::chain(error)).collect();
        assert_eq!(notified.len(), 1);
        assert_eq!(
            bad,
            [
                "record 0 has no text at `Sns.Message`",
                "the message m-1 holds what is no notification: the notification without an id cannot be read: the message is not JSON",
            ]
        );
        assert_eq!(
            notifications(&json!({ "time": "now" })).1,
            [InvalidRecord::NoRecords]
        );
    }
}
