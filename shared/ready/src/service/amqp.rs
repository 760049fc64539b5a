//! RabbitMQ and other AMQP 0-9-1 brokers: sends the protocol header and expects `Connection.Start`.
//!
//! | answer | means |
//! |---|---|
//! | method frame `Connection.Start` on channel 0 | healthy |
//! | `AMQP` and four bytes | wrong service: another version of AMQP |
//! | nothing | silent: RabbitMQ accepts connections but does not answer while it has no free file descriptors or stops |
//!
//! Source: AMQP 0-9-1, sections 2.2.4 and 4.2; class and method numbers from its XML definition.

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, Step};
use crate::input::{Input, PrefixMatch, be_u32, match_prefix};

#[derive(Debug, Default)]
pub(crate) struct Amqp {
    request_sent: bool,
}

/// The start of a method frame on channel 0; the frame's size follows.
const FRAME: &[u8] = &[1, 0, 0];
/// Class 10, method 10, version 0-9.
const START: &[u8] = &[0, 10, 0, 10, 0, 9];

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
        match match_prefix(answer.get(7..).unwrap_or_default(), START) {
            PrefixMatch::Full => Step::healthy("Connection.Start"),
            PrefixMatch::Partial => Step::Receive,
            PrefixMatch::Mismatch => Step::WRONG_SERVICE,
        }
    }
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
