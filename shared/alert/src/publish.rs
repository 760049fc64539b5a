//! The way out: one message to one SNS topic.

use std::error::Error as StdError;

use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;

use crate::message::Message;

/// Somewhere to publish to.
#[expect(
    async_fn_in_trait,
    reason = "used through generics, where the concrete type tells whether its futures are Send"
)]
pub trait Publish {
    /// Publishes a message. Where its future is dropped, or fails, the message may or may not have gone out.
    ///
    /// # Errors
    /// When it is not known whether the message has gone out.
    async fn publish(&self, message: &Message) -> Result<(), PublishError>;
}

/// A message that is not known to have gone out.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The attributes of a message are not what SNS takes.
    #[error("could not make the attribute `{name}` of the message `{subject}`")]
    Attribute {
        /// Which.
        name: &'static str,
        /// The subject of the message.
        subject: String,
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// SNS did not take it, or did not say so.
    #[error("could not publish `{subject}` to `{topic}`")]
    Failed {
        /// The subject of the message.
        subject: String,
        /// Where to.
        topic: String,
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },
}

/// An SNS topic.
#[derive(Debug, Clone)]
pub struct SnsTopic {
    client: Client,
    arn: String,
}

impl SnsTopic {
    /// The topic of this ARN; `client` must be of its location.
    pub fn new(client: Client, arn: impl Into<String>) -> Self {
        Self {
            client,
            arn: arn.into(),
        }
    }
}

impl Publish for SnsTopic {
    async fn publish(&self, message: &Message) -> Result<(), PublishError> {
        let mut request = self
            .client
            .publish()
            .topic_arn(&self.arn)
            .subject(&message.subject)
            .message_structure("json")
            .message(message.payload());
        for (name, attribute) in &message.attributes {
            let value = MessageAttributeValue::builder()
                .data_type(attribute.data_type())
                .string_value(attribute.value())
                .build()
                .map_err(|error| PublishError::Attribute {
                    name,
                    subject: message.subject.clone(),
                    source: Box::new(error),
                })?;
            request = request.message_attributes(*name, value);
        }
        match Box::pin(request.send()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(PublishError::Failed {
                subject: message.subject.clone(),
                topic: self.arn.clone(),
                source: Box::new(error),
            }),
        }
    }
}
