//! What the stand-in of SNS says of its account and of the subscriptions of its topic, as a test has set it.

use portpulse_local_aws::Answer;
use portpulse_local_aws::sns::{Form, refusal, success};

/// What SNS would know besides the messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The subscriptions of every topic.
    pub subscriptions: Vec<Subscription>,
    /// Whether text messages go to verified numbers alone.
    pub is_in_sms_sandbox: bool,
    /// What text messages may cost a month, in US dollars, if it was ever set.
    pub sms_monthly_limit: Option<String>,
}

/// A subscription of the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// `email`, `sms`, `https`, `lambda` and so on.
    pub protocol: String,
    /// An address, a number, an ARN.
    pub endpoint: String,
    /// Whether whoever reads it has agreed to.
    pub is_confirmed: bool,
    /// Which messages it takes, as JSON; all if absent.
    pub filter_policy: Option<String>,
}

impl Account {
    /// Answers an operation that reads; `None` for one that is not known here.
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
                    return Some(refusal("there is no such subscription"));
                };
                let policy = subscription.filter_policy.as_deref();
                let pairs = policy.map(|policy| ("FilterPolicy", policy));
                let pairs: Vec<_> = pairs.into_iter().collect();
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
