//! Redis and Valkey: `PING`, which also answers a client that has not logged in, by saying so.
//!
//! | answer | means |
//! |---|---|
//! | `+PONG` | healthy |
//! | `-NOAUTH`, `-NOPERM`, `-ERR unknown command` | healthy: it judged the command |
//! | `-LOADING`, `-MASTERDOWN` | starting: it loads its data, or waits for its primary |
//! | `-ERR max number of clients`, unasked | busy |
//! | `-BUSY` | busy: a script runs |
//! | `-MISCONF` | busy: it cannot persist, for instance on a full disk |
//! | `-DENIED` | blocked: protected mode refuses clients from outside |
//! | any other `-` | busy: it refuses for the reason it gives |
//!
//! Sources: the Redis serialization protocol specification; `server.c` and `networking.c` of Redis; seen with 7.0.

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, Step};
use crate::input::{Input, PrefixMatch};

#[derive(Debug, Default)]
pub(crate) struct Redis {
    request_sent: bool,
}

impl Dialogue for Redis {
    fn next(&mut self, input: &mut Input) -> Step {
        if !self.request_sent {
            self.request_sent = true;
            return Step::send("PING", "PING\r\n");
        }
        match input.remaining().first() {
            None => Step::Receive,
            Some(b'+') => match input.match_prefix(b"+PONG\r\n") {
                PrefixMatch::Full => Step::healthy("PONG"),
                PrefixMatch::Partial => Step::Receive,
                PrefixMatch::Mismatch => Step::WRONG_SERVICE,
            },
            Some(b'-') => match input.take_line() {
                Some(line) => refusal(line.strip_prefix('-').unwrap_or(&line)),
                None => Step::Receive,
            },
            Some(_) => Step::WRONG_SERVICE,
        }
    }
}

fn refusal(error: &str) -> Step {
    let code = error.split(' ').next().unwrap_or_default();
    // Every error of this protocol begins with a word in capitals.
    if code.is_empty() || !code.bytes().all(|b| b.is_ascii_uppercase()) {
        return Step::WRONG_SERVICE;
    }
    match code {
        "NOAUTH" | "NOPERM" => Step::healthy(error),
        "ERR" if error.starts_with("ERR unknown command") => Step::healthy(error),
        "LOADING" | "MASTERDOWN" => Step::failure(FailureClass::Starting, error),
        "DENIED" => Step::failure(FailureClass::Blocked, error),
        _ => Step::failure(FailureClass::Busy, error),
    }
}

#[cfg(test)]
mod tests;
