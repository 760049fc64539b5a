//! The context of a definition: its source, and the network of its checks.

/// The source of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The definitions file.
    File,
    /// An item of the table, which also holds what other parts of the file define for the monitor.
    Item,
}

/// The network from which checks are made, as far as it restricts definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkAccess {
    /// A Lambda outside a VPC: no outbound port 25, no IPv6, no private addresses.
    PlainLambda,
    /// A machine or a VPC of the user: no restrictions.
    OwnNetwork,
}
