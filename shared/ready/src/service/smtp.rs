//! SMTP and submission: waits for the greeting, then sends `EHLO` and `QUIT`. The server always speaks first.
//!
//! | answer | means |
//! |---|---|
//! | `220`, then `250` in answer to `EHLO` (or to `HELO`, if `EHLO` is unknown) | healthy |
//! | `421`, or any other 4xx | busy: overloaded or shutting down |
//! | 5xx greeting, such as `554`, or `550`…`554` in answer to `EHLO` | blocked: the server refuses this client |
//! | no STARTTLS offered, or STARTTLS refused, if TLS is required | tls |
//! | `220`, but neither `EHLO` nor `HELO` known | wrong service, such as FTP |
//!
//! Sources: RFC 5321, sections 3.1, 4.1.1 and 4.2; RFC 3207.

use std::net::IpAddr;

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, Step};
use crate::input::Input;

const QUIT: &[u8] = b"QUIT\r\n";

#[derive(Debug)]
pub(crate) struct Smtp {
    /// The client's address literal, since the client has no host name (RFC 5321, section 4.1.4).
    name: String,
    upgrade: bool,
    greeting: String,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Greeting,
    SendEhlo,
    Ehlo,
    Helo,
    Upgrading,
}

impl Smtp {
    pub(crate) fn new(upgrade: bool, from: Option<IpAddr>) -> Self {
        let name = match from {
            Some(IpAddr::V4(address)) => format!("[{address}]"),
            Some(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
            None => "portpulse.invalid".to_owned(),
        };
        Self {
            name,
            upgrade,
            greeting: String::new(),
            state: State::Greeting,
        }
    }

    fn ehlo(&mut self) -> Step {
        self.state = State::Ehlo;
        Step::send("EHLO", format!("EHLO {}\r\n", self.name))
    }

    fn healthy(&mut self) -> Step {
        Step::healthy(std::mem::take(&mut self.greeting)).with_closing_bytes(QUIT)
    }

    fn evaluate(&mut self, reply: Reply) -> Step {
        match (self.state, reply.code) {
            (State::Greeting, 220) => {
                self.greeting = reply.summary();
                self.ehlo()
            }
            (State::Ehlo, 250) if self.upgrade => {
                if !reply
                    .lines
                    .iter()
                    .any(|line| line.eq_ignore_ascii_case("STARTTLS"))
                {
                    return Step::failure(FailureClass::Tls, "the server does not offer STARTTLS")
                        .with_closing_bytes(QUIT);
                }
                self.state = State::Upgrading;
                Step::send("STARTTLS", "STARTTLS\r\n")
            }
            (State::Ehlo | State::Helo, 250) => self.healthy(),
            (State::Ehlo, 500 | 501 | 502 | 504) => {
                self.state = State::Helo;
                Step::send("HELO", format!("HELO {}\r\n", self.name))
            }
            (State::Upgrading, 220) => {
                self.upgrade = false;
                self.state = State::SendEhlo;
                Step::StartTls
            }
            (State::Upgrading, _) => {
                Step::failure(FailureClass::Tls, reply.summary()).with_closing_bytes(QUIT)
            }
            (_, 400..=499) => Step::failure(FailureClass::Busy, reply.summary()).with_closing_bytes(QUIT),
            (State::Greeting, 500..=599) | (_, 550..=554) => {
                Step::failure(FailureClass::Blocked, reply.summary()).with_closing_bytes(QUIT)
            }
            _ => Step::WRONG_SERVICE.with_closing_bytes(QUIT),
        }
    }
}

impl Dialogue for Smtp {
    fn next(&mut self, input: &mut Input) -> Step {
        if matches!(self.state, State::SendEhlo) {
            return self.ehlo();
        }
        match Reply::read(input) {
            ReadResult::Incomplete => Step::Receive,
            ReadResult::Invalid => Step::WRONG_SERVICE,
            ReadResult::Reply(reply) => self.evaluate(reply),
        }
    }
}

/// A reply of one or more lines with the same code.
#[derive(Debug)]
struct Reply {
    code: u16,
    lines: Vec<String>,
}

enum ReadResult {
    Incomplete,
    Invalid,
    Reply(Reply),
}

impl Reply {
    fn summary(&self) -> String {
        let text = self
            .lines
            .iter()
            .map(String::as_str)
            .find(|line| !line.is_empty())
            .unwrap_or_default();
        format!("{} {text}", self.code)
    }

    /// Consumes a complete reply.
    fn read(input: &mut Input) -> ReadResult {
        let mut reply: Option<Self> = None;
        let mut length = 0;
        let mut lines_done = false;
        for line in input.remaining().split_inclusive(|&b| b == b'\n') {
            let is_last = match line.get(3) {
                None | Some(b' ' | b'\r' | b'\n') => true,
                Some(b'-') => false,
                Some(_) => return ReadResult::Invalid,
            };
            if !line.iter().take(3).all(u8::is_ascii_digit) {
                return ReadResult::Invalid;
            }
            let Some(text) = line.strip_suffix(b"\n") else {
                return ReadResult::Incomplete;
            };
            let text = String::from_utf8_lossy(text.strip_suffix(b"\r").unwrap_or(text));
            let Some(code) = text.get(..3).and_then(|code| code.parse().ok()) else {
                return ReadResult::Invalid;
            };
            let reply = reply.get_or_insert_with(|| Self {
                code,
                lines: Vec::new(),
            });
            if reply.code != code {
                return ReadResult::Invalid;
            }
            reply.lines.push(text.get(4..).unwrap_or_default().to_owned());
            length += line.len();
            if is_last {
                lines_done = true;
                break;
            }
        }
        match reply {
            Some(reply) if lines_done => {
                input.take(length);
                ReadResult::Reply(reply)
            }
            _ => ReadResult::Incomplete,
        }
    }
}

#[cfg(test)]
mod tests;
