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
use portpulse_alert::to_json;
use portpulse_core::decide::Notification;
use portpulse_core::text::escaped;
use sha2::Sha256;

use super::DestinationKind;
use crate::incident_id::hex;
use crate::request::{OutgoingRequest, RequestError, SecretValues};
use crate::setting::{Form, Setting};
use crate::settings::Settings;

/// The header with the time of sending.
pub const TIMESTAMP_HEADER: HeaderName = HeaderName::from_static("portpulse-timestamp");
/// The header with the signature.
pub const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("portpulse-signature");

/// The minimum length of a signing key, in bytes.
const MIN_KEY_LENGTH: usize = 16;

/// A program that receives the JSON of notifications.
pub(crate) struct Webhook;

impl DestinationKind for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn title(&self) -> &'static str {
        "Webhook"
    }

    fn settings(&self) -> &'static [Setting] {
        const {
            &[
                Setting::required("url", Form::UrlOrSecret, "the URL"),
                Setting::required("key", Form::Secret, "a signing key of at least 16 bytes"),
            ]
        }
    }

    fn requests(&self, _: &Settings, notifications: &[&Notification]) -> Vec<OutgoingRequest> {
        let request = |each: &&Notification| OutgoingRequest::new("", to_json(each), vec![each.id.clone()]);
        notifications.iter().map(request).collect()
    }

    fn complete(
        &self,
        request: &OutgoingRequest,
        secrets: &SecretValues<'_>,
    ) -> Result<Request<String>, RequestError> {
        let (url, key) = (secrets.text("url"), secrets.text("key").as_bytes());
        // The receiver may show the raw body in a terminal, so control characters are escaped.
        let body = escaped(&request.body.to_string(), |_| false).into_owned();
        let timestamp = secrets.now.as_second();
        let (Some(signature), true) = (sign(key, timestamp, &body), key.len() >= MIN_KEY_LENGTH) else {
            return Err(secrets.invalid("key", "a key of at least 16 bytes"));
        };
        let mut http = secrets.http_request(request, url, "url")?.map(|_| body);
        http.headers_mut()
            .insert(TIMESTAMP_HEADER, HeaderValue::from(timestamp));
        http.headers_mut().insert(SIGNATURE_HEADER, signature);
        Ok(http)
    }
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
