//! Resources of AWS.
//!
//! Source: <https://registry.terraform.io/providers/hashicorp/aws/latest/docs>

use serde_json::{Value, json};

use super::{Endpoint, Listens, Resource, host_and_port};
use crate::services::{of_image, on_port};

const NOT_APPLIED: &str = "Its address is not in the state: apply it first.";
const SSH: &str = "Only SSH is checked: the state does not say which other ports are open.";

/// The ports of a resource.
pub(super) fn listens(resource: &Resource<'_>, all: &[Resource<'_>]) -> Listens {
    match resource.kind {
        "aws_db_instance"
        | "aws_rds_cluster"
        | "aws_neptune_cluster"
        | "aws_docdb_cluster"
        | "aws_redshift_cluster" => database(resource),
        "aws_elasticache_cluster"
        | "aws_memorydb_cluster"
        | "aws_elasticache_replication_group"
        | "aws_elasticache_serverless_cache" => cache(resource),
        "aws_mq_broker" => broker(resource),
        "aws_msk_cluster" => kafka(resource),
        "aws_lb" | "aws_alb" => load_balancer(resource, all),
        "aws_elb" => classic_load_balancer(resource),
        "aws_instance" | "aws_lightsail_instance" => instance(resource),
        "aws_opensearch_domain" | "aws_elasticsearch_domain" => https(resource, "endpoint"),
        "aws_cloudfront_distribution" => https(resource, "domain_name"),
        "aws_apigatewayv2_api" => https(resource, "api_endpoint"),
        "aws_lambda_function_url" => https(resource, "function_url"),
        "aws_transfer_server" => match resource.text("endpoint") {
            Some(host) => Listens::On(vec![Endpoint::new(host, 22, Some("ssh"))]),
            None => Listens::Unknown(NOT_APPLIED),
        },
        _ => Listens::NotAtAll,
    }
}

fn database(resource: &Resource<'_>) -> Listens {
    let (service, default) = match resource.kind {
        "aws_docdb_cluster" => (Some("mongodb"), 27017),
        "aws_neptune_cluster" => (None, 8182),
        "aws_redshift_cluster" => (None, 5439),
        _ => match resource.text("engine").and_then(of_image) {
            Some((service, port)) => (Some(service), port),
            None => (None, 1433),
        },
    };
    // The endpoint of an instance has its port.
    let host = resource.text("address").or_else(|| resource.text("endpoint"));
    let Some((host, port)) = host.and_then(|host| host_and_port(host, default)) else {
        return Listens::Unknown(NOT_APPLIED);
    };
    let port = resource.number("port").unwrap_or(port);
    let mut endpoint = Endpoint::new(&host, port, service);
    if service == Some("mongodb") {
        endpoint.tls = Some(json!(true));
    }
    if service.is_none() {
        endpoint.remark = Some("Only the port is checked.");
    }
    endpoint.is_private = !resource.switch("publicly_accessible");
    Listens::On(vec![endpoint])
}

fn cache(resource: &Resource<'_>) -> Listens {
    let service = match resource.text("engine").and_then(of_image) {
        Some((service, _)) => service,
        None => "redis",
    };
    let default = if service == "memcached" { 11211 } else { 6379 };
    let nested = |field: &str| {
        resource
            .blocks(field)
            .first()
            .and_then(|block| block.get("address")?.as_str())
    };
    let host = resource
        .text("primary_endpoint_address")
        .or_else(|| resource.text("configuration_endpoint_address"))
        .or_else(|| resource.text("cluster_address"))
        .or_else(|| nested("cache_nodes"))
        .or_else(|| nested("cluster_endpoint"))
        .or_else(|| nested("endpoint"));
    let Some(host) = host else {
        return Listens::Unknown(NOT_APPLIED);
    };
    let mut endpoint = Endpoint::new(host, resource.number("port").unwrap_or(default), Some(service));
    let is_tls = resource.switch("transit_encryption_enabled")
        || resource.switch("tls_enabled")
        || resource.kind == "aws_elasticache_serverless_cache";
    endpoint.tls = Some(json!(is_tls));
    endpoint.is_private = true;
    Listens::On(vec![endpoint])
}

