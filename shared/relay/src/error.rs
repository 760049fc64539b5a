//! What keeps a notification from a destination. No error shows a secret.

use portpulse_store::table::TableError;

use crate::client::ClientError;
use crate::config::DestinationName;
use crate::destination::AddressError;

/// A trouble of one destination; the others are told all the same.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no address to post to, or no secret to post with.
    #[error("cannot address `{destination}`")]
    Address {
        /// Which.
        destination: DestinationName,
        /// What stays undelivered.
        ids: Vec<String>,
        /// Why.
        #[source]
        source: AddressError,
    },
    /// It refused a post for good.
    #[error("`{destination}` refused {} with {status}: {said}", ids.join(", "))]
    Refused {
        /// Which.
        destination: DestinationName,
        /// What stays undelivered.
        ids: Vec<String>,
        /// The status of its answer.
        status: http::StatusCode,
        /// The beginning of its answer.
        said: String,
    },
    /// It put a post off for longer than there was time.
    #[error("`{destination}` put off {} {attempts} times, last with {status}: {said}", ids.join(", "))]
    PutOff {
        /// Which.
        destination: DestinationName,
        /// What stays undelivered.
        ids: Vec<String>,
        /// How often it was asked.
        attempts: u32,
        /// The status of its last answer.
        status: http::StatusCode,
        /// The beginning of its last answer.
        said: String,
    },
    /// It did not answer. The post may have arrived, and will come again.
    #[error("`{destination}` did not answer {attempts} times about {}", ids.join(", "))]
    Unanswered {
        /// Which.
        destination: DestinationName,
        /// What is not known to be delivered.
        ids: Vec<String>,
        /// How often it was asked.
        attempts: u32,
        /// Why.
        #[source]
        source: ClientError,
    },
    /// Another call is telling it of the same incident, and took longer than there was time.
    #[error("another call is still telling `{destination}` of the same incident as {}", ids.join(", "))]
    Waited {
        /// Which.
        destination: DestinationName,
        /// What stays undelivered.
        ids: Vec<String>,
    },
    /// There was no time left.
    #[error("no time was left to tell `{destination}` of {}", ids.join(", "))]
    OutOfTime {
        /// Which.
        destination: DestinationName,
        /// What is not known to be delivered.
        ids: Vec<String>,
    },
}

impl Error {
    /// The ids of the notifications that are not known to be delivered there.
    pub fn ids(&self) -> &[String] {
        match self {
            Self::Address { ids, .. }
            | Self::Refused { ids, .. }
            | Self::PutOff { ids, .. }
            | Self::Unanswered { ids, .. }
            | Self::Waited { ids, .. }
            | Self::OutOfTime { ids, .. } => ids,
        }
    }

    pub(crate) fn ids_mut(&mut self) -> &mut Vec<String> {
        match self {
            Self::Address { ids, .. }
            | Self::Refused { ids, .. }
            | Self::PutOff { ids, .. }
            | Self::Unanswered { ids, .. }
            | Self::Waited { ids, .. }
            | Self::OutOfTime { ids, .. } => ids,
        }
    }
}

/// What may tell a notification twice, or later, and loses none.
#[derive(Debug, thiserror::Error)]
pub enum Warning {
    /// It is not known whether notifications had been told, or their end.
    #[error("cannot tell whether `{destination}` knows {}", ids.join(", "))]
    Unread {
        /// Which destination.
        destination: DestinationName,
        /// Which notifications, of one incident.
        ids: Vec<String>,
        /// Why.
        #[source]
        source: TableError,
    },
    /// It could not be noted that notifications were told.
    #[error("cannot note that `{destination}` knows {}", ids.join(", "))]
    Unnoted {
        /// Which destination.
        destination: DestinationName,
        /// Which notifications, of one incident.
        ids: Vec<String>,
        /// Why.
        #[source]
        source: TableError,
    },
    /// It could not be noted that nobody is telling of an incident any more: others wait until the claim ends by itself.
    #[error("cannot note that `{destination}` may be told of {incident} by others")]
    Unreleased {
        /// Which destination.
        destination: DestinationName,
        /// Which incident.
        incident: String,
        /// Why.
        #[source]
        source: TableError,
    },
}
