//! The relay: notifications into the channels people read.
//!
//! [`Destination::posts`] is pure: it renders notifications as each channel takes them, within that channel's limits,
//! with everything that others wrote kept in its place. [`Config`] says who is told what; [`Relay`] posts it, once.
//! This crate decides nothing about incidents, and keeps no secret but in memory.

mod address;
mod alert_key;
mod client;
mod config;
mod delivery;
mod destination;
mod entry;
mod error;
mod fields;
mod ledger;
mod page;
mod reading;
mod relay;
mod route;
mod secret;
mod text;

pub use client::{Client, ClientError, TlsError};
pub use config::{Config, DestinationName, InvalidDestinationName, MAX_DESTINATIONS};
pub use delivery::{InvalidRetryPolicy, RetryPolicy};
pub use destination::{
    AddressError, Destination, IncomingWebhook, KeyedApi, Ntfy, Post, SIGNATURE_HEADER, TIMESTAMP_HEADER,
    Telegram, Webhook,
};
pub use error::{Error, Warning};
pub use ledger::has_heard;
pub use portpulse_store::chain;
pub use reading::{InvalidNotification, notification, notifications};
pub use relay::{Relay, Report};
pub use secret::{ReadSecret, Secret, SecretError, SecretName, ThisMachine};
