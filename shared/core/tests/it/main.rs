//! The rules of the core, seen from outside: timelines in, notifications out.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod crowded;
mod escalation;
mod fit;
mod flapping;
mod holding;
mod locations;
mod properties;
mod purity;
mod statuses;
mod world;
