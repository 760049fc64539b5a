//! ZooKeeper: the four-letter word `srvr`, the only one allowed by default; `ruok` answers without a quorum too.
//!
//! | answer | means |
//! |---|---|
//! | `Zookeeper version: …` | healthy |
//! | `srvr is not executed because it is not in the whitelist.` | healthy, with a warning: it does not say more |
//! | `… not currently serving requests` | starting: it has no quorum |
//! | closed at once | closed; ZooKeeper does so at `maxClientCnxns`, the limit for one address |
//!
//! Sources: ZooKeeper's administrator's guide, "The Four Letter Words"; seen with 3.8.

use portpulse_core::outcome::FailureClass;

use crate::input::{Begins, Input};
use crate::step::{Dialogue, DialogueResult, Ended, Step};

#[derive(Debug, Default)]
pub(crate) struct Zookeeper {
    asked: bool,
}

const NOT_ALLOWED: &str = "srvr is not executed because it is not in the whitelist.";
const WORDS: [&[u8]; 3] = [
    b"Zookeeper version: ",
    b"This ZooKeeper instance is not ",
    NOT_ALLOWED.as_bytes(),
];

impl Dialogue for Zookeeper {
    fn next(&mut self, input: &mut Input) -> Step {
        if !self.asked {
            self.asked = true;
            return Step::send("srvr", "srvr");
        }
        if WORDS.iter().all(|word| input.begins(word) == Begins::Otherwise) {
            return Step::WRONG_SERVICE;
        }
        // The refusal of the word itself ends without a line's end.
        if input.begins(NOT_ALLOWED.as_bytes()) == Begins::With {
            let warning = Some("allow srvr in 4lw.commands.whitelist to see whether it serves".to_owned());
            return Step::Done(
                DialogueResult::Healthy {
                    banner: NOT_ALLOWED.to_owned(),
                    warning,
                },
                b"",
            );
        }
        let Some(line) = input.line() else {
            return Step::More;
        };
        if line.starts_with("Zookeeper version: ") {
            Step::healthy(line)
        } else {
            Step::failure(FailureClass::Starting, line)
        }
    }

    fn ended(&mut self, _input: &Input) -> Ended {
        Ended::Closed {
            hint: ", as ZooKeeper does at maxClientCnxns",
        }
    }
}

#[cfg(test)]
mod tests;
