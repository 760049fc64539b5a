//! The event of SNS: records with one message each.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>

use portpulse_core::decide::Notification;
use portpulse_relay::InvalidNotification;
use serde_json::Value;

/// An invalid part of an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRecord {
    /// The event has no records.
    #[error("the event has no `Records`: subscribe this function to the topic of Portpulse")]
    NoRecords,
    /// A record has no message.
    #[error("record {index} has no text at `Sns.Message`")]
    NoMessage {
        /// The index of the record, from 0.
        index: usize,
    },
    /// A notification in a message is invalid.
    #[error("the message {message_id} contains an invalid notification")]
    InvalidNotification {
        /// The id of the message.
        message_id: String,
        /// The diagnostics of the notification.
        source: InvalidNotification,
    },
}

/// The notifications of an event in their order, and its invalid records.
pub fn notifications_in(event: &Value) -> (Vec<Notification>, Vec<InvalidRecord>) {
    let (mut valid, mut invalid) = (Vec::new(), Vec::new());
    let Some(records) = event.get("Records").and_then(Value::as_array) else {
        return (valid, vec![InvalidRecord::NoRecords]);
    };
    for (index, record) in records.iter().enumerate() {
        let text = |at: &str| record.pointer(at).and_then(Value::as_str);
        let Some(message) = text("/Sns/Message") else {
            invalid.push(InvalidRecord::NoMessage { index });
            continue;
        };
        for read in portpulse_relay::parse_notifications(message) {
            match read {
                Ok(notification) => valid.push(notification),
                Err(source) => invalid.push(InvalidRecord::InvalidNotification {
                    message_id: text("/Sns/MessageId").unwrap_or("(no id)").to_owned(),
                    source,
                }),
            }
        }
    }
    (valid, invalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portpulse_testkit::event::sample;
    use serde_json::json;

    #[test]
    fn sample_events_are_parsed() {
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
            let (valid, invalid) = notifications_in(&sample(name));
            assert_eq!(invalid, [], "{name}");
            let valid: Vec<_> = valid.iter().map(|each| each.id.as_str()).collect();
            assert_eq!(valid, ids, "{name}");
        }
    }

    #[test]
    fn invalid_records_do_not_stop_valid_ones() {
        let good = sample("relay-down.json")["Records"][0].clone();
        let foreign = json!({ "Sns": { "MessageId": "m-1", "Message": "Hello" } });
        let (valid, invalid) = notifications_in(&json!({ "Records": [{}, foreign, good] }));
        let errors: Vec<_> = invalid
            .iter()
            .map(|error| portpulse_relay::chain(error))
            .collect();
        assert_eq!(valid.len(), 1);
        assert_eq!(
            errors,
            [
                "record 0 has no text at `Sns.Message`",
                "the message m-1 contains an invalid notification: the notification without an id is invalid: the message is not JSON",
            ]
        );
        assert_eq!(
            notifications_in(&json!({ "time": "now" })).1,
            [InvalidRecord::NoRecords]
        );
    }
}
