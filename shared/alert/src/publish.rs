//! Publishing: one message to one SNS topic.

use std::error::Error as StdError;

use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;

use crate::message::Message;

/// A topic that messages are published to.
#[expect(
    async_fn_in_trait,
    reason = "used through generics, where the concrete type shows whether its futures are Send"
)]
pub trait Publish {
    /// Publishes a message. If the future is dropped or fails, the message may or may not have been published.
    ///
    /// # Errors
    /// If it is unknown whether the message was published.
    async fn publish(&self, message: &Message) -> Result<(), PublishError>;
}

/// Publishing failed: the message may or may not have been published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// An attribute of the message is invalid for SNS.
    #[error("failed to build the attribute `{name}` of the message `{subject}`")]
    Attribute {
        /// The name of the attribute.
        name: &'static str,
        /// The subject of the message.
        subject: String,
        /// The error of the SDK.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// SNS refused the message or did not answer.
    #[error("failed to publish `{subject}` to `{topic}`")]
    Failed {
        /// The subject of the message.
        subject: String,
        /// The ARN of the topic.
        topic: String,
        /// The error of the SDK.
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
    /// The topic with this ARN; `client` must use the AWS region of the topic.
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
