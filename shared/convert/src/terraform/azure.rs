//! Resources of Azure.
//!
//! Source: <https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs>

use serde_json::json;

use super::{Endpoint, Listens, Resource, host_and_port};

const NOT_APPLIED: &str = "Its address is not in the state: apply it first.";

const SSH: &str = "Only SSH is checked: the state does not say which other ports are open.";
const REMOTE_DESKTOP: &str =
    "Only Remote Desktop is checked: the state does not say which other ports are open.";
const RULES: &str = "Its address and its rules are resources of their own, which are not combined: write a monitor for each port.";

/// The ports of a resource.
pub(super) fn listens(resource: &Resource<'_>) -> Listens {
    let (field, port, service, tls) = match resource.kind {
        "azurerm_postgresql_flexible_server" | "azurerm_postgresql_server" => {
            ("fqdn", 5432, Some("postgres"), Some(json!("starttls")))
        }
        "azurerm_mysql_flexible_server" | "azurerm_mysql_server" => {
            ("fqdn", 3306, Some("mysql"), Some(json!("starttls")))
        }
        "azurerm_mssql_server" => ("fully_qualified_domain_name", 1433, Some("mssql"), None),
        "azurerm_redis_cache" => ("hostname", 6380, Some("redis"), Some(json!(true))),
        "azurerm_linux_virtual_machine" => return machine(resource, 22, Some("ssh"), SSH),
        "azurerm_windows_virtual_machine" => return machine(resource, 3389, None, REMOTE_DESKTOP),
        "azurerm_servicebus_namespace" => return service_bus(resource),
        "azurerm_lb" | "azurerm_application_gateway" => return Listens::Unknown(RULES),
        "azurerm_linux_web_app" | "azurerm_windows_web_app" => ("default_hostname", 443, Some("https"), None),
        _ => return Listens::NotAtAll,
    };
    let Some(host) = resource.text(field) else {
        return Listens::Unknown(NOT_APPLIED);
    };
    let port = resource.number("ssl_port").unwrap_or(port);
    let mut endpoint = Endpoint::new(host, port, service);
    endpoint.tls = tls;
    endpoint.is_private = resource.values.get("public_network_access_enabled") == Some(&json!(false));
    if service.is_none() {
        endpoint.remark = Some("Only the port is checked.");
    }
    Listens::On(vec![endpoint])
}

/// A machine without a public address is reached through others.
fn machine(
    resource: &Resource<'_>,
    port: u16,
    service: Option<&'static str>,
    remark: &'static str,
) -> Listens {
    let Some(host) = resource.text("public_ip_address") else {
        return Listens::NotAtAll;
    };
    let mut endpoint = Endpoint::new(host, port, service);
    endpoint.remark = Some(remark);
    Listens::On(vec![endpoint])
}

/// A broker, whose endpoint is a URL; AMQP has a port of its own.
fn service_bus(resource: &Resource<'_>) -> Listens {
    let Some((host, _)) = resource.text("endpoint").and_then(|url| host_and_port(url, 443)) else {
        return Listens::Unknown(NOT_APPLIED);
    };
    let mut endpoint = Endpoint::new(&host, 5671, Some("tls"));
    endpoint.is_private = resource.values.get("public_network_access_enabled") == Some(&json!(false));
    endpoint.remark = Some("Only the TLS handshake is checked, not the protocol.");
    Listens::On(vec![endpoint])
}
