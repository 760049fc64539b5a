//! The definitions file, from text to monitors or to mistakes.
#![expect(clippy::panic, reason = "a test fails by panicking")]

mod example;
mod golden;
mod properties;
mod valid;