fn broker(resource: &Resource<'_>) -> Listens {
    let mut endpoints = Vec::new();
    for instance in resource.blocks("instances") {
        for url in instance
            .get("endpoints")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let Some(url) = url.as_str() else { continue };
            let is_amqp = url.starts_with("amqps://") || url.starts_with("amqp+ssl://");
            let Some((host, port)) = host_and_port(url, 5671) else {
                continue;
            };
            let service = if is_amqp
                && resource
                    .text("engine_type")
                    .is_some_and(|engine| engine.eq_ignore_ascii_case("rabbitmq"))
            {
                "rabbitmq"
            } else {
                "tls"
            };
            let mut endpoint = Endpoint::new(&host, port, Some(service));
            endpoint.tls = (service == "rabbitmq").then_some(Value::Bool(true));
            endpoint.is_private = !resource.switch("publicly_accessible");
            if service == "tls" {
                endpoint.remark = Some("Only the TLS handshake is checked, not the protocol.");
            }
            endpoints.push(endpoint);
        }
    }
    if endpoints.is_empty() {
        Listens::Unknown(NOT_APPLIED)
    } else {
        Listens::On(endpoints)
    }
}

fn kafka(resource: &Resource<'_>) -> Listens {
    let brokers = resource
        .text("bootstrap_brokers_tls")
        .map(|brokers| (brokers, true));
    let brokers = brokers.or_else(|| resource.text("bootstrap_brokers").map(|brokers| (brokers, false)));
    let Some((brokers, is_tls)) = brokers else {
        return Listens::Unknown(NOT_APPLIED);
    };
    let endpoint = |broker: &str| {
        let (host, port) = host_and_port(broker, if is_tls { 9094 } else { 9092 })?;
        let mut endpoint = Endpoint::new(&host, port, Some("kafka"));
        endpoint.tls = Some(json!(is_tls));
        endpoint.is_private = true;
        Some(endpoint)
    };
    Listens::On(brokers.split(',').filter_map(endpoint).collect())
}

/// The listeners of a load balancer are resources of their own.
fn load_balancer(resource: &Resource<'_>, all: &[Resource<'_>]) -> Listens {
    let Some(host) = resource.text("dns_name") else {
        return Listens::Unknown(NOT_APPLIED);
    };
    let arn = resource.text("arn").or_else(|| resource.text("id"));
    let is_own = |listener: &&Resource<'_>| {
        matches!(listener.kind, "aws_lb_listener" | "aws_alb_listener")
            && arn.is_some()
            && listener.text("load_balancer_arn") == arn
    };
    let mut endpoints = Vec::new();
    for listener in all.iter().filter(is_own) {
        let Some(port) = listener.number("port") else {
            continue;
        };
        let protocol = listener.text("protocol").unwrap_or("TCP");
        let service = match protocol {
            "HTTP" => Some("http"),
            "HTTPS" => Some("https"),
            "TLS" => Some("tls"),
            "UDP" | "TCP_UDP" if port != 53 => continue,
            _ => on_port(port).filter(|service| !matches!(*service, "http" | "https" | "dns")),
        };
        let mut endpoint = Endpoint::new(host, port, service);
        endpoint.tls = (protocol == "HTTP").then_some(Value::Bool(false));
        endpoint.is_private = resource.switch("internal");
        if matches!(service, Some("https" | "tls")) {
            endpoint.remark = Some(
                "The certificate is that of your own name, not of the load balancer: set `host` to the name that people use.",
            );
        }
        endpoints.push(endpoint);
    }
    if endpoints.is_empty() {
        Listens::Unknown("Its listeners are not in the state.")
    } else {
        Listens::On(endpoints)
    }
}

fn classic_load_balancer(resource: &Resource<'_>) -> Listens {
    let Some(host) = resource.text("dns_name") else {
        return Listens::Unknown(NOT_APPLIED);
    };
    let endpoint = |listener: &Value| {
        let port = u16::try_from(listener.get("lb_port")?.as_u64()?).ok()?;
        let service = match listener
            .get("lb_protocol")?
            .as_str()?
            .to_ascii_lowercase()
            .as_str()
        {
            "http" => Some("http"),
            "https" => Some("https"),
            "ssl" => Some("tls"),
            _ => None,
        };
        let mut endpoint = Endpoint::new(host, port, service);
        endpoint.tls = (service == Some("http")).then_some(Value::Bool(false));
        endpoint.is_private = resource.switch("internal");
        Some(endpoint)
    };
    Listens::On(resource.blocks("listener").iter().filter_map(endpoint).collect())
}

fn instance(resource: &Resource<'_>) -> Listens {
    let host = resource.text("public_dns").or_else(|| resource.text("public_ip"));
    let host = host.or_else(|| resource.text("public_ip_address"));
    let Some(host) = host else {
        return Listens::NotAtAll;
    };
    let mut endpoint = Endpoint::new(host, 22, Some("ssh"));
    endpoint.remark = Some(SSH);
    Listens::On(vec![endpoint])
}

fn https(resource: &Resource<'_>, field: &str) -> Listens {
    match resource.text(field).and_then(|host| host_and_port(host, 443)) {
        Some((host, port)) => Listens::On(vec![Endpoint::new(&host, port, Some("https"))]),
        None => Listens::Unknown(NOT_APPLIED),
    }
}
