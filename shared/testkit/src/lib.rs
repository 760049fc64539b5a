//! Stand-ins for what Portpulse talks to, all on this machine: tables, SNS, Lambda's Runtime API; and samples.
//!
//! Only tests link this crate. What it serves listens on 127.0.0.1 only, on a port of its own and below a path that is a
//! secret of the run, refuses requests of pages in a browser, and stops when it is dropped.

pub mod embedded;
pub mod event;
pub mod function;
pub mod memory_table;
pub mod notification;
pub mod runtime_api;
mod server;
pub mod sizes;
pub mod sns;
