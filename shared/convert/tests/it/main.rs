//! Imports of other formats, exports, and round trips.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod golden;
mod hostile;
mod round_trip;
