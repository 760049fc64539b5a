//! IMAP: waits for the greeting, then sends `LOGOUT`.
//!
//! | answer | means |
//! |---|---|
//! | `* OK`, `* PREAUTH` | healthy |
//! | `* BYE` | busy: the line gives the reason |
//! | `NO` or `BAD` in answer to STARTTLS, if TLS is required | tls |
//!
//! Source: RFC 9051, sections 6.2.1 and 7.1.

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, Step};
use crate::input::{Input, PrefixMatch};

const LOGOUT: &[u8] = b"a LOGOUT\r\n";

#[derive(Debug)]
pub(crate) struct Imap {
    upgrade: bool,
    greeting: String,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Greeting,
    Upgrading,
    Upgraded,
}

impl Imap {
    pub(crate) fn new(upgrade: bool) -> Self {
        Self {
            upgrade,
            greeting: String::new(),
            state: State::Greeting,
        }
    }

    fn healthy(&mut self) -> Step {
        Step::healthy(std::mem::take(&mut self.greeting)).with_closing_bytes(LOGOUT)
    }

    fn on_greeting(&mut self, input: &mut Input) -> Step {
        let greetings: [&[u8]; 3] = [b"* OK", b"* PREAUTH", b"* BYE"];
        if greetings
            .iter()
            .all(|prefix| input.match_prefix(prefix) == PrefixMatch::Mismatch)
        {
            return Step::WRONG_SERVICE;
        }
        let Some(line) = input.take_line() else {
            return Step::Receive;
        };
        if line.starts_with("* BYE") {
            return Step::failure(FailureClass::Busy, line);
        }
        self.greeting = line;
        if self.upgrade {
            self.state = State::Upgrading;
            return Step::send("STARTTLS", "s STARTTLS\r\n");
        }
        self.healthy()
    }
}

impl Dialogue for Imap {
    fn next(&mut self, input: &mut Input) -> Step {
        match self.state {
            State::Greeting => self.on_greeting(input),
            State::Upgrading => loop {
                let Some(line) = input.take_line() else {
                    return Step::Receive;
                };
                if line.starts_with("s OK") {
                    self.state = State::Upgraded;
                    return Step::StartTls;
                }
                if line.starts_with("s ") {
                    return Step::failure(FailureClass::Tls, line).with_closing_bytes(LOGOUT);
                }
                // Untagged responses may precede the result of a command.
                if !line.starts_with("* ") {
                    return Step::WRONG_SERVICE;
                }
            },
            State::Upgraded => self.healthy(),
        }
    }
}

#[cfg(test)]
mod tests;
