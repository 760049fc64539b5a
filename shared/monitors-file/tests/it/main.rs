//! Reading definitions files: monitors or mistakes.
#![expect(clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod example;
mod files;
mod golden;
mod properties;
mod valid;
