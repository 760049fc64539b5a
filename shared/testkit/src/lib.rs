//! Stand-ins for external services in tests: tables, SNS, Lambda's Runtime API; and sample data.
//!
//! Only tests link this crate. Servers listen on 127.0.0.1 on a free port, require a secret path, refuse requests of
//! browsers, and stop when dropped.

pub mod embedded;
pub mod event;
pub mod function;
pub mod incident;
pub mod memory_table;
pub mod notification;
pub mod runtime_api;
mod server;
pub mod sizes;
pub mod sns;
