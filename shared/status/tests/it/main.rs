//! Tests of the rendered pages, parsed with a browser's HTML parser.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod actions;
mod feeds;
mod hostile;
mod incident;
mod incidents;
mod monitor;
mod overview;
mod report;
mod sample;
mod writer;
