//! What Portpulse keeps, in one DynamoDB table: reads and conditional writes of whole rows, and nothing it decides.
//!
//! This crate knows nothing of checks, clocks or alerts. [`store::Store`] speaks in the words of `portpulse-core`;
//! [`table::Table`] is the narrow seam below it, which [`dynamo::DynamoTable`] fills with the real SDK.
//! How large each item can become stands in `README.md` beside this crate.

mod banners;
mod codec;
mod controls;
pub mod definitions;
pub mod dynamo;
mod error;
mod expectations;
pub mod history;
pub mod keys;
pub mod layout;
pub mod meter;
pub mod size;
pub mod store;
pub mod table;

pub use codec::VERSION;
pub use error::{Error, Malformed, chain};
pub use store::Store;
