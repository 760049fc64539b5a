//! The known services: one row of facts for each, and one row for each protocol that services share.
//!
//! `infra/presets.json` repeats the rows for Terraform; a test compares the two.

use crate::choice::choice;
use Exchange::{Dns, Http, Simple, TlsHandshake, WebSocket};

/// Declares the protocols without options: variant, name in messages, and `upgrades` for STARTTLS or an equivalent.
macro_rules! protocols {
    ($($variant:ident $title:literal $($upgrades:ident)?;)+) => {
        /// A protocol whose exchange has no options.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum SimpleProtocol { $(#[doc = concat!($title, ".")] $variant),+ }

        impl SimpleProtocol {
            /// The name in messages.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }

            /// Whether the protocol supports STARTTLS or an equivalent.
            pub const fn can_upgrade(self) -> bool {
                match self { $(Self::$variant => protocols!(@upgrades $($upgrades)?)),+ }
            }
        }
    };
    (@upgrades upgrades) => { true };
    (@upgrades) => { false };
}

/// Declares the services: variant, name in files, title, port, timeout, whether TLS comes first, and exchange.
macro_rules! services {
    ($($variant:ident $name:literal $title:literal $port:literal $timeout:literal $tls:ident $exchange:expr;)+) => {
        choice! {
            /// A known service.
            Service { $(#[doc = concat!($title, ".")] $variant = $name),+ }
        }

        impl Service {
            /// The display name, such as `PostgreSQL`.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }

            /// The default port.
            pub const fn port(self) -> u16 {
                match self { $(Self::$variant => $port),+ }
            }

            /// The default timeout, as written in a definition.
            pub const fn timeout(self) -> &'static str {
                match self { $(Self::$variant => $timeout),+ }
            }

            /// Whether the exchange always begins with a TLS handshake.
            pub const fn begins_with_tls(self) -> bool {
                match self { $(Self::$variant => services!(@tls $tls)),+ }
            }

            /// The readiness exchange.
            pub const fn exchange(self) -> Exchange {
                use SimpleProtocol::*;
                match self { $(Self::$variant => $exchange),+ }
            }
        }
    };
    (@tls tls) => { true };
    (@tls plain) => { false };
}

protocols! {
    Postgres      "PostgreSQL" upgrades;
    Mysql         "MySQL"      upgrades;
    Redis         "Redis";
    Memcached     "memcached";
    Mongodb       "MongoDB";
    Mssql         "SQL Server";
    Cassandra     "Cassandra";
    Elasticsearch "Elasticsearch";
    Etcd          "etcd";
    Amqp          "AMQP";
    Kafka         "Kafka";
    Zookeeper     "ZooKeeper";
    Nats          "NATS"       upgrades;
    Mqtt          "MQTT";
    Ssh           "SSH";
    Smtp          "SMTP"       upgrades;
    Imap          "IMAP"       upgrades;
    Pop3          "POP3"       upgrades;
    Ldap          "LDAP"       upgrades;
    Grpc          "gRPC";
    Ftp           "FTP"        upgrades;
}

services! {
    Postgres      "postgres"      "PostgreSQL"      5432  "5s"  plain Simple(Postgres);
    Mysql         "mysql"         "MySQL"           3306  "5s"  plain Simple(Mysql);
    Mariadb       "mariadb"       "MariaDB"         3306  "5s"  plain Simple(Mysql);
    Redis         "redis"         "Redis"           6379  "5s"  plain Simple(Redis);
    Valkey        "valkey"        "Valkey"          6379  "5s"  plain Simple(Redis);
    Memcached     "memcached"     "memcached"       11211 "5s"  plain Simple(Memcached);
    Mongodb       "mongodb"       "MongoDB"         27017 "5s"  plain Simple(Mongodb);
    Mssql         "mssql"         "SQL Server"      1433  "5s"  plain Simple(Mssql);
    Cassandra     "cassandra"     "Cassandra"       9042  "5s"  plain Simple(Cassandra);
    Elasticsearch "elasticsearch" "Elasticsearch"   9200  "5s"  plain Simple(Elasticsearch);
    Etcd          "etcd"          "etcd"            2379  "5s"  plain Simple(Etcd);
    Rabbitmq      "rabbitmq"      "RabbitMQ"        5672  "5s"  plain Simple(Amqp);
    Kafka         "kafka"         "Kafka"           9092  "5s"  plain Simple(Kafka);
    Nats          "nats"          "NATS"            4222  "5s"  plain Simple(Nats);
    Mqtt          "mqtt"          "MQTT"            1883  "5s"  plain Simple(Mqtt);
    Zookeeper     "zookeeper"     "ZooKeeper"       2181  "5s"  plain Simple(Zookeeper);
    Ssh           "ssh"           "SSH"             22    "5s"  plain Simple(Ssh);
    Dns           "dns"           "DNS"             53    "5s"  plain Dns;
    Smtp          "smtp"          "SMTP"            25    "15s" plain Simple(Smtp);
    Submission    "submission"    "SMTP submission" 587   "15s" plain Simple(Smtp);
    Smtps         "smtps"         "SMTP over TLS"   465   "15s" tls   Simple(Smtp);
    Imap          "imap"          "IMAP"            143   "5s"  plain Simple(Imap);
    Imaps         "imaps"         "IMAP over TLS"   993   "5s"  tls   Simple(Imap);
    Pop3          "pop3"          "POP3"            110   "5s"  plain Simple(Pop3);
    Pop3s         "pop3s"         "POP3 over TLS"   995   "5s"  tls   Simple(Pop3);
    Ldap          "ldap"          "LDAP"            389   "5s"  plain Simple(Ldap);
    Ldaps         "ldaps"         "LDAP over TLS"   636   "5s"  tls   Simple(Ldap);
    Ftp           "ftp"           "FTP"             21    "5s"  plain Simple(Ftp);
    Http          "http"          "HTTP"            80    "3s"  plain Http;
    Https         "https"         "HTTPS"           443   "3s"  tls   Http;
    Websocket     "websocket"     "WebSocket"       80    "5s"  plain WebSocket;
    Grpc          "grpc"          "gRPC"            50051 "5s"  plain Simple(Grpc);
    Tls           "tls"           "TLS"             443   "5s"  tls   TlsHandshake;
}

/// The readiness exchange of a service, before its options are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    /// An exchange without options.
    Simple(SimpleProtocol),
    /// DNS.
    Dns,
    /// HTTP.
    Http,
    /// The upgrade from HTTP to WebSocket.
    WebSocket,
    /// Only the TLS handshake.
    TlsHandshake,
}

impl Service {
    /// Whether the service supports STARTTLS or an equivalent.
    pub const fn can_upgrade(self) -> bool {
        matches!(self.exchange(), Simple(protocol) if protocol.can_upgrade()) && !self.begins_with_tls()
    }
}
