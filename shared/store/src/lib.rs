//! Storage of Portpulse in one DynamoDB table: reads and conditional writes of whole items. No decisions are made here.
//!
//! This crate has no dependency on checks, clocks or alerts. [`store::Store`] reads and writes the types of
//! `portpulse-core` through the trait [`table::Table`], which [`dynamo::DynamoTable`] implements with the AWS SDK.
//! `README.md` of this crate lists the maximum size of each item.

mod banners;
mod codec;
mod controls;
pub mod definitions;
pub mod dynamo;
mod error;
mod expectations;
pub mod history;
pub mod item_sizes;
pub mod keys;
pub mod meter;
mod operator_notes;
pub mod packed;
mod reports;
pub mod size;
pub mod standby;
pub mod store;
pub mod table;

pub use codec::VERSION;
pub use error::{Error, Malformed, chain};
pub use operator_notes::NotesByIncident;
pub use store::Store;
