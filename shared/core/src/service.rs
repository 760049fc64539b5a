//! The known services.

use crate::choice::choice;

choice! {
    /// A known service. `presets.json` holds its default port, timeout and readiness exchange.
    Service {
        /// PostgreSQL.
        Postgres = "postgres",
        /// MySQL.
        Mysql = "mysql",
        /// MariaDB.
        Mariadb = "mariadb",
        /// Redis.
        Redis = "redis",
        /// Valkey.
        Valkey = "valkey",
        /// memcached.
        Memcached = "memcached",
        /// MongoDB.
        Mongodb = "mongodb",
        /// RabbitMQ and other AMQP 0-9-1 brokers.
        Rabbitmq = "rabbitmq",
        /// Kafka.
        Kafka = "kafka",
        /// ZooKeeper.
        Zookeeper = "zookeeper",
        /// SSH.
        Ssh = "ssh",
        /// DNS.
        Dns = "dns",
        /// SMTP between servers.
        Smtp = "smtp",
        /// SMTP submission.
        Submission = "submission",
        /// SMTP submission over TLS.
        Smtps = "smtps",
        /// IMAP.
        Imap = "imap",
        /// IMAP over TLS.
        Imaps = "imaps",
        /// POP3.
        Pop3 = "pop3",
        /// POP3 over TLS.
        Pop3s = "pop3s",
        /// HTTP.
        Http = "http",
        /// HTTP over TLS.
        Https = "https",
        /// Any service over TLS: checks only the handshake.
        Tls = "tls",
    }
}
