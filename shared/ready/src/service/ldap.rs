//! LDAP: reads the root DSE without a login, which every server of version 3 answers or refuses, and sends `UNBIND`.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | result of the search | `0` | open | the server answers |
//! | result of the search | `7` `8` `13` `32` `48` `49` `50` | open | the server decided about the missing login, or hides the entry |
//! | result 1 or 53 that demands a login in words | – | open | `authentication required` and `BIND required` of OpenLDAP |
//! | result of the search | `3` `11` `51` | busy | timeLimitExceeded, adminLimitExceeded, busy |
//! | result of the search | `52` | no_backend | unavailable: a subsystem of the server, or the server behind a proxy |
//! | result of the search | any other | service_error | such as 80, other: not known to come from a server that works |
//! | Notice of Disconnection | `52` | starting | the server stops serving |
//! | Notice of Disconnection | `51` | busy | too much load |
//! | Notice of Disconnection | any other | service_error | the server ends the session, and says why |
//! | refusal of StartTLS, if TLS is required | `51` | busy | too much load |
//! | refusal of StartTLS, if TLS is required | any other | tls | TLS is disabled |
//!
//! A proxy answers for its own root DSE: the result does not show whether the servers behind the proxy work.
//!
//! Sources: RFC 4511, sections 4.1.9, 4.4.1, 4.5, 4.14 and 5.1, and appendix A; RFC 4512, section 5.1; tested with
//! OpenLDAP 2.5.

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, Step};
use crate::input::Input;

const START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
const START_TLS_ID: u32 = 1;
/// The base object with an empty name, the filter `(objectClass=*)`, and no attributes.
const SEARCH: &[u8] =
    b"\x30\x2a\x02\x01\x02\x63\x25\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00\
    \x87\x0bobjectClass\x30\x05\x04\x031.1";
const SEARCH_ID: u32 = 2;
const UNBIND: &[u8] = b"\x30\x05\x02\x01\x03\x42\x00";

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const SEARCH_RESULT_ENTRY: u8 = 0x64;
const SEARCH_RESULT_DONE: u8 = 0x65;
const SEARCH_RESULT_REFERENCE: u8 = 0x73;
const EXTENDED_RESPONSE: u8 = 0x78;
/// The maximum length of a message, which has no attributes.
const MAX_LENGTH: usize = 8 * 1024;

#[derive(Debug)]
pub(crate) struct Ldap {
    upgrade: bool,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Begin,
    Upgrading,
    Upgraded,
    Searching,
}

impl Ldap {
    pub(crate) fn new(upgrade: bool) -> Self {
        Self {
            upgrade,
            state: State::Begin,
        }
    }

    fn search(&mut self) -> Step {
        self.state = State::Searching;
        Step::send("a search of the root DSE", SEARCH)
    }

    /// Evaluates one message; `None` if another one follows.
    fn evaluate(&mut self, message: &Message<'_>) -> Option<Step> {
        let result = || result(message.content).map(|(code, text)| (code, describe(code, &text)));
        let demands_login = |message: &str| {
            let lower = message.to_ascii_lowercase();
            lower.ends_with("authentication required") || lower.ends_with("bind required")
        };
        let step = match (self.state, message.id, message.operation) {
            (State::Searching, SEARCH_ID, SEARCH_RESULT_ENTRY | SEARCH_RESULT_REFERENCE) => return None,
            (State::Searching, SEARCH_ID, SEARCH_RESULT_DONE) => result().map(|(code, message)| {
                match of_search(code) {
                    None => Step::healthy(message),
                    Some(_) if matches!(code, 1 | 53) && demands_login(&message) => Step::healthy(message),
                    Some(class) => Step::failure(class, message),
                }
                .with_closing_bytes(UNBIND)
            }),
            (State::Upgrading, START_TLS_ID, EXTENDED_RESPONSE) => {
                result().map(|(code, message)| match code {
                    0 => {
                        self.state = State::Upgraded;
                        Step::StartTls
                    }
                    51 => Step::failure(FailureClass::Busy, message).with_closing_bytes(UNBIND),
                    _ => Step::failure(FailureClass::Tls, message).with_closing_bytes(UNBIND),
                })
            }
            (_, 0, EXTENDED_RESPONSE) => result().map(|(code, message)| {
                let class = match code {
                    52 => FailureClass::Starting,
                    51 => FailureClass::Busy,
                    _ => FailureClass::ServiceError,
                };
                Step::failure(class, format!("the server disconnects: {message}"))
            }),
            _ => None,
        };
        Some(step.unwrap_or(Step::WRONG_SERVICE))
    }
}

/// The failure class of a result; `None` for a server that serves.
fn of_search(code: u32) -> Option<FailureClass> {
    match code {
        0 | 7 | 8 | 13 | 32 | 48..=50 => None,
        3 | 11 | 51 => Some(FailureClass::Busy),
        52 => Some(FailureClass::NoBackend),
        _ => Some(FailureClass::ServiceError),
    }
}

