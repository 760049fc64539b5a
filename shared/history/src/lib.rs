//! The data of the status page: reads the table within a limit, assembles plain values, and renders JSON, badges,
//! Prometheus metrics and an Atom feed.
//!
//! This crate does not depend on HTTP or HTML, performs no authentication, and never writes to the table.

pub mod api;
pub mod assemble;
pub mod atom;
mod audience;
pub mod badge;
pub mod figure;
pub mod location_kinds;
mod metered_table;
mod packed;
pub mod prometheus;
pub mod read;
pub mod report;
mod rollup_reader;
mod scope;
mod shown_range;
pub mod snapshot;
pub mod state;
mod state_reader;
pub mod view;
mod xml;

pub use packed::PackedRollup;
pub use read::{Detail, Groups, ReadLimit, Reader, Scope};
