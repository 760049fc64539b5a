//! The services, one file each: what to send, and what the answers mean.

pub(crate) mod amqp;
pub(crate) mod cassandra;
pub(crate) mod dns;
pub(crate) mod elasticsearch;
pub(crate) mod etcd;
pub(crate) mod ftp;
pub(crate) mod grpc;
pub(crate) mod http;
mod http_document;
mod http_response;
pub(crate) mod imap;
pub(crate) mod kafka;
pub(crate) mod ldap;
pub(crate) mod memcached;
pub(crate) mod mongodb;
pub(crate) mod mqtt;
pub(crate) mod mssql;
pub(crate) mod mysql;
pub(crate) mod nats;
pub(crate) mod pop3;
pub(crate) mod postgres;
pub(crate) mod redis;
pub(crate) mod script;
pub(crate) mod smtp;
pub(crate) mod ssh;
pub(crate) mod websocket;
pub(crate) mod zookeeper;

use std::net::IpAddr;

use portpulse_core::readiness::{Protocol, Tls};
use portpulse_core::service::SimpleProtocol;

use crate::dialogue::Dialogue;
use crate::request::Request;

/// The user name of the login exchanges. The user need not exist.
const USER: &str = "portpulse";

/// Creates the dialogue for a request; `from` is the client's address. `None` if the check ends with the TLS handshake.
pub(crate) fn dialogue(request: &Request, from: Option<IpAddr>) -> Option<Box<dyn Dialogue + Send>> {
    let tls = request.readiness.tls();
    Some(match request.readiness.protocol() {
        Protocol::Simple(protocol) => simple(*protocol, request, from),
        Protocol::Dns(check) => Box::new(dns::Dns::over_tcp(check, dns::QueryId::random())),
        Protocol::Http(check) => Box::new(http::Http::new(
            check,
            &request.host,
            request.port,
            tls,
            &request.secrets,
        )),
        Protocol::WebSocket(path) => {
            let authority = http::authority(&request.host, request.port, tls);
            Box::new(websocket::WebSocket::new(
                authority,
                path,
                websocket::Key::random(),
            ))
        }
        Protocol::Script(script) => Box::new(script::ScriptDialogue::new(script)),
        Protocol::TlsAlone => return None,
    })
}

/// The application protocols to offer in the TLS handshake (RFC 7301, and IANA's registry of ALPN protocol IDs).
///
/// PostgreSQL 17 demands its name when TLS comes first, and servers that share a port among protocols choose by it. A
/// server that does not know ALPN ignores the offer.
pub(crate) fn application_protocols(protocol: &Protocol) -> &'static [&'static [u8]] {
    match protocol {
        Protocol::Http(_)
        | Protocol::WebSocket(_)
        | Protocol::Simple(SimpleProtocol::Elasticsearch | SimpleProtocol::Etcd) => &[b"http/1.1"],
        Protocol::Simple(SimpleProtocol::Grpc) => &[b"h2"],
        Protocol::Dns(_) => &[b"dot"],
        Protocol::Simple(SimpleProtocol::Postgres) => &[b"postgresql"],
        Protocol::Simple(SimpleProtocol::Imap) => &[b"imap"],
        Protocol::Simple(SimpleProtocol::Mqtt) => &[b"mqtt"],
        Protocol::Simple(SimpleProtocol::Ftp) => &[b"ftp"],
        Protocol::Simple(SimpleProtocol::Pop3) => &[b"pop3"],
        Protocol::Simple(
            SimpleProtocol::Mysql
            | SimpleProtocol::Redis
            | SimpleProtocol::Memcached
            | SimpleProtocol::Mongodb
            | SimpleProtocol::Mssql
            | SimpleProtocol::Cassandra
            | SimpleProtocol::Amqp
            | SimpleProtocol::Kafka
            | SimpleProtocol::Ldap
            | SimpleProtocol::Nats
            | SimpleProtocol::Zookeeper
            | SimpleProtocol::Ssh
            | SimpleProtocol::Smtp,
        )
        | Protocol::Script(_)
        | Protocol::TlsAlone => &[],
    }
}

fn simple(protocol: SimpleProtocol, request: &Request, from: Option<IpAddr>) -> Box<dyn Dialogue + Send> {
    let tls = request.readiness.tls();
    let upgrade = tls == Tls::Upgrade;
    let authority = || http::authority(&request.host, request.port, tls);
    match protocol {
        SimpleProtocol::Postgres => Box::new(postgres::Postgres::new(upgrade)),
        SimpleProtocol::Mysql => Box::new(mysql::Mysql::new(upgrade)),
        SimpleProtocol::Redis => Box::new(redis::Redis::default()),
        SimpleProtocol::Memcached => Box::new(memcached::Memcached::default()),
        SimpleProtocol::Mongodb => Box::new(mongodb::Mongodb::default()),
        SimpleProtocol::Mssql => Box::new(mssql::Mssql::default()),
        SimpleProtocol::Cassandra => Box::new(cassandra::Cassandra::default()),
        SimpleProtocol::Elasticsearch => Box::new(elasticsearch::Elasticsearch::new(authority())),
        SimpleProtocol::Etcd => Box::new(etcd::Etcd::new(authority())),
        SimpleProtocol::Amqp => Box::new(amqp::Amqp::default()),
        SimpleProtocol::Kafka => Box::new(kafka::Kafka::default()),
        SimpleProtocol::Nats => Box::new(nats::Nats::new(upgrade)),
        SimpleProtocol::Mqtt => Box::new(mqtt::Mqtt::default()),
        SimpleProtocol::Zookeeper => Box::new(zookeeper::Zookeeper::default()),
        SimpleProtocol::Ssh => Box::new(ssh::Ssh::default()),
        SimpleProtocol::Smtp => Box::new(smtp::Smtp::new(upgrade, request.readiness.client_name(), from)),
        SimpleProtocol::Imap => Box::new(imap::Imap::new(upgrade)),
        SimpleProtocol::Pop3 => Box::new(pop3::Pop3::new(upgrade)),
        SimpleProtocol::Ldap => Box::new(ldap::Ldap::new(upgrade)),
        SimpleProtocol::Grpc => Box::new(grpc::Grpc::new(authority(), tls != Tls::Off)),
        SimpleProtocol::Ftp => Box::new(ftp::Ftp::new(upgrade)),
    }
}

#[cfg(test)]
mod tests;
