//! POP3: waits for the greeting, then sends `QUIT`.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | `+OK` | – | open | the server is ready for a login |
//! | `-ERR` with a response code | `IN-USE` `LOGIN-DELAY` | busy | RFC 2449: a locked mailbox, or logins too often |
//! | `-ERR` with a response code | any other | service_error | such as `SYS/TEMP` of RFC 3206: a fault of the server |
//! | `-ERR` in answer to STLS, if TLS is required | – | tls | TLS is disabled |
//!
//! Log line for each check of Dovecot: `Info: Disconnected: Aborted login by logging out`.
//!
//! Sources: RFC 1939, sections 3 and 4; RFC 2595, section 4; RFC 3206.

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, Step};
use crate::input::{Input, PrefixMatch};

const QUIT: &[u8] = b"QUIT\r\n";

#[derive(Debug)]
pub(crate) struct Pop3 {
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

impl Pop3 {
    pub(crate) fn new(upgrade: bool) -> Self {
        Self {
            upgrade,
            greeting: String::new(),
            state: State::Greeting,
        }
    }

    fn healthy(&mut self) -> Step {
        Step::healthy(std::mem::take(&mut self.greeting)).with_closing_bytes(QUIT)
    }
}

impl Dialogue for Pop3 {
    fn next(&mut self, input: &mut Input) -> Step {
        if matches!(self.state, State::Upgraded) {
            return self.healthy();
        }
        if input.match_prefix(b"+OK") == PrefixMatch::Mismatch
            && input.match_prefix(b"-ERR") == PrefixMatch::Mismatch
        {
            return Step::WRONG_SERVICE;
        }
        let Some(line) = input.take_line() else {
            return Step::Receive;
        };
        match (self.state, line.starts_with("+OK")) {
            (State::Upgrading, true) => {
                self.state = State::Upgraded;
                Step::StartTls
            }
            (State::Upgrading, false) => Step::failure(FailureClass::Tls, line).with_closing_bytes(QUIT),
            (_, false) => {
                let is_busy = line.starts_with("-ERR [IN-USE]") || line.starts_with("-ERR [LOGIN-DELAY]");
                let class = if is_busy {
                    FailureClass::Busy
                } else {
                    FailureClass::ServiceError
                };
                Step::failure(class, line)
            }
            (_, true) => {
                self.greeting = line;
                if self.upgrade {
                    self.state = State::Upgrading;
                    return Step::send("STLS", "STLS\r\n");
                }
                self.healthy()
            }
        }
    }
}

#[cfg(test)]
mod tests;
