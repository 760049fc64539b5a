//! A message as SNS takes it, and the limits that it keeps.
//!
//! Source of the limits: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html> and
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::text;

/// The most bytes of a message: its text for every protocol, its subject and its attributes. SNS takes 262,144.
pub const MAX_BYTES: usize = 262_144;
/// The most characters of a subject: ASCII, on one line. SNS takes fewer than 100.
pub const MAX_SUBJECT: usize = 99;
/// The most characters of a text message, so that it is sent, and paid for, as one.
pub const MAX_SMS: usize = 140;

/// One message to everybody who subscribed.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The ids of the notifications that it tells.
    pub ids: Vec<String>,
    /// The subject of the email.
    pub subject: String,
    /// The text of the email.
    pub body: String,
    /// The text message to a telephone.
    pub sms: String,
    /// What programs get: one notification, or `{"type":"notifications","version":1,"notifications":[…]}`.
    pub json: Value,
    /// What subscriptions can filter by.
    pub attributes: BTreeMap<&'static str, Attribute>,
}

/// The value of a message attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// One word.
    Text(String),
    /// Several; a filter matches if it matches any of them.
    List(Vec<String>),
}

impl Attribute {
    /// The name of its type in SNS.
    pub fn data_type(&self) -> &'static str {
        match self {
            Self::Text(_) => "String",
            Self::List(_) => "String.Array",
        }
    }

    /// Its value as SNS takes it.
    pub fn value(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::List(texts) => json!(texts).to_string(),
        }
    }
}

impl Message {
    /// What goes out with `MessageStructure` `json`: email and telephones have a text of their own, every other
    /// protocol (HTTP, HTTPS, Lambda, SQS, …) gets the JSON, once for all of them, since each counts.
    pub fn payload(&self) -> String {
        json!({
            "default": text::accepted(&self.json.to_string()),
            "email": text::accepted(&self.body),
            "sms": self.sms,
        })
        .to_string()
    }

    /// Its size as SNS counts it.
    pub fn bytes(&self) -> usize {
        let attributes = self.attributes.iter();
        let attributes =
            attributes.map(|(name, value)| name.len() + value.data_type().len() + value.value().len());
        self.subject.len() + self.payload().len() + attributes.sum::<usize>()
    }
}
