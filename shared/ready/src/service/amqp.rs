//! RabbitMQ and other AMQP 0-9-1 brokers: sends the protocol header and expects `Connection.Start`.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | method frame `Connection.Start` on channel 0 | – | open | the broker is ready for a login |
//! | `Connection.Close` instead | `320` | starting | an operator closes connections |
//! | `Connection.Close` instead | `506` | busy | no resources |
//! | `Connection.Close` instead | `402` `403` `530` | blocked | the broker refuses this client |
//! | `Connection.Close` instead | any other | service_error | not known to come from a broker that works |
//! | `AMQP` and four bytes | – | wrong_service | another version of AMQP |
//! | nothing | – | silent | RabbitMQ accepts connections but does not answer while it has no free file descriptors or stops |
//!
//! Log line for each check: `[warning] closing AMQP connection … client unexpectedly closed TCP connection`, because
//! AMQP has no orderly close before a login.
//!
//! Source: AMQP 0-9-1, sections 2.2.4 and 4.2; class and method numbers from its XML definition.

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, Step};
use crate::input::{Input, PrefixMatch, be_u16, be_u32, excerpt, match_prefix};

#[derive(Debug, Default)]
pub(crate) struct Amqp {
    request_sent: bool,
}

/// The start of a method frame on channel 0; the frame's size follows.
const FRAME: &[u8] = &[1, 0, 0];
/// Class 10, method 10, version 0-9.
const START: &[u8] = &[0, 10, 0, 10, 0, 9];
/// Class 10, method 50; a reply code and a short string follow.
const CLOSE: &[u8] = &[0, 10, 0, 50];

impl Dialogue for Amqp {
    fn next(&mut self, input: &mut Input) -> Step {
        if !self.request_sent {
            self.request_sent = true;
            return Step::send("an AMQP 0-9-1 header", *b"AMQP\x00\x00\x09\x01");
        }
        let answer = input.remaining();
        match (match_prefix(answer, b"AMQP"), match_prefix(answer, FRAME)) {
            (PrefixMatch::Mismatch, PrefixMatch::Mismatch) => return Step::WRONG_SERVICE,
            (PrefixMatch::Full, _) => return other_version(answer),
            (_, PrefixMatch::Full) => {}
            _ => return Step::Receive,
        }
        let Some(size) = be_u32(answer, 3) else {
            return Step::Receive;
        };
        if !(6..=16 * 1024).contains(&size) {
            return Step::WRONG_SERVICE;
        }
        let method = answer.get(7..).unwrap_or_default();
        match (match_prefix(method, START), match_prefix(method, CLOSE)) {
            (PrefixMatch::Full, _) => Step::healthy("Connection.Start"),
            (_, PrefixMatch::Full) => closed(method.get(CLOSE.len()..).unwrap_or_default()),
            (PrefixMatch::Mismatch, PrefixMatch::Mismatch) => Step::WRONG_SERVICE,
            _ => Step::Receive,
        }
    }
}

/// Reads the reply code and the text of `Connection.Close` (AMQP 0-9-1, sections 1.3 and 1.4.2.9 of the reference).
fn closed(arguments: &[u8]) -> Step {
    let text = be_u16(arguments, 0).and_then(|code| {
        let end = 3 + usize::from(*arguments.get(2)?);
        Some((code, excerpt(arguments.get(3..end)?)))
    });
    let Some((code, text)) = text else {
        return Step::Receive;
    };
    let class = match code {
        320 => FailureClass::Starting,
        506 => FailureClass::Busy,
        402 | 403 | 530 => FailureClass::Blocked,
        _ => FailureClass::ServiceError,
    };
    Step::failure(class, format!("{code} {text}"))
}

fn other_version(answer: &[u8]) -> Step {
    match answer.get(4..).and_then(|rest| rest.first_chunk()) {
        Some([id, major, minor, revision]) => Step::failure(
            FailureClass::WrongService,
            format!("the server speaks AMQP {major}.{minor}.{revision} (protocol {id}), not 0-9-1"),
        ),
        None => Step::Receive,
    }
}

#[cfg(test)]
mod tests;
