//! What is read, assembled and put into words, from a table as checkers leave it.
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
mod status;
mod units;
