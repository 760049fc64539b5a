//! Account settings and subscriptions of the stand-in for SNS.

use portpulse_local_aws::Answer;
use portpulse_local_aws::sns::{Form, refusal, success};

/// The settings of an SNS account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The subscriptions of every topic.
    pub subscriptions: Vec<Subscription>,
    /// Whether text messages go to verified numbers only.
    pub is_in_sms_sandbox: bool,
    /// The monthly limit for text messages in US dollars, if set.
    pub sms_monthly_limit: Option<String>,
}

/// A subscription to the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The protocol, such as `email`, `sms`, `https` or `lambda`.
    pub protocol: String,
    /// The address, number or ARN.
    pub endpoint: String,
    /// Whether the subscriber has confirmed.
    pub is_confirmed: bool,
    /// Whether the confirmation was authenticated, so that ending the subscription requires credentials.
    pub is_authenticated: bool,
    /// The filter policy as JSON; `None`: all messages.
    pub filter_policy: Option<String>,
}

impl Account {
    /// Answers a read operation; `None` if the operation is unknown.
    pub(super) fn answer(&self, form: &Form) -> Option<Answer> {
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let arn = |index: usize| format!("{}:subscription-{index}", field("TopicArn"));
        let entries = |pairs: &[(&str, &str)]| {
            let entries = pairs.iter().map(|(key, value)| {
                format!("<entry><key>{key}</key><value>{}</value></entry>", escaped(value))
            });
            entries.collect::<String>()
        };
        let result = match field("Action") {
            "ListSubscriptionsByTopic" => {
                let members = self.subscriptions.iter().enumerate().map(|(index, subscription)| {
                    let arn = match subscription.is_confirmed {
                        true => arn(index),
                        false => "PendingConfirmation".to_owned(),
                    };
                    let (protocol, endpoint) = (&subscription.protocol, escaped(&subscription.endpoint));
                    format!(
                        "<member><TopicArn>{}</TopicArn><Protocol>{protocol}</Protocol><SubscriptionArn>{arn}\
                         </SubscriptionArn><Owner>000000000000</Owner><Endpoint>{endpoint}</Endpoint></member>",
                        field("TopicArn")
                    )
                });
                format!("<Subscriptions>{}</Subscriptions>", members.collect::<String>())
            }
            "GetSubscriptionAttributes" => {
                let number = field("SubscriptionArn").rsplit('-').next();
                let index = number.and_then(|number| number.parse::<usize>().ok());
                let Some(subscription) = index.and_then(|index| self.subscriptions.get(index)) else {
                    return Some(refusal("the subscription does not exist"));
                };
                let policy = subscription.filter_policy.as_deref();
                let authenticated = subscription.is_authenticated.to_string();
                let mut pairs = vec![("ConfirmationWasAuthenticated", authenticated.as_str())];
                pairs.extend(policy.map(|policy| ("FilterPolicy", policy)));
                format!("<Attributes>{}</Attributes>", entries(&pairs))
            }
            "GetSMSSandboxAccountStatus" => format!("<IsInSandbox>{}</IsInSandbox>", self.is_in_sms_sandbox),
            "GetSMSAttributes" => {
                let limit = self.sms_monthly_limit.as_deref();
                let pairs = limit.map(|limit| ("MonthlySpendLimit", limit));
                let pairs: Vec<_> = pairs.into_iter().collect();
                format!("<attributes>{}</attributes>", entries(&pairs))
            }
            _ => return None,
        };
        Some(success(field("Action"), &result))
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
