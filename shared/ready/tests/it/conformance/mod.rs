//! The exchanges against the real servers, in good and in bad states, each followed by a look at the server's own log.
//!
//! `.ci/servers` installs what is started here; every server gets a directory and ports of its own on loopback, and
//! none that runs already is touched. Without them, or without root (some servers insist on it), these tests fail:
//! that is why they are ignored unless asked for.

mod server;

mod bind;
mod cost;
mod dovecot;
mod mariadb;
mod memcached;
mod nginx;
mod openssh;
mod postfix;
mod postgres;
mod rabbitmq;
mod redis;
mod zookeeper;
