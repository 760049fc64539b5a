//! Resources of Google Cloud.
//!
//! Source: <https://registry.terraform.io/providers/hashicorp/google/latest/docs>

use serde_json::{Value, json};

use super::{Endpoint, Listens, Resource, host_and_port};
use crate::services::on_port;

const NOT_APPLIED: &str = "Its address is not in the state: apply it first.";

/// The ports of a resource.
pub(super) fn listens(resource: &Resource<'_>) -> Listens {
    match resource.kind {
        "google_sql_database_instance" => {
            let version = resource.text("database_version").unwrap_or_default();
            let (service, port) = if version.starts_with("POSTGRES") {
                (Some("postgres"), 5432)
            } else if version.starts_with("MYSQL") {
                (Some("mysql"), 3306)
            } else {
                (None, 1433)
            };
            let public = resource.text("public_ip_address");
            match public.or_else(|| resource.text("private_ip_address")) {
                Some(host) => {
                    let mut endpoint = Endpoint::new(host, port, service);
                    endpoint.is_private = public.is_none();
                    Listens::On(vec![endpoint])
                }
                None => Listens::Unknown(NOT_APPLIED),
            }
        }
        "google_redis_instance" => match resource.text("host") {
            Some(host) => {
                let mut endpoint =
                    Endpoint::new(host, resource.number("port").unwrap_or(6379), Some("redis"));
                let mode = resource.text("transit_encryption_mode");
                endpoint.tls = Some(json!(mode == Some("SERVER_AUTHENTICATION")));
                endpoint.is_private = true;
                Listens::On(vec![endpoint])
            }
            None => Listens::Unknown(NOT_APPLIED),
        },
        "google_memcache_instance" => {
            let endpoint = resource.text("discovery_endpoint");
            match endpoint.and_then(|endpoint| host_and_port(endpoint, 11_211)) {
                Some((host, port)) => {
                    let mut endpoint = Endpoint::new(&host, port, Some("memcached"));
                    endpoint.is_private = true;
                    Listens::On(vec![endpoint])
                }
                None => Listens::Unknown(NOT_APPLIED),
            }
        }
        "google_compute_instance" => {
            let interfaces = resource.blocks("network_interface").iter();
            let address = interfaces
                .flat_map(|interface| {
                    interface
                        .get("access_config")
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten()
                })
                .find_map(|access| {
                    access
                        .get("nat_ip")?
                        .as_str()
                        .filter(|address| !address.is_empty())
                });
            match address {
                Some(host) => {
                    let mut endpoint = Endpoint::new(host, 22, Some("ssh"));
                    endpoint.remark =
                        Some("Only SSH is checked: the state does not say which other ports are open.");
                    Listens::On(vec![endpoint])
                }
                None => Listens::NotAtAll,
            }
        }
        "google_compute_forwarding_rule" | "google_compute_global_forwarding_rule" => {
            let range = resource.text("port_range").unwrap_or_default();
            let port = range.split('-').next().and_then(|port| port.parse::<u16>().ok());
            match (resource.text("ip_address"), port) {
                (Some(host), Some(port)) => {
                    let service = on_port(port).filter(|service| *service != "dns");
                    let mut endpoint = Endpoint::new(host, port, service);
                    endpoint.is_private = resource
                        .text("load_balancing_scheme")
                        .is_some_and(|scheme| scheme.starts_with("INTERNAL"));
                    if service == Some("https") {
                        endpoint.remark = Some(
                            "The certificate is that of your own name, not of the address: set `host` to the name that people use.",
                        );
                    }
                    Listens::On(vec![endpoint])
                }
                _ => Listens::Unknown("Its address or its ports are not in the state."),
            }
        }
        _ => Listens::NotAtAll,
    }
}
