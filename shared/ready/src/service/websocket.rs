//! WebSocket: asks for an upgrade of HTTP/1.1, and verifies the server's proof that it understood the request.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | 101 with the right `Sec-WebSocket-Accept` | – | open | the server speaks WebSocket |
//! | 101 without it, or with a wrong one | – | wrong_service | something else repeated the status |
//! | another status | `401` | open | the server requires a login before the upgrade |
//! | another status | `403` | blocked | the server refuses this client |
//! | another status | `429` `507` `509` | busy | too many requests, no storage, too much traffic |
//! | another status | `502` `504` `520` `521` `522` `523` `524` `525` `526` `530` | no_backend | a proxy cannot reach its server |
//! | another status | `200` to `499` | wrong_answer | this path or this proxy does not upgrade |
//! | another status | any other | service_error | an error of the server or of a proxy |
//! | the end of the stream | – | closed | also where the server expects TLS |
//!
//! After the upgrade, the check sends a Close frame.
//!
//! Sources: RFC 6455, sections 4.1, 4.2.2 and 5.5.1; tested with the Python package `websockets`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portpulse_core::outcome::FailureClass;

use super::http_response::{Arrival, Head};
use crate::dialogue::{Dialogue, Step};
use crate::input::Input;

/// What the server appends to the key before it hashes both (RFC 6455, section 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// A Close frame with the status 1000, masked with zeros.
const CLOSE: &[u8] = b"\x88\x82\0\0\0\0\x03\xe8";

pub(crate) struct WebSocket {
    /// The value of `Host`.
    authority: String,
    path: String,
    key: Key,
    request_sent: bool,
}

/// A random number that the server proves to have read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key([u8; 16]);

impl Key {
    /// Creates an unpredictable key: the keys of the standard library's hashers come from the system's random source.
    pub(crate) fn random() -> Self {
        use std::hash::{BuildHasher, RandomState};
        let half = || u128::from(RandomState::new().hash_one(()));
        Self((half() << 64 | half()).to_be_bytes())
    }

    fn text(self) -> String {
        STANDARD.encode(self.0)
    }

    /// The value of `Sec-WebSocket-Accept` that proves that the server understood the request.
    fn accept(self) -> String {
        let proof = format!("{}{GUID}", self.text());
        let digest =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, proof.as_bytes());
        STANDARD.encode(digest)
    }
}

impl WebSocket {
    pub(crate) fn new(authority: String, path: &str, key: Key) -> Self {
        Self {
            authority,
            path: path.to_owned(),
            key,
            request_sent: false,
        }
    }

    fn request(&self) -> Step {
        // The query may contain a secret.
        let bare = self.path.split('?').next().unwrap_or_default();
        Step::Send {
            name: format!("an upgrade request for {bare}").into(),
            bytes: format!(
                "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: portpulse\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n\r\n",
                self.path,
                self.authority,
                self.key.text()
            )
            .into_bytes(),
        }
    }

    fn evaluate(&self, head: &Head) -> Step {
        let class = match head.code {
            101 if self.is_upgraded(head) => return Step::healthy(&head.status).with_closing_bytes(CLOSE),
            101 => return Step::WRONG_SERVICE,
            401 => return Step::healthy(format!("{}, requires a login", head.status)),
            403 => FailureClass::Blocked,
            429 | 507 | 509 => FailureClass::Busy,
            502 | 504 | 520..=526 | 530 => FailureClass::NoBackend,
            200..=499 => FailureClass::WrongAnswer,
            _ => FailureClass::ServiceError,
        };
        let version = head.field("sec-websocket-version");
        let versions = version.map(|version| format!("; the server supports the versions {version}"));
        Step::failure(
            class,
            format!(
                "{} instead of an upgrade{}",
                head.description(),
                versions.unwrap_or_default()
            ),
        )
    }

    fn is_upgraded(&self, head: &Head) -> bool {
        let protocol = head.field("upgrade").unwrap_or_default();
        protocol.eq_ignore_ascii_case("websocket")
            && head.field("sec-websocket-accept") == Some(self.key.accept().as_str())
    }
}

impl Dialogue for WebSocket {
    fn next(&mut self, input: &mut Input) -> Step {
        if !self.request_sent {
            self.request_sent = true;
            return self.request();
        }
        match Head::read(input.remaining()) {
            Arrival::Incomplete => Step::Receive,
            Arrival::Invalid => Step::WRONG_SERVICE,
            Arrival::Complete(head) => self.evaluate(&head),
        }
    }
}

#[cfg(test)]
mod tests;
