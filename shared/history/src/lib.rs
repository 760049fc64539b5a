//! What people and programs are shown of monitors: read from the table within a ceiling, assembled into plain values, and
//! put into JSON, badges, Prometheus' text and Atom.
//!
//! This crate knows nothing of HTTP, HTML or who is asking; it decides nothing, and writes nothing.

pub mod api;
pub mod assemble;
pub mod atom;
pub mod badge;
mod packed;
pub mod prometheus;
mod reach;
pub mod read;
pub mod snapshot;
mod spending;
pub mod view;
mod xml;

pub use packed::PackedRollup;
pub use read::{Ceiling, Groups, Reader, Scope};
