//! The status page as a Lambda function with a function URL.

mod event;
mod monthly_report;
mod settings;
mod token;

pub use event::{InvalidEvent, request, response};
pub use monthly_report::{ReportError, is_monthly_report, send_monthly_report};
pub use settings::{Actions, ParameterName, Readers, Settings};
pub use token::{TokenError, read_token};
