//! Errors and warnings of a tick. The rest of the tick continues after each.

use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::period::Period;
use portpulse_core::time::Tick;

/// An error or warning of a tick.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tick is in the future. Counting it would make all ticks until then stale.
    #[error(
        "tick {tick} of {group} is in the future (check the time of the event and the clock of the checker)"
    )]
    FutureTick {
        /// The tick.
        tick: Tick,
        /// Its group.
        group: GroupId,
    },
    /// The invocation ends before the tick, because the timeout of the function is too short. Later ticks of the minute are
    /// missing too.
    #[error(
        "no time left for tick {tick} of {group} within this invocation (the timeout of the function must be 90 s or more)"
    )]
    NoTimeForTick {
        /// The tick.
        tick: Tick,
        /// Its group.
        group: GroupId,
    },
    /// The group has listed locations, and this location is not among them. Its results are stored and do not count.
    /// The checker still decides on the results of the others.
    #[error(
        "the location {location} is not listed for {group}, so its results do not count (add it with `terraform apply` or \
         `portpulse seed --locations`, or stop this checker)"
    )]
    LocationNotListed {
        /// The location.
        location: Location,
        /// The group.
        group: GroupId,
    },
    /// A read from the table failed.
    #[error("cannot read the {what} of {group}")]
    Read {
        /// The kind of data.
        what: &'static str,
        /// The group.
        group: GroupId,
        /// The cause.
        #[source]
        source: portpulse_store::Error,
    },
    /// An item is malformed. It stays unchanged, and the tick continues without it.
    #[error("malformed item of {group}")]
    Unreadable {
        /// The group.
        group: GroupId,
        /// The item and the cause.
        #[source]
        source: portpulse_store::Error,
    },
    /// The commit of the tick failed.
    #[error("cannot commit tick {tick} of {group}")]
    Commit {
        /// The tick.
        tick: Tick,
        /// Its group.
        group: GroupId,
        /// The cause.
        #[source]
        source: portpulse_store::Error,
    },
    /// The write of a decision failed.
    #[error("cannot write the decision for {group}")]
    Decide {
        /// The group.
        group: GroupId,
        /// The cause.
        #[source]
        source: portpulse_store::Error,
    },
    /// The decision state has no room for the rest of the decision until the outbox and the closed incidents are emptied.
    #[error(
        "the decision on {group} is incomplete, because the decision state is full until pending notifications are \
         published and closed incidents are archived; the next tick retries"
    )]
    NoRoomToDecide {
        /// The group.
        group: GroupId,
    },
    /// The fleet state has no room for all location problems of the group.
    #[error(
        "the fleet state is full, so some location problems of {group} are missing from it; the next tick retries\n\
         help: use fewer locations or fewer groups"
    )]
    FleetFull {
        /// The group.
        group: GroupId,
    },
    /// No time was left to complete a decision that takes several writes.
    #[error("no time left to complete the decision on {group}; the next tick retries")]
    NoTimeToDecide {
        /// The group.
        group: GroupId,
    },
    /// Every attempt to write had a conflict with another checker.
    #[error(
        "cannot write the state of {group} after {attempts} conflicts with other checkers; the next tick retries"
    )]
    TooManyConflicts {
        /// The group.
        group: GroupId,
        /// The number of attempts.
        attempts: u32,
    },
    /// Notifications cannot be published. They stay pending, and the next tick retries.
    #[error("cannot publish {}", ids.join(", "))]
    Publish {
        /// The ids of the notifications.
        ids: Vec<String>,
        /// The cause.
        #[source]
        source: portpulse_alert::PublishError,
    },
    /// A closed incident cannot be archived. It stays in the decision state, and the next tick retries.
    #[error("cannot archive the closed incident {key}")]
    File {
        /// The key of the incident.
        key: String,
        /// The cause.
        #[source]
        source: portpulse_store::Error,
    },
    /// The rollup of an hour or a day cannot be stored. A tick of the next hour retries.
    #[error("cannot store the rollup {period} of {group}; a tick of the next hour retries")]
    RollUp {
        /// The hour or day.
        period: Period,
        /// The group.
        group: GroupId,
        /// The cause.
        #[source]
        source: portpulse_store::Error,
    },
    /// No time was left for rollups. A tick of the next hour retries.
    #[error("no time left for the rollups of {group}; a tick of the next hour retries")]
    NoTimeToRollUp {
        /// The group.
        group: GroupId,
    },
    /// Banners cannot be stored. A tick of the next hour stores new ones.
    #[error("cannot store the banners of {group}; a tick of the next hour retries")]
    StoreBanners {
        /// The group.
        group: GroupId,
        /// The cause.
        #[source]
        source: portpulse_store::Error,
    },
    /// A decision cannot be copied to the standby region. The next decision copies again.
    #[error("cannot copy the decision on {group} to the standby region; the next decision copies again")]
    CopyDecision {
        /// The group.
        group: GroupId,
        /// The cause.
        #[source]
        source: portpulse_store::Error,
    },
    /// The table of the standby region cannot be read or written, so that the loss of home is not notified.
    #[error("cannot record in the standby region whether {group} reaches home; the next tick retries")]
    Standby {
        /// The group.
        group: GroupId,
        /// The cause.
        #[source]
        source: portpulse_store::Error,
    },
    /// No time was left to store banners. A tick of the next hour stores new ones.
    #[error("no time left to store the banners of {group}; a tick of the next hour retries")]
    NoTimeToStoreBanners {
        /// The group.
        group: GroupId,
    },
}

impl Error {
    /// Whether each attempt of a decision reads the same again, and so repeats this error.
    pub(crate) fn is_of_a_read(&self) -> bool {
        matches!(
            self,
            Self::Read { .. } | Self::Unreadable { .. } | Self::FleetFull { .. }
        )
    }

    /// The kind of error as a stable word, for filters of logs and alarms.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::FutureTick { .. } => "FutureTick",
            Self::NoTimeForTick { .. } => "NoTimeForTick",
            Self::LocationNotListed { .. } => "LocationNotListed",
            Self::Read { .. } => "Read",
            Self::Unreadable { .. } => "Unreadable",
            Self::Commit { .. } => "Commit",
            Self::Decide { .. } => "Decide",
            Self::NoRoomToDecide { .. } => "NoRoomToDecide",
            Self::FleetFull { .. } => "FleetFull",
            Self::NoTimeToDecide { .. } => "NoTimeToDecide",
            Self::TooManyConflicts { .. } => "TooManyConflicts",
            Self::Publish { .. } => "Publish",
            Self::File { .. } => "File",
            Self::RollUp { .. } => "RollUp",
            Self::NoTimeToRollUp { .. } => "NoTimeToRollUp",
            Self::CopyDecision { .. } => "CopyDecision",
            Self::Standby { .. } => "Standby",
            Self::StoreBanners { .. } => "StoreBanners",
            Self::NoTimeToStoreBanners { .. } => "NoTimeToStoreBanners",
        }
    }
}
