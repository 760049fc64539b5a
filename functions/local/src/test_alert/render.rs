//! The output of `portpulse test-alert`, as text or JSON.

use std::collections::BTreeMap;

use portpulse_alert::plain;
use portpulse_core::time::format_duration;
use serde::Serialize;

use super::TestAlertResult;
use super::subscribers::{Delivery, Sms, Subscriber};
use crate::output::{BAD, CommandError, GOOD, WARNING};
use crate::text_table::{self, Cell};

/// The maximum bytes of an error in a line.
const MAX_TEXT_LENGTH: usize = 240;

pub(crate) fn lines(sent: &TestAlertResult) -> Vec<String> {
    let mut lines = vec![format!("Sent {} to {}.", sent.id, sent.topic)];
    let subscribers = sent
        .subscribers
        .iter()
        .flat_map(|subscribers| &subscribers.subscribers);
    let mut rows: Vec<_> = subscribers.map(subscriber).collect();
    rows.extend(sent.destinations.iter().map(|(name, delivered)| {
        let cell = if *delivered {
            Cell::new("delivered").styled(GOOD)
        } else {
            let waited = format_duration(sent.waited);
            Cell::new(format!(
                "not delivered within {waited}; see the log of the relay and its dead-letter queue"
            ))
            .styled(BAD)
        };
        vec![Cell::new("relay"), Cell::new(name.as_str()), cell]
    }));
    lines.extend(text_table::lines(&rows));
    match &sent.subscribers {
        None => lines.push("The running `portpulse local` shows the message and sends it to the destinations of its --relay file.".to_owned()),
        Some(subscribers) if subscribers.subscribers.is_empty() => {
            lines.push(format!(
                "{BAD}The topic has no subscribers{BAD:#}: notifications are not delivered."
            ));
        }
        Some(subscribers) => lines.extend(subscribers.sms.iter().flat_map(sms)),
    }
    lines
}

fn subscriber(subscriber: &Subscriber) -> Vec<Cell> {
    let (text, style) = match &subscriber.delivery {
        Delivery::TestAlertResult => ("sent".to_owned(), GOOD),
        Delivery::Pending => {
            let text = "not sent: the subscription is not confirmed; use the link in the message from AWS";
            (text.to_owned(), BAD)
        }
        Delivery::Filtered(why) => (format!("not sent: rejected by the filter policy: {why}"), BAD),
        Delivery::Unknown(why) => (format!("unknown: {}", plain(why, MAX_TEXT_LENGTH)), WARNING),
    };
    vec![
        Cell::new(subscriber.protocol.as_str()),
        Cell::new(plain(&subscriber.endpoint, MAX_TEXT_LENGTH)),
        Cell::new(text).styled(style),
    ]
}

/// The SMS settings of the account.
fn sms(sms: &Sms) -> Vec<String> {
    let sandbox = match &sms.sandbox {
        Ok(true) => format!(
            "{BAD}SMS: the account is in the SMS sandbox{BAD:#} and reaches at most 10 verified numbers. Request to \
             leave the sandbox in the SNS console, Text messaging."
        ),
        Ok(false) => "SMS: the account is not in the SMS sandbox and reaches all numbers.".to_owned(),
        Err(why) => format!(
            "{WARNING}SMS: cannot read whether the account is in the SMS sandbox{WARNING:#}: {}",
            plain(why, MAX_TEXT_LENGTH)
        ),
    };
    let limit = match &sms.limit {
        Ok(limit) => {
            let limit = limit.as_deref().unwrap_or("1");
            format!(
                "SMS: the monthly spend limit is {} USD; AWS sends no SMS beyond it. Request an increase in Service \
                 Quotas, SNS.",
                plain(limit, 20)
            )
        }
        Err(why) => format!(
            "SMS: cannot read the monthly spend limit: {}",
            plain(why, MAX_TEXT_LENGTH)
        ),
    };
    vec![sandbox, limit]
}

/// The result as one JSON object.
#[derive(Serialize)]
struct TestAlertJson<'a> {
    table: &'a str,
    id: &'a str,
    topic: &'a str,
    reaches_all: bool,
    subscribers: Vec<SubscriberJson<'a>>,
    destinations: BTreeMap<&'a str, bool>,
    sms: Option<SmsJson<'a>>,
}

#[derive(Serialize)]
struct SubscriberJson<'a> {
    protocol: &'a str,
    endpoint: &'a str,
    delivery: &'static str,
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct SmsJson<'a> {
    in_sandbox: Option<bool>,
    monthly_limit_usd: Option<&'a str>,
}

pub(crate) fn json(sent: &TestAlertResult, table: &str) -> Result<String, CommandError> {
    let subscribers = sent.subscribers.as_ref();
    let json = TestAlertJson {
        table,
        id: &sent.id,
        topic: &sent.topic,
        reaches_all: sent.reaches_all(),
        subscribers: subscribers
            .into_iter()
            .flat_map(|subscribers| &subscribers.subscribers)
            .map(|subscriber| {
                let (delivery, why) = match &subscriber.delivery {
                    Delivery::TestAlertResult => ("sent", None),
                    Delivery::Pending => ("pending", None),
                    Delivery::Filtered(why) => ("filtered", Some(why.as_str())),
                    Delivery::Unknown(why) => ("unknown", Some(why.as_str())),
                };
                SubscriberJson {
                    protocol: &subscriber.protocol,
                    endpoint: &subscriber.endpoint,
                    delivery,
                    why,
                }
            })
            .collect(),
        destinations: sent
            .destinations
            .iter()
            .map(|(name, delivered)| (name.as_str(), *delivered))
            .collect(),
        sms: subscribers
            .and_then(|subscribers| subscribers.sms.as_ref())
            .map(|sms| SmsJson {
                in_sandbox: sms.sandbox.as_ref().ok().copied(),
                monthly_limit_usd: sms.limit.as_ref().ok().and_then(Option::as_deref),
            }),
    };
    serde_json::to_string(&json).map_err(|error| CommandError::failed("write JSON", error))
}
