//! How Portpulse tells: notifications into messages for people and programs, and their way to SNS.
//!
//! [`messages`] is pure. [`Publish`] is the only door to the outside; it knows nothing of notifications.

mod body;
mod json;
mod message;
mod publish;
mod render;
mod text;
mod words;

pub use body::location_words;
pub use json::{MAX_ENTRIES, MAX_TEXT, to_json};
pub use message::{Attribute, MAX_BYTES, MAX_SMS, MAX_SUBJECT, Message};
pub use publish::{Publish, PublishError, SnsTopic};
pub use render::{MAX_SINGLE, messages, summary};
pub use text::plain;
pub use words::{clock, headline, lasting, name, sentence, words};
