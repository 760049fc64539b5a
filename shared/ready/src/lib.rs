//! Readiness exchanges: one short conversation, without credentials, that tells an open port from a service at work.
//!
//! [`exchange()`] takes a connected socket and a [`Request`] and gives a [`ExchangeReport`]. Each service has one file below
//! `service`, which turns received bytes into the next step and touches no socket; `exchange` is the only place
//! that reads and writes. Nothing that a target sends is trusted: what is read is capped in bytes and in pieces, whatever
//! layer it belongs to, one deadline holds across all steps, and every connection ends with a FIN after what the target
//! still had to say was read.
//!
//! Each service's file opens with its table: what the target may answer, and whether that is healthy, busy, starting,
//! blocked or something else. Tests read the tables and play each row, so that they say what the code does.
//!
//! # What a check leaves in the target's log
//!
//! | server | for each check |
//! |---|---|
//! | PostgreSQL | nothing where it asks for a password; under `trust`, `FATAL: role "portpulse" does not exist`, unless there is one; what it refuses is a `FATAL` line, as for every client |
//! | MariaDB | `[Warning] Access denied for user 'portpulse'@…`; nothing with `log_warnings` at 1 or below |
//! | RabbitMQ | `[warning] closing AMQP connection … client unexpectedly closed TCP connection`: it knows no leave before a login |
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
