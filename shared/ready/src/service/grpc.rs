//! gRPC: asks the standard health service, `grpc.health.v1.Health/Check`, for the state of the whole server.
//!
//! The exchange is one request of HTTP/2 on a connection of its own, with prior knowledge or with TLS.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | serving status | `1` | open | SERVING |
//! | serving status | any other | service_error | NOT_SERVING, also while the server shuts down, or UNKNOWN |
//! | `grpc-status` | `8` | busy | RESOURCE_EXHAUSTED |
//! | `grpc-status` | `14` | no_backend | UNAVAILABLE: a proxy, such as Envoy, has no server |
//! | `grpc-status` | `7` `16` | blocked | PERMISSION_DENIED and UNAUTHENTICATED: the health service is not public |
//! | `grpc-status` | `12` | wrong_service | UNIMPLEMENTED: a gRPC server without the health service |
//! | `grpc-status` | any other | service_error | not known to come from a server that serves |
//! | status of HTTP | `429` | busy | too many requests |
//! | status of HTTP | `502` `504` | no_backend | a proxy cannot reach its server |
//! | status of HTTP | `500` to `599` | service_error | an error of the server or of a proxy |
//! | status of HTTP | any other | wrong_service | another HTTP server, or a proxy that does not know the service |
//! | `RST_STREAM` or `GOAWAY` | `7` `11` | busy | REFUSED_STREAM, ENHANCE_YOUR_CALM |
//! | `RST_STREAM` or `GOAWAY` | any other | service_error | the server ends the request |
//! | the end of the stream | – | closed | also where the server expects TLS |
//!
//! Sources: "GRPC health checking protocol" and "gRPC over HTTP2" of the gRPC project; RFC 9113, sections 3.4, 4.1 and 6;
//! tested with `grpcio-health-checking`.

mod hpack;

use std::borrow::Cow;

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, Step};
use crate::input::{Input, be_u32, excerpt};
use hpack::{Decoder, Field};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const NAME: &str = "a health check";
const STREAM: u32 = 1;
const HEADER_BYTES: usize = 9;
/// The maximum length of a frame, which is HTTP/2's default (RFC 9113, section 4.2).
const MAX_FRAME_BYTES: usize = 16 * 1024;
const MAX_BYTES: usize = 32 * 1024;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

/// Also `ACK` of `SETTINGS` and `PING`.
const END_STREAM: u8 = 0x01;
const ACK: u8 = 0x01;
const END_HEADERS: u8 = 0x04;
const PADDED: u8 = 0x08;
const PRIORITY: u8 = 0x20;

/// An empty `HealthCheckRequest`: not compressed, of no bytes.
const MESSAGE: &[u8] = &[0, 0, 0, 0, 0];

pub(crate) struct Grpc {
    authority: String,
    has_tls: bool,
    state: State,
    decoder: Decoder,
    response: Response,
    /// The block of fields that arrives, and whether the response ends with it.
    block: Option<(Vec<u8>, bool)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Request,
    Settings,
    Frames,
}

/// What is known of the response.
#[derive(Debug, Default)]
struct Response {
    status: Option<String>,
    is_grpc: bool,
    grpc_status: Option<String>,
    grpc_message: String,
    body: Vec<u8>,
}

/// One frame of HTTP/2.
#[derive(Debug, Clone, Copy)]
struct Frame<'a> {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: &'a [u8],
}

impl Grpc {
    /// `authority` is the host and the port.
    pub(crate) fn new(authority: String, has_tls: bool) -> Self {
        Self {
            authority,
            has_tls,
            state: State::Request,
            decoder: Decoder::new(),
            response: Response::default(),
            block: None,
        }
    }

    fn request(&self) -> Vec<u8> {
        // The static table has `:method: POST` at 3, and the schemes at 6 and 7.
        let mut block = vec![0x83, if self.has_tls { 0x87 } else { 0x86 }];
        hpack::encode(&mut block, 4, "/grpc.health.v1.Health/Check");
        hpack::encode(&mut block, 1, &self.authority);
        hpack::encode_named(&mut block, "te", "trailers");
        hpack::encode(&mut block, 31, "application/grpc");
        hpack::encode(&mut block, 58, "portpulse");
        // SETTINGS_ENABLE_PUSH (2) is 0.
        [
            PREFACE,
            &frame(SETTINGS, 0, 0, &[0, 2, 0, 0, 0, 0]),
            &frame(HEADERS, END_HEADERS, STREAM, &block),
            &frame(DATA, END_STREAM, STREAM, MESSAGE),
        ]
        .concat()
    }

