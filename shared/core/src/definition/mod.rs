//! Definitions: user input, validated once into monitors that need no further checks.
//!
//! The same rules apply to the definitions file and to the items in DynamoDB. Both arrive as JSON-like values and
//! become [`Monitor`]s or a list of every [`Diagnostic`].

mod check;
mod context;
pub(crate) mod diagnostic;
mod fields;
mod file;
mod graph;
mod monitor;
mod options;
mod reader;
mod rules;
mod section;
pub(crate) mod values;
mod windows;

pub use context::NetworkAccess;
pub use diagnostic::{Diagnostic, FieldPath};
pub use fields::{RawMonitor, near_misses};
pub use file::{Defined, DefinitionFile};
pub use monitor::{AlertPolicy, LocationSelector, Monitor, Quorum, Rule};
pub use rules::MAX_DEFINITION_BYTES;
pub use windows::MAX_WINDOWS;
