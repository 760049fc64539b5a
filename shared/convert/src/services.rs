//! Recognises services by ports, images and engines of infrastructure.

/// The service that usually listens on a port, and its tier.
pub(crate) fn on_port(port: u16) -> Option<&'static str> {
    Some(match port {
        21 => "ftp",
        22 => "ssh",
        25 => "smtp",
        53 => "dns",
        80 | 8080 => "http",
        110 => "pop3",
        143 => "imap",
        389 => "ldap",
        443 | 8443 => "https",
        465 => "smtps",
        587 => "submission",
        636 => "ldaps",
        993 => "imaps",
        995 => "pop3s",
        1433 => "mssql",
        1883 | 8883 => "mqtt",
        2181 => "zookeeper",
        2379 => "etcd",
        3306 => "mysql",
        4222 => "nats",
        5432 => "postgres",
        5672 => "rabbitmq",
        6379 => "redis",
        9042 => "cassandra",
        9092 => "kafka",
        9200 => "elasticsearch",
        11211 => "memcached",
        27017 => "mongodb",
        50051 => "grpc",
        _ => return None,
    })
}

/// The service of a container image or a database engine, such as `bitnami/postgresql:16`, with its port.
pub(crate) fn of_image(image: &str) -> Option<(&'static str, u16)> {
    let name = image.rsplit('/').next().unwrap_or_default();
    let name = name
        .split([':', '@'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let is = |part: &str| name == part || name.starts_with(part);
    Some(match () {
        () if is("postgis") || is("postgres") || is("timescaledb") || is("aurora-postgres") => {
            ("postgres", 5432)
        }
        () if is("mariadb") => ("mariadb", 3306),
        () if is("elasticsearch") || is("opensearch") && !is("opensearch-dashboards") => {
            ("elasticsearch", 9200)
        }
        () if is("etcd") => ("etcd", 2379),
        () if is("mssql") || is("azure-sql-edge") || is("sqlserver") => ("mssql", 1433),
        () if is("cassandra") || is("scylla") || is("dse-server") => ("cassandra", 9042),
        () if is("mysql") || is("percona") || is("aurora") => ("mysql", 3306),
        () if is("redis") || is("keydb") || is("dragonfly") => ("redis", 6379),
        () if is("valkey") => ("valkey", 6379),
        () if is("memcached") => ("memcached", 11211),
        () if is("mongo") || is("docdb") => ("mongodb", 27017),
        () if is("rabbitmq") => ("rabbitmq", 5672),
        () if is("kafka") || is("cp-kafka") || is("redpanda") => ("kafka", 9092),
        () if is("nats") => ("nats", 4222),
        () if is("zookeeper") => ("zookeeper", 2181),
        () if is("eclipse-mosquitto") || is("mosquitto") || is("emqx") || is("hivemq") => ("mqtt", 1883),
        () if is("openldap") || is("389ds") || is("opendj") => ("ldap", 389),
        () if is("vsftpd") || is("pure-ftpd") || is("proftpd") => ("ftp", 21),
        () if is("nginx") || is("httpd") || is("caddy") || is("traefik") || is("haproxy") => ("http", 80),
        () if is("openssh") => ("ssh", 22),
        () => return None,
    })
}

/// The proposed tier for an environment such as `prod`; `supporting` without one.
pub(crate) fn tier_of(environment: Option<&str>) -> &'static str {
    let environment = environment.unwrap_or_default().to_ascii_lowercase();
    match environment.as_str() {
        "prod" | "production" | "live" | "prd" => "critical",
        "" => "supporting",
        _ => "background",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_name_services() {
        for (image, service) in [
            ("postgres:16-alpine", Some("postgres")),
            ("docker.io/bitnami/postgresql@sha256:0", Some("postgres")),
            ("registry.example.com:5000/team/redis", Some("redis")),
            ("aurora-postgresql", Some("postgres")),
            ("aurora-mysql", Some("mysql")),
            ("acme/shop", None),
        ] {
            assert_eq!(of_image(image).map(|(service, _)| service), service, "{image}");
        }
        assert_eq!(tier_of(Some("Production")), "critical");
    }
}
