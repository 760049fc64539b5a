//! What is read, assembled and put into words, from a table as checkers leave it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod assembled;
mod fleet;
mod units;
