//! Reading definitions files: monitors or mistakes.
#![expect(clippy::panic, reason = "a test fails by panicking")]

mod example;
mod golden;
mod properties;
mod valid;
