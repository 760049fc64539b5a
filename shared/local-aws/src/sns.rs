//! SNS: `Publish` with the limits of the AWS service.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use tokio::sync::mpsc;

use crate::Answer;

/// The topic of this machine. Other topics are accepted too.
pub const TOPIC_ARN: &str = "arn:aws:sns:us-east-1:000000000000:portpulse";

/// The maximum bytes of a message with subject and attributes.
/// Source: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
const MAX_BYTES: usize = 262_144;

/// The fields of a request body.
pub type Form = BTreeMap<String, String>;

/// SNS. Accepted messages go to the receiver of [`Sns::new`].
#[derive(Debug)]
pub struct Sns {
    accepted: mpsc::UnboundedSender<Published>,
    number: AtomicU64,
}

/// An accepted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The ARN of the topic.
    pub topic_arn: String,
    /// The subject.
    pub subject: Option<String>,
    /// The text, or texts by protocol if `MessageStructure` is `json`.
    pub texts: Texts,
    /// The values of the attributes.
    pub attributes: BTreeMap<String, String>,
}

/// The text of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Texts {
    /// One text for all protocols.
    One(String),
    /// Texts by protocol, with `default` for other protocols.
    ByProtocol(BTreeMap<String, String>),
}

impl Sns {
    /// SNS and a receiver, which gets accepted messages before the publisher gets the answer.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Published>) {
        let (accepted, receiver) = mpsc::unbounded_channel();
        let number = AtomicU64::new(0);
        (Self { accepted, number }, receiver)
    }

    /// Answers a request: a form with the `Action` `Publish`.
    pub fn answer(&self, body: &str) -> Answer {
        match read(form(body)) {
            Err(what) => refusal(what),
            Ok(published) => {
                // The receiver may be dropped; this is no error for the publisher.
                drop(self.accepted.send(published));
                let number = self.number.fetch_add(1, Ordering::Relaxed);
                let result = format!("<MessageId>00000000-0000-0000-0001-{number:012}</MessageId>");
                success("Publish", &result)
            }
        }
    }
}

/// Parses a request body.
pub fn form(body: &str) -> Form {
    form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

/// The answer to a successful `action`, with the result as XML.
pub fn success(action: &str, result: &str) -> Answer {
    let result = format!("<{action}Result>{result}</{action}Result>");
    let body = format!(
        "<{action}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">{result}</{action}Response>"
    );
    Answer { status: 200, body }
}

/// The answer to an invalid request.
pub fn refusal(why: &str) -> Answer {
    error(400, "Sender", "InvalidParameter", why)
}

/// The answer of a failing SNS.
pub fn failure(why: &str) -> Answer {
    error(500, "Receiver", "InternalError", why)
}

fn error(status: u16, kind: &str, code: &str, why: &str) -> Answer {
    let error = format!("<Type>{kind}</Type><Code>{code}</Code><Message>{why}</Message>");
    let body = format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>");
    Answer { status, body }
}

impl Published {
    /// The text for subscribers of a protocol such as `email`.
    pub fn text(&self, protocol: &str) -> &str {
        match &self.texts {
            Texts::One(text) => text,
            Texts::ByProtocol(texts) => {
                let text = texts.get(protocol).or_else(|| texts.get("default"));
                text.map_or("", String::as_str)
            }
        }
    }
}

/// Parses a `Publish` request, and refuses messages that SNS refuses.
fn read(mut form: Form) -> Result<Published, &'static str> {
    if form.get("Action").map(String::as_str) != Some("Publish") {
        return Err("the action is not supported by the local SNS");
    }
    let topic_arn = form.remove("TopicArn").ok_or("TopicArn is missing")?;
    let message = form
        .remove("Message")
        .filter(|text| !text.is_empty())
        .ok_or("Message is empty")?;
    let subject = form.remove("Subject");
    let has_valid_start = |text: &str| text.starts_with(|c: char| c.is_ascii_graphic());
    let has_valid_characters =
        |text: &str| text.len() < 100 && text.bytes().all(|b| (b' '..=b'~').contains(&b));
    if subject
        .as_deref()
        .is_some_and(|text| !has_valid_characters(text) || !has_valid_start(text))
    {
        return Err("Subject");
    }
    let mut attributes = BTreeMap::new();
    let mut bytes = message.len() + subject.as_ref().map_or(0, String::len);
    for number in 1.. {
        let mut field = |name: &str| form.remove(&format!("MessageAttributes.entry.{number}.{name}"));
        let Some(name) = field("Name") else { break };
        let kind = field("Value.DataType").ok_or("an attribute has no type")?;
        let value = field("Value.StringValue").filter(|value| !value.is_empty());
        let value = value.ok_or("an attribute has no value")?;
        bytes += name.len() + kind.len() + value.len();
        attributes.insert(name, value);
    }
    if bytes > MAX_BYTES {
        return Err("Message too long");
    }
    let texts = match form.remove("MessageStructure").as_deref() {
        None => Texts::One(message),
        Some("json") => Texts::ByProtocol(by_protocol(&message)?),
        Some(_) => return Err("MessageStructure"),
    };
    Ok(Published {
        topic_arn,
        subject,
        texts,
        attributes,
    })
}

fn by_protocol(message: &str) -> Result<BTreeMap<String, String>, &'static str> {
    let Ok(Value::Object(texts)) = serde_json::from_str(message) else {
        return Err("Message Structure - JSON message body failed to parse");
    };
    let texts = texts.into_iter();
    let texts: BTreeMap<_, _> = texts
        .filter_map(|(protocol, text)| Some((protocol, text.as_str()?.to_owned())))
        .collect();
    if texts.contains_key("default") {
        Ok(texts)
    } else {
        Err("Message Structure - No default entry in JSON message body")
    }
}