    /// Evaluates one frame; `None` if another one follows.
    fn on_frame(&mut self, frame: Frame<'_>) -> Option<Step> {
        // A block of fields is not interrupted (RFC 9113, section 4.3).
        if self.block.is_some() && (frame.kind, frame.stream) != (CONTINUATION, STREAM) {
            return Some(Step::WRONG_SERVICE);
        }
        match (frame.kind, frame.stream) {
            (SETTINGS, _) if frame.flags & ACK == 0 => Some(acknowledge(SETTINGS, b"")),
            (PING, _) if frame.flags & ACK == 0 => match frame.payload.first_chunk::<8>() {
                Some(payload) => Some(acknowledge(PING, payload)),
                None => Some(Step::WRONG_SERVICE),
            },
            (HEADERS, STREAM) => {
                let Some(payload) = without_padding(frame) else {
                    return Some(Step::WRONG_SERVICE);
                };
                self.block = Some((payload.to_vec(), frame.flags & END_STREAM != 0));
                self.on_block_part(frame.flags)
            }
            (CONTINUATION, STREAM) => {
                match &mut self.block {
                    Some((block, _)) => block.extend_from_slice(frame.payload),
                    None => return Some(Step::WRONG_SERVICE),
                }
                self.on_block_part(frame.flags)
            }
            (DATA, STREAM) => {
                let Some(payload) = without_padding(frame) else {
                    return Some(Step::WRONG_SERVICE);
                };
                self.response.body.extend_from_slice(payload);
                (frame.flags & END_STREAM != 0).then(|| self.response.evaluate())
            }
            (RST_STREAM, STREAM) => Some(ended("RST_STREAM", be_u32(frame.payload, 0))),
            // With this last stream and without an error, the answer still comes.
            (GOAWAY, _)
                if be_u32(frame.payload, 0) >= Some(STREAM) && be_u32(frame.payload, 4) == Some(0) =>
            {
                None
            }
            (GOAWAY, _) => Some(ended("GOAWAY", be_u32(frame.payload, 4))),
            (PUSH_PROMISE, _) => Some(Step::WRONG_SERVICE),
            _ => None,
        }
    }

    fn on_block_part(&mut self, flags: u8) -> Option<Step> {
        if flags & END_HEADERS == 0 {
            return None;
        }
        let (block, is_end) = self.block.take()?;
        let Some(fields) = self.decoder.decode(&block) else {
            return Some(Step::WRONG_SERVICE);
        };
        for field in fields {
            self.response.on_field(field);
        }
        is_end.then(|| self.response.evaluate())
    }
}

impl Response {
    fn on_field(&mut self, Field { name, value }: Field) {
        match name.as_str() {
            ":status" => self.status = Some(value),
            "content-type" => self.is_grpc = value.starts_with("application/grpc"),
            "grpc-status" => self.grpc_status = Some(value),
            "grpc-message" => self.grpc_message = value,
            _ => {}
        }
    }

    /// Evaluates a complete response.
    fn evaluate(&self) -> Step {
        match self.status.as_deref() {
            Some("200") if self.is_grpc => {}
            Some(status) => return of_http(status),
            None => return Step::WRONG_SERVICE,
        }
        match self.grpc_status.as_deref() {
            Some("0") => match serving_status(&self.body) {
                Some(1) => Step::healthy("SERVING"),
                Some(status) => {
                    let name = match status {
                        0 => "UNKNOWN",
                        2 => "NOT_SERVING",
                        3 => "SERVICE_UNKNOWN",
                        _ => "an undefined status",
                    };
                    Step::failure(
                        FailureClass::ServiceError,
                        format!("serving status {status} ({name})"),
                    )
                }
                None => Step::WRONG_SERVICE,
            },
            Some(status) => self.of_grpc(status),
            None => Step::WRONG_SERVICE,
        }
    }

