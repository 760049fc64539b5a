//! Kafka: sends `ApiVersions` version 0, which every broker answers before a login.
//!
//! | answer | means |
//! |---|---|
//! | the request's correlation id, error 0 or 35 (`UNSUPPORTED_VERSION`) | healthy |
//! | the request's correlation id, any other error | busy: the number gives the reason |
//! | closed at once | closed; Kafka closes at `max.connections.per.ip`, and if it expects TLS |
//!
//! Source: the Apache Kafka protocol guide, "Protocol Primitive Types" and "`ApiVersions` API (Key: 18)"; tested with
//! Tansu 0.6, which implements this protocol.

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, EndOfStream, Step};
use crate::input::{Input, be_u16, be_u32};

const CORRELATION: u32 = 0x7070_0001;
const CLIENT: &[u8] = b"portpulse";
const MAX_LENGTH: u32 = 16 * 1024 - 4;

#[derive(Debug, Default)]
pub(crate) struct Kafka {
    request_sent: bool,
}

impl Dialogue for Kafka {
    fn next(&mut self, input: &mut Input) -> Step {
        if !self.request_sent {
            self.request_sent = true;
            return Step::send("an ApiVersions request", request());
        }
        let answer = input.remaining();
        let Some(size) = be_u32(answer, 0) else {
            return Step::Receive;
        };
        if !(6..=MAX_LENGTH).contains(&size) {
            return Step::WRONG_SERVICE;
        }
        match be_u32(answer, 4) {
            None => return Step::Receive,
            Some(CORRELATION) => {}
            Some(_) => return Step::WRONG_SERVICE,
        }
        match be_u16(answer, 8) {
            None => Step::Receive,
            Some(0) => Step::healthy("answered ApiVersions"),
            Some(35) => Step::healthy("answered ApiVersions: error 35, unsupported version"),
            Some(error) => Step::failure(FailureClass::Busy, format!("answered ApiVersions: error {error}")),
        }
    }

    fn end_of_stream(&mut self, _input: &Input) -> EndOfStream {
        EndOfStream::Closed {
            hint: ", as Kafka does at max.connections.per.ip, or where it expects TLS",
        }
    }
}

fn request() -> Vec<u8> {
    let mut body = vec![0, 18, 0, 0];
    body.extend_from_slice(&CORRELATION.to_be_bytes());
    body.extend_from_slice(&u16::try_from(CLIENT.len()).unwrap_or_default().to_be_bytes());
    body.extend_from_slice(CLIENT);
    let mut request = u32::try_from(body.len())
        .unwrap_or_default()
        .to_be_bytes()
        .to_vec();
    request.append(&mut body);
    request
}

#[cfg(test)]
mod tests;
