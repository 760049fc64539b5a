//! The shell of the Lambda functions: settings, logs, the configuration of AWS clients, and invocations.

mod aws;
mod invocation;
mod parameter_store;
mod settings;

pub use aws::aws_config;
pub use invocation::{Diagnostic, Error, Invocation, failure, run, serve};
pub use parameter_store::ParameterStore;
pub use settings::{Home, InvalidSettings, SettingsReader, read_settings};
