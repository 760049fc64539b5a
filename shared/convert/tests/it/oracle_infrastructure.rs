//! Docker Compose, Kubernetes and Terraform: random files, compared with the ports that are reached from outside.
//!
//! The oracles are written from <https://docs.docker.com/reference/compose-file/services/#ports>,
//! <https://kubernetes.io/docs/concepts/services-networking/service/> and the attributes of the Terraform providers.

use portpulse_convert::Format;
use portpulse_core::definition::Field;
use portpulse_core::readiness::Tls;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::imported::{Imported, readiness};

/// The targets of all monitors, sorted.
fn targets(imported: &Imported, ids: usize) -> Vec<String> {
    let mut found: Vec<String> = (0..ids)
        .filter_map(|index| imported.monitor(&format!("s{index}")))
        .map(|monitor| monitor.target().to_string())
        .collect();
    found.sort();
    found
}

/// A published port: its entry, and where it is reached.
fn published() -> impl Strategy<Value = (Value, Option<String>)> {
    let notation = 0u8..6;
    (notation, 1u16..=65_000, 1u16..=65_000).prop_map(|(notation, outside, inside)| {
        let here = Some(format!("h.example.com:{outside}"));
        match notation {
            0 => (json!(format!("{outside}:{inside}")), here),
            1 => (
                json!({ "target": inside, "published": outside.to_string(), "protocol": "tcp" }),
                here,
            ),
            2 => (
                json!(format!("192.0.2.7:{outside}:{inside}/tcp")),
                Some(format!("192.0.2.7:{outside}")),
            ),
            3 => (json!(format!("{outside}:{inside}/udp")), None),
            4 => (json!(inside), None),
            _ => (json!({ "target": inside, "mode": "host" }), None),
        }
    })
}

/// A Service: its object, and where it is reached.
fn service() -> impl Strategy<Value = (Value, Option<String>)> {
    (0u8..5, 1u16..=65_000, 30_000u16..32_000).prop_map(|(kind, port, node_port)| {
        let ports = json!([{ "port": port, "nodePort": node_port, "targetPort": 1 }]);
        match kind {
            0 => (json!({ "spec": { "ports": ports } }), Some(format!("NAME.default.svc.cluster.local:{port}"))),
            1 => (json!({ "spec": { "type": "NodePort", "ports": ports } }), None),
            2 => (
                json!({ "spec": { "type": "LoadBalancer", "ports": ports }, "status": { "loadBalancer": { "ingress": [{ "ip": "192.0.2.8" }] } } }),
                Some(format!("192.0.2.8:{port}")),
            ),
            3 => (json!({ "spec": { "type": "LoadBalancer", "ports": ports } }), None),
            _ => (json!({ "spec": { "ports": [{ "port": port, "protocol": "UDP" }] } }), None),
        }
    })
}