/// The code with its name, and what the server adds.
fn describe(code: u32, text: &str) -> String {
    let name = match code {
        0 => "success",
        1 => "operationsError",
        2 => "protocolError",
        3 => "timeLimitExceeded",
        7 => "authMethodNotSupported",
        8 => "strongerAuthRequired",
        11 => "adminLimitExceeded",
        13 => "confidentialityRequired",
        32 => "noSuchObject",
        48 => "inappropriateAuthentication",
        49 => "invalidCredentials",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        80 => "other",
        _ => "another result",
    };
    let separator = if text.is_empty() { "" } else { ": " };
    format!("LDAP result {code} ({name}){separator}{text}")
}

impl Dialogue for Ldap {
    fn next(&mut self, input: &mut Input) -> Step {
        match self.state {
            State::Begin if self.upgrade => {
                self.state = State::Upgrading;
                return Step::send("StartTLS", START_TLS);
            }
            State::Begin | State::Upgraded => return self.search(),
            State::Upgrading | State::Searching => {}
        }
        loop {
            let bytes = input.remaining();
            let (step, length) = match element(bytes) {
                Element::Incomplete => return Step::Receive,
                Element::Invalid => return Step::WRONG_SERVICE,
                Element::Complete { tag, content, length } => match message(tag, content) {
                    None => return Step::WRONG_SERVICE,
                    Some(message) => (self.evaluate(&message), length),
                },
            };
            input.take(length);
            if let Some(step) = step {
                return step;
            }
        }
    }
}

/// A message: its id, the tag of its operation, and the content of the operation.
struct Message<'a> {
    id: u32,
    operation: u8,
    content: &'a [u8],
}

fn message(tag: u8, content: &[u8]) -> Option<Message<'_>> {
    let (id, rest) = expect(content, INTEGER).filter(|_| tag == SEQUENCE)?;
    let Element::Complete { tag, content, .. } = element(rest) else {
        return None;
    };
    Some(Message {
        id: number(id)?,
        operation: tag,
        content,
    })
}

/// The code and the diagnostic message of an `LDAPResult` (RFC 4511, section 4.1.9).
fn result(content: &[u8]) -> Option<(u32, String)> {
    let (code, rest) = expect(content, ENUMERATED)?;
    let (_, rest) = expect(rest, OCTET_STRING)?;
    let (text, _) = expect(rest, OCTET_STRING)?;
    Some((number(code)?, crate::input::excerpt(text)))
}

/// A number of one to four bytes.
fn number(bytes: &[u8]) -> Option<u32> {
    if !(1..=4).contains(&bytes.len()) {
        return None;
    }
    Some(
        bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u32::from(*byte)),
    )
}

/// The content of an element with this tag, and what follows the element.
fn expect(bytes: &[u8], expected: u8) -> Option<(&[u8], &[u8])> {
    match element(bytes) {
        Element::Complete { tag, content, length } if tag == expected => {
            Some((content, bytes.get(length..).unwrap_or_default()))
        }
        Element::Complete { .. } | Element::Incomplete | Element::Invalid => None,
    }
}

/// An element of the Basic Encoding Rules with a definite length, the only ones in LDAP (RFC 4511, section 5.1).
enum Element<'a> {
    Incomplete,
    /// Not an element, or longer than [`MAX_LENGTH`].
    Invalid,
    Complete {
        tag: u8,
        content: &'a [u8],
        /// The length of the whole element.
        length: usize,
    },
}

fn element(bytes: &[u8]) -> Element<'_> {
    let tag = match bytes {
        [] => return Element::Incomplete,
        // The tags of other protocols are rejected before the rest arrives.
        [
            tag @ (INTEGER | OCTET_STRING | ENUMERATED | SEQUENCE | 0x60..=0x7f),
            ..,
        ] => *tag,
        [..] => return Element::Invalid,
    };
    let (content_length, start) = match bytes.get(1) {
        None => return Element::Incomplete,
        Some(length @ 0..=0x7f) => (usize::from(*length), 2),
        Some(count @ 0x81..=0x84) => {
            let start = 2 + usize::from(*count & 0x7f);
            let Some(length) = bytes.get(2..start) else {
                return Element::Incomplete;
            };
            match number(length).and_then(|length| usize::try_from(length).ok()) {
                Some(length) => (length, start),
                None => return Element::Invalid,
            }
        }
        Some(0x80 | 0x85..) => return Element::Invalid,
    };
    if content_length > MAX_LENGTH {
        return Element::Invalid;
    }
    let length = start + content_length;
    match bytes.get(start..length) {
        Some(content) => Element::Complete { tag, content, length },
        None => Element::Incomplete,
    }
}

#[cfg(test)]
mod tests;
