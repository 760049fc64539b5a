//! Files of other monitors in, definitions out, and back.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod golden;
mod hostile;
mod round_trip;
