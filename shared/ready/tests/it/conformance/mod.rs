//! Exchanges with real servers, healthy and unhealthy. Each test also checks the server's log.
//!
//! `.ci/servers` and `.ci/broker` install the servers. Every test starts its own server with its own directory and
//! ports on loopback, and leaves running servers alone. The tests need these programs and root, which some servers
//! require, and are therefore ignored by default. MongoDB is not available from the registries used here: the tests in
//! its own file use replies built byte by byte from its documentation.

mod server;

mod bind;
mod cost;
mod dovecot;
mod etcd;
mod ftp;
mod grpc;
mod kafka;
mod mariadb;
mod memcached;
mod mosquitto;
mod nats;
mod nginx;
mod openldap;
mod openssh;
mod postfix;
mod postgres;
mod proxies;
mod rabbitmq;
mod redis;
mod tls_servers;
mod websocket;
mod zookeeper;
