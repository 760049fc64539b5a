//! The relay against local services that accept only the requests that the real services document.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod config;
mod delivery;
mod harness;
mod interleavings;
mod ledger;
mod order;
mod rendering;
mod routing;
mod schema;
mod sequences;
mod services;
