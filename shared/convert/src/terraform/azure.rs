//! Resources of Azure.
//!
//! Source: <https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs>

use serde_json::json;

use super::{Endpoint, Listens, Resource};

const NOT_APPLIED: &str = "Its address is not in the state: apply it first.";

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
        "azurerm_linux_virtual_machine" => {
            // A machine without a public address is reached through others.
            return match resource.text("public_ip_address") {
                Some(host) => {
                    let mut endpoint = Endpoint::new(host, 22, Some("ssh"));
                    endpoint.remark =
                        Some("Only SSH is checked: the state does not say which other ports are open.");
                    Listens::On(vec![endpoint])
                }
                None => Listens::NotAtAll,
            };
        }
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
