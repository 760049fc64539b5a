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

use crate::input::{Begins, Input};
use crate::step::{Dialogue, Step};

#[derive(Debug, Default)]
pub(crate) struct Redis {
    asked: bool,
}

impl Dialogue for Redis {
    fn next(&mut self, input: &mut Input) -> Step {
        if !self.asked {
            self.asked = true;
            return Step::send("PING", "PING\r\n");
        }
        match input.rest().first() {
            None => Step::More,
            Some(b'+') => match input.begins(b"+PONG\r\n") {
                Begins::With => Step::healthy("PONG"),
                Begins::Maybe => Step::More,
                Begins::Otherwise => Step::WRONG_SERVICE,
            },
            Some(b'-') => match input.line() {
                Some(line) => refusal(line.strip_prefix('-').unwrap_or(&line)),
                None => Step::More,
            },
            Some(_) => Step::WRONG_SERVICE,
        }
    }
}

fn refusal(words: &str) -> Step {
    let code = words.split(' ').next().unwrap_or_default();
    // Every error of this protocol begins with a word in capitals.
    if code.is_empty() || !code.bytes().all(|b| b.is_ascii_uppercase()) {
        return Step::WRONG_SERVICE;
    }
    match code {
        "NOAUTH" | "NOPERM" => Step::healthy(words),
        "ERR" if words.starts_with("ERR unknown command") => Step::healthy(words),
        "LOADING" | "MASTERDOWN" => Step::failure(FailureClass::Starting, words),
        "DENIED" => Step::failure(FailureClass::Blocked, words),
        _ => Step::failure(FailureClass::Busy, words),
    }
}

#[cfg(test)]
mod tests;
