//! SNS with the limits of the real one: `Publish`, as the SDK sends it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use tokio::sync::mpsc;

use crate::Answer;

/// The topic of this machine; any other is published to as well.
pub const TOPIC_ARN: &str = "arn:aws:sns:us-east-1:000000000000:portpulse";

/// The most bytes of a message with its subject and attributes.
/// Source: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
const MAX_BYTES: usize = 262_144;

/// The fields of a request.
pub type Form = BTreeMap<String, String>;

/// SNS; what it accepts comes out of the receiver that it was made with.
#[derive(Debug)]
pub struct Sns {
    accepted: mpsc::UnboundedSender<Published>,
    number: AtomicU64,
}

/// A message that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The topic that it was published to.
    pub topic_arn: String,
    /// Its subject.
    pub subject: Option<String>,
    /// Its text, or with `MessageStructure` `json` its texts by protocol.
    pub texts: Texts,
    /// The values of its attributes.
    pub attributes: BTreeMap<String, String>,
}

/// The text of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Texts {
    /// One for every protocol.
    One(String),
    /// By protocol, and `default` for those that are not named.
    ByProtocol(BTreeMap<String, String>),
}

impl Sns {
    /// SNS, and what it accepts, which comes before the publisher hears of it.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Published>) {
        let (accepted, receiver) = mpsc::unbounded_channel();
        let number = AtomicU64::new(0);
        (Self { accepted, number }, receiver)
    }

    /// Answers a request: a form, whose `Action` is `Publish`.
    pub fn answer(&self, body: &str) -> Answer {
        match read(form(body)) {
            Err(what) => refusal(what),
            Ok(published) => {
                // Nobody may be listening any more; the publisher need not care.
                drop(self.accepted.send(published));
                let number = self.number.fetch_add(1, Ordering::Relaxed);
                let result = format!("<MessageId>00000000-0000-0000-0001-{number:012}</MessageId>");
                success("Publish", &result)
            }
        }
    }
}

/// The fields of a body.
pub fn form(body: &str) -> Form {
    form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

/// The answer to `action` that went well, with its result as XML.
pub fn success(action: &str, result: &str) -> Answer {
    let result = format!("<{action}Result>{result}</{action}Result>");
    let body = format!(
        "<{action}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">{result}</{action}Response>"
    );
    Answer { status: 200, body }
}

/// The answer to a request that SNS would refuse, and why.
pub fn refusal(why: &str) -> Answer {
    error(400, "Sender", "InvalidParameter", why)
}

/// The answer that SNS gives when it fails.
pub fn failure(why: &str) -> Answer {
    error(500, "Receiver", "InternalError", why)
}

fn error(status: u16, diagnostic: &str, code: &str, why: &str) -> Answer {
    let error = format!("<Type>{diagnostic}</Type><Code>{code}</Code><Message>{why}</Message>");
    let body = format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>");
    Answer { status, body }
}

impl Published {
    /// What a subscriber of this protocol, such as `email`, gets to read.
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

/// Reads a `Publish`, and refuses what SNS would refuse.
fn read(mut form: Form) -> Result<Published, &'static str> {
    if form.get("Action").map(String::as_str) != Some("Publish") {
        return Err("this action is not known here");
    }
    let topic_arn = form.remove("TopicArn").ok_or("TopicArn is missing")?;
    let message = form
        .remove("Message")
        .filter(|text| !text.is_empty())
        .ok_or("Message is empty")?;
    let subject = form.remove("Subject");
    let begins_well = |text: &str| text.starts_with(|c: char| c.is_ascii_graphic());
    let is_subject = |text: &str| text.len() < 100 && text.bytes().all(|b| (b' '..=b'~').contains(&b));
    if subject
        .as_deref()
        .is_some_and(|text| !is_subject(text) || !begins_well(text))
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
