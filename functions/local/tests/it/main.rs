//! Runs the built program from the command line.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod agent;
mod aws;
mod browser;
mod check;
mod control;
mod data_dir;
mod data_dir_owners;
mod demo;
mod help;
mod import_cases;
mod import_export;
mod import_secrets;
mod incidents;
mod local;
mod plan;
mod program;
mod relay;
mod seed;
mod shutdown;
mod sockets;
mod states;
mod status_page;
mod test_alert;
mod validate;
mod webhook;
mod workspace;
