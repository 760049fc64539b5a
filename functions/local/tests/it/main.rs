//! The built program, run as a user runs it.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod check;
mod program;
mod sockets;
mod validate;
