//! PostgreSQL: sends a `StartupMessage` for a user that need not exist. The server reports its state before any login.
//!
//! | answer | means |
//! |---|---|
//! | `R`, any authentication request | healthy |
//! | `E` with SQLSTATE class 28, 3D000 or 42501 | healthy: the server decided about the login |
//! | `E` 08P01 `no such …` | healthy: PgBouncer decided about the login |
//! | `E` 57P01, 57P02, 57P03 | starting: the server starts, recovers or shuts down |
//! | `E` of class 53, such as 53300 | busy: too many clients, or no memory or disk space |
//! | `E` `could not …` without a SQLSTATE | busy: the server could not start a process |
//! | any other `E` | busy: the error gives the reason |
//! | `N` in answer to an `SSLRequest` | tls: TLS is disabled |
//!
//! A server in recovery answers `SSLRequest` too, so that this answer alone does not prove readiness.
//!
//! Sources: PostgreSQL's documentation, "Message Formats" and "`PostgreSQL` Error Codes"; tested with 15.

use portpulse_core::outcome::FailureClass;

use super::USER;
use crate::dialogue::{Dialogue, Step};
use crate::input::{Input, PrefixMatch, be_u32, excerpt, match_prefix};

/// The maximum length of a PostgreSQL message during startup, as in libpq.
const MAX_LENGTH: usize = 30_000;

#[derive(Debug)]
pub(crate) struct Postgres {
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Upgrade,
    Upgrading,
    Startup,
    Started,
}

impl Postgres {
    pub(crate) fn new(upgrade: bool) -> Self {
        Self {
            state: if upgrade { State::Upgrade } else { State::Startup },
        }
    }
}

impl Dialogue for Postgres {
    fn next(&mut self, input: &mut Input) -> Step {
        match self.state {
            State::Upgrade => {
                self.state = State::Upgrading;
                Step::send("an SSLRequest", [0, 0, 0, 8, 4, 210, 22, 47])
            }
            State::Upgrading => match input.remaining().first() {
                None => Step::Receive,
                // After agreeing to TLS the server waits for the client; more bytes belong to another protocol.
                Some(b'S') if input.remaining().len() > 1 => Step::WRONG_SERVICE,
                Some(b'S') => {
                    input.take(1);
                    self.state = State::Startup;
                    Step::StartTls
                }
                Some(b'N') => Step::failure(
                    FailureClass::Tls,
                    "the server answered N to SSLRequest: TLS is disabled",
                ),
                Some(_) => answer(input),
            },
            State::Startup => {
                self.state = State::Started;
                Step::send("a StartupMessage", startup())
            }
            State::Started => answer(input),
        }
    }
}

fn startup() -> Vec<u8> {
    let mut body = vec![0, 3, 0, 0];
    for word in ["user", USER, "database", "postgres"] {
        body.extend_from_slice(word.as_bytes());
        body.push(0);
    }
    body.push(0);
    let mut message = u32::try_from(body.len() + 4)
        .unwrap_or_default()
        .to_be_bytes()
        .to_vec();
    message.append(&mut body);
    message
}

fn answer(input: &mut Input) -> Step {
    loop {
        let Some((&kind, after)) = input.remaining().split_first() else {
            return Step::Receive;
        };
        if !matches!(kind, b'R' | b'E' | b'N' | b'v') {
            return Step::WRONG_SERVICE;
        }
        if kind == b'E' {
            match match_prefix(after, b"could not ") {
                PrefixMatch::Full => return unframed(after),
                PrefixMatch::Partial => return Step::Receive,
                PrefixMatch::Mismatch => {}
            }
        }
        let Some(length) = be_u32(after, 0) else {
            return Step::Receive;
        };
        let Some(length) = usize::try_from(length)
            .ok()
            .filter(|n| (4..=MAX_LENGTH).contains(n))
        else {
            return Step::WRONG_SERVICE;
        };
        let Some(message) = input.take(1 + length) else {
            return Step::Receive;
        };
        let body = message.get(5..).unwrap_or_default();
        match kind {
            b'R' => return authentication(body),
            b'E' => return error(body),
            // A notice, or the negotiation of an older protocol version: the answer follows.
            _ => {}
        }
    }
}

fn authentication(body: &[u8]) -> Step {
    match be_u32(body, 0) {
        Some(0) => Step::healthy("accepts logins without a password").with_closing_bytes(b"X\0\0\0\x04"),
        Some(3 | 5) => Step::healthy("asks for a password"),
        Some(10) => Step::healthy("asks for a password (SASL)"),
        Some(_) => Step::healthy("asks for authentication"),
        None => Step::WRONG_SERVICE,
    }
}

/// Reads an error in the form before protocol 3, which a server uses when it cannot start a process.
fn unframed(text: &[u8]) -> Step {
    match text.iter().position(|&b| b == 0) {
        Some(end) => Step::failure(FailureClass::Busy, excerpt(text.get(..end).unwrap_or_default())),
        None => Step::Receive,
    }
}

fn error(body: &[u8]) -> Step {
    let field = |code: u8| {
        body.split(|&b| b == 0).find_map(|field| {
            field
                .split_first()
                .filter(|(c, _)| **c == code)
                .map(|(_, text)| excerpt(text))
        })
    };
    let (Some(sqlstate), Some(message)) = (field(b'C'), field(b'M')) else {
        return Step::WRONG_SERVICE;
    };
    let text = format!("{sqlstate} {message}");
    match sqlstate.as_str() {
        "3D000" | "42501" => Step::healthy(text),
        "08P01" if message.starts_with("no such ") => Step::healthy(text),
        "57P01" | "57P02" | "57P03" => Step::failure(FailureClass::Starting, text),
        state if state.starts_with("28") => Step::healthy(text),
        _ => Step::failure(FailureClass::Busy, text),
    }
}

#[cfg(test)]
mod tests;
