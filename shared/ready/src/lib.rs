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
//! # Log lines in the target
//!
//! | server | for each check |
//! |---|---|
//! | PostgreSQL | none if it asks for a password; under `trust`, `FATAL: role "portpulse" does not exist`, unless that role exists; a refusal is a `FATAL` line, as for every client |
//! | MariaDB | `[Warning] Access denied for user 'portpulse'@…`; none with `log_warnings` at 1 or below |
//! | RabbitMQ | `[warning] closing AMQP connection … client unexpectedly closed TCP connection`: AMQP has no orderly close before a login |
//! | Dovecot | `Info: Disconnected: Aborted login by logging out` |
//! | nginx, OpenSSH, Postfix, Redis, memcached, BIND, unbound, ZooKeeper, Tansu | no error and no warning |

mod certificate;
mod connection;
mod dialogue;
mod dns_over_udp;
mod exchange;
mod input;
mod report;
mod request;
mod service;
mod socket;
mod socket_error;
#[cfg(test)]
mod test_harness;
mod tls;

pub use dns_over_udp::exchange_dns_over_udp;
pub use exchange::exchange;
pub use report::{ExchangeFailure, ExchangeReport, ExchangeResult, Healthy};
pub use request::Request;
pub use socket::start_connect;
pub use socket_error::SocketError;
pub use tls::{NoRoots, TlsClient};
