//! What the relay asks of DynamoDB to tell each destination once.

/// What telling one destination of one incident, its beginning and its end, asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RelayedCost;

impl RelayedCost {
    /// Read units: what is known of the incident, twice.
    pub const READ_UNITS: f64 = 2.0;
    /// Write units: a claim and a note of each.
    pub const WRITE_UNITS: f64 = 4.0;
}
