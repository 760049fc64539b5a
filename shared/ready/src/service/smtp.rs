//! SMTP and submission: waits for the greeting, then sends `EHLO` and `QUIT`. The server always speaks first.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | `220`, then `250` in answer to `EHLO`, or to `HELO` if `EHLO` is refused | – | open | the server accepts mail from clients like this one |
//! | greeting | `421` `452` | busy | overloaded or shutting down; no storage |
//! | greeting | `400` to `499` | service_error | a temporary failure, which the server describes |
//! | greeting | `500` to `599` | blocked | the server refuses this client, or all |
//! | greeting | any other | wrong_service | not a greeting of SMTP |
//! | refusal of `HELO` | `421` `452` | busy | as in a greeting |
//! | refusal of `HELO` | `400` to `499` | service_error | as in a greeting |
//! | refusal of `HELO` | `501` `504` `550` `551` `552` `553` `554` | blocked | the server refuses the name or the address of this client: `ehlo` sets another name |
//! | refusal of `HELO` | any other | wrong_service | such as FTP, which greets with `220` too |
//! | 4xx or 5xx with an enhanced code `X.7.…` | – | blocked | RFC 3463: security or policy |
//! | 4xx with the enhanced code `4.3.2` | – | starting | RFC 3463: the system does not accept messages, such as at its shutdown |
//! | no STARTTLS offered, or STARTTLS refused, if TLS is required | – | tls | TLS is disabled |
//! | `220-` and no last line in time | – | timeout | `postscreen` delays the last line of the greeting by six seconds |
//!
//! Sources: RFC 5321, sections 3.1, 4.1.1, 4.2 and 4.5.3.2; RFC 3207; RFC 3463; `postscreen(8)` of Postfix.

use std::net::IpAddr;

use portpulse_core::outcome::FailureClass;
use portpulse_core::target::Host;

use crate::dialogue::{Dialogue, Step};
use crate::input::Input;

const QUIT: &[u8] = b"QUIT\r\n";

#[derive(Debug)]
pub(crate) struct Smtp {
    /// The configured name of the client, or its address literal (RFC 5321, section 4.1.4).
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
    /// `name` is the configured name of the client, and `from` its address.
    pub(crate) fn new(upgrade: bool, name: Option<&Host>, from: Option<IpAddr>) -> Self {
        let literal = |address: &IpAddr| match address {
            IpAddr::V4(address) => format!("[{address}]"),
            IpAddr::V6(address) => format!("[IPv6:{address}]"),
        };
        let name = match (name, from) {
            (Some(Host::Name(name)), _) => name.trim_end_matches('.').to_owned(),
            (Some(Host::Address(address)), _) => literal(address),
            (None, Some(address)) => literal(&address),
            (None, None) => "portpulse.invalid".to_owned(),
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

    /// The failure class of a refusal; `None` for a reply that is not SMTP.
    fn refusal(&self, reply: &Reply) -> Option<FailureClass> {
        let enhanced = reply.lines.first().map_or("", String::as_str);
        let is_policy = enhanced.starts_with("4.7.") || enhanced.starts_with("5.7.");
        match (self.state, reply.code) {
            (_, 400..=599) if is_policy => Some(FailureClass::Blocked),
            (_, 400..=499) if enhanced.starts_with("4.3.2") => Some(FailureClass::Starting),
            (_, 421 | 452) => Some(FailureClass::Busy),
            (_, 400..=499) => Some(FailureClass::ServiceError),
            (State::Greeting, 500..=599) => Some(FailureClass::Blocked),
            (_, 501 | 504 | 550..=554) => Some(FailureClass::Blocked),
            _ => None,
        }
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
            _ => match self.refusal(&reply) {
                Some(class) => Step::failure(class, reply.summary()).with_closing_bytes(QUIT),
                None => Step::WRONG_SERVICE.with_closing_bytes(QUIT),
            },
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

    fn timeout_hint(&self, input: &Input) -> &'static str {
        if matches!(self.state, State::Greeting) && !input.answer().is_empty() {
            ": the greeting is delayed, as by postscreen; increase `timeout`"
        } else {
            ""
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
