//! The output of `portpulse test-alert`, as text or JSON.

use portpulse_core::text::excerpt;
use portpulse_core::time::format_duration;
use serde_json::{Map, Value, json};

use super::TestAlertResult;
use super::subscribers::{Delivery, Sms, Subscriber};
use crate::output::{BAD, GOOD, WARNING};
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
    lines.extend(text_table::titled(&["PROTOCOL", "ENDPOINT", "RESULT"], rows));
    match &sent.subscribers {
        None => lines.push("The running `portpulse local` shows the message and sends it to the destinations of its --relay file.".to_owned()),
        Some(subscribers) if subscribers.subscribers.is_empty() => {
            lines.push(format!(
                "{BAD}The topic has no subscribers{BAD:#}: notifications are not delivered."
            ));
        }
        Some(subscribers) => {
            lines.extend(unauthenticated(&subscribers.subscribers));
            lines.extend(subscribers.sms.iter().flat_map(sms));
        }
    }
    lines
}

fn subscriber(subscriber: &Subscriber) -> Vec<Cell> {
    let (text, style) = match &subscriber.delivery {
        Delivery::Sent => ("sent".to_owned(), GOOD),
        Delivery::Pending => {
            let text = "not sent: the subscription is not confirmed; use the link in the message from AWS";
            (text.to_owned(), BAD)
        }
        Delivery::Filtered(why) => (format!("not sent: rejected by the filter policy: {why}"), BAD),
        Delivery::Unknown(why) => (format!("unknown: {}", excerpt(why, MAX_TEXT_LENGTH)), WARNING),
    };
    vec![
        Cell::new(subscriber.protocol.as_str()),
        Cell::new(excerpt(&subscriber.endpoint, MAX_TEXT_LENGTH)),
        Cell::new(text).styled(style),
    ]
}

/// A warning, if the confirmation of an email subscription was not authenticated.
fn unauthenticated(subscribers: &[Subscriber]) -> Option<String> {
    let open: Vec<_> = subscribers
        .iter()
        .filter(|subscriber| subscriber.link_unsubscribes)
        .map(|subscriber| excerpt(&subscriber.endpoint, MAX_TEXT_LENGTH))
        .collect();
    (!open.is_empty()).then(|| {
        format!(
            "{WARNING}Email: the link at the end of each message ends the subscription of {}{WARNING:#}, whoever opens it, \
             such as a mail scanner. Subscribe again, and confirm with `aws sns confirm-subscription \
             --authenticate-on-unsubscribe true`.",
            open.join(", ")
        )
    })
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
            excerpt(why, MAX_TEXT_LENGTH)
        ),
    };
    let limit = match &sms.limit {
        Ok(limit) => {
            let limit = limit.as_deref().unwrap_or("1");
            format!(
                "SMS: the monthly spend limit is {} USD; AWS sends no SMS beyond it. Request an increase in Service \
                 Quotas, SNS.",
                excerpt(limit, 20)
            )
        }
        Err(why) => format!(
            "SMS: cannot read the monthly spend limit: {}",
            excerpt(why, MAX_TEXT_LENGTH)
        ),
    };
    vec![sandbox, limit]
}

/// The result as one JSON object.
pub(crate) fn json(sent: &TestAlertResult, table: &str) -> Value {
    let subscribers = sent
        .subscribers
        .iter()
        .flat_map(|subscribers| &subscribers.subscribers);
    let subscribers = subscribers.map(|subscriber| {
        let (delivery, reason) = match &subscriber.delivery {
            Delivery::Sent => ("sent", None),
            Delivery::Pending => ("pending", None),
            Delivery::Filtered(reason) => ("filtered", Some(reason)),
            Delivery::Unknown(reason) => ("unknown", Some(reason)),
        };
        let (protocol, endpoint) = (&subscriber.protocol, &subscriber.endpoint);
        let link_unsubscribes = subscriber.link_unsubscribes;
        json!({
            "protocol": protocol,
            "endpoint": endpoint,
            "delivery": delivery,
            "reason": reason,
            "link_unsubscribes": link_unsubscribes,
        })
    });
    let destinations = sent.destinations.iter();
    let destinations: Map<_, _> = destinations
        .map(|(name, delivered)| (name.to_string(), json!(delivered)))
        .collect();
    let sms = sent
        .subscribers
        .as_ref()
        .and_then(|subscribers| subscribers.sms.as_ref());
    json!({
        "table": table,
        "id": sent.id,
        "topic": sent.topic,
        "reaches_all": sent.reaches_all(),
        "subscribers": subscribers.collect::<Vec<_>>(),
        "destinations": destinations,
        "sms": sms.map(|sms| json!({
            "in_sandbox": sms.sandbox.as_ref().ok(),
            "monthly_limit_usd": sms.limit.as_ref().ok().and_then(Option::as_ref),
        })),
    })
}
