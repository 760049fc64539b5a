//! A webhook: the JSON of one notification per request, signed.
//!
//! | header | value |
//! |---|---|
//! | `portpulse-timestamp` | the time of sending, in seconds since the Unix epoch |
//! | `portpulse-signature` | `v1=` and the HMAC-SHA-256 (RFC 2104) of the timestamp, a full stop and the raw body, in hexadecimal |
//!
//! The receiver computes the same signature, compares in constant time, refuses requests older than some minutes, and
//! drops duplicates by `id`. [`portpulse_alert::to_json`] documents the body.

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue, Request};
use jiff::Timestamp;
use portpulse_alert::to_json;
use portpulse_core::decide::Notification;
use portpulse_core::text::escaped;
use sha2::Sha256;

use super::{Post, RequestError, request};
use crate::address::parse_address;
use crate::destination_fields::DestinationFields;
use crate::incident_id::hex;
use crate::secret::{ReadSecret, SecretCache, SecretName};

/// The header with the time of sending.
pub const TIMESTAMP_HEADER: HeaderName = HeaderName::from_static("portpulse-timestamp");
/// The header with the signature.
pub const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("portpulse-signature");

/// The minimum length of a signing key, in bytes.
const MIN_KEY_LENGTH: usize = 16;

/// A webhook with its URL and its signing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    url: Url,
    key: SecretName,
}

/// The URL: plain, or a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Url {
    Plain(String),
    Secret(SecretName),
}

impl Webhook {
    pub(crate) fn read(fields: &mut DestinationFields<'_>) -> Option<Self> {
        let help = "use a URL that starts with https://, or the name of the secret that contains the URL";
        let url = match fields.text("url", help) {
            Some(text) if text.contains("://") => match parse_address(text) {
                Ok(_) => Some(Url::Plain(text.to_owned())),
                Err(help) => {
                    fields.diagnostic("url", "is not a valid URL", help);
                    None
                }
            },
            Some(_) | None => fields.secret("url", "the URL").map(Url::Secret),
        };
        let key = fields.secret("key", "a signing key of at least 16 bytes");
        Some(Self { url: url?, key: key? })
    }

    pub(crate) fn secrets(&self) -> Vec<&SecretName> {
        match &self.url {
            Url::Plain(_) => vec![&self.key],
            Url::Secret(url) => vec![url, &self.key],
        }
    }

    pub(crate) async fn request<S: ReadSecret>(
        &self,
        post: &Post,
        secrets: &SecretCache<S>,
        now: Timestamp,
    ) -> Result<Request<String>, RequestError> {
        let key = secrets.get(&self.key).await?;
        // The receiver may show the raw body in a terminal, so control characters are escaped.
        let body = escaped(&post.body.to_string(), |_| false).into_owned();
        let timestamp = now.as_second();
        let signature = sign(key.expose().as_bytes(), timestamp, &body);
        let (Some(signature), true) = (signature, key.expose().len() >= MIN_KEY_LENGTH) else {
            return Err(RequestError::InvalidValue {
                name: self.key.clone(),
                expected: "a key of at least 16 bytes",
            });
        };
        let headers = [
            (TIMESTAMP_HEADER, HeaderValue::from(timestamp)),
            (SIGNATURE_HEADER, signature),
        ];
        match &self.url {
            Url::Plain(url) => request(url, &self.key, &headers, body),
            Url::Secret(name) => request(secrets.get(name).await?.expose(), name, &headers, body),
        }
    }
}

pub(crate) fn post(notification: &Notification) -> Post {
    Post::new("", to_json(notification), vec![notification.id.clone()])
}

fn sign(key: &[u8], timestamp: i64, body: &str) -> Option<HeaderValue> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(format!("{timestamp}.{body}").as_bytes());
    HeaderValue::from_str(&format!("v1={}", hex(&mac.finalize().into_bytes()))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_matches_openssl() {
        // printf '1795326060.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let signature = sign(b"0123456789abcdef", 1_795_326_060, r#"{"a":1}"#).unwrap();
        let expected = "v1=925cc38a6d9efee3518d3ac3d7b24a20e118add29a47144a64866fe5e744d3da";
        assert_eq!(signature.to_str().unwrap(), expected);
    }
}
