//! What SNS says of a topic's subscribers and of the account's text messages.
//!
//! Sources: <https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html>,
//! <https://docs.aws.amazon.com/sns/latest/dg/string-value-matching.html> and
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-sms-sandbox.html>

use std::collections::BTreeMap;
use std::error::Error;

use aws_sdk_sns::Client;
use aws_sdk_sns::types::Subscription;
use portpulse_alert::Attribute;
use portpulse_store::chain;
use serde_json::Value;

use crate::output::Stopped;

/// What SNS says.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) subscribers: Vec<Subscriber>,
    /// Looked at where somebody subscribes by text message.
    pub(crate) sms: Option<Sms>,
}

/// One subscription.
#[derive(Debug, PartialEq)]
pub(crate) struct Subscriber {
    pub(crate) protocol: String,
    /// Without what would give it away.
    pub(crate) endpoint: String,
    pub(crate) fate: Fate,
}

/// What becomes of the message there, as far as SNS tells.
#[derive(Debug, PartialEq)]
pub(crate) enum Fate {
    /// It is sent.
    Sent,
    /// The subscription waits for its confirmation.
    Pending,
    /// Its filter policy takes no message with these values of this attribute.
    LeftOut(String),
    /// Whether its filter policy takes it cannot be told here.
    Unsure(String),
}

/// What holds for text messages.
#[derive(Debug)]
pub(crate) struct Sms {
    /// Whether the account is in the sandbox.
    pub(crate) sandbox: Result<bool, String>,
    /// What text messages may cost a month, in US dollars, if that was ever set.
    pub(crate) limit: Result<Option<String>, String>,
}

type Attributes = BTreeMap<&'static str, Attribute>;

impl Account {
    /// Looks at the subscriptions of a topic, and what they make of a message with these attributes.
    pub(crate) async fn look(client: &Client, arn: &str, attributes: &Attributes) -> Result<Self, Stopped> {
        let (mut subscribers, mut from) = (Vec::new(), None);
        loop {
            let page = client
                .list_subscriptions_by_topic()
                .topic_arn(arn)
                .set_next_token(from);
            let page = Box::pin(page.send()).await;
            let page =
                page.map_err(|error| Stopped::unable(format!("list the subscriptions of {arn}"), error))?;
            for subscription in page.subscriptions() {
                subscribers.push(Subscriber::look(client, subscription, attributes).await);
            }
            from = page.next_token;
            if from.is_none() {
                break;
            }
        }
        let has_sms = subscribers.iter().any(|subscriber| subscriber.protocol == "sms");
        let sms = if has_sms {
            Some(Sms::look(client).await)
        } else {
            None
        };
        Ok(Self { subscribers, sms })
    }

    pub(crate) fn reaches_everybody(&self) -> bool {
        let sandbox = self.sms.as_ref().is_some_and(|sms| sms.sandbox != Ok(false));
        !sandbox
            && self
                .subscribers
                .iter()
                .all(|subscriber| subscriber.fate == Fate::Sent)
    }
}

impl Subscriber {
    async fn look(client: &Client, subscription: &Subscription, attributes: &Attributes) -> Self {
        let protocol = subscription.protocol().unwrap_or_default().to_owned();
        let endpoint = masked(&protocol, subscription.endpoint().unwrap_or_default());
        let arn = subscription.subscription_arn().unwrap_or_default();
        let fate = if arn.starts_with("arn:") {
            let asked = client.get_subscription_attributes().subscription_arn(arn);
            match Box::pin(asked.send()).await {
                Ok(found) => {
                    let found = found.attributes.unwrap_or_default();
                    let scope = found
                        .get("FilterPolicyScope")
                        .map_or("MessageAttributes", String::as_str);
                    match found.get("FilterPolicy") {
                        Some(policy) if scope == "MessageAttributes" => fate(policy, attributes),
                        Some(_) => Fate::Unsure("it filters by the message's body".to_owned()),
                        None => Fate::Sent,
                    }
                }
                Err(error) => Fate::Unsure(format!("its filter policy cannot be read: {}", brief(&error))),
            }
        } else {
            Fate::Pending
        };
        Self {
            protocol,
            endpoint,
            fate,
        }
    }
}

