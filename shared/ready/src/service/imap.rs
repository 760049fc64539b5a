//! IMAP: waits for the greeting, then sends `LOGOUT`.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | `* OK`, `* PREAUTH` | – | open | the server is ready for a login |
//! | `* BYE` with a response code | `LIMIT` `INUSE` | busy | RFC 9051 and RFC 5530: a limit, or a locked resource |
//! | `* BYE` with a response code | `UNAVAILABLE` | no_backend | RFC 5530: a subsystem of the server is down |
//! | `* BYE` with a response code | any other | service_error | the server does not accept the connection, and says why |
//! | `* BYE` with `many connections` or `Maximum number` | – | busy | servers that have no code for their limit say so |
//! | `NO` or `BAD` in answer to STARTTLS, if TLS is required | – | tls | TLS is disabled |
//!
//! Log line for each check of Dovecot: `Info: Disconnected: Aborted login by logging out`.
//!
//! Sources: RFC 9051, sections 6.2.1 and 7.1; RFC 5530.

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
            return Step::failure(bye(&line), line);
        }
        self.greeting = line;
        if self.upgrade {
            self.state = State::Upgrading;
            return Step::send("STARTTLS", "s STARTTLS\r\n");
        }
        self.healthy()
    }
}

/// The failure class of a greeting that refuses the connection.
fn bye(line: &str) -> FailureClass {
    let code = line
        .strip_prefix("* BYE [")
        .and_then(|rest| rest.split([']', ' ']).next());
    let lower = line.to_ascii_lowercase();
    match code {
        Some("LIMIT" | "INUSE") => FailureClass::Busy,
        Some("UNAVAILABLE") => FailureClass::NoBackend,
        _ if lower.contains("many connections") || lower.contains("maximum number") => FailureClass::Busy,
        _ => FailureClass::ServiceError,
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
