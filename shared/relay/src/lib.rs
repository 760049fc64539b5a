//! The relay: sends notifications to chats, pagers and webhooks.
//!
//! [`Config`] lists the destinations and which notifications each receives. [`Destination::requests`] is pure: it renders
//! notifications within the limits of the destination and escapes foreign text. [`Relay`] posts each notification once.
//! This crate decides nothing about incidents, and keeps secrets only in memory.

mod address;
mod answer;
mod chat_message;
mod client;
mod config;
mod delivery;
mod destination;
mod entry;
mod error;
mod incident_id;
mod ledger;
mod parse;
mod pattern;
mod relay;
mod request;
mod route;
mod schema;
mod secret;
mod setting;
mod settings;
mod text_format;

pub use client::{Client, ClientError, TlsError};
pub use config::{Config, DestinationName, InvalidDestinationName, MAX_DESTINATIONS};
pub use delivery::{InvalidRetryPolicy, RetryPolicy};
pub use destination::{Destination, SIGNATURE_HEADER, TIMESTAMP_HEADER};
pub use error::{Error, Warning};
pub use ledger::is_delivered;
pub use parse::{InvalidNotification, parse_notification, parse_notifications};
pub use portpulse_store::chain;
pub use relay::{DeliveryReport, Relay};
pub use request::{OutgoingRequest, RequestError};
pub use schema::{documentation, schema};
pub use secret::{LocalSecrets, ReadSecret, Secret, SecretError, SecretName};
