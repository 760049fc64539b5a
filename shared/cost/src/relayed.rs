//! DynamoDB usage of the relay, which notifies each destination exactly once.

/// The usage per destination and incident: one notification when it opens and one when it closes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RelayedCost;

impl RelayedCost {
    /// Read units: the delivery state is read twice.
    pub const READ_UNITS: f64 = 2.0;
    /// Write units: a claim and a receipt per notification.
    pub const WRITE_UNITS: f64 = 4.0;
}
