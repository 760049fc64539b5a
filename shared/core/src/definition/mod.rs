//! Definitions: user input, validated once into monitors that need no further checks.
//!
//! The same rules apply to the definitions file and to the items in DynamoDB. Both arrive as JSON-like values and
//! become [`Monitor`]s or a list of every [`Diagnostic`]. [`Field`] declares each field once.

mod check;
mod context;
mod declaration;
pub(crate) mod diagnostic;
mod effective;
mod expand;
mod field;
mod file;
mod graph;
mod help;
mod http_options;
mod http_subfields;
mod layers;
mod locations;
mod map_reader;
mod monitor;
mod nearest;
mod options;
mod ping;
mod read;
mod reader;
mod retries;
mod rules;
mod shape;
pub(crate) mod subfields;
mod text_shapes;
mod windows;

pub use context::NetworkAccess;
pub use declaration::{Export, FieldDeclaration, Merge, Place, Topic};
pub use diagnostic::{Diagnostic, FieldPath};
pub use effective::Effective;
pub use field::Field;
pub use file::{Defined, DefinitionFile};
pub use help::Help;
pub use layers::Origin;
pub use locations::{AWS_REGIONS, unknown_location};
pub use map_reader::MapReader;
pub use monitor::{About, AlertPolicy, LocationSelector, Monitor, Quorum, Rule, Visibility};
pub use nearest::{near_misses, nearest};
pub use rules::MAX_DEFINITION_BYTES;
pub use shape::{MAX_DURATION, MAX_LIST, SECRET, Shape, Subfield, TextShape};
pub use subfields::{MAX_WINDOWS, window_fields};
pub use text_shapes::{LOCATION, MONITOR_ID};