    fn of_grpc(&self, status: &str) -> Step {
        let (class, name) = match status {
            "8" => (FailureClass::Busy, "RESOURCE_EXHAUSTED"),
            "14" => (FailureClass::NoBackend, "UNAVAILABLE"),
            "7" => (FailureClass::Blocked, "PERMISSION_DENIED"),
            "16" => (FailureClass::Blocked, "UNAUTHENTICATED"),
            "12" => (
                FailureClass::WrongService,
                "UNIMPLEMENTED: the server has no health service",
            ),
            _ => (FailureClass::ServiceError, "not serving"),
        };
        let message = excerpt(self.grpc_message.as_bytes());
        let separator = if message.is_empty() { "" } else { ": " };
        Step::failure(
            class,
            format!(
                "grpc-status {} ({name}){separator}{message}",
                excerpt(status.as_bytes())
            ),
        )
    }
}

fn of_http(status: &str) -> Step {
    let class = match status {
        "429" => FailureClass::Busy,
        "502" | "504" => FailureClass::NoBackend,
        status if status.starts_with('5') => FailureClass::ServiceError,
        _ => FailureClass::WrongService,
    };
    Step::failure(
        class,
        format!("HTTP {} instead of an answer of gRPC", excerpt(status.as_bytes())),
    )
}

/// The end of the request or of the connection, with an error code (RFC 9113, section 7).
fn ended(frame: &str, code: Option<u32>) -> Step {
    let Some(code) = code else {
        return Step::WRONG_SERVICE;
    };
    let class = match code {
        7 | 11 => FailureClass::Busy,
        _ => FailureClass::ServiceError,
    };
    Step::failure(class, format!("{frame} with error {code}"))
}

/// The `status` of a `HealthCheckResponse`: field 1, a number, in the only message of the body. A field that is absent
/// is 0.
fn serving_status(body: &[u8]) -> Option<u64> {
    let (&[compressed, a, b, c, d], message) = body.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
    if compressed != 0 || message.len() != length {
        return None;
    }
    match message {
        [] => Some(0),
        // Field 1, of the type varint; values have one byte up to 127.
        [0x08, status @ 0..=127] => Some(u64::from(*status)),
        _ => None,
    }
}

fn acknowledge(kind: u8, payload: &[u8]) -> Step {
    Step::Send {
        name: Cow::Borrowed(NAME),
        bytes: frame(kind, ACK, 0, payload),
    }
}

/// Encodes a frame of at most [`MAX_FRAME_BYTES`].
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    let mut frame = length.get(1..).unwrap_or_default().to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// The content of `DATA` or `HEADERS` without padding and priority (RFC 9113, sections 6.1 and 6.2).
fn without_padding(frame: Frame<'_>) -> Option<&[u8]> {
    let mut payload = frame.payload;
    if frame.flags & PADDED != 0 {
        let (padding, rest) = payload.split_first()?;
        payload = rest.get(..rest.len().checked_sub(usize::from(*padding))?)?;
    }
    if frame.kind == HEADERS && frame.flags & PRIORITY != 0 {
        payload = payload.get(5..)?;
    }
    Some(payload)
}

impl Dialogue for Grpc {
    fn next(&mut self, input: &mut Input) -> Step {
        if self.state == State::Request {
            self.state = State::Settings;
            return Step::send(NAME, self.request());
        }
        loop {
            let bytes = input.remaining();
            // The first frame is `SETTINGS` (RFC 9113, section 3.4), whose length is below 256 in practice.
            let is_first = self.state == State::Settings;
            let is_possible = |(place, byte): (usize, &u8)| match place {
                0 => *byte == 0,
                3 => *byte == SETTINGS,
                _ => true,
            };
            if is_first && !bytes.iter().take(4).enumerate().all(is_possible) {
                return Step::WRONG_SERVICE;
            }
            let Some(&[a, b, c, kind, flags, d, e, f, g]) = bytes.first_chunk::<HEADER_BYTES>() else {
                return Step::Receive;
            };
            let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(usize::MAX);
            if length > MAX_FRAME_BYTES {
                return Step::WRONG_SERVICE;
            }
            let Some(payload) = bytes.get(HEADER_BYTES..HEADER_BYTES + length) else {
                return Step::Receive;
            };
            self.state = State::Frames;
            let step = self.on_frame(Frame {
                kind,
                flags,
                stream: u32::from_be_bytes([d & 0x7f, e, f, g]),
                payload,
            });
            input.take(HEADER_BYTES + length);
            if let Some(step) = step {
                return step;
            }
        }
    }

    fn max_bytes(&self) -> usize {
        MAX_BYTES
    }
}

#[cfg(test)]
mod tests;
