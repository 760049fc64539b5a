//! The steps of a conversation: what a service's file may ask of the driver, and what it may conclude.

use std::borrow::Cow;

use portpulse_core::outcome::FailureClass;

use crate::input::Input;

/// One side of a conversation, without the socket.
///
/// `next` is called at first with nothing received, then after each step that was done. It never sees a socket or a
/// clock, so that the same bytes give the same steps however they were split.
pub(crate) trait Dialogue {
    /// What to do next, given what has come so far.
    fn next(&mut self, input: &mut Input) -> Step;

    /// What an end of the stream before the conclusion means here.
    fn end_of_stream(&mut self, _input: &Input) -> EndOfStream {
        EndOfStream::Closed { hint: "" }
    }

    /// The most bytes that may come before a conclusion.
    fn max_bytes(&self) -> usize {
        16 * 1024
    }

    /// Whether leaving halfway would be held against us, so that even a bad certificate is only reported at the end.
    fn must_finish(&self) -> bool {
        false
    }
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Wait: more has to come.
    Receive,
    /// Send this. `what` names it in messages; it holds no secret.
    Send {
        /// Its name.
        name: Cow<'static, str>,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Begin TLS.
    StartTls,
    /// Conclude, and take leave with these bytes.
    Done(DialogueResult, &'static [u8]),
}

/// What a conversation concluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DialogueResult {
    /// The service is at work.
    Healthy {
        /// Its own words.
        banner: String,
        /// What wants attention all the same.
        warning: Option<String>,
    },
    /// The service refuses.
    Failed(FailureClass, String),
    /// The answer is to be had elsewhere: an HTTP `Location`.
    Redirect(String),
    /// Another protocol answers; what was sent and what came is the whole story.
    WrongService,
}

/// What an end of the stream means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EndOfStream {
    /// It came too early; `hint` says when this service is known to do so.
    Closed {
        /// Begins with a comma, or is empty.
        hint: &'static str,
    },
    /// It was the end of the answer.
    Concluded(DialogueResult),
}

impl Step {
    /// Concludes that the service is at work.
    pub(crate) fn healthy(banner: impl Into<String>) -> Self {
        Self::Done(
            DialogueResult::Healthy {
                banner: banner.into(),
                warning: None,
            },
            b"",
        )
    }

    /// Concludes that the service refuses.
    pub(crate) fn failure(class: FailureClass, message: impl Into<String>) -> Self {
        Self::Done(DialogueResult::Failed(class, message.into()), b"")
    }

    /// Concludes that another protocol answers.
    pub(crate) const WRONG_SERVICE: Self = Self::Done(DialogueResult::WrongService, b"");

    /// Takes leave with these bytes, if this is a conclusion.
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
