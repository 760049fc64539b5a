//! Converts connection strings of databases: the host, the port and TLS. Credentials and everything else are named.

use crate::address::Address;
use crate::draft::Draft;
use crate::secret::CREDENTIALS;

/// Applies a connection string to the draft.
///
/// # Errors
/// If the string names no host.
pub(crate) fn apply(draft: &mut Draft, field: &str, service: &str, text: &str) -> Result<(), &'static str> {
    let text = text.trim();
    if service == "sqlserver" {
        return sql_server(draft, field, text);
    }
    let (scheme, rest) = text
        .split_once("://")
        .ok_or("Its connection string is not a URL.")?;
    let scheme = scheme.to_ascii_lowercase();
    let (user, rest) = without_user(rest);
    let (hosts, query) = rest.split_once('?').unwrap_or((rest, ""));
    let hosts: Vec<&str> = hosts.split('/').next().unwrap_or_default().split(',').collect();
    let first = hosts.first().copied().unwrap_or_default();
    let address = Address::parse(first).ok_or("Its connection string has no host.")?;
    draft.set("service", service);
    draft.set_target(&address, None);
    let encryption = Encryption::read(&scheme, query);
    if scheme == "mongodb+srv" {
        // The records name the hosts and the port.
        let service = encryption.srv_service.as_deref().unwrap_or("mongodb");
        draft.set("host", format!("_{service}._tcp.{}", address.host));
        draft.fields.remove("port");
    }
    if hosts.len() > 1 {
        draft.changed(
            field,
            "Only the first of several hosts is checked: write a monitor for each.",
        );
    }
    if user {
        draft.lost(&format!("{field}: user"), CREDENTIALS);
    }
    // PostgreSQL and MySQL upgrade to TLS within their protocols.
    let on = if matches!(service, "postgres" | "mysql" | "mariadb") {
        serde_json::json!("starttls")
    } else {
        serde_json::json!(true)
    };
    draft.set(
        "tls",
        if encryption.is_on {
            on
        } else {
            serde_json::json!(false)
        },
    );
    if encryption.is_on && encryption.accepts_any_certificate {
        draft.set_insecure(&format!("{field}: TLS"));
    }
    if encryption.is_on && encryption.has_certificate {
        draft.set_client_certificate(&format!("{field}: certificate"));
    }
    for name in encryption.others {
        let reason = "This parameter of the connection string is not supported.";
        draft.lost(&format!("{field}: ?{name}"), reason);
    }
    Ok(())
}

/// Whether there are credentials, and the text after them. A password may contain any character, also a slash or a question
/// mark; an `@` after the host belongs to a parameter.
fn without_user(rest: &str) -> (bool, &str) {
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    if let Some((credentials, _)) = before.rsplit_once('@') {
        let hosts = rest.get(credentials.len() + 1..).unwrap_or_default();
        return (true, hosts);
    }
    match query.rsplit_once('@') {
        Some((_, hosts)) => (true, hosts),
        None => (false, rest),
    }
}

/// What a connection string says of TLS.
#[derive(Debug, Default, PartialEq, Eq)]
struct Encryption {
    is_on: bool,
    accepts_any_certificate: bool,
    /// The client presents a certificate.
    has_certificate: bool,
    /// The service in the name of the SRV records.
    srv_service: Option<String>,
    /// The names of parameters that may change the connection.
    others: Vec<String>,
}

impl Encryption {
    fn read(scheme: &str, query: &str) -> Self {
        let mut read = Self {
            // Seed lists of MongoDB use TLS unless they say otherwise.
            is_on: matches!(scheme, "rediss" | "valkeys" | "amqps" | "mongodb+srv"),
            ..Self::default()
        };
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.to_ascii_lowercase();
            match name.to_ascii_lowercase().replace('-', "").as_str() {
                "sslmode" => {
                    read.is_on = !matches!(value.as_str(), "disable" | "disabled" | "allow");
                    // Only these verify the certificate in libpq; pg of Node.js verifies it for the others, too.
                    read.accepts_any_certificate = matches!(value.as_str(), "noverify" | "no-verify");
                }
                "ssl" | "tls" | "usessl" | "encrypt" => {
                    read.is_on = !matches!(value.as_str(), "false" | "0" | "no" | "disable" | "off");
                    read.accepts_any_certificate |= value.contains("rejectunauthorized%22:false")
                        || value.contains("\"rejectunauthorized\":false")
                        || value == "skip-verify";
                }
                "tlsinsecure" | "tlsallowinvalidcertificates" | "tlsallowinvalidhostnames" => {
                    read.accepts_any_certificate |= value == "true";
                }
                "sslcert" | "sslkey" | "tlscertificatekeyfile" => read.has_certificate = true,
                "srvservicename" => read.srv_service = Some(value),
                // Without meaning for a readiness check.
                "appname"
                | "applicationname"
                | "application_name"
                | "authsource"
                | "charset"
                | "db"
                | "database"
                | "retrywrites"
                | "w"
                | "timezone"
                | "readpreference"
                | "authmechanism"
                | "replicaset"
                | "connecttimeoutms"
                | "serverselectiontimeoutms"
                | "connect_timeout"
                | "connecttimeout"
                | "options"
                | "schema"
                | "uselibpqcompat"
                | "srvmaxhosts" => {}
                _ => {
                    // A text that is no name may be part of a password.
                    let is_name = name
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
                    read.others.push(
                        if is_name && parameter.contains('=') {
                            name
                        } else {
                            "…"
                        }
                        .to_owned(),
                    );
                }
            }
        }
        read
    }
}

