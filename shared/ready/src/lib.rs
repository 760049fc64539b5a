//! Readiness exchanges: one short conversation without credentials that shows whether the service behind an open port
//! works.
//!
//! [`exchange()`] takes a connected socket and a [`Request`] and returns an [`ExchangeReport`]. Each service has one
//! file below `service`, which turns received bytes into the next step without touching a socket; only `connection` and
//! `dns_over_udp` read and write. Input from targets is untrusted: bytes and reads are limited in all layers, one
//! deadline holds for all steps, and every connection is closed with a FIN after the remaining bytes are read.
//!
//! Each service's file starts with a decision table: the possible answers of the target and their meaning (healthy,
//! busy, starting, blocked and others). Tests parse the tables and run an example of every row.
//!
//! Each service's file also says which log lines a check causes in the target; without such a note, there are none.

mod certificate;
mod connection;
mod dialogue;
mod dns_over_udp;
mod exchange;
mod follow_up;
mod input;
mod recognize;
mod report;
mod request;
mod secrets;
mod service;
mod socket;
mod socket_error;
#[cfg(test)]
mod test_harness;
mod tls;

pub use dns_over_udp::exchange_dns_over_udp;
pub use follow_up::exchange;
pub use report::{ExchangeFailure, ExchangeReport, ExchangeResult, Healthy};
pub use request::{HostError, OtherHosts, Request};
pub use socket::start_connect;
pub use socket_error::SocketError;
pub use tls::{NoRoots, TlsClient};
