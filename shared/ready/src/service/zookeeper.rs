//! ZooKeeper: sends the four-letter word `srvr`, the only one allowed by default. `ruok` succeeds without a quorum too.
//!
//! | answer | means |
//! |---|---|
//! | `Zookeeper version: …` | healthy |
//! | `srvr is not executed because it is not in the whitelist.` | healthy, with a warning: the answer does not show a quorum |
//! | `… not currently serving requests` | starting: there is no quorum |
//! | closed at once | closed; ZooKeeper closes at `maxClientCnxns`, the limit for one address |
//!
//! Sources: ZooKeeper's administrator's guide, "The Four Letter Words"; tested with 3.8.

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, DialogueResult, EndOfStream, Step};
use crate::input::{Input, PrefixMatch};

#[derive(Debug, Default)]
pub(crate) struct Zookeeper {
    request_sent: bool,
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
        if line.starts_with("Zookeeper version: ") {
            Step::healthy(line)
        } else {
            Step::failure(FailureClass::Starting, line)
        }
    }

    fn end_of_stream(&mut self, _input: &Input) -> EndOfStream {
        EndOfStream::Closed {
            hint: ", as ZooKeeper does at maxClientCnxns",
        }
    }
}

#[cfg(test)]
mod tests;
