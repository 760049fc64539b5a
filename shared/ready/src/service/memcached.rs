//! memcached: sends `version` in the text protocol.
//!
//! | answer | means |
//! |---|---|
//! | `VERSION …` | healthy |
//! | `CLIENT_ERROR unauthenticated` | healthy: a login is required |
//! | `ERROR Too many open connections`, before the request | busy |
//! | any other `CLIENT_ERROR` or `SERVER_ERROR` | busy: the line gives the reason |
//! | nothing | silent: with `maxconns_fast` off, a server at its limit does not accept connections |
//!
//! Sources: `doc/protocol.txt` of memcached; tested with 1.6.

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, Step};
use crate::input::{Input, PrefixMatch};

#[derive(Debug, Default)]
pub(crate) struct Memcached {
    request_sent: bool,
}

const KNOWN_ANSWERS: [&[u8]; 4] = [
    b"VERSION ",
    b"CLIENT_ERROR ",
    b"SERVER_ERROR ",
    b"ERROR Too many open connections",
];

impl Dialogue for Memcached {
    fn next(&mut self, input: &mut Input) -> Step {
        if !self.request_sent {
            self.request_sent = true;
            return Step::send("version", "version\r\n");
        }
        if KNOWN_ANSWERS
            .iter()
            .all(|prefix| input.match_prefix(prefix) == PrefixMatch::Mismatch)
        {
            return Step::WRONG_SERVICE;
        }
        let Some(line) = input.take_line() else {
            return Step::Receive;
        };
        let step = if line.starts_with("VERSION ") || line == "CLIENT_ERROR unauthenticated" {
            Step::healthy(line)
        } else {
            Step::failure(FailureClass::Busy, line)
        };
        step.with_closing_bytes(b"quit\r\n")
    }
}

#[cfg(test)]
mod tests;
