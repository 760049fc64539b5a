//! The destinations: one variant and one file for each kind.

mod discord;
mod google_chat;
mod incoming_webhook;
mod keyed_api;
mod ntfy;
mod opsgenie;
mod pagerduty;
mod slack;
mod teams;
mod telegram;
mod webhook;

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, Request};
use jiff::Timestamp;
use portpulse_core::choice::Severity;
use portpulse_core::decide::Notification;
use serde_json::Value;

use crate::address::parse_address;
use crate::chat_message::ChatMessage;
use crate::destination_fields::DestinationFields;
use crate::secret::{ReadSecret, Secret, SecretCache, SecretError, SecretName};

pub use incoming_webhook::IncomingWebhook;
pub use keyed_api::KeyedApi;
pub use ntfy::Ntfy;
pub use telegram::Telegram;
pub use webhook::{SIGNATURE_HEADER, TIMESTAMP_HEADER, Webhook};

/// A destination with its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A channel of Slack.
    Slack(IncomingWebhook),
    /// A channel of Discord.
    Discord(IncomingWebhook),
    /// A chat or channel of Microsoft Teams.
    Teams(IncomingWebhook),
    /// A space of Google Chat.
    GoogleChat(IncomingWebhook),
    /// A chat of Telegram.
    Telegram(Telegram),
    /// A service of PagerDuty.
    PagerDuty(KeyedApi),
    /// An integration of Opsgenie.
    Opsgenie(KeyedApi),
    /// A topic of ntfy.
    Ntfy(Ntfy),
    /// A program that receives the JSON of notifications.
    Webhook(Webhook),
}

/// One request to a destination, without its secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// The ids of the notifications that are delivered when the request is accepted; empty if another request follows.
    pub ids: Vec<String>,
    /// POST, except for requests that change an existing alert.
    pub(crate) method: Method,
    /// The path after the URL of the server, for services with several paths.
    pub(crate) path: String,
    /// The JSON body.
    pub body: Value,
}

/// A request that cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// A secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The value of a secret is invalid.
    #[error("the secret `{name}` is invalid: it must be {expected}")]
    InvalidValue {
        /// The name of the secret.
        name: SecretName,
        /// A description of valid values.
        expected: &'static str,
    },
}

impl Destination {
    /// The kinds of destinations in configurations.
    pub(crate) const KINDS: [&'static str; 9] = [
        "slack",
        "discord",
        "teams",
        "google_chat",
        "telegram",
        "pagerduty",
        "opsgenie",
        "ntfy",
        "webhook",
    ];

    /// Reads the settings of a destination; `None` if there are diagnostics, or if the kind is unknown.
    pub(crate) fn read(kind: &str, fields: &mut DestinationFields<'_>) -> Option<Self> {
        match kind {
            "slack" => slack::read(fields).map(Self::Slack),
            "discord" => discord::read(fields).map(Self::Discord),
            "teams" => teams::read(fields).map(Self::Teams),
            "google_chat" => google_chat::read(fields).map(Self::GoogleChat),
            "telegram" => Telegram::read(fields).map(Self::Telegram),
            "pagerduty" => pagerduty::read(fields).map(Self::PagerDuty),
            "opsgenie" => opsgenie::read(fields).map(Self::Opsgenie),
            "ntfy" => Ntfy::read(fields).map(Self::Ntfy),
            "webhook" => Webhook::read(fields).map(Self::Webhook),
            _ => None,
        }
    }