impl Sms {
    async fn look(client: &Client) -> Self {
        let status = Box::pin(client.get_sms_sandbox_account_status().send()).await;
        let attributes = client.get_sms_attributes().attributes("MonthlySpendLimit");
        let attributes = Box::pin(attributes.send()).await;
        Self {
            sandbox: status
                .map(|status| status.is_in_sandbox())
                .map_err(|error| brief(&error)),
            limit: attributes
                .map(|found| {
                    found
                        .attributes
                        .and_then(|mut found| found.remove("MonthlySpendLimit"))
                })
                .map_err(|error| brief(&error)),
        }
    }
}

fn brief(error: &dyn Error) -> String {
    chain(error)
}

/// What a filter policy over message attributes makes of a message: every attribute that it names must have one of the
/// values that it names.
fn fate(policy: &str, attributes: &Attributes) -> Fate {
    let Ok(Value::Object(policy)) = serde_json::from_str(policy) else {
        return Fate::Unsure("its filter policy is not known here".to_owned());
    };
    for (name, wanted) in &policy {
        let wanted = wanted.as_array().map_or(&[][..], Vec::as_slice);
        let has = |text: &str| match attributes.get(name.as_str()) {
            Some(Attribute::Text(value)) => value == text,
            Some(Attribute::List(values)) => values.iter().any(|value| value == text),
            None => false,
        };
        if wanted.iter().filter_map(Value::as_str).any(has) {
            continue;
        }
        // Prefixes, numbers, negations.
        if wanted.iter().any(|condition| !condition.is_string()) {
            return Fate::Unsure(format!(
                "its filter policy asks more of `{name}` than is known here"
            ));
        }
        let words: Vec<_> = wanted.iter().filter_map(Value::as_str).collect();
        return Fate::LeftOut(format!("`{name}` must be {}", words.join(" or ")));
    }
    Fate::Sent
}

/// An endpoint by which its owner knows it and nobody else could use it.
fn masked(protocol: &str, endpoint: &str) -> String {
    match protocol {
        "email" | "email-json" => match endpoint.split_once('@') {
            Some((name, host)) => format!("{}…@{host}", name.chars().take(1).collect::<String>()),
            None => "…".to_owned(),
        },
        "sms" => {
            let digits: Vec<char> = endpoint.chars().collect();
            let last = digits.len().saturating_sub(2);
            let tail: String = digits.iter().skip(last.max(3)).collect();
            format!("{}…{tail}", digits.iter().take(3).collect::<String>())
        }
        "http" | "https" => match endpoint.split_once("://") {
            Some((scheme, rest)) => format!(
                "{scheme}://{}/…",
                rest.split(['/', '?']).next().unwrap_or_default()
            ),
            None => "…".to_owned(),
        },
        _ => endpoint.rsplit(':').next().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_known_and_not_given_away() {
        for (protocol, endpoint, expected) in [
            ("email", "ann@example.com", "a…@example.com"),
            ("sms", "+4915112345678", "+49…78"),
            (
                "https",
                "https://hooks.example.com/secret?x=1",
                "https://hooks.example.com/…",
            ),
            (
                "lambda",
                "arn:aws:lambda:eu-west-1:123456789012:function:relay",
                "relay",
            ),
            ("sqs", "arn:aws:sqs:eu-west-1:123456789012:alerts", "alerts"),
            ("email", "", "…"),
            ("sms", "", "…"),
            ("https", "", "…"),
        ] {
            assert_eq!(masked(protocol, endpoint), expected);
        }
    }

    #[test]
    fn a_filter_takes_what_has_one_of_its_values_for_each_attribute() {
        let severities = ["critical", "warning"].map(str::to_owned).to_vec();
        let attributes = BTreeMap::from([
            ("severity", Attribute::List(severities)),
            ("kind", Attribute::Text("test".to_owned())),
        ]);
        let left_out = |what: &str| Fate::LeftOut(what.to_owned());
        let unsure = |what: &str| Fate::Unsure(what.to_owned());
        for (policy, expected) in [
            ("{}", Fate::Sent),
            (r#"{"severity":["critical"]}"#, Fate::Sent),
            (r#"{"severity":["info","warning"],"kind":["test"]}"#, Fate::Sent),
            (r#"{"severity":["info"]}"#, left_out("`severity` must be info")),
            (
                r#"{"severity":["critical"],"tag":["prod","eu"]}"#,
                left_out("`tag` must be prod or eu"),
            ),
            (
                r#"{"kind":[{"prefix":"te"}]}"#,
                unsure("its filter policy asks more of `kind` than is known here"),
            ),
            ("[]", unsure("its filter policy is not known here")),
        ] {
            assert_eq!(fate(policy, &attributes), expected, "{policy}");
        }
    }
}
