//! Errors and warnings of deliveries. No error shows a secret.

use portpulse_store::table::TableError;

use crate::client::ClientError;
use crate::config::DestinationName;
use crate::request::RequestError;

/// A failed delivery to one destination. The other destinations are not affected.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request cannot be built, because a secret is missing or invalid.
    #[error("failed to build a request for `{destination}`")]
    Request {
        /// The destination.
        destination: DestinationName,
        /// The ids of the notifications that were not delivered.
        ids: Vec<String>,
        /// The cause.
        #[source]
        source: RequestError,
    },
    /// The destination refused a request. A retry would be refused too.
    #[error("`{destination}` refused {} with {status}: {answer}", ids.join(", "))]
    Refused {
        /// The destination.
        destination: DestinationName,
        /// The ids of the notifications that were not delivered.
        ids: Vec<String>,
        /// The HTTP status.
        status: http::StatusCode,
        /// The start of the answer.
        answer: String,
    },
    /// The destination answered all attempts with a temporary failure.
    #[error("`{destination}` was unavailable for {} in {attempts} attempts, last with {status}: {answer}", ids.join(", "))]
    Unavailable {
        /// The destination.
        destination: DestinationName,
        /// The ids of the notifications that were not delivered.
        ids: Vec<String>,
        /// The number of attempts.
        attempts: u32,
        /// The HTTP status of the last answer.
        status: http::StatusCode,
        /// The start of the last answer.
        answer: String,
    },
    /// The destination answered no attempt. The request may have arrived, and is sent again.
    #[error("`{destination}` did not answer {attempts} attempts to send {}", ids.join(", "))]
    NoAnswer {
        /// The destination.
        destination: DestinationName,
        /// The ids of the notifications that may not have been delivered.
        ids: Vec<String>,
        /// The number of attempts.
        attempts: u32,
        /// The cause.
        #[source]
        source: ClientError,
    },
    /// Another call holds the claim on the incident, and did not finish in time.
    #[error("another call is still sending notifications about the same incident as {} to `{destination}`: retry later", ids.join(", "))]
    ClaimedElsewhere {
        /// The destination.
        destination: DestinationName,
        /// The ids of the notifications that were not delivered.
        ids: Vec<String>,
    },
    /// The time of the call was over.
    #[error("no time was left to send {} to `{destination}`: retry later", ids.join(", "))]
    OutOfTime {
        /// The destination.
        destination: DestinationName,
        /// The ids of the notifications that may not have been delivered.
        ids: Vec<String>,
    },
}

impl Error {
    /// The ids of the notifications that may not have been delivered.
    pub fn ids(&self) -> &[String] {
        match self {
            Self::Request { ids, .. }
            | Self::Refused { ids, .. }
            | Self::Unavailable { ids, .. }
            | Self::NoAnswer { ids, .. }
            | Self::ClaimedElsewhere { ids, .. }
            | Self::OutOfTime { ids, .. } => ids,
        }
    }

    pub(crate) fn ids_mut(&mut self) -> &mut Vec<String> {
        match self {
            Self::Request { ids, .. }
            | Self::Refused { ids, .. }
            | Self::Unavailable { ids, .. }
            | Self::NoAnswer { ids, .. }
            | Self::ClaimedElsewhere { ids, .. }
            | Self::OutOfTime { ids, .. } => ids,
        }
    }
}

/// A problem that may repeat or delay a notification, but loses none.
#[derive(Debug, thiserror::Error)]
pub enum Warning {
    /// The ledger cannot be read, so notifications may be repeated.
    #[error("failed to look up whether {} reached `{destination}`; sending may repeat them", ids.join(", "))]
    ReadFailed {
        /// The destination.
        destination: DestinationName,
        /// The ids of the notifications, of one incident.
        ids: Vec<String>,
        /// The cause.
        #[source]
        source: TableError,
    },
    /// A delivery cannot be recorded, so the notifications may be repeated.
    #[error("failed to record that `{destination}` received {}; they may be sent again", ids.join(", "))]
    RecordFailed {
        /// The destination.
        destination: DestinationName,
        /// The ids of the notifications, of one incident.
        ids: Vec<String>,
        /// The cause.
        #[source]
        source: TableError,
    },
    /// A claim cannot be released: other calls wait until it expires.
    #[error(
        "failed to release the claim on {incident} for `{destination}`; other calls wait until it expires"
    )]
    ReleaseFailed {
        /// The destination.
        destination: DestinationName,
        /// The incident.
        incident: String,
        /// The cause.
        #[source]
        source: TableError,
    },
}
