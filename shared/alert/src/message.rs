//! A message for SNS and its limits.
//!
//! Source of the limits: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html> and
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::text;

/// The maximum size of a message in bytes: its text for every protocol, its subject and its attributes. SNS accepts
/// 262,144.
pub const MAX_BYTES: usize = 262_144;
/// The maximum length of a subject in characters: ASCII, on one line. SNS accepts fewer than 100.
pub const MAX_SUBJECT: usize = 99;
/// The maximum length of a text message in characters, so that it is sent and billed as one.
pub const MAX_SMS: usize = 140;

/// One message to all subscribers.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The ids of the notifications in the message.
    pub ids: Vec<String>,
    /// The subject of the email.
    pub subject: String,
    /// The text of the email.
    pub body: String,
    /// The text message (SMS).
    pub sms: String,
    /// The JSON for programs: one notification, or `{"type":"notifications","version":1,"notifications":[…]}`.
    pub json: Value,
    /// The attributes that subscriptions can filter by.
    pub attributes: BTreeMap<&'static str, Attribute>,
}

/// The value of a message attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// One value.
    Text(String),
    /// Several values; a filter matches if it matches any of them.
    List(Vec<String>),
}

impl Attribute {
    /// The data type in SNS.
    pub fn data_type(&self) -> &'static str {
        match self {
            Self::Text(_) => "String",
            Self::List(_) => "String.Array",
        }
    }

    /// The value as SNS expects it.
    pub fn value(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::List(texts) => json!(texts).to_string(),
        }
    }
}

impl Message {
    /// The payload for `MessageStructure` `json`. Email and SMS have their own texts. All other protocols (HTTP, HTTPS,
    /// Lambda, SQS, …) share the default, the JSON: a copy for each protocol would count towards the size limit.
    pub fn payload(&self) -> String {
        json!({
            "default": text::accepted(&self.json.to_string()),
            "email": text::accepted(&self.body),
            "sms": self.sms,
        })
        .to_string()
    }

    /// The size as SNS counts it, in bytes.
    pub fn bytes(&self) -> usize {
        let attributes = self.attributes.iter();
        let attributes =
            attributes.map(|(name, value)| name.len() + value.data_type().len() + value.value().len());
        self.subject.len() + self.payload().len() + attributes.sum::<usize>()
    }
}
