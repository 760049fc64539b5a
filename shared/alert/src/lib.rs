//! Notifications: their texts and JSON, their messages for SNS, and publishing to SNS.
//!
//! [`messages`] is pure. [`Publish`] is the only interface with side effects; it publishes finished messages.

mod body;
mod json;
mod message;
mod phrases;
mod publish;
mod render;
mod text;

pub use body::{location_text, monitor_text};
pub use json::{MAX_ENTRIES, MAX_TEXT, to_json};
pub use message::{Attribute, MAX_BYTES, MAX_SMS, MAX_SUBJECT, Message};
pub use phrases::{cause_text, elapsed, headline, sentence, subject_name, utc_time};
pub use publish::{Publish, PublishError, SnsTopic};
pub use render::{MAX_SINGLE, messages, summary};
