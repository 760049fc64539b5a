//! The relay as a Lambda: what SNS delivers goes on to the destinations of its configuration.

mod event;
mod parameter_store;
mod settings;

pub use event::{InvalidRecord, notifications};
pub use parameter_store::ParameterStore;
pub use settings::{InvalidSettings, Settings};
