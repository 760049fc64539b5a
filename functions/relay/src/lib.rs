//! The Lambda function of the relay: forwards notifications from SNS to the configured destinations.

mod event;
mod parameter_store;
mod settings;

pub use event::{InvalidRecord, notifications_in};
pub use parameter_store::ParameterStore;
pub use settings::{InvalidSettings, Settings};