/// A table of resources: type, values without tags, and the target with its service and `tls`.
const RESOURCES: [(&str, &str, Option<&str>); 22] = [
    (
        "aws_db_instance",
        r#"{ "address": "d.example.com", "port": 5433, "engine": "postgres" }"#,
        Some("d.example.com:5433 postgres"),
    ),
    (
        "aws_rds_cluster",
        r#"{ "endpoint": "d.example.com", "engine": "aurora-mysql" }"#,
        Some("d.example.com:3306 mysql"),
    ),
    (
        "aws_docdb_cluster",
        r#"{ "endpoint": "d.example.com" }"#,
        Some("d.example.com:27017 mongodb tls"),
    ),
    ("aws_db_instance", r#"{ "engine": "mysql" }"#, None),
    (
        "aws_elasticache_replication_group",
        r#"{ "primary_endpoint_address": "c.example.com", "transit_encryption_enabled": true }"#,
        Some("c.example.com:6379 redis tls"),
    ),
    (
        "aws_elasticache_cluster",
        r#"{ "engine": "memcached", "cluster_address": "c.example.com" }"#,
        Some("c.example.com:11211 memcached"),
    ),
    (
        "aws_mq_broker",
        r#"{ "engine_type": "RabbitMQ", "instances": [{ "endpoints": ["amqps://b.example.com:5671"] }] }"#,
        Some("b.example.com:5671 rabbitmq tls"),
    ),
    (
        "aws_msk_cluster",
        r#"{ "bootstrap_brokers_tls": "k.example.com:9094" }"#,
        Some("k.example.com:9094 kafka tls"),
    ),
    (
        "aws_elb",
        r#"{ "dns_name": "l.example.com", "listener": [{ "lb_port": 80, "lb_protocol": "http" }] }"#,
        Some("l.example.com:80 http"),
    ),
    ("aws_lb", r#"{ "dns_name": "l.example.com", "arn": "a" }"#, None),
    (
        "aws_instance",
        r#"{ "public_ip": "192.0.2.9" }"#,
        Some("192.0.2.9:22 ssh"),
    ),
    (
        "google_sql_database_instance",
        r#"{ "database_version": "MYSQL_8_0", "public_ip_address": "192.0.2.9" }"#,
        Some("192.0.2.9:3306 mysql"),
    ),
    (
        "google_redis_instance",
        r#"{ "host": "192.0.2.9", "transit_encryption_mode": "SERVER_AUTHENTICATION" }"#,
        Some("192.0.2.9:6379 redis tls"),
    ),
    (
        "google_memcache_instance",
        r#"{ "discovery_endpoint": "c.example.com:11211" }"#,
        Some("c.example.com:11211 memcached"),
    ),
    (
        "google_compute_global_forwarding_rule",
        r#"{ "ip_address": "192.0.2.9", "port_range": "443-443" }"#,
        Some("192.0.2.9:443 https tls"),
    ),
    (
        "google_compute_instance",
        r#"{ "network_interface": [{}] }"#,
        None,
    ),
    (
        "azurerm_postgresql_flexible_server",
        r#"{ "fqdn": "p.example.com" }"#,
        Some("p.example.com:5432 postgres tls"),
    ),
    (
        "azurerm_redis_cache",
        r#"{ "hostname": "c.example.com", "port": 6379, "ssl_port": 6390 }"#,
        Some("c.example.com:6390 redis tls"),
    ),
    (
        "azurerm_servicebus_namespace",
        r#"{ "endpoint": "https://q.example.com:443/" }"#,
        Some("q.example.com:5671 tls tls"),
    ),
    (
        "azurerm_windows_virtual_machine",
        r#"{ "public_ip_address": "192.0.2.9" }"#,
        Some("192.0.2.9:3389"),
    ),
    ("azurerm_lb", r#"{ "id": "x" }"#, None),
    (
        "azurerm_mssql_server",
        r#"{ "fully_qualified_domain_name": "s.example.com" }"#,
        Some("s.example.com:1433 mssql"),
    ),
];

#[test]
fn resource_has_its_service_tls_tags_and_a_proposed_tier() {
    let tiers = [
        ("prod", "critical"),
        ("staging", "background"),
        ("", "supporting"),
    ];
    for (index, (kind, values, expected)) in RESOURCES.into_iter().enumerate() {
        let (environment, tier) = tiers[index % tiers.len()];
        let mut values: Value = serde_json::from_str(values).unwrap();
        let tags = match environment {
            "" => json!({ "team": "shop" }),
            environment => json!({ "team": "shop", "env": environment }),
        };
        match kind {
            "google_sql_database_instance" => values["settings"] = json!([{ "user_labels": tags }]),
            _ if kind.starts_with("google") => values["labels"] = tags,
            _ => values["tags"] = tags,
        }
        let resource = json!({ "address": "s0", "mode": "managed", "type": kind, "values": values });
        let text = json!({ "values": { "root_module": { "resources": [resource] } } }).to_string();
        let imported = Imported::of(Format::Terraform, &[("state.json", &text)]);
        let shown = format!("{kind}: {}", imported.shown());
        let Some(expected) = expected else {
            let is_unknown = !imported.report.not_needed.is_empty();
            assert!(
                imported.monitor("s0").is_none() && (is_unknown || imported.is_refused("s0")),
                "{shown}"
            );
            continue;
        };
        let monitor = imported.monitor("s0").unwrap();
        let mut found = monitor.target().to_string();
        if let Some(service) = monitor.effective(Field::Service) {
            found.push_str(&format!(" {service}"));
        }
        if readiness(monitor).is_some_and(|ready| ready.tls() != Tls::Off) {
            found.push_str(" tls");
        }
        assert_eq!(found, expected, "{shown}");
        assert_eq!(monitor.effective(Field::Tier).as_deref(), Some(tier), "{shown}");
        let tags = &monitor.alert_policy().tags;
        assert!(tags.iter().any(|tag| tag == "team=shop"), "{shown}");
    }
}

/// A resource: its type and values, and where it is reached.
fn resource() -> impl Strategy<Value = (&'static str, Value, Option<String>)> {
    (0u8..5, 1u16..=65_000).prop_map(|(kind, port)| match kind {
        0 => (
            "aws_db_instance",
            json!({ "address": "d.example.com", "endpoint": "d.example.com:1", "port": port, "engine": "postgres" }),
            Some(format!("d.example.com:{port}")),
        ),
        1 => ("aws_db_instance", json!({ "engine": "mysql" }), None),
        2 => (
            "azurerm_redis_cache",
            json!({ "hostname": "c.example.com", "ssl_port": port }),
            Some(format!("c.example.com:{port}")),
        ),
        3 => ("aws_instance", json!({ "public_ip": "192.0.2.9" }), Some("192.0.2.9:22".to_owned())),
        _ => ("google_compute_instance", json!({ "network_interface": [{}] }), None),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn published_ports_of_compose_are_imported_or_named(ports in prop::collection::vec(published(), 1..5)) {
        let services: serde_json::Map<String, Value> = ports
            .iter()
            .enumerate()
            .map(|(index, (port, _))| (format!("s{index}"), json!({ "image": "acme/x", "ports": [port] })))
            .collect();
        let text = json!({ "services": services }).to_string();
        let imported = Imported::with_host(Format::Compose, &[("compose.yaml", &text)], "h.example.com");
        let mut expected: Vec<String> = ports.iter().filter_map(|(_, target)| target.clone()).collect();
        expected.sort();
        prop_assert_eq!(targets(&imported, ports.len()), expected);
        prop_assert_eq!(imported.report.found, ports.len());
        for (index, (_, target)) in ports.iter().enumerate() {
            prop_assert!(target.is_some() || imported.is_named(&format!("s{index}"), "ports"), "{}", imported.shown());
        }
    }

    #[test]
    fn services_of_kubernetes_are_imported_or_named(services in prop::collection::vec(service(), 1..5)) {
        let items: Vec<Value> = services
            .iter()
            .enumerate()
            .map(|(index, (service, _))| {
                let mut service = service.clone();
                service["kind"] = json!("Service");
                service["metadata"] = json!({ "name": format!("s{index}") });
                service
            })
            .collect();
        let text = json!({ "kind": "List", "items": items }).to_string();
        let imported = Imported::of(Format::Kubernetes, &[("all.json", &text)]);
        let named = services.iter().enumerate().filter_map(|(index, (_, target))| Some(target.as_ref()?.replace("NAME", &format!("s{index}"))));
        let mut expected: Vec<String> = named.collect();
        expected.sort();
        prop_assert_eq!(targets(&imported, services.len()), expected);
        for (index, (_, target)) in services.iter().enumerate() {
            prop_assert!(target.is_some() || imported.is_named(&format!("s{index}"), ""), "{}", imported.shown());
        }
    }

    #[test]
    fn resources_of_terraform_are_imported_or_named(resources in prop::collection::vec(resource(), 1..5)) {
        let listed: Vec<Value> = resources
            .iter()
            .enumerate()
            .map(|(index, (kind, values, _))| json!({ "address": format!("s{index}"), "mode": "managed", "type": kind, "values": values }))
            .collect();
        let text = json!({ "values": { "root_module": { "child_modules": [{ "resources": listed }] } } }).to_string();
        let imported = Imported::of(Format::Terraform, &[("state.json", &text)]);
        let mut expected: Vec<String> = resources.iter().filter_map(|(_, _, target)| target.clone()).collect();
        expected.sort();
        prop_assert_eq!(targets(&imported, resources.len()), expected);
        for (index, (kind, _, target)) in resources.iter().enumerate() {
            let is_unknown = imported.report.not_needed.iter().any(|each| each.items.iter().any(|item| item == kind));
            prop_assert!(target.is_some() || is_unknown || imported.is_refused(&format!("s{index}")), "{}", imported.shown());
        }
    }
}
