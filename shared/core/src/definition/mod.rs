//! Definitions: user input, validated once into monitors that need no further checks.
//!
//! The same rules apply to the definitions file and to the items in DynamoDB. Both arrive as JSON-like values and
//! become [`Monitor`]s or a list of every [`Diagnostic`].

mod check;
mod diagnostic;
mod fields;
mod file;
mod graph;
mod monitor;
mod options;
mod reader;
mod rules;
mod section;
mod values;

pub(crate) use diagnostic::InvalidValue;
pub use diagnostic::{Diagnostic, FieldPath};
pub use fields::{RawMonitor, near_misses};
pub use file::{Defined, DefinitionFile, MAX_WINDOWS};
pub use monitor::{AlertPolicy, LocationSelector, Monitor, Quorum, Rule};
pub use rules::MAX_DEFINITION_BYTES;
pub(crate) use values::kind_of;

/// The network from which checks are made, as far as it restricts definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkAccess {
    /// A Lambda outside a VPC: no outbound port 25, no IPv6, no private addresses.
    PlainLambda,
    /// A machine or a VPC of the user: no restrictions.
    OwnNetwork,
}
