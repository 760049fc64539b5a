//! FTP: waits for the greeting, then sends `SYST` and `QUIT`. SMTP greets with the same code, but does not know `SYST`.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | greeting | `120` | starting | the server is ready later |
//! | greeting | `421` | busy | too many connections, or shutting down |
//! | greeting | `400` to `499` | service_error | a temporary failure, which the server describes |
//! | greeting | `500` to `599` | blocked | the server refuses this client, or all |
//! | greeting | any other | wrong_service | not a greeting of FTP |
//! | `503` or `530` with an enhanced status code, such as `530 5.7.0` | – | wrong_service | SMTP (RFC 3463): a server that demands STARTTLS or `EHLO` first |
//! | answer to `SYST` after the greeting `220` | `215` | open | the server answers |
//! | answer to `SYST` after the greeting `220` | `503` `530` | open | the server requires a login |
//! | answer to `SYST` after the greeting `220` | `421` | busy | as in a greeting |
//! | answer to `SYST` after the greeting `220` | `400` to `499` | service_error | as in a greeting |
//! | answer to `SYST` after the greeting `220` | any other | wrong_service | such as SMTP; every FTP server knows `SYST` |
//! | refusal of `AUTH TLS`, if TLS is required | – | tls | TLS is disabled |
//!
//! Log line for each check of vsftpd: `CONNECT: Client …`, as for every client.
//!
//! Sources: RFC 959, sections 4.2 and 5.4; RFC 1123, section 4.1.2.13, for `SYST`; RFC 4217, section 4, for `AUTH TLS`;
//! tested with vsftpd 3.0 and pyftpdlib 1.5.

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, Step};
use crate::input::Input;

const QUIT: &[u8] = b"QUIT\r\n";

#[derive(Debug)]
pub(crate) struct Ftp {
    upgrade: bool,
    greeting: String,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Greeting,
    Upgrading,
    Upgraded,
    System,
}

impl Ftp {
    pub(crate) fn new(upgrade: bool) -> Self {
        Self {
            upgrade,
            greeting: String::new(),
            state: State::Greeting,
        }
    }

    fn ask_system(&mut self) -> Step {
        self.state = State::System;
        Step::send("SYST", "SYST\r\n")
    }

    fn evaluate(&mut self, code: u16, text: String) -> Step {
        match (self.state, code) {
            (State::Greeting, 220) => {
                self.greeting = text;
                if !self.upgrade {
                    return self.ask_system();
                }
                self.state = State::Upgrading;
                Step::send("AUTH TLS", "AUTH TLS\r\n")
            }
            (State::Greeting, 120) => Step::failure(FailureClass::Starting, text),
            (State::Upgrading, 234) => {
                self.state = State::Upgraded;
                Step::StartTls
            }
            (State::System, 503 | 530) if has_enhanced_code(&text) => {
                Step::WRONG_SERVICE.with_closing_bytes(QUIT)
            }
            (State::System, 215 | 503 | 530) => {
                Step::healthy(std::mem::take(&mut self.greeting)).with_closing_bytes(QUIT)
            }
            (_, 421) => Step::failure(FailureClass::Busy, text),
            (State::Upgrading, _) => Step::failure(FailureClass::Tls, text).with_closing_bytes(QUIT),
            (_, 400..=499) => Step::failure(FailureClass::ServiceError, text).with_closing_bytes(QUIT),
            (State::Greeting, 500..=599) => Step::failure(FailureClass::Blocked, text),
            _ => Step::WRONG_SERVICE.with_closing_bytes(QUIT),
        }
    }
}

impl Dialogue for Ftp {
    fn next(&mut self, input: &mut Input) -> Step {
        if matches!(self.state, State::Upgraded) {
            return self.ask_system();
        }
        match read_reply(input) {
            ReadResult::Incomplete => Step::Receive,
            ReadResult::Invalid => Step::WRONG_SERVICE,
            ReadResult::Reply(code, text) => self.evaluate(code, text),
        }
    }
}

/// Whether a reply has an enhanced status code of SMTP, such as `5.7.0`, after its code (RFC 3463, section 2).
fn has_enhanced_code(reply: &str) -> bool {
    let text = reply.get(4..).unwrap_or_default();
    let parts: Vec<_> = text.split(' ').next().unwrap_or_default().split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == 3 && parts.first() == Some(&"5") && parts.iter().all(is_number)
}

enum ReadResult {
    Incomplete,
    Invalid,
    /// The code and the first line.
    Reply(u16, String),
}

/// Consumes a complete reply. Lines between the first and the last one need no code (RFC 959, section 4.2).
fn read_reply(input: &mut Input) -> ReadResult {
    let bytes = input.remaining();
    let is_expected = |(place, byte): (usize, &u8)| match place {
        0..3 => byte.is_ascii_digit(),
        _ => matches!(byte, b' ' | b'-'),
    };
    if !bytes.iter().take(4).enumerate().all(is_expected) {
        return ReadResult::Invalid;
    }
    let Some((start, separator)) = bytes.get(..3).zip(bytes.get(3)) else {
        return ReadResult::Incomplete;
    };
    let last = [start, b" "].concat();
    let mut length = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        length += line.len();
        let is_complete = line.ends_with(b"\n");
        if is_complete && (*separator == b' ' || line.starts_with(&last)) {
            let reply = String::from_utf8_lossy(input.take(length).unwrap_or_default());
            let text = reply.lines().next().unwrap_or_default();
            let code = text.get(..3).and_then(|code| code.parse().ok());
            return code.map_or(ReadResult::Invalid, |code| {
                ReadResult::Reply(code, text.to_owned())
            });
        }
    }
    ReadResult::Incomplete
}

#[cfg(test)]
mod tests;
