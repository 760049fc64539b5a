//! HTTP/1.1: one request, by default `HEAD /`, on a connection of its own.
//!
//! | answer | means |
//! |---|---|
//! | an expected status; if none is configured, a status below 500 | healthy |
//! | 5xx, unless expected | busy: for example 502, 503 or 504 of a proxy without a backend |
//! | another status than the expected ones | wrong answer |
//! | the expected text is missing from the first 64 KiB of the body | wrong answer |
//! | 3xx with a `Location`, if redirects are followed | result of the next request: on the same host, at most five times |
//! | the end of the stream before a status line | closed |
//!
//! Sources: RFC 9110, section 15; RFC 9112, sections 4, 6 and 7.

mod body;
pub(crate) mod redirect;

use std::borrow::Cow;

use portpulse_core::outcome::FailureClass;
use portpulse_core::readiness::{HttpCheck, Tls};
use portpulse_core::target::Host;

use crate::dialogue::{Dialogue, DialogueResult, EndOfStream, Step};
use crate::input::{Input, PrefixMatch};
use body::{Body, Framing};

#[derive(Debug)]
pub(crate) struct Http {
    check: HttpCheck,
    authority: String,
    state: State,
}

#[derive(Debug)]
enum State {
    Request,
    Status,
    Headers(Head),
    Body { status: String, body: Body },
}

/// The status line and the needed header fields.
#[derive(Debug, Default)]
struct Head {
    code: u16,
    /// The status code and the reason phrase.
    status: String,
    location: Option<String>,
    length: Option<u64>,
    chunked: bool,
}

impl Http {
    pub(crate) fn new(check: &HttpCheck, host: &Host, port: u16, tls: Tls) -> Self {
        let host = match host {
            Host::Address(std::net::IpAddr::V6(address)) => format!("[{address}]"),
            Host::Address(_) | Host::Name(_) => host.to_string(),
        };
        let default_port = if tls == Tls::Off { 80 } else { 443 };
        let authority = if port == default_port {
            host
        } else {
            format!("{host}:{port}")
        };
        Self {
            check: check.clone(),
            authority,
            state: State::Request,
        }
    }

    fn request(&self) -> Step {
        let method = self.check.method();
        let path = self.check.path();
        // The query may contain a secret.
        let bare = path.split('?').next().unwrap_or_default();
        Step::Send {
            name: Cow::Owned(format!("{method} {bare}")),
            bytes: format!(
                "{method} {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: portpulse\r\nAccept: */*\r\nConnection: close\r\n\r\n",
                self.authority
            )
            .into_bytes(),
        }
    }

    fn evaluate(&mut self, head: Head) -> Option<Step> {
        if let (300..=399, true, Some(location)) = (head.code, self.check.follows(), &head.location) {
            return Some(Step::Done(DialogueResult::Redirect(location.clone()), b""));
        }
        if !self.check.expects(head.code) {
            let class = if head.code >= 500 {
                FailureClass::Busy
            } else {
                FailureClass::WrongAnswer
            };
            return Some(Step::failure(class, head.status));
        }
        let Some(text) = self.check.text() else {
            return Some(Step::healthy(head.status));
        };
        let framing = match (head.chunked, head.length) {
            (true, _) => Framing::Chunked,
            (false, Some(length)) => Framing::Length(length),
            (false, None) => Framing::UntilClose,
        };
        self.state = State::Body {
            status: head.status,
            body: Body::new(framing, text),
        };
        None
    }
}

impl Dialogue for Http {
    fn next(&mut self, input: &mut Input) -> Step {
        loop {
            match &mut self.state {
                State::Request => {
                    self.state = State::Status;
                    return self.request();
                }
                State::Status => {
                    if input.match_prefix(b"HTTP/1.") == PrefixMatch::Mismatch {
                        return Step::WRONG_SERVICE;
                    }
                    let Some(line) = input.take_line() else {
                        return Step::Receive;
                    };
                    let Some(head) = status_line(&line) else {
                        return Step::WRONG_SERVICE;
                    };
                    self.state = State::Headers(head);
                }
                State::Headers(head) => {
                    let Some(line) = input.take_line() else {
                        return Step::Receive;
                    };
                    if !line.is_empty() {
                        head.field(&line);
                    } else if (100..=199).contains(&head.code) {
                        // An interim response; the final one follows.
                        self.state = State::Status;
                    } else {
                        let head = std::mem::take(head);
                        if let Some(step) = self.evaluate(head) {
                            return step;
                        }
                    }
                }
                State::Body { status, body } => {
                    let count = input.remaining().len();
                    let ended = body.read(input.take(count).unwrap_or_default());
                    if body.found() {
                        return Step::healthy(std::mem::take(status));
                    }
                    if ended || body.is_exhausted() {
                        return Step::Done(missing(status), b"");
                    }
                    return Step::Receive;
                }
            }
        }
    }

    fn end_of_stream(&mut self, _input: &Input) -> EndOfStream {
        match &self.state {
            State::Body { status, .. } => EndOfStream::Concluded(missing(status)),
            State::Request | State::Status | State::Headers(_) => EndOfStream::Closed { hint: "" },
        }
    }

    fn max_bytes(&self) -> usize {
        // A chunk of one byte has five bytes of framing.
        16 * 1024
            + if self.check.text().is_some() {
                6 * body::MAX_SEARCHED_BYTES
            } else {
                0
            }
    }
}

fn missing(status: &str) -> DialogueResult {
    DialogueResult::Failed(
        FailureClass::WrongAnswer,
        format!("{status}, but the expected text is missing"),
    )
}

fn status_line(line: &str) -> Option<Head> {
    let status = line.strip_prefix("HTTP/1.")?.split_once(' ')?.1;
    let digits = status
        .get(..3)
        .filter(|code| code.bytes().all(|b| b.is_ascii_digit()))?;
    let code = digits.parse().ok().filter(|code| (100..=599).contains(code))?;
    if !matches!(status.as_bytes().get(3), None | Some(b' ')) {
        return None;
    }
    Some(Head {
        code,
        status: status.trim_end().to_owned(),
        ..Head::default()
    })
}

impl Head {
    fn field(&mut self, line: &str) {
        let Some((name, value)) = line.split_once(':') else {
            return;
        };
        let value = value.trim();
        if name.eq_ignore_ascii_case("location") {
            self.location = Some(value.to_owned());
        } else if name.eq_ignore_ascii_case("content-length") {
            self.length = value.parse().ok();
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            self.chunked = value.to_ascii_lowercase().ends_with("chunked");
        }
    }
}

#[cfg(test)]
mod tests;
