//! Reading, assembling and rendering of data as checkers write it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod answers;
mod assembled;
mod fleet;
mod hostile;
mod public;
mod reports;
mod rolled_up;
mod status;
mod units;
