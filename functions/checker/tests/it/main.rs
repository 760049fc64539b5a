//! The checker as a whole: as Lambda runs it, killed at every await point, through random schedules, beside twins, over
//! malformed items, and at its limits.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod banners;
mod crash;
mod lambda;
mod listed;
mod malformed;
mod nominal;
mod outage;
mod peers;
mod race;
mod rig;
mod roll_up;
mod simulation;
mod sizes;
mod units;
mod waits;
