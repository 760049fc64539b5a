//! Integration tests of the decision: timelines as input, notifications as output.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod clusters;
mod dependencies;
mod diagnosis;
mod ends;
mod escalation;
mod fit;
mod flapping;
mod fleet;
mod follow_ups;
mod group_size;
mod locations;
mod never_notified;
mod notifications;
mod one_page;
mod presets;
mod properties;
mod statuses;
mod steps;
mod suppression;
mod symbols;
mod views;
mod withheld;
mod world;
