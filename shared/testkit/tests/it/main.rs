//! The stand-ins against each other, and the store on both tables.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod conformance;
mod items;
mod races;
mod runtime_api;
mod sns;
mod store;
