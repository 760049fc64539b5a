//! The channels that notifications go to: one variant and one file each.

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

use crate::address::address;
use crate::fields::Fields;
use crate::page::Page;
use crate::secret::{ReadSecret, Secret, SecretCache, SecretError, SecretName};

pub use incoming_webhook::IncomingWebhook;
pub use keyed_api::KeyedApi;
pub use ntfy::Ntfy;
pub use telegram::Telegram;
pub use webhook::{SIGNATURE_HEADER, TIMESTAMP_HEADER, Webhook};

/// A channel, with what it takes to reach it.
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
    /// Any program that takes our JSON.
    Webhook(Webhook),
}

/// One message for one destination, complete but for what is secret in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// The ids of the notifications that are told once it is taken; none where another message is to follow.
    pub ids: Vec<String>,
    /// POST, but for the few that change what is there.
    pub(crate) method: Method,
    /// What follows the server's address, for services that have several.
    pub(crate) path: String,
    /// What it says.
    pub body: Value,
}

/// A message that could not be addressed.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// A secret is not there.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A secret is not what it should be.
    #[error("the secret `{name}` is not {wanted}")]
    InvalidValue {
        /// Its name.
        name: SecretName,
        /// What it should be.
        wanted: &'static str,
    },
}

impl Destination {
    /// What a configuration may call a destination's kind.
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

    /// Reads a destination of this kind; `None` where there is a fault, or no such kind.
    pub(crate) fn read(kind: &str, fields: &mut Fields<'_>) -> Option<Self> {
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

    /// What a configuration calls its kind.
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

    /// The severities that it is told of, unless its configuration says otherwise: what pages people pages them only
    /// for what is critical.
    pub(crate) fn usual_severities(&self) -> &'static [Severity] {
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

    /// The secrets that it needs.
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

    /// The messages that tell these notifications, in their order: chats get many at once on a few pages, pagers and
    /// programs one by one.
    pub fn posts(&self, notifications: &[&Notification]) -> Vec<Post> {
        let pages = |body: &dyn Fn(&Page) -> Value| {
            let pages = Page::of(notifications).into_iter();
            pages.map(|page| Post::new("", body(&page), page.ids)).collect()
        };
        let each = |post: &dyn Fn(&Notification) -> Post| notifications.iter().map(|n| post(n)).collect();
        match self {
            Self::Slack(_) => pages(&slack::body),
            Self::Discord(_) => pages(&discord::body),
            Self::Teams(_) => pages(&teams::body),
            Self::GoogleChat(_) => pages(&google_chat::body),
            Self::Telegram(telegram) => pages(&|page| telegram.body(page)),
            Self::Ntfy(_) => pages(&ntfy::body),
            Self::PagerDuty(_) => each(&pagerduty::post),
            Self::Opsgenie(_) => notifications.iter().flat_map(|n| opsgenie::posts(n)).collect(),
            Self::Webhook(_) => each(&webhook::post),
        }
    }

    /// The request that brings a message, at this time.
    pub(crate) async fn request<S: ReadSecret>(
        &self,
        post: &Post,
        secrets: &SecretCache<S>,
        now: Timestamp,
    ) -> Result<Request<String>, AddressError> {
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

    /// For how many seconds a refusal asks to be left alone in its body; most say it in the header `Retry-After`.
    pub(crate) fn pause_asked(&self, body: &str) -> Option<f64> {
        let at = match self {
            Self::Discord(_) => discord::PAUSE,
            Self::Telegram(_) => telegram::PAUSE,
            Self::Slack(_)
            | Self::Teams(_)
            | Self::GoogleChat(_)
            | Self::PagerDuty(_)
            | Self::Opsgenie(_)
            | Self::Ntfy(_)
            | Self::Webhook(_) => return None,
        };
        serde_json::from_str::<Value>(body).ok()?.pointer(at)?.as_f64()
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

/// A POST of JSON; `name` is that of the secret in `url`.
fn request(
    url: &str,
    name: &SecretName,
    headers: &[(HeaderName, HeaderValue)],
    body: String,
) -> Result<Request<String>, AddressError> {
    let invalid_value = || AddressError::InvalidValue {
        name: name.clone(),
        wanted: "part of an address that begins with https:// (or http:// on this machine)",
    };
    let uri = address(url).map_err(|_| invalid_value())?;
    let mut request = Request::post(uri)
        .header(CONTENT_TYPE, "application/json")
        .body(body)
        .map_err(|_| invalid_value())?;
    request.headers_mut().extend(headers.iter().cloned());
    Ok(request)
}

/// A header that shows itself to nobody; `None` if the text is none.
fn secret_header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A secret that has to be a word of letters, digits and `-_.:`, lest it change the request around it.
fn token<'a>(name: &SecretName, secret: &'a Secret) -> Result<&'a str, AddressError> {
    let token = secret.expose();
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    token
        .bytes()
        .all(fits)
        .then_some(token)
        .ok_or_else(|| AddressError::InvalidValue {
            name: name.clone(),
            wanted: "a single word of letters, digits and `-_.:`",
        })
}
