//! Whom a test message has reached, for people and for programs.

use std::collections::BTreeMap;

use portpulse_alert::plain;
use portpulse_core::time::format_duration;
use serde::Serialize;

use super::Sent;
use super::account::{Fate, Sms, Subscriber};
use crate::output::{GOOD, INVALID, Stopped, UNSURE};
use crate::table::{self, Cell};

/// The most bytes of an error that a line shows.
const MAX_TEXT_LENGTH: usize = 240;

pub(crate) fn lines(sent: &Sent) -> Vec<String> {
    let mut lines = vec![format!("Sent {} to {}.", sent.id, sent.topic)];
    let subscribers = sent.account.iter().flat_map(|account| &account.subscribers);
    let mut rows: Vec<_> = subscribers.map(subscriber).collect();
    rows.extend(sent.destinations.iter().map(|(name, has_it)| {
        let cell = if *has_it {
            Cell::new("posted").styled(GOOD)
        } else {
            let waited = format_duration(sent.waited);
            Cell::new(format!(
                "not posted within {waited} (its log and the dead-letter queue say why)"
            ))
            .styled(INVALID)
        };
        vec![Cell::new("relay"), Cell::new(name.as_str()), cell]
    }));
    lines.extend(table::lines(&rows));
    match &sent.account {
        None => lines.push("`portpulse local` shows it, and posts it where its own --relay says.".to_owned()),
        Some(account) if account.subscribers.is_empty() => {
            lines.push(format!(
                "{INVALID}Nobody subscribes to the topic{INVALID:#}: no alert reaches anybody."
            ));
        }
        Some(account) => lines.extend(account.sms.iter().flat_map(sms)),
    }
    lines
}

fn subscriber(subscriber: &Subscriber) -> Vec<Cell> {
    let (text, style) = match &subscriber.fate {
        Fate::Sent => ("sent".to_owned(), GOOD),
        Fate::Pending => {
            let text =
                "not sent: the subscription is not confirmed (confirm it by the link that AWS sent there)";
            (text.to_owned(), INVALID)
        }
        Fate::LeftOut(why) => (format!("left out by its filter: {why}"), INVALID),
        Fate::Unsure(why) => (format!("may be sent: {}", plain(why, MAX_TEXT_LENGTH)), UNSURE),
    };
    vec![
        Cell::new(subscriber.protocol.as_str()),
        Cell::new(plain(&subscriber.endpoint, MAX_TEXT_LENGTH)),
        Cell::new(text).styled(style),
    ]
}

/// What holds for text messages, in plain words.
fn sms(sms: &Sms) -> Vec<String> {
    let sandbox = match &sms.sandbox {
        Ok(true) => format!(
            "{INVALID}Text messages: the account is in the sandbox{INVALID:#}. They reach only numbers that were verified, at \
             most 10 of them. Ask AWS to move the account out of the SMS sandbox (SNS console, Text messaging)."
        ),
        Ok(false) => "Text messages: the account is not in the sandbox; any number is reached.".to_owned(),
        Err(why) => format!(
            "{UNSURE}Text messages: whether the account is in the sandbox cannot be told{UNSURE:#}: {}",
            plain(why, MAX_TEXT_LENGTH)
        ),
    };
    let limit = match &sms.limit {
        Ok(limit) => {
            let limit = limit.as_deref().unwrap_or("1");
            format!(
                "Text messages may cost {} USD a month; beyond that AWS sends none until the month ends. More is to be \
                 asked for (Service Quotas, SNS).",
                plain(limit, 20)
            )
        }
        Err(why) => format!(
            "What text messages may cost a month cannot be told: {}",
            plain(why, MAX_TEXT_LENGTH)
        ),
    };
    vec![sandbox, limit]
}

/// Whom the message has reached as one JSON object, in the order of the documentation.
#[derive(Serialize)]
struct SentJson<'a> {
    table: &'a str,
    id: &'a str,
    topic: &'a str,
    reaches_everybody: bool,
    subscribers: Vec<SubscriberJson<'a>>,
    destinations: BTreeMap<&'a str, bool>,
    sms: Option<SmsJson<'a>>,
}

#[derive(Serialize)]
struct SubscriberJson<'a> {
    protocol: &'a str,
    endpoint: &'a str,
    fate: &'static str,
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct SmsJson<'a> {
    in_sandbox: Option<bool>,
    monthly_limit_usd: Option<&'a str>,
}

pub(crate) fn json(sent: &Sent, table: &str) -> Result<String, Stopped> {
    let account = sent.account.as_ref();
    let json = SentJson {
        table,
        id: &sent.id,
        topic: &sent.topic,
        reaches_everybody: sent.reaches_everybody(),
        subscribers: account
            .into_iter()
            .flat_map(|account| &account.subscribers)
            .map(|subscriber| {
                let (fate, why) = match &subscriber.fate {
                    Fate::Sent => ("sent", None),
                    Fate::Pending => ("pending", None),
                    Fate::LeftOut(why) => ("left_out", Some(why.as_str())),
                    Fate::Unsure(why) => ("unsure", Some(why.as_str())),
                };
                SubscriberJson {
                    protocol: &subscriber.protocol,
                    endpoint: &subscriber.endpoint,
                    fate,
                    why,
                }
            })
            .collect(),
        destinations: sent
            .destinations
            .iter()
            .map(|(name, has_it)| (name.as_str(), *has_it))
            .collect(),
        sms: account
            .and_then(|account| account.sms.as_ref())
            .map(|sms| SmsJson {
                in_sandbox: sms.sandbox.as_ref().ok().copied(),
                monthly_limit_usd: sms.limit.as_ref().ok().and_then(Option::as_deref),
            }),
    };
    serde_json::to_string(&json).map_err(|error| Stopped::unable("write JSON", error))
}
