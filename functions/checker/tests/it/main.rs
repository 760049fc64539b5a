//! Integration tests of the checker: as a Lambda, killed at every await point, in random schedules, with concurrent
//! checkers, with malformed items, and at its limits.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod agent;
mod banners;
mod crash;
mod deliveries;
mod elsewhere;
mod lambda;
mod listed;
mod malformed;
mod minute;
mod nominal;
mod outage;
mod peers;
mod protocol;
mod race;
mod retries;
mod rig;
mod roll_up;
mod simulation;
mod sizes;
mod standby;
mod units;
mod waits;