/// `Server=host,1433;Database=…`
fn sql_server(draft: &mut Draft, field: &str, text: &str) -> Result<(), &'static str> {
    let server = text.split(';').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        matches!(name.as_str(), "server" | "data source" | "address" | "addr").then_some(value.trim())
    });
    let server = server.ok_or("Its connection string has no server.")?;
    let server = server.strip_prefix("tcp:").unwrap_or(server);
    let (host, port) = match server.split_once(',') {
        Some((host, port)) => {
            let port = port.trim().parse::<u16>();
            (
                host,
                port.map_err(|_| "The port in its connection string is invalid.")?,
            )
        }
        None if server.contains('\\') => {
            return Err("Its server is a named instance, whose port is not fixed.");
        }
        None => (server, 1433),
    };
    let address = Address::parse(host).ok_or("Its connection string has no server.")?;
    draft.set("service", "mssql");
    draft.set("host", address.host);
    if port != 1433 {
        draft.set("port", port);
    }
    draft.changed(
        field,
        "Became a readiness check without credentials: the server must answer before a login, a query is not sent.",
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn connection_strings_keep_host_port_and_tls_only() {
        let check = |service: &str, text: &str, expected: Result<&str, &str>| {
            let mut draft = Draft::new("a", "");
            let made = apply(&mut draft, "url", service, text);
            let shown = made.map(|()| {
                let fields = Value::Object(draft.fields.clone()).to_string();
                let notes: Vec<_> = draft.notes.iter().map(|note| note.field.clone()).collect();
                format!("{fields} {}", notes.join(", ")).trim().to_owned()
            });
            assert_eq!(
                shown,
                expected.map(str::to_owned).map_err(|part| {
                    assert!(made.is_err_and(|reason| reason.contains(part)), "{text}");
                    made.err().unwrap_or_default()
                }),
                "{text}"
            );
        };
        check(
            "redis",
            "rediss://default:s3cret@r.example.com:6379",
            Ok(r#"{"host":"r.example.com","port":6379,"service":"redis","tls":true} url: user"#),
        );
        check(
            "redis",
            "redis://r.example.com/0",
            Ok(r#"{"host":"r.example.com","service":"redis","tls":false}"#),
        );
        check(
            "postgres",
            "postgres://u:p/w@d.example.com:5433/x?sslmode=require&sslcert=a.pem",
            Ok(r#"{"host":"d.example.com","port":5433,"service":"postgres","tls":"starttls"} url: user"#),
        );
        check(
            "postgres",
            "postgres://d.example.com/x?sslmode=no-verify",
            Ok(r#"{"host":"d.example.com","service":"postgres","tls":"starttls"}"#),
        );
        check(
            "mongodb",
            "mongodb://a.example.com:27017,b.example.com:27018/?tls=true",
            Ok(r#"{"host":"a.example.com","port":27017,"service":"mongodb","tls":true} url"#),
        );
        check(
            "mongodb",
            "mongodb+srv://u:p@a.example.com/x?retryWrites=true",
            Ok(r#"{"host":"_mongodb._tcp.a.example.com","service":"mongodb","tls":true} url: user"#),
        );
        check(
            "mongodb",
            "mongodb+srv://a.example.com/?srvServiceName=shop&tls=false",
            Ok(r#"{"host":"_shop._tcp.a.example.com","service":"mongodb","tls":false}"#),
        );
        check(
            "sqlserver",
            "Server=s.example.com,1444;User Id=a;Password=b",
            Ok(r#"{"host":"s.example.com","port":1444,"service":"mssql"} url"#),
        );
        check(
            "postgres",
            "postgres://u:p?w=s3cret@d.example.com/x",
            Ok(r#"{"host":"d.example.com","service":"postgres","tls":false} url: user"#),
        );
        check(
            "postgres",
            "postgres://u:p@d.example.com/x?mail=a@b&s3cret",
            Ok(r#"{"host":"d.example.com","service":"postgres","tls":false} url: user, url: ?mail, url: ?…"#),
        );
        check("mysql", "no", Err("not a URL"));
    }
}
