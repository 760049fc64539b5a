//! A stand-in of SNS: `Publish`, as the real SDK sends it and with the limits of the real one, and what is asked of its
//! account.

mod account;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_sns::Client;
use aws_sdk_sns::config::{BehaviorVersion, Config, Credentials, Region};
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::server::Server;

pub use account::{Account, Subscription};

/// The topic that the stand-in is asked to publish to; any other serves as well.
pub const TOPIC_ARN: &str = "arn:aws:sns:us-east-1:000000000000:portpulse";

/// The most bytes of a message with its subject and attributes.
/// Source: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
const MOST_BYTES: usize = 262_144;

/// SNS on 127.0.0.1; dropping it stops it.
#[derive(Debug)]
pub struct SnsServer {
    server: Server,
    shared: Arc<Shared>,
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

#[derive(Debug)]
struct Shared {
    accepted: mpsc::UnboundedSender<Published>,
    number: AtomicU64,
    failures: AtomicU64,
    account: Mutex<Account>,
}

impl SnsServer {
    /// Starts one. What it accepts comes out of the receiver, before the publisher hears of it.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start() -> io::Result<(Self, mpsc::UnboundedReceiver<Published>)> {
        let (accepted, receiver) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            accepted,
            number: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            account: Mutex::default(),
        });
        let router = Router::new()
            .route("/", post(answer))
            .layer(DefaultBodyLimit::max(16 * MOST_BYTES))
            .with_state(Arc::clone(&shared));
        let server = Server::start(router).await?;
        Ok((Self { server, shared }, receiver))
    }

    /// Answers the next `requests` with an error of its own. The SDK tries each call three times unless told
    /// otherwise.
    pub fn fail_next(&self, requests: u64) {
        self.shared.failures.store(requests, Ordering::SeqCst);
    }

    /// From now on, the account is this one; at first it has no subscriptions, and never set anything.
    pub fn set_account(&self, account: Account) {
        *self.shared.account.lock().unwrap_or_else(PoisonError::into_inner) = account;
    }

    /// Where it listens, as the SDK's `AWS_ENDPOINT_URL` takes it.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        connect(&self.endpoint_url())
    }
}

/// A client of the one that listens at `endpoint`.
pub fn connect(endpoint: &str) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new("test", "test", None, None, "testkit"))
        .build();
    Client::from_conf(config)
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

async fn answer(State(shared): State<Arc<Shared>>, body: String) -> (StatusCode, String) {
    let number = shared.number.fetch_add(1, Ordering::SeqCst);
    let request = format!("<RequestId>00000000-0000-0000-0000-{number:012}</RequestId>");
    let refuse = |status: StatusCode, kind: &str, code: &str, what: &str| {
        let error = format!("<Type>{kind}</Type><Code>{code}</Code><Message>{what}</Message>");
        (
            status,
            format!("<ErrorResponse><Error>{error}</Error>{request}</ErrorResponse>"),
        )
    };
    let take_one = |left: u64| left.checked_sub(1);
    if shared
        .failures
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take_one)
        .is_ok()
    {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        return refuse(status, "Receiver", "InternalError", "as the test asked for");
    }
    let form: BTreeMap<_, _> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let account = shared
        .account
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    if let Some(answer) = account.answer(&form) {
        return match answer {
            Ok(answer) => (StatusCode::OK, answer),
            Err(what) => refuse(StatusCode::BAD_REQUEST, "Sender", "InvalidParameter", what),
        };
    }
    match read(form) {
        Err(what) => refuse(StatusCode::BAD_REQUEST, "Sender", "InvalidParameter", what),
        Ok(published) => {
            // Nobody may be listening any more; the publisher need not care.
            drop(shared.accepted.send(published));
            let id = format!("<MessageId>00000000-0000-0000-0001-{number:012}</MessageId>");
            let result = format!("<PublishResult>{id}</PublishResult>");
            let metadata = format!("<ResponseMetadata>{request}</ResponseMetadata>");
            let answer = format!(
                "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">{result}{metadata}</PublishResponse>"
            );
            (StatusCode::OK, answer)
        }
    }
}

/// Reads a `Publish`, and refuses what SNS would refuse.
fn read(mut form: BTreeMap<String, String>) -> Result<Published, &'static str> {
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
    if bytes > MOST_BYTES {
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
