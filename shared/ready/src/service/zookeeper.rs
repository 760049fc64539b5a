//! ZooKeeper: sends the four-letter word `srvr`, the only one allowed by default. `ruok` succeeds without a quorum too.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | `Zookeeper version: …`, then statistics | – | open | the server serves requests, and has a quorum if it needs one |
//! | `Zookeeper version: …`, then `READ-ONLY mode` | – | starting | there is no quorum: only clients that ask for it may read |
//! | `srvr is not executed because it is not in the whitelist.` | – | open, with a warning | the server answers, but the answer does not show a quorum |
//! | `… not currently serving requests` | – | starting | there is no quorum |
//! | closed at once | – | closed | ZooKeeper closes at `maxClientCnxns`, the limit for one address |
//!
//! Sources: ZooKeeper's administrator's guide, "The Four Letter Words"; `StatCommand.java`; tested with 3.8, also in
//! read-only mode.

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, DialogueResult, EndOfStream, Step};
use crate::input::{Input, PrefixMatch};

#[derive(Debug, Default)]
pub(crate) struct Zookeeper {
    request_sent: bool,
    /// The first line of the answer, once it has arrived.
    version: Option<String>,
}

impl Zookeeper {
    /// Reads the second line, in which a server without a quorum says that it serves readers only.
    fn read_mode(&mut self, input: &mut Input) -> Step {
        match input.take_line() {
            None => Step::Receive,
            Some(mode) if mode.starts_with("READ-ONLY mode") => Step::failure(FailureClass::Starting, mode),
            Some(_) => Step::healthy(self.version.take().unwrap_or_default()),
        }
    }
}

const NOT_ALLOWED: &str = "srvr is not executed because it is not in the whitelist.";
const KNOWN_ANSWERS: [&[u8]; 3] = [
    b"Zookeeper version: ",
    b"This ZooKeeper instance is not ",
    NOT_ALLOWED.as_bytes(),
];

impl Dialogue for Zookeeper {
    fn next(&mut self, input: &mut Input) -> Step {
        if !self.request_sent {
            self.request_sent = true;
            return Step::send("srvr", "srvr");
        }
        if self.version.is_some() {
            return self.read_mode(input);
        }
        if KNOWN_ANSWERS
            .iter()
            .all(|prefix| input.match_prefix(prefix) == PrefixMatch::Mismatch)
        {
            return Step::WRONG_SERVICE;
        }
        // This answer has no line end.
        if input.match_prefix(NOT_ALLOWED.as_bytes()) == PrefixMatch::Full {
            let warning = Some("allow srvr in 4lw.commands.whitelist to check the quorum".to_owned());
            return Step::Done(
                DialogueResult::Healthy {
                    banner: NOT_ALLOWED.to_owned(),
                    warning,
                },
                b"",
            );
        }
        let Some(line) = input.take_line() else {
            return Step::Receive;
        };
        if !line.starts_with("Zookeeper version: ") {
            return Step::failure(FailureClass::Starting, line);
        }
        self.version = Some(line);
        self.read_mode(input)
    }

    fn end_of_stream(&mut self, _input: &Input) -> EndOfStream {
        EndOfStream::Closed {
            hint: match self.version {
                Some(_) => "",
                None => ", as ZooKeeper does at maxClientCnxns",
            },
        }
    }
}

#[cfg(test)]
mod tests;
