//! What a reader reads, and how much.

use std::collections::BTreeSet;

use portpulse_core::group::GroupId;
use portpulse_core::id::Location;

/// The groups and locations to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The groups that have monitors.
    pub groups: Groups,
    /// The expected locations if the table lists none. If empty too, the locations that report are expected.
    pub expected: BTreeSet<Location>,
}

/// The groups that have monitors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Groups {
    /// These groups; the shards of each interval start at 0.
    Known(BTreeSet<GroupId>),
    /// The groups found in the table by each request, for half a read unit per interval and group.
    #[default]
    Found,
}

/// The maximum number of DynamoDB read units for one request's history. The current state (definitions and group states,
/// which grow with the number of monitors) is always read, and counts towards the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimit(
    /// Read units of DynamoDB.
    pub u32,
);

impl Default for ReadLimit {
    /// 500 read units: four times the amount for 90 days of 50 monitors from three locations. At 0.125 USD per million, 16,000
    /// such requests cost 1 USD.
    fn default() -> Self {
        Self(500)
    }
}
