//! HTTP/1.1: one request, by default `HEAD /`, on a connection of its own.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | status, if none is configured | `200` to `499` | open | the server or its proxy decided about the request |
//! | status, if none is configured | `502` `504` `520` `521` `522` `523` `524` `525` `526` `530` | no_backend | a proxy cannot reach its server; 52x and 530 are Cloudflare's |
//! | status, if none is configured | `507` `509` | busy | no storage, or too much traffic |
//! | status, if none is configured | any other | service_error | an error of the server, or not defined by HTTP |
//! | an expected status | – | open | as configured |
//! | another status below 500 than the expected ones | – | wrong_answer | as configured |
//! | the expected text is missing from the body, or from its first 64 KiB | – | wrong_answer | as configured |
//! | a pattern or a condition on JSON does not hold | – | wrong_answer | as configured |
//! | the body ends early, or is compressed, and there is a condition on it | – | wrong_answer | the message tells the cases apart |
//! | a condition on a body that is longer than 64 KiB | – | wrong_answer | JSON cannot be checked in part |
//! | `405` or `501` in answer to HEAD, unless expected | – | next request | the same one with GET |
//! | 301, 302, 303, 307 or 308 with a `Location`, if redirects are followed | – | next request | at most five times |
//! | the end of the stream before a status line | – | closed | nothing answered |
//!
//! 204, 304 and answers to HEAD have no body, whatever their header fields say. A body without a length ends with the
//! connection, so that an HTTP/1.0 server is understood too.
//!
//! Sources: RFC 9110, section 15; RFC 9112, sections 4, 6 and 7.
//!
//! The head is read line by line, and not with `httparse`, which parses the whole head again for each read and rejects
//! it for one malformed or surplus field.

mod body;
pub(crate) mod redirect;

use std::borrow::Cow;

use portpulse_core::outcome::FailureClass;
use portpulse_core::readiness::{HttpCheck, Method, RequestContent, Tls};
use portpulse_core::target::Host;

use crate::dialogue::{Dialogue, DialogueResult, EndOfStream, Step};
use crate::input::{Input, PrefixMatch};
use crate::secrets::RequestSecrets;
use body::{Body, Framing};

pub(crate) struct Http {
    check: HttpCheck,
    authority: String,
    /// Header fields whose values are secrets, as lines. Never shown.
    secret_lines: String,
    state: State,
}

enum State {
    Request,
    Status,
    Headers(Head),
    Body { head: Head, body: Body },
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
    /// The compression of the body.
    encoding: Option<String>,
}

impl Http {
    pub(crate) fn new(check: &HttpCheck, host: &Host, port: u16, tls: Tls, secrets: &RequestSecrets) -> Self {
        Self {
            check: check.clone(),
            authority: authority(host, port, tls),
            secret_lines: secret_lines(check.content(), secrets),
            state: State::Request,
        }
    }

