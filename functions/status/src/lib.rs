//! The status page as a Lambda function with a function URL.

mod event;
mod settings;
mod token;

pub use event::{InvalidEvent, request, response};
pub use settings::{ParameterName, Readers, Settings};
pub use token::{TokenError, read_token};
