//! The services, one file each: what to send, and what the answers mean.

pub(crate) mod amqp;
pub(crate) mod dns;
pub(crate) mod http;
pub(crate) mod imap;
pub(crate) mod kafka;
pub(crate) mod memcached;
pub(crate) mod mongodb;
pub(crate) mod mysql;
pub(crate) mod pop3;
pub(crate) mod postgres;
pub(crate) mod redis;
pub(crate) mod script;
pub(crate) mod smtp;
pub(crate) mod ssh;
pub(crate) mod zookeeper;

use std::net::IpAddr;

use portpulse_core::readiness::{Protocol, Tls};

use crate::dialogue::Dialogue;
use crate::request::Request;

/// The user name of the login exchanges. The user need not exist.
const USER: &str = "portpulse";

/// Creates the dialogue for a request; `from` is the client's address. `None` if the check ends with the TLS handshake.
pub(crate) fn dialogue(request: &Request, from: Option<IpAddr>) -> Option<Box<dyn Dialogue + Send>> {
    let upgrade = request.readiness.tls() == Tls::Upgrade;
    Some(match request.readiness.protocol() {
        Protocol::Postgres => Box::new(postgres::Postgres::new(upgrade)),
        Protocol::Mysql => Box::new(mysql::Mysql::new(upgrade)),
        Protocol::Redis => Box::new(redis::Redis::default()),
        Protocol::Memcached => Box::new(memcached::Memcached::default()),
        Protocol::Mongodb => Box::new(mongodb::Mongodb::default()),
        Protocol::Amqp => Box::new(amqp::Amqp::default()),
        Protocol::Kafka => Box::new(kafka::Kafka::default()),
        Protocol::Zookeeper => Box::new(zookeeper::Zookeeper::default()),
        Protocol::Ssh => Box::new(ssh::Ssh::default()),
        Protocol::Dns(check) => Box::new(dns::Dns::over_tcp(check, dns::QueryId::random())),
        Protocol::Smtp => Box::new(smtp::Smtp::new(upgrade, from)),
        Protocol::Imap => Box::new(imap::Imap::new(upgrade)),
        Protocol::Pop3 => Box::new(pop3::Pop3::new(upgrade)),
        Protocol::Http(check) => Box::new(http::Http::new(
            check,
            &request.host,
            request.port,
            request.readiness.tls(),
        )),
        Protocol::Script(script) => Box::new(script::ScriptDialogue::new(script)),
        Protocol::TlsAlone => return None,
    })
}
