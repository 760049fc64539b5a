//! The built program, run as a user runs it.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod alone;
mod aws;
mod browser;
mod check;
mod control;
mod convert;
mod demo;
mod endings;
mod hook;
mod local;
mod page;
mod past;
mod place;
mod plan_cost;
mod program;
mod relay;
mod seed;
mod sockets;
mod test_alert;
mod validate;
