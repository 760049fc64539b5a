//! Stand-ins for what Portpulse talks to, all on this machine: tables, SNS, Lambda's Runtime API; and samples.
//!
//! No deployed function links this crate. What it serves listens on 127.0.0.1 only, on a port of its own, and stops
//! when it is dropped.

pub mod embedded;
#[cfg(feature = "samples")]
pub mod event;
pub mod function;
pub mod memory_table;
pub mod meter;
#[cfg(feature = "samples")]
pub mod notification;
pub mod runtime_api;
mod server;
pub mod sns;
