//! The status page as a Lambda behind a function URL.

mod event;
mod settings;
mod token;

pub use event::{BadEvent, request, response};
pub use settings::{BadSettings, ParameterName, Readers, Settings};
pub use token::{TokenError, read_token};
