//! The interface between a service's protocol and the driver: the steps that a protocol requests, and its result.

use std::borrow::Cow;

use portpulse_core::outcome::FailureClass;

use crate::input::Input;

/// The client side of one protocol, without the socket.
///
/// The driver calls `next` first with no input, then after each completed step. A dialogue sees neither socket nor
/// clock, so that the same bytes give the same steps in whatever pieces they arrive.
pub(crate) trait Dialogue {
    /// Returns the next step for the input received so far.
    fn next(&mut self, input: &mut Input) -> Step;

    /// Interprets the end of the stream before a result.
    fn end_of_stream(&mut self, _input: &Input) -> EndOfStream {
        EndOfStream::Closed { hint: "" }
    }

    /// When this service is known not to finish its answer in time; starts with a punctuation mark, or is empty.
    fn timeout_hint(&self, _input: &Input) -> &'static str {
        ""
    }

    /// The maximum number of bytes received before a result.
    fn max_bytes(&self) -> usize {
        16 * 1024
    }

    /// Whether the server counts an unfinished exchange against the client. If so, an invalid certificate is reported
    /// only after the exchange has finished.
    fn must_finish(&self) -> bool {
        false
    }
}

/// The next step of a dialogue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Receive more bytes.
    Receive,
    /// Send bytes.
    Send {
        /// The name of the bytes in messages; must not contain a secret.
        name: Cow<'static, str>,
        /// The bytes to send.
        bytes: Vec<u8>,
    },
    /// Start a TLS handshake.
    StartTls,
    /// Finish with a result, and send these bytes before closing.
    Done(DialogueResult, &'static [u8]),
}

/// The result of a dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DialogueResult {
    /// The service works.
    Healthy {
        /// What the service says about itself.
        banner: String,
        /// A problem that does not keep the service from working.
        warning: Option<String>,
    },
    /// The service refuses to work; the text says how.
    Failed(FailureClass, String),
    /// The answer is at another URL.
    Redirect {
        /// The value of the `Location` field.
        location: String,
        /// The status code, which decides about the method of the next request.
        code: u16,
    },
    /// The server does not answer HEAD: the request is repeated with GET.
    RepeatWithGet,
    /// Another protocol answered. The driver reports what was sent and received.
    WrongService,
}

/// The meaning of the end of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EndOfStream {
    /// The stream ended before a result.
    Closed {
        /// When this service is known to close early; starts with a comma, or is empty.
        hint: &'static str,
    },
    /// The end of the stream completes the answer.
    Concluded(DialogueResult),
}

impl Step {
    /// Finishes with a healthy service.
    pub(crate) fn healthy(banner: impl Into<String>) -> Self {
        Self::Done(
            DialogueResult::Healthy {
                banner: banner.into(),
                warning: None,
            },
            b"",
        )
    }

    /// Finishes with a failure.
    pub(crate) fn failure(class: FailureClass, message: impl Into<String>) -> Self {
        Self::Done(DialogueResult::Failed(class, message.into()), b"")
    }

    /// Finishes because another protocol answered.
    pub(crate) const WRONG_SERVICE: Self = Self::Done(DialogueResult::WrongService, b"");

    /// Adds closing bytes to a final step; other steps are unchanged.
    pub(crate) fn with_closing_bytes(self, closing_bytes: &'static [u8]) -> Self {
        match self {
            Self::Done(dialogue_result, _) => Self::Done(dialogue_result, closing_bytes),
            step @ (Self::Receive | Self::Send { .. } | Self::StartTls) => step,
        }
    }

    /// Sends bytes under a fixed name.
    pub(crate) fn send(name: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        Self::Send {
            name: Cow::Borrowed(name),
            bytes: bytes.into(),
        }
    }
}
