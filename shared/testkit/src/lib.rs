//! Stand-ins for what Portpulse talks to, all on this machine: tables, SNS, Lambda's Runtime API.
//!
//! No deployed function links this crate. What it serves listens on 127.0.0.1 only, on a port of its own.

pub mod memory_table;