    fn request(&self) -> Step {
        let method = self.check.method();
        let path = self.check.path();
        // The query may contain a secret.
        let bare = path.split('?').next().unwrap_or_default();
        let content = self.check.content();
        let mut text = format!("{method} {path} HTTP/1.1\r\n");
        let default = [
            ("Host", self.authority.as_str()),
            ("User-Agent", "portpulse"),
            ("Accept", "*/*"),
        ];
        for (name, value) in default.into_iter().filter(|(name, _)| !content.has_header(name)) {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        for header in &content.headers {
            text.push_str(&format!("{}: {}\r\n", header.name, header.value));
        }
        text.push_str(&self.secret_lines);
        if let Some(body) = &content.body {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        } else if !method.is_safe() && method != Method::Delete {
            // RFC 9110, section 8.6: for methods that expect a body, its absence is stated.
            text.push_str("Content-Length: 0\r\n");
        }
        text.push_str("Connection: close\r\n\r\n");
        text.push_str(content.body.as_deref().unwrap_or_default());
        Step::Send {
            name: Cow::Owned(format!("{method} {bare}")),
            bytes: text.into_bytes(),
        }
    }

    fn evaluate(&mut self, head: Head) -> Option<Step> {
        if let (301..=303 | 307 | 308, true, Some(location)) =
            (head.code, self.check.follows(), &head.location)
        {
            let redirect = DialogueResult::Redirect {
                location: location.clone(),
                code: head.code,
            };
            return Some(Step::Done(redirect, b""));
        }
        let is_refused_head = self.check.method() == Method::Head && matches!(head.code, 405 | 501);
        if is_refused_head && !self.check.names(head.code) {
            return Some(Step::Done(DialogueResult::RepeatWithGet, b""));
        }
        if !self.check.expects(head.code) {
            let class = match head.code {
                ..500 => FailureClass::WrongAnswer,
                502 | 504 | 520..=526 | 530 => FailureClass::NoBackend,
                507 | 509 => FailureClass::Busy,
                _ => FailureClass::ServiceError,
            };
            return Some(Step::failure(class, head.description()));
        }
        if !self.needs_body() {
            return Some(Step::healthy(head.status));
        }
        if let Some(encoding) = &head.encoding {
            let reason = match self.check.content().has_header("Accept-Encoding") {
                true => "which the field Accept-Encoding in `headers` allows",
                false => "which was not asked for",
            };
            let what = format!("the body is compressed ({encoding}), {reason}");
            return Some(Step::Done(head.with_wrong_body(&what), b""));
        }
        let framing = match (head.chunked, head.length) {
            _ if matches!(head.code, 204 | 304) => Framing::Length(0),
            (true, _) => Framing::Chunked,
            (false, Some(length)) => Framing::Length(length),
            (false, None) => Framing::UntilClose,
        };
        let body = Body::new(framing, &self.check);
        self.state = State::Body { head, body };
        None
    }

    fn needs_body(&self) -> bool {
        self.check.text().is_some() || !self.check.conditions().is_empty()
    }
}

/// The header fields with secrets, as lines.
fn secret_lines(content: &RequestContent, secrets: &RequestSecrets) -> String {
    let mut lines = String::new();
    for header in &content.secret_headers {
        if let Some(value) = secrets.get(&header.value) {
            lines.push_str(&format!("{}: {value}\r\n", header.name));
        }
    }
    let credentials = content.credentials.as_ref();
    if let Some(value) = credentials.and_then(|credentials| secrets.authorization(credentials)) {
        lines.push_str(&format!("Authorization: {value}\r\n"));
    }
    lines
}

/// The value of `Host`: the host, and the port unless it is the default (RFC 9110, section 7.2).
pub(crate) fn authority(host: &Host, port: u16, tls: Tls) -> String {
    let host = redirect::url_host(host);
    let default_port = if tls == Tls::Off { 80 } else { 443 };
    if port == default_port {
        host
    } else {
        format!("{host}:{port}")
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
                State::Body { head, body } => {
                    let count = input.remaining().len();
                    let ended = body.read(input.take(count).unwrap_or_default());
                    if body.found() {
                        return Step::healthy(std::mem::take(&mut head.status));
                    }
                    if ended || body.is_exhausted() {
                        return Step::Done(head.result_of(body, &self.check), b"");
                    }
                    return Step::Receive;
                }
            }
        }
    }

    fn end_of_stream(&mut self, _input: &Input) -> EndOfStream {
        match &self.state {
            State::Body { head, body } => {
                let read = body.bytes_read();
                EndOfStream::Concluded(match (head.chunked, head.length) {
                    (true, _) => head.with_wrong_body(&format!("the body ended early, after {read} bytes")),
                    (false, Some(length)) => {
                        head.with_wrong_body(&format!("the body ended early, after {read} of {length} bytes"))
                    }
                    (false, None) => head.result_of(body, &self.check),
                })
            }
            State::Request | State::Status | State::Headers(_) => EndOfStream::Closed { hint: "" },
        }
    }

    fn timeout_hint(&self, _input: &Input) -> &'static str {
        match &self.state {
            State::Body { .. } => ", the body did not end",
            State::Request | State::Status | State::Headers(_) => "",
        }
    }

    fn max_bytes(&self) -> usize {
        // A chunk of one byte has five bytes of framing.
        16 * 1024
            + if self.needs_body() {
                6 * body::MAX_BODY_BYTES
            } else {
                0
            }
    }
}

fn status_line(line: &str) -> Option<Head> {
    let status = line.strip_prefix("HTTP/1.")?.split_once(' ')?.1;
    let digits = status
        .get(..3)
        .filter(|code| code.bytes().all(|b| b.is_ascii_digit()))?;
    let code = digits.parse().ok().filter(|code| *code >= 100)?;
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
    /// The result of a body of which no more is read.
    fn result_of(&self, body: &Body, check: &HttpCheck) -> DialogueResult {
        match body.check(check) {
            Ok(()) => DialogueResult::Healthy {
                banner: self.status.clone(),
                warning: None,
            },
            Err(what) => self.with_wrong_body(&what),
        }
    }

    fn with_wrong_body(&self, what: &str) -> DialogueResult {
        DialogueResult::Failed(FailureClass::WrongAnswer, format!("{}, but {what}", self.status))
    }

    /// The status for a message, such as `HTTP 503 Service Unavailable`, or `HTTP 500 (server error)` without a reason.
    fn description(&self) -> String {
        let class = match self.code {
            300..=399 => " (redirect)",
            400..=499 => " (client error)",
            500..=599 => " (server error)",
            _ => "",
        };
        let class = if self.status.len() > 3 { "" } else { class };
        format!("HTTP {}{class}", self.status)
    }

    fn field(&mut self, line: &str) {
        let Some((name, value)) = line.split_once(':') else {
            return;
        };
        let value = value.trim();
        if name.eq_ignore_ascii_case("location") {
            self.location = Some(value.to_owned());
        } else if name.eq_ignore_ascii_case("content-length") {
            self.length = value.parse().ok();
        } else if name.eq_ignore_ascii_case("content-encoding") && !value.eq_ignore_ascii_case("identity") {
            self.encoding = Some(value.to_owned());
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            self.chunked = value.to_ascii_lowercase().ends_with("chunked");
        }
    }
}

#[cfg(test)]
mod tests;
