//! Cassandra and compatible databases: sends `OPTIONS` of protocol version 4, which is answered before a login.
//!
//! A node opens this port only after it has joined its cluster.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | `SUPPORTED` under the request's stream | – | open | the node is ready for a login |
//! | `ERROR` 000a about an unsupported version | – | open | the node decided about the version; no version is part of `OPTIONS` |
//! | `ERROR` with a code | `1001` | busy | overloaded |
//! | `ERROR` with a code | `1002` | starting | the node is bootstrapping |
//! | `ERROR` with a code | any other | service_error | not known to come from a node that works |
//! | the end of the stream | – | closed | also where the node expects TLS |
//!
//! Sources: "CQL binary protocol v4", sections 2, 4.1.3, 4.2.1, 4.2.4 and 9; v5, section 2, whose frames before `STARTUP`
//! are the same. Not tested with a real server, which the registries used here do not have.

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, Step};
use crate::input::{Input, be_u16, be_u32, excerpt};

/// Version 4, no flags, the stream, the operation `OPTIONS`, and no body.
const OPTIONS: &[u8] = b"\x04\x00\x70\x70\x05\x00\x00\x00\x00";
const STREAM: u16 = 0x7070;
const HEADER_BYTES: usize = 9;
const MAX_LENGTH: u32 = 16 * 1024 - 9;
const ERROR: u8 = 0x00;
const SUPPORTED: u8 = 0x06;
/// The flag of a body that starts with a list of warnings.
const WARNING: u8 = 0x08;
/// The flag of a version under development.
const BETA: u8 = 0x10;

#[derive(Debug, Default)]
pub(crate) struct Cassandra {
    request_sent: bool,
}

impl Dialogue for Cassandra {
    fn next(&mut self, input: &mut Input) -> Step {
        if !self.request_sent {
            self.request_sent = true;
            return Step::send("OPTIONS", OPTIONS);
        }
        let bytes = input.remaining();
        let is_expected = |(place, byte): (usize, &u8)| match place {
            // A response of version 3 to 6.
            0 => matches!(byte, 0x83..=0x86),
            1 => byte & !(WARNING | BETA) == 0,
            4 => matches!(*byte, ERROR | SUPPORTED),
            _ => true,
        };
        if !bytes.iter().take(HEADER_BYTES).enumerate().all(is_expected) {
            return Step::WRONG_SERVICE;
        }
        let Some(length) = be_u32(bytes, 5) else {
            return Step::Receive;
        };
        if length > MAX_LENGTH {
            return Step::WRONG_SERVICE;
        }
        let end = HEADER_BYTES + usize::try_from(length).unwrap_or_default();
        let Some(mut body) = bytes.get(HEADER_BYTES..end) else {
            return Step::Receive;
        };
        let has_warnings = bytes.get(1).is_some_and(|flags| flags & WARNING != 0);
        if has_warnings && strings(&mut body).is_none() {
            return Step::WRONG_SERVICE;
        }
        match (bytes.get(4), be_u16(bytes, 2)) {
            (Some(&SUPPORTED), Some(STREAM)) => supported(body),
            // A server that cannot read the version does not know where the stream is.
            (Some(&ERROR), _) => error(body),
            _ => None,
        }
        .unwrap_or(Step::WRONG_SERVICE)
    }
}

/// Reads the options, of which `CQL_VERSION` is required.
fn supported(mut body: &[u8]) -> Option<Step> {
    for _ in 0..number(&mut body)? {
        let name = string(&mut body)?;
        let values = strings(&mut body)?;
        if let (b"CQL_VERSION", Some(version)) = (name, values.first()) {
            return Some(Step::healthy(format!("CQL {}", excerpt(version))));
        }
    }
    None
}

/// Reads the code and the message of an error.
fn error(body: &[u8]) -> Option<Step> {
    let code = be_u32(body, 0)?;
    let text = excerpt(string(&mut body.get(4..)?)?);
    let message = format!("error {code:04x}: {text}");
    let class = match code {
        0x000a if text.to_ascii_lowercase().contains("unsupported protocol version") => {
            return Some(Step::healthy(message));
        }
        0x1001 => FailureClass::Busy,
        0x1002 => FailureClass::Starting,
        _ => FailureClass::ServiceError,
    };
    Some(Step::failure(class, message))
}

/// Takes a number of two bytes.
fn number(bytes: &mut &[u8]) -> Option<u16> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u16::from_be_bytes(*number))
}

/// Takes a string, with its length before it.
fn string<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = number(bytes)?;
    let (string, rest) = bytes.split_at_checked(usize::from(length))?;
    *bytes = rest;
    Some(string)
}

/// Takes a list of strings, with their number before it.
fn strings<'a>(bytes: &mut &'a [u8]) -> Option<Vec<&'a [u8]>> {
    (0..number(bytes)?).map(|_| string(bytes)).collect()
}

#[cfg(test)]
mod tests;
