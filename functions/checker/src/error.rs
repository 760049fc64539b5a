//! What can go wrong in a tick; none of it keeps the rest of the tick from going on.

use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::period::Period;
use portpulse_core::time::Tick;

/// A trouble of one tick.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The event's time lies ahead: counting it would make every tick until then look old.
    #[error("tick {tick} of {group} lies in the future: check the event's time and the checker's clock")]
    FutureTick {
        /// The tick.
        tick: Tick,
        /// Its group.
        group: GroupId,
    },
    /// The group's board lists the locations that should report, and not this one. What it sees is kept and does not
    /// count; what is to be decided on the others is decided.
    #[error(
        "{location} is not listed among the locations that should report to {group}, so what it sees does not count: \
         list it (`terraform apply`, or `portpulse seed --locations`), or check from there no more"
    )]
    NotExpected {
        /// The location.
        location: Location,
        /// Whose board.
        group: GroupId,
    },
    /// Something could not be read from the table.
    #[error("cannot read the {what} of {group}")]
    Read {
        /// What.
        what: &'static str,
        /// Whose.
        group: GroupId,
        /// Why.
        #[source]
        source: portpulse_store::Error,
    },
    /// An item in the table is not what it should be. It is left as it is, and the rest goes on without it.
    #[error("an item of {group} is unreadable")]
    Unreadable {
        /// Whose.
        group: GroupId,
        /// Which, and why.
        #[source]
        source: portpulse_store::Error,
    },
    /// The tick could not be committed.
    #[error("cannot commit tick {tick} of {group}")]
    Commit {
        /// The tick.
        tick: Tick,
        /// Its group.
        group: GroupId,
        /// Why.
        #[source]
        source: portpulse_store::Error,
    },
    /// A decision could not be written.
    #[error("cannot write the decision for {group}")]
    Decide {
        /// Whose.
        group: GroupId,
        /// Why.
        #[source]
        source: portpulse_store::Error,
    },
    /// What is to be decided does not fit beside what waits in the row to be published and filed.
    #[error(
        "not all of {group} is decided: what waits to be published and filed must leave its row first; the next tick \
         goes on"
    )]
    NoRoomToDecide {
        /// Whose.
        group: GroupId,
    },
    /// The fleet row is full.
    #[error(
        "not all that {group} knows of the locations fits into the fleet row; the next tick retries (with fewer groups \
         or locations the row is smaller)"
    )]
    FleetFull {
        /// The group.
        group: GroupId,
    },
    /// No time was left to decide all that did not fit into one write.
    #[error("not all of {group} is decided: no time is left; the next tick goes on")]
    NoTimeToDecide {
        /// Whose.
        group: GroupId,
    },
    /// Other checkers kept changing the row between read and write.
    #[error("gave up on {group} after {attempts} conflicts; the next tick goes on")]
    Contended {
        /// Whose.
        group: GroupId,
        /// How often it was tried.
        attempts: u32,
    },
    /// Notifications could not be published; they stay pending, and the next tick tries again.
    #[error("cannot publish {}", ids.join(", "))]
    Publish {
        /// Their ids.
        ids: Vec<String>,
        /// Why.
        #[source]
        source: portpulse_alert::PublishError,
    },
    /// A closed incident could not be filed; it stays in the row, and the next tick tries again.
    #[error("cannot file the closed incident {key}")]
    File {
        /// Its key.
        key: String,
        /// Why.
        #[source]
        source: portpulse_store::Error,
    },
    /// An hour or a day could not be summed up. The first tick of a later hour tries again.
    #[error("cannot sum up {period} of {group}; the first tick of the next hour tries again")]
    RollUp {
        /// Which.
        period: Period,
        /// Whose.
        group: GroupId,
        /// Why.
        #[source]
        source: portpulse_store::Error,
    },
    /// No time was left to sum up what is over. The first tick of a later hour tries again.
    #[error(
        "no time is left to sum up the last hour of {group}; the first tick of the next hour tries again"
    )]
    NoTimeToRollUp {
        /// Whose.
        group: GroupId,
    },
    /// What services said could not be kept. The first tick of the next hour has words of its own.
    #[error("cannot keep what the services of {group} say; the first tick of the next hour tries again")]
    KeepBanners {
        /// Whose.
        group: GroupId,
        /// Why.
        #[source]
        source: portpulse_store::Error,
    },
    /// No time was left to keep what services said. The first tick of the next hour has words of its own.
    #[error(
        "no time is left to keep what the services of {group} say; the first tick of the next hour tries again"
    )]
    NoTimeToKeepBanners {
        /// Whose.
        group: GroupId,
    },
}

impl Error {
    /// What kind of trouble it is, in one word that stays: what people filter logs and alarms by.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::FutureTick { .. } => "FutureTick",
            Self::NotExpected { .. } => "NotExpected",
            Self::Read { .. } => "Read",
            Self::Unreadable { .. } => "Unreadable",
            Self::Commit { .. } => "Commit",
            Self::Decide { .. } => "Decide",
            Self::NoRoomToDecide { .. } => "NoRoomToDecide",
            Self::FleetFull { .. } => "FleetFull",
            Self::NoTimeToDecide { .. } => "NoTimeToDecide",
            Self::Contended { .. } => "Contended",
            Self::Publish { .. } => "Publish",
            Self::File { .. } => "File",
            Self::RollUp { .. } => "RollUp",
            Self::NoTimeToRollUp { .. } => "NoTimeToRollUp",
            Self::KeepBanners { .. } => "KeepWords",
            Self::NoTimeToKeepBanners { .. } => "NoTimeToKeepWords",
        }
    }
}
