//! memcached: `version` in the text protocol.
//!
//! | answer | means |
//! |---|---|
//! | `VERSION …` | healthy |
//! | `CLIENT_ERROR unauthenticated` | healthy: it wants a login |
//! | `ERROR Too many open connections`, unasked | busy |
//! | any other `CLIENT_ERROR` or `SERVER_ERROR` | busy: it refuses for the reason it gives |
//! | nothing | silent: with `maxconns_fast` off, a server at its limit does not even accept |
//!
//! Sources: `doc/protocol.txt` of memcached; seen with 1.6.

use portpulse_core::outcome::FailureClass;

use crate::input::{Begins, Input};
use crate::step::{Dialogue, Step};

#[derive(Debug, Default)]
pub(crate) struct Memcached {
    asked: bool,
}

const WORDS: [&[u8]; 4] = [
    b"VERSION ",
    b"CLIENT_ERROR ",
    b"SERVER_ERROR ",
    b"ERROR Too many open connections",
];

impl Dialogue for Memcached {
    fn next(&mut self, input: &mut Input) -> Step {
        if !self.asked {
            self.asked = true;
            return Step::send("version", "version\r\n");
        }
        if WORDS.iter().all(|word| input.begins(word) == Begins::Otherwise) {
            return Step::WRONG_SERVICE;
        }
        let Some(line) = input.line() else {
            return Step::More;
        };
        let step = if line.starts_with("VERSION ") || line == "CLIENT_ERROR unauthenticated" {
            Step::healthy(line)
        } else {
            Step::failure(FailureClass::Busy, line)
        };
        step.then_say(b"quit\r\n")
    }
}

#[cfg(test)]
mod tests;
