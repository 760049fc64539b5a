//! Kafka: sends `ApiVersions` version 0, which every broker answers before a login.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | error code under the request's correlation id | `0` | open | the broker answers |
//! | error code under the request's correlation id | `35` | open | the broker decided about the version (`UNSUPPORTED_VERSION`) |
//! | error code under the request's correlation id | `8` `13` | no_backend | a proxy has no broker (`BROKER_NOT_AVAILABLE`, `NETWORK_EXCEPTION`) |
//! | error code under the request's correlation id | `89` | busy | `THROTTLING_QUOTA_EXCEEDED` |
//! | error code under the request's correlation id | any other | service_error | not known to come from a broker that works |
//! | closed at once | – | closed | Kafka closes at `max.connections.per.ip`, and if it expects TLS |
//!
//! Source: the Apache Kafka protocol guide, "Protocol Primitive Types" and "`ApiVersions` API (Key: 18)"; tested with
//! Tansu 0.6, which implements this protocol.

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, EndOfStream, Step};
use crate::input::{Input, be_u16, be_u32};

const CORRELATION: u32 = 0x7070_0001;
const CLIENT: &[u8] = b"portpulse";
const MAX_LENGTH: u32 = 16 * 1024 - 4;

#[derive(Debug, Default)]
pub(crate) struct Kafka {
    request_sent: bool,
}

impl Dialogue for Kafka {
    fn next(&mut self, input: &mut Input) -> Step {
        if !self.request_sent {
            self.request_sent = true;
            return Step::send("an ApiVersions request", request());
        }
        let answer = input.remaining();
        let Some(size) = be_u32(answer, 0) else {
            return Step::Receive;
        };
        if !(6..=MAX_LENGTH).contains(&size) {
            return Step::WRONG_SERVICE;
        }
        match be_u32(answer, 4) {
            None => return Step::Receive,
            Some(CORRELATION) => {}
            Some(_) => return Step::WRONG_SERVICE,
        }
        match be_u16(answer, 8) {
            None => Step::Receive,
            Some(0) => Step::healthy("answered ApiVersions"),
            Some(35) => Step::healthy("answered ApiVersions: error 35, unsupported version"),
            Some(error) => {
                let class = match error {
                    8 | 13 => FailureClass::NoBackend,
                    89 => FailureClass::Busy,
                    _ => FailureClass::ServiceError,
                };
                let name = error_name(error).map_or(String::new(), |name| format!(" ({name})"));
                Step::failure(class, format!("answered ApiVersions: error {error}{name}"))
            }
        }
    }

    fn end_of_stream(&mut self, _input: &Input) -> EndOfStream {
        EndOfStream::Closed {
            hint: ", as Kafka does at max.connections.per.ip, or where it expects TLS",
        }
    }
}

/// The name of an error, as in the protocol guide, "Error Codes".
fn error_name(error: u16) -> Option<&'static str> {
    Some(match error {
        7 => "REQUEST_TIMED_OUT",
        8 => "BROKER_NOT_AVAILABLE",
        13 => "NETWORK_EXCEPTION",
        14 => "COORDINATOR_LOAD_IN_PROGRESS",
        15 => "COORDINATOR_NOT_AVAILABLE",
        42 => "INVALID_REQUEST",
        56 => "KAFKA_STORAGE_ERROR",
        58 => "SASL_AUTHENTICATION_FAILED",
        89 => "THROTTLING_QUOTA_EXCEEDED",
        0xffff => "UNKNOWN_SERVER_ERROR",
        _ => return None,
    })
}

fn request() -> Vec<u8> {
    let mut body = vec![0, 18, 0, 0];
    body.extend_from_slice(&CORRELATION.to_be_bytes());
    body.extend_from_slice(&u16::try_from(CLIENT.len()).unwrap_or_default().to_be_bytes());
    body.extend_from_slice(CLIENT);
    let mut request = u32::try_from(body.len())
        .unwrap_or_default()
        .to_be_bytes()
        .to_vec();
    request.append(&mut body);
    request
}

#[cfg(test)]
mod tests;
