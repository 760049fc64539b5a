//! Requests to destinations: first without secrets, then complete.

use std::collections::BTreeMap;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use jiff::Timestamp;
use portpulse_core::decide::Notification;
use serde_json::Value;

use crate::address::parse_url;
use crate::chat_message::ChatMessage;
use crate::secret::{Secret, SecretError};
use crate::settings::Settings;

/// One request to a destination, without its secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct OutgoingRequest {
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
        name: String,
        /// A description of valid values.
        expected: &'static str,
    },
}

impl OutgoingRequest {
    pub(crate) fn new(path: impl Into<String>, body: Value, ids: Vec<String>) -> Self {
        Self {
            ids,
            method: Method::POST,
            path: path.into(),
            body,
        }
    }

    /// Requests of a chat: one for each message.
    pub(crate) fn of_chat(
        notifications: &[&Notification],
        body: impl Fn(&ChatMessage) -> Value,
    ) -> Vec<Self> {
        let messages = ChatMessage::of(notifications).into_iter();
        messages
            .map(|message| Self::new("", body(&message), message.ids))
            .collect()
    }

    /// The request with one more field in its body.
    #[must_use]
    pub(crate) fn with_field(&self, name: &str, value: &str) -> Self {
        let mut request = self.clone();
        if let Some(body) = request.body.as_object_mut() {
            body.insert(name.to_owned(), Value::from(value));
        }
        request
    }
}

/// The settings of a destination with the values of its secrets.
pub(crate) struct SecretValues<'a> {
    settings: &'a Settings,
    /// The secrets by setting.
    secrets: &'a BTreeMap<&'static str, Secret>,
    /// The time of sending.
    pub(crate) now: Timestamp,
}

impl<'a> SecretValues<'a> {
    pub(crate) fn new(
        settings: &'a Settings,
        secrets: &'a BTreeMap<&'static str, Secret>,
        now: Timestamp,
    ) -> Self {
        Self {
            settings,
            secrets,
            now,
        }
    }

    /// The value of a setting, or of its secret; empty if absent.
    pub(crate) fn text(&self, setting: &str) -> &str {
        let secret = self.secrets.get(setting).map(Secret::expose);
        secret.unwrap_or_else(|| self.settings.text(setting))
    }

    /// A secret of letters, digits and `-_.:` only, so that it cannot change the request around it.
    pub(crate) fn token(&self, setting: &'static str) -> Result<&str, RequestError> {
        let token = self.text(setting);
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
        if !token.is_empty() && token.bytes().all(fits) {
            return Ok(token);
        }
        Err(self.invalid(setting, "a single token of letters, digits and `-_.:`"))
    }

    /// The value of a header such as `Bearer TOKEN`, which Debug output does not show.
    pub(crate) fn authorization(
        &self,
        scheme: &str,
        setting: &'static str,
    ) -> Result<HeaderValue, RequestError> {
        let text = format!("{scheme} {}", self.token(setting)?);
        let mut value =
            HeaderValue::from_str(&text).map_err(|_| self.invalid(setting, "valid in a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// A request with a JSON body; `setting` names the secret in `url`, for errors.
    pub(crate) fn http_request(
        &self,
        request: &OutgoingRequest,
        url: &str,
        setting: &'static str,
    ) -> Result<Request<String>, RequestError> {
        let invalid = || {
            let expected = "part of a URL that starts with https:// (http:// only for this machine)";
            self.invalid(setting, expected)
        };
        Request::builder()
            .method(request.method.clone())
            .uri(parse_url(url).map_err(|_| invalid())?)
            .header(CONTENT_TYPE, "application/json")
            .body(request.body.to_string())
            .map_err(|_| invalid())
    }

    pub(crate) fn invalid(&self, setting: &'static str, expected: &'static str) -> RequestError {
        let mut secrets = self.settings.secrets();
        let name = secrets.find_map(|(name, secret)| (name == setting).then(|| secret.to_string()));
        RequestError::InvalidValue {
            name: name.unwrap_or_else(|| setting.to_owned()),
            expected,
        }
    }
}
