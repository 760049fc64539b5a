//! MQTT: sends `CONNECT` of version 3.1.1 without a user name, expects `CONNACK`, and sends `DISCONNECT`.
//!
//! The client id is empty, so that the broker chooses one: two clients with the same id disconnect each other.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | `CONNACK` of 3.1.1 | `0` | open | the broker accepts the client |
//! | `CONNACK` of 3.1.1 | `1` `2` `4` `5` | open | the broker decided about the version, the client id or the missing login |
//! | `CONNACK` of 3.1.1 | any other | service_error | 3 is "server unavailable", the others are reserved |
//! | `CONNACK` of 5.0 | `132` `133` `134` `135` `140` | open | the broker decided about the version, the client id or the missing login |
//! | `CONNACK` of 5.0 | `137` `151` `159` | busy | server busy, quota exceeded, connection rate exceeded |
//! | `CONNACK` of 5.0 | `138` | blocked | banned |
//! | `CONNACK` of 5.0 | any other | service_error | such as 136, "server unavailable" |
//! | the end of the stream | – | closed | or reset: Mosquitto closes at `max_connections`, and where it expects TLS |
//!
//! Log lines for each check of Mosquitto: those of a client that connects and disconnects. A broker that requires a
//! login logs `Client … disconnected, not authorised`.
//!
//! Sources: MQTT 3.1.1, sections 2.2.3, 3.1, 3.2 and 3.14; MQTT 5.0, section 3.2.2.2; tested with Mosquitto 2.0.

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, Step};
use crate::input::{Input, PrefixMatch};

/// Protocol level 4, a clean session, a keep-alive of 60 seconds and no client id.
const CONNECT: &[u8] = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00";
const DISCONNECT: &[u8] = b"\xe0\x00";
/// The type of a `CONNACK` packet; its flags are zero.
const CONNACK: &[u8] = &[0x20];

#[derive(Debug, Default)]
pub(crate) struct Mqtt {
    request_sent: bool,
}

impl Dialogue for Mqtt {
    fn next(&mut self, input: &mut Input) -> Step {
        if !self.request_sent {
            self.request_sent = true;
            return Step::send("CONNECT", CONNECT);
        }
        match input.match_prefix(CONNACK) {
            PrefixMatch::Mismatch => return Step::WRONG_SERVICE,
            PrefixMatch::Partial => return Step::Receive,
            PrefixMatch::Full => {}
        }
        // The length has seven bits in each byte, the lowest first. `CONNACK` never needs three bytes.
        let (length, start) = match *input.remaining() {
            [_, length @ 0..=127, ..] => (usize::from(length), 2),
            [_, low, high @ 0..=127, ..] => (usize::from(low & 0x7f) | usize::from(high) << 7, 3),
            [_, _, _, ..] => return Step::WRONG_SERVICE,
            [..] => return Step::Receive,
        };
        let packet = input.remaining().get(start..).unwrap_or_default();
        // Only the lowest flag is defined.
        if length < 2 || packet.first().is_some_and(|flags| *flags > 1) {
            return Step::WRONG_SERVICE;
        }
        match packet.get(..length) {
            None => Step::Receive,
            Some([_, code]) => answered(*code, by_3(*code)),
            Some([_, code, ..]) => answered(*code, by_5(*code)),
            Some(_) => Step::WRONG_SERVICE,
        }
    }
}

/// The meaning of a code: no failure class for a broker that serves, and the name of the code.
type Meaning = (Option<FailureClass>, &'static str);

fn answered(code: u8, (class, name): Meaning) -> Step {
    let message = format!("CONNACK {code} ({name})");
    match class {
        Some(class) => Step::failure(class, message),
        None if code == 0 => Step::healthy(message).with_closing_bytes(DISCONNECT),
        None => Step::healthy(message),
    }
}

fn by_3(code: u8) -> Meaning {
    match code {
        0 => (None, "connection accepted"),
        1 => (None, "the version is not supported"),
        2 => (None, "the client id is refused"),
        4 => (None, "the login is refused"),
        5 => (None, "a login is required"),
        3 => (Some(FailureClass::ServiceError), "server unavailable"),
        _ => (Some(FailureClass::ServiceError), "a reserved code"),
    }
}

fn by_5(code: u8) -> Meaning {
    match code {
        132 => (None, "the version is not supported"),
        133 => (None, "the client id is refused"),
        134 => (None, "the login is refused"),
        135 => (None, "a login is required"),
        140 => (None, "another kind of login is required"),
        137 => (Some(FailureClass::Busy), "server busy"),
        151 => (Some(FailureClass::Busy), "quota exceeded"),
        159 => (Some(FailureClass::Busy), "connection rate exceeded"),
        138 => (Some(FailureClass::Blocked), "banned"),
        136 => (Some(FailureClass::ServiceError), "server unavailable"),
        _ => (
            Some(FailureClass::ServiceError),
            "not an answer to a first request",
        ),
    }
}

#[cfg(test)]
mod tests;