    /// The kind, as in configurations.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Slack(_) => "slack",
            Self::Discord(_) => "discord",
            Self::Teams(_) => "teams",
            Self::GoogleChat(_) => "google_chat",
            Self::Telegram(_) => "telegram",
            Self::PagerDuty(_) => "pagerduty",
            Self::Opsgenie(_) => "opsgenie",
            Self::Ntfy(_) => "ntfy",
            Self::Webhook(_) => "webhook",
        }
    }

    /// The severities that the destination receives by default: only critical for pagers, otherwise all.
    pub(crate) fn default_severities(&self) -> &'static [Severity] {
        match self {
            Self::PagerDuty(_) | Self::Opsgenie(_) => &[Severity::Critical],
            Self::Slack(_)
            | Self::Discord(_)
            | Self::Teams(_)
            | Self::GoogleChat(_)
            | Self::Telegram(_)
            | Self::Ntfy(_)
            | Self::Webhook(_) => Severity::ALL,
        }
    }

    /// The secrets that requests need.
    pub fn secrets(&self) -> Vec<&SecretName> {
        match self {
            Self::Slack(chat) | Self::Discord(chat) | Self::Teams(chat) | Self::GoogleChat(chat) => {
                vec![chat.url()]
            }
            Self::Telegram(telegram) => vec![telegram.token()],
            Self::PagerDuty(pager) | Self::Opsgenie(pager) => vec![pager.key()],
            Self::Ntfy(ntfy) => ntfy.secrets(),
            Self::Webhook(webhook) => webhook.secrets(),
        }
    }

    /// The requests for these notifications, in their order: chats combine many notifications in a few messages, pagers
    /// and programs receive one request each.
    pub fn posts(&self, notifications: &[&Notification]) -> Vec<Post> {
        let chat = |body: &dyn Fn(&ChatMessage) -> Value| {
            let messages = ChatMessage::of(notifications).into_iter();
            messages
                .map(|message| Post::new("", body(&message), message.ids))
                .collect()
        };
        let each = |post: &dyn Fn(&Notification) -> Post| notifications.iter().map(|n| post(n)).collect();
        match self {
            Self::Slack(_) => chat(&slack::body),
            Self::Discord(_) => chat(&discord::body),
            Self::Teams(_) => chat(&teams::body),
            Self::GoogleChat(_) => chat(&google_chat::body),
            Self::Telegram(telegram) => chat(&|message| telegram.body(message)),
            Self::Ntfy(_) => chat(&ntfy::body),
            Self::PagerDuty(_) => each(&pagerduty::post),
            Self::Opsgenie(_) => notifications.iter().flat_map(|n| opsgenie::posts(n)).collect(),
            Self::Webhook(_) => each(&webhook::post),
        }
    }

    /// Builds the HTTP request of a post, with its secrets. `now` is part of the signature of webhooks.
    pub(crate) async fn request<S: ReadSecret>(
        &self,
        post: &Post,
        secrets: &SecretCache<S>,
        now: Timestamp,
    ) -> Result<Request<String>, RequestError> {
        match self {
            Self::Slack(chat) | Self::Discord(chat) | Self::Teams(chat) | Self::GoogleChat(chat) => {
                chat.request(post, secrets).await
            }
            Self::Telegram(telegram) => telegram.request(post, secrets).await,
            Self::PagerDuty(pager) => pagerduty::request(pager, post, secrets).await,
            Self::Opsgenie(pager) => opsgenie::request(pager, post, secrets).await,
            Self::Ntfy(ntfy) => ntfy.request(post, secrets).await,
            Self::Webhook(webhook) => webhook.request(post, secrets, now).await,
        }
    }

    /// The pause in seconds that the body of an answer requests. Most services use the header `Retry-After` instead.
    pub(crate) fn requested_pause(&self, body: &str) -> Option<f64> {
        let pointer = match self {
            Self::Discord(_) => discord::PAUSE_POINTER,
            Self::Telegram(_) => telegram::PAUSE_POINTER,
            Self::Slack(_)
            | Self::Teams(_)
            | Self::GoogleChat(_)
            | Self::PagerDuty(_)
            | Self::Opsgenie(_)
            | Self::Ntfy(_)
            | Self::Webhook(_) => return None,
        };
        serde_json::from_str::<Value>(body)
            .ok()?
            .pointer(pointer)?
            .as_f64()
    }
}

impl Post {
    fn new(path: impl Into<String>, body: Value, ids: Vec<String>) -> Self {
        Self {
            ids,
            method: Method::POST,
            path: path.into(),
            body,
        }
    }
}

/// A POST of JSON; `name` is the name of the secret in `url`, for errors.
fn request(
    url: &str,
    name: &SecretName,
    headers: &[(HeaderName, HeaderValue)],
    body: String,
) -> Result<Request<String>, RequestError> {
    let invalid_value = || RequestError::InvalidValue {
        name: name.clone(),
        expected: "part of a URL that starts with https:// (http:// only for this machine)",
    };
    let uri = parse_address(url).map_err(|_| invalid_value())?;
    let mut request = Request::post(uri)
        .header(CONTENT_TYPE, "application/json")
        .body(body)
        .map_err(|_| invalid_value())?;
    request.headers_mut().extend(headers.iter().cloned());
    Ok(request)
}

/// A header value that Debug output does not show; `None` if the text is invalid in a header.
fn secret_header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A secret of letters, digits and `-_.:` only, so that it cannot change the request around it.
fn token<'a>(name: &SecretName, secret: &'a Secret) -> Result<&'a str, RequestError> {
    let token = secret.expose();
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    token
        .bytes()
        .all(fits)
        .then_some(token)
        .ok_or_else(|| RequestError::InvalidValue {
            name: name.clone(),
            expected: "a single token of letters, digits and `-_.:`",
        })
}
