//! The subscribers of a topic and the SMS settings of the account, as SNS reports them.
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

use crate::output::CommandError;

/// The subscribers of a topic.
#[derive(Debug)]
pub(crate) struct TopicSubscribers {
    pub(crate) subscribers: Vec<Subscriber>,
    /// The SMS settings, if there is an SMS subscription.
    pub(crate) sms: Option<Sms>,
}

/// One subscription.
#[derive(Debug, PartialEq)]
pub(crate) struct Subscriber {
    pub(crate) protocol: String,
    /// The endpoint, with its personal or secret parts masked.
    pub(crate) endpoint: String,
    pub(crate) delivery: Delivery,
    /// Whether the link at the end of each email ends the subscription, whoever opens it.
    pub(crate) link_unsubscribes: bool,
}

/// Whether the subscription receives the message, as far as SNS reports.
#[derive(Debug, PartialEq)]
pub(crate) enum Delivery {
    /// SNS sends the message.
    Sent,
    /// The subscription is not confirmed.
    Pending,
    /// The filter policy rejects the message, with the reason.
    Filtered(String),
    /// The filter policy cannot be evaluated, with the reason.
    Unknown(String),
}

/// The SMS settings of the account.
#[derive(Debug)]
pub(crate) struct Sms {
    /// Whether the account is in the SMS sandbox.
    pub(crate) sandbox: Result<bool, String>,
    /// The monthly spend limit in US dollars, if it was changed.
    pub(crate) limit: Result<Option<String>, String>,
}

type Attributes = BTreeMap<&'static str, Attribute>;

impl TopicSubscribers {
    /// Reads the subscriptions of a topic, and evaluates their filter policies for a message with these attributes.
    pub(crate) async fn look(
        client: &Client,
        arn: &str,
        attributes: &Attributes,
    ) -> Result<Self, CommandError> {
        let (mut subscribers, mut from) = (Vec::new(), None);
        loop {
            let page = client
                .list_subscriptions_by_topic()
                .topic_arn(arn)
                .set_next_token(from);
            let page = Box::pin(page.send()).await;
            let page = page
                .map_err(|error| CommandError::failed(format!("list the subscriptions of {arn}"), error))?;
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

    pub(crate) fn reaches_all(&self) -> bool {
        let sandbox = self.sms.as_ref().is_some_and(|sms| sms.sandbox != Ok(false));
        !sandbox
            && self
                .subscribers
                .iter()
                .all(|subscriber| subscriber.delivery == Delivery::Sent)
    }
}

impl Subscriber {
    async fn look(client: &Client, subscription: &Subscription, attributes: &Attributes) -> Self {
        let protocol = subscription.protocol().unwrap_or_default().to_owned();
        let endpoint = masked(&protocol, subscription.endpoint().unwrap_or_default());
        let arn = subscription.subscription_arn().unwrap_or_default();
        let mut link_unsubscribes = false;
        let delivery = if arn.starts_with("arn:") {
            let planned = client.get_subscription_attributes().subscription_arn(arn);
            match Box::pin(planned.send()).await {
                Ok(found) => {
                    let found = found.attributes.unwrap_or_default();
                    link_unsubscribes = protocol.starts_with("email")
                        && found
                            .get("ConfirmationWasAuthenticated")
                            .is_some_and(|was| was == "false");
                    let scope = found
                        .get("FilterPolicyScope")
                        .map_or("MessageAttributes", String::as_str);
                    match found.get("FilterPolicy") {
                        Some(policy) if scope == "MessageAttributes" => delivery(policy, attributes),
                        Some(_) => {
                            Delivery::Unknown("filters by the message body are not evaluated".to_owned())
                        }
                        None => Delivery::Sent,
                    }
                }
                Err(error) => Delivery::Unknown(format!("cannot read its filter policy: {}", brief(&error))),
            }
        } else {
            Delivery::Pending
        };
        Self {
            protocol,
            endpoint,
            delivery,
            link_unsubscribes,
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

/// Evaluates a filter policy on message attributes: each attribute in the policy must have one of its values.
fn delivery(policy: &str, attributes: &Attributes) -> Delivery {
    let Ok(Value::Object(policy)) = serde_json::from_str(policy) else {
        return Delivery::Unknown("its filter policy is not supported".to_owned());
    };
    for (name, selection) in &policy {
        let selection = selection.as_array().map_or(&[][..], Vec::as_slice);
        let has = |text: &str| match attributes.get(name.as_str()) {
            Some(Attribute::Text(value)) => value == text,
            Some(Attribute::List(values)) => values.iter().any(|value| value == text),
            None => false,
        };
        if selection.iter().filter_map(Value::as_str).any(has) {
            continue;
        }
        // Prefixes, numbers and negations are not evaluated.
        if selection.iter().any(|condition| !condition.is_string()) {
            return Delivery::Unknown(format!(
                "its filter policy has an unsupported condition on `{name}`"
            ));
        }
        let values: Vec<_> = selection.iter().filter_map(Value::as_str).collect();
        return Delivery::Filtered(format!("`{name}` must be {}", values.join(" or ")));
    }
    Delivery::Sent
}

/// Masks an endpoint, so that its owner recognizes it but others cannot use it.
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
    fn endpoints_are_masked() {
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
    fn filter_policy_requires_a_value_of_each_attribute() {
        let severities = ["critical", "warning"].map(str::to_owned).to_vec();
        let attributes = BTreeMap::from([
            ("severity", Attribute::List(severities)),
            ("kind", Attribute::Text("test".to_owned())),
        ]);
        let left_out = |what: &str| Delivery::Filtered(what.to_owned());
        let unsure = |what: &str| Delivery::Unknown(what.to_owned());
        for (policy, expected) in [
            ("{}", Delivery::Sent),
            (r#"{"severity":["critical"]}"#, Delivery::Sent),
            (
                r#"{"severity":["info","warning"],"kind":["test"]}"#,
                Delivery::Sent,
            ),
            (r#"{"severity":["info"]}"#, left_out("`severity` must be info")),
            (
                r#"{"severity":["critical"],"tag":["prod","eu"]}"#,
                left_out("`tag` must be prod or eu"),
            ),
            (
                r#"{"kind":[{"prefix":"te"}]}"#,
                unsure("its filter policy has an unsupported condition on `kind`"),
            ),
            ("[]", unsure("its filter policy is not supported")),
        ] {
            assert_eq!(delivery(policy, &attributes), expected, "{policy}");
        }
    }
}
