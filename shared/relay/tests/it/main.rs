//! The relay against services on this machine that take only what the real ones document.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod config;
mod delivery;
mod interleavings;
mod ledger;
mod order;
mod rendering;
mod rig;
mod routing;
mod sequences;
mod services;
