//! The exchanges against the real servers, in good and in bad states, each followed by a look at the server's own log.
//!
//! `.ci/servers` and `.ci/broker` install what is started here; every server gets a directory and ports of its own on
//! loopback, and none that runs already is touched. Without them, or without root (some servers insist on it), these
//! tests fail: that is why they are ignored unless asked for. MongoDB is in no registry that is used here: its replies
//! are made byte by byte after its documents, in the tests of its own file.

mod server;

mod bind;
mod cost;
mod dovecot;
mod kafka;
mod mariadb;
mod memcached;
mod nginx;
mod openssh;
mod postfix;
mod postgres;
mod rabbitmq;
mod redis;
mod zookeeper;
