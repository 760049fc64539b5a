//! The checker as a whole: crashes at every await point, random schedules, racing twins, malformed rows.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod crash;
mod rig;
mod simulation;
