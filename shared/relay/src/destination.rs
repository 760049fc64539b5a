//! The destinations: the trait of a kind, and the registry of all kinds.

mod discord;
mod google_chat;
mod mattermost;
mod ntfy;
mod opsgenie;
mod pagerduty;
mod slack;
mod teams;
mod telegram;
mod webhook;

use std::collections::BTreeMap;
use std::fmt;

use http::Request;
use jiff::Timestamp;
use portpulse_core::choice::Severity;
use portpulse_core::decide::Notification;

use crate::answer::{Answer, AnswerMeaning};
use crate::request::{OutgoingRequest, RequestError, SecretValues};
use crate::secret::{ReadSecret, SecretName};
use crate::setting::Setting;
use crate::settings::Settings;

pub use webhook::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// All kinds, in the order of the documentation. A new kind is a file in this folder and one line here.
pub(crate) static KINDS: [&dyn DestinationKind; 10] = [
    &slack::Slack,
    &discord::Discord,
    &teams::Teams,
    &google_chat::GoogleChat,
    &mattermost::Mattermost,
    &telegram::Telegram,
    &ntfy::Ntfy,
    &pagerduty::PagerDuty,
    &opsgenie::Opsgenie,
    &webhook::Webhook,
];

/// A kind of destinations: everything that the relay knows about one service.
pub(crate) trait DestinationKind: Sync {
    /// The kind in configurations.
    fn name(&self) -> &'static str;

    /// The name of the service, for documentation.
    fn title(&self) -> &'static str;

    /// The settings, beside those of every destination.
    fn settings(&self) -> &'static [Setting];

    /// The severities that a destination receives by default.
    fn default_severities(&self) -> &'static [Severity] {
        Severity::ALL
    }

    /// The requests for these notifications, in their order and within the limits of the service. Foreign text is escaped.
    fn requests(&self, settings: &Settings, notifications: &[&Notification]) -> Vec<OutgoingRequest>;

    /// Completes a request with its URL and secrets. By default, the URL is the secret `url`.
    fn complete(
        &self,
        request: &OutgoingRequest,
        secrets: &SecretValues<'_>,
    ) -> Result<Request<String>, RequestError> {
        secrets.http_request(request, secrets.text("url"), "url")
    }

    /// The meaning of an answer. By default, of its status and of `Retry-After`.
    fn meaning(&self, answer: &Answer) -> AnswerMeaning {
        answer.meaning(None)
    }
}

/// A destination with its settings.
#[derive(Clone)]
pub struct Destination {
    pub(crate) kind: &'static dyn DestinationKind,
    pub(crate) settings: Settings,
}

impl Destination {
    /// The kinds of destinations in configurations.
    pub fn kinds() -> Vec<&'static str> {
        KINDS.iter().map(|kind| kind.name()).collect()
    }

    /// The kind, as in configurations.
    pub fn kind(&self) -> &'static str {
        self.kind.name()
    }

    /// The names of the secrets that requests need.
    pub fn secrets(&self) -> Vec<&SecretName> {
        self.settings.secrets().map(|(_, name)| name).collect()
    }

    /// The requests for these notifications, in their order: chats combine many notifications in a few messages, pagers
    /// and programs receive one request each.
    pub fn requests(&self, notifications: &[&Notification]) -> Vec<OutgoingRequest> {
        self.kind.requests(&self.settings, notifications)
    }

    /// Completes a request with its secrets. `now` is part of the signature of webhooks.
    ///
    /// # Errors
    /// If a secret cannot be read, or is invalid.
    pub async fn complete<S: ReadSecret>(
        &self,
        request: &OutgoingRequest,
        secrets: &S,
        now: Timestamp,
    ) -> Result<Request<String>, RequestError> {
        let mut values = BTreeMap::new();
        for (setting, name) in self.settings.secrets() {
            values.insert(setting, secrets.read(name).await?);
        }
        let values = SecretValues::new(&self.settings, &values, now);
        self.kind.complete(request, &values)
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(self.kind()).field(&self.settings).finish()
    }
}

impl PartialEq for Destination {
    fn eq(&self, other: &Self) -> bool {
        (self.kind(), &self.settings) == (other.kind(), &other.settings)
    }
}

impl Eq for Destination {}
