//! The Lambda function of the relay: forwards notifications from SNS to the configured destinations.

mod event;
mod settings;

pub use event::{InvalidRecord, notifications_in};
pub use settings::Settings;
