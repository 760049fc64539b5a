//! Integration tests of the decision: timelines as input, notifications as output.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod dependencies;
mod escalation;
mod fit;
mod flapping;
mod group_size;
mod locations;
mod properties;
mod statuses;
mod suppression;
mod world;
