//! Redis and Valkey: sends `PING`, which the server also answers before a login, with an error.
//!
//! | answer | means |
//! |---|---|
//! | `+PONG` | healthy |
//! | `-NOAUTH`, `-NOPERM`, `-ERR unknown command` | healthy: the server processed the command |
//! | `-LOADING`, `-MASTERDOWN` | starting: the server loads its data, or waits for its primary |
//! | `-ERR max number of clients`, before the request | busy |
//! | `-BUSY` | busy: a script runs |
//! | `-MISCONF` | busy: the server cannot persist, for example because the disk is full |
//! | `-DENIED` | blocked: protected mode refuses remote clients |
//! | any other `-` | busy: the error gives the reason |
//!
//! Sources: the Redis serialization protocol specification; `server.c` and `networking.c` of Redis; tested with 7.0.

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
    // Every error of this protocol starts with a word in capital letters.
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
