//! Any program: our own JSON, signed, one notification a request.
//!
//! | header | what |
//! |---|---|
//! | `portpulse-timestamp` | when it was sent, in seconds since the Unix epoch |
//! | `portpulse-signature` | `v1=` and HMAC-SHA-256 (RFC 2104) of the timestamp, a full stop and the body as it came, in hexadecimal |
//!
//! Whoever receives it computes the same, compares in constant time, refuses what is older than some minutes, and
//! drops an `id` that it has seen. [`portpulse_alert::to_json`] documents the body.

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue, Request};
use jiff::Timestamp;
use portpulse_alert::to_json;
use portpulse_core::decide::Notification;
use portpulse_core::text::escaped;
use sha2::Sha256;

use super::{AddressError, Post, request};
use crate::address::address;
use crate::alert_key::hex;
use crate::fields::Fields;
use crate::secret::{ReadSecret, SecretCache, SecretName};

/// The header that says when a request was sent.
pub const TIMESTAMP_HEADER: HeaderName = HeaderName::from_static("portpulse-timestamp");
/// The header that proves who sent it.
pub const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("portpulse-signature");

/// The fewest bytes of a key that are worth signing with.
const MIN_KEY_LENGTH: usize = 16;

/// Any program that takes our JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    url: Url,
    key: SecretName,
}

/// Where to post: written out, or a secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Url {
    Open(String),
    Secret(SecretName),
}

impl Webhook {
    pub(crate) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let help = "write an address that begins with https://, or name the secret that holds it";
        let url = match fields.text("url", help) {
            Some(text) if text.contains("://") => match address(text) {
                Ok(_) => Some(Url::Open(text.to_owned())),
                Err(help) => {
                    fields.diagnostic("url", "is not an address that can be posted to", help);
                    None
                }
            },
            Some(_) | None => fields.secret("url", "the address").map(Url::Secret),
        };
        let key = fields.secret("key", "a key of at least 16 bytes that signs what is sent");
        Some(Self { url: url?, key: key? })
    }

    pub(crate) fn secrets(&self) -> Vec<&SecretName> {
        match &self.url {
            Url::Open(_) => vec![&self.key],
            Url::Secret(url) => vec![url, &self.key],
        }
    }

    pub(crate) async fn request<S: ReadSecret>(
        &self,
        post: &Post,
        secrets: &SecretCache<S>,
        now: Timestamp,
    ) -> Result<Request<String>, AddressError> {
        let key = secrets.get(&self.key).await?;
        // A program may show it in a terminal before it reads it as JSON.
        let body = escaped(&post.body.to_string(), |_| false).into_owned();
        let timestamp = now.as_second();
        let signature = sign(key.expose().as_bytes(), timestamp, &body);
        let (Some(signature), true) = (signature, key.expose().len() >= MIN_KEY_LENGTH) else {
            return Err(AddressError::InvalidValue {
                name: self.key.clone(),
                wanted: "a key of at least 16 bytes",
            });
        };
        let headers = [
            (TIMESTAMP_HEADER, HeaderValue::from(timestamp)),
            (SIGNATURE_HEADER, signature),
        ];
        match &self.url {
            Url::Open(url) => request(url, &self.key, &headers, body),
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
    fn the_signature_is_that_of_another_implementation() {
        // printf '1795326060.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let signature = sign(b"0123456789abcdef", 1_795_326_060, r#"{"a":1}"#).unwrap();
        let expected = "v1=925cc38a6d9efee3518d3ac3d7b24a20e118add29a47144a64866fe5e744d3da";
        assert_eq!(signature.to_str().unwrap(), expected);
    }
}
