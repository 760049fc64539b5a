//! What the relay asks of DynamoDB to tell each destination once.

/// What telling one destination of one incident, its beginning and its end, asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RelayedCost;

impl RelayedCost {
    /// Read units: whether the beginning is known, whether its end is, and whether the end is.
    pub const READ_UNITS: f64 = 3.0;
    /// Write units: a note of each.
    pub const WRITE_UNITS: f64 = 2.0;
}
