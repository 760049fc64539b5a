//! One `GET` request for a JSON document in which a service describes its state.

use std::borrow::Cow;
use std::marker::PhantomData;

use portpulse_core::outcome::FailureClass;
use serde_json::Value;

use super::http_response::{Arrival, Head};
use crate::dialogue::{Dialogue, EndOfStream, Step};
use crate::input::Input;

/// A service that describes its state in a JSON document.
pub(crate) trait StateDocument {
    /// The path of the document.
    const PATH: &'static str;

    /// What is known if nothing arrives in time; starts with a punctuation mark, or is empty.
    const TIMEOUT_HINT: &'static str = "";

    /// Whether the document of a response with this status matters.
    fn has_document(code: u16) -> bool;

    /// Evaluates a response. The document is absent if the body is not JSON or incomplete, or does not matter.
    fn evaluate(head: &Head, document: Option<&Value>) -> Step;
}

/// The dialogue with such a service.
pub(crate) struct DocumentDialogue<S> {
    authority: String,
    request_sent: bool,
    service: PhantomData<S>,
}

impl<S: StateDocument> DocumentDialogue<S> {
    /// `authority` is the value of `Host`.
    pub(crate) fn new(authority: String) -> Self {
        Self {
            authority,
            request_sent: false,
            service: PhantomData,
        }
    }

    fn evaluate(input: &Input, has_ended: bool) -> Step {
        let bytes = input.remaining();
        let head = match Head::read(bytes) {
            Arrival::Incomplete => return Step::Receive,
            Arrival::Invalid => return Step::WRONG_SERVICE,
            Arrival::Complete(head) => head,
        };
        if !S::has_document(head.code) {
            return S::evaluate(&head, None);
        }
        match head.json(bytes, has_ended) {
            Arrival::Incomplete => Step::Receive,
            Arrival::Invalid => Step::WRONG_SERVICE,
            Arrival::Complete(document) => S::evaluate(&head, document.as_ref()),
        }
    }
}

impl<S: StateDocument> Dialogue for DocumentDialogue<S> {
    fn next(&mut self, input: &mut Input) -> Step {
        if self.request_sent {
            return Self::evaluate(input, false);
        }
        self.request_sent = true;
        let (path, authority) = (S::PATH, &self.authority);
        Step::Send {
            name: Cow::Owned(format!("GET {path}")),
            bytes: format!(
                "GET {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: portpulse\r\nAccept: application/json\r\n\
                 Connection: close\r\n\r\n"
            )
            .into_bytes(),
        }
    }

    fn end_of_stream(&mut self, input: &Input) -> EndOfStream {
        match Self::evaluate(input, true) {
            Step::Done(result, _) if !input.remaining().is_empty() => EndOfStream::Concluded(result),
            Step::Done(..) | Step::Receive | Step::Send { .. } | Step::StartTls => {
                EndOfStream::Closed { hint: "" }
            }
        }
    }

    fn timeout_hint(&self, _input: &Input) -> &'static str {
        S::TIMEOUT_HINT
    }
}

/// The failure class of a status that does not come from the service.
pub(super) fn foreign_status(code: u16) -> FailureClass {
    match code {
        429 | 507 | 509 => FailureClass::Busy,
        502 | 504 | 520..=526 | 530 => FailureClass::NoBackend,
        500..=599 => FailureClass::ServiceError,
        _ => FailureClass::WrongService,
    }
}
