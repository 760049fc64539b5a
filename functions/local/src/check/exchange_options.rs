//! Options of the readiness check. Each option sets a field of a monitor, and the rules of that field apply.

use serde_json::{Map, Value, json};

use crate::output::present;

/// The options of the readiness check.
#[derive(clap::Args)]
#[command(next_help_heading = "Readiness check")]
pub(crate) struct ExchangeOptions {
    /// Use TLS; without --service, only the TLS handshake is checked
    #[arg(long, conflicts_with = "starttls")]
    tls: bool,

    /// Upgrade to TLS within the protocol: PostgreSQL, MySQL, NATS, SMTP, IMAP, POP3, LDAP, FTP
    #[arg(long)]
    starttls: bool,

    /// The TLS server name, which the certificate must be for, if it is not the host
    #[arg(long, value_name = "NAME")]
    tls_name: Option<String>,

    /// Accept any certificate: do not verify its chain, time and name
    #[arg(long)]
    insecure: bool,

    /// Warn if the certificate expires within this many days; 0 disables the warning [default: 14]
    #[arg(long, value_name = "DAYS")]
    warn_days: Option<i64>,

    /// The name that an SMTP server is greeted with [default: the own address]
    #[arg(long, value_name = "NAME")]
    ehlo: Option<String>,

    /// The path of the HTTP request [default: /]
    #[arg(long, value_name = "PATH")]
    http_path: Option<String>,

    /// The HTTP method: HEAD, GET or OPTIONS [default: HEAD, or GET with --http-text]
    #[arg(long, value_name = "METHOD")]
    http_method: Option<String>,

    /// The accepted HTTP statuses: 200, 2xx, 200-299, or a comma-separated list [default: all below 500]
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    http_status: Vec<String>,

    /// A text that the HTTP response body must contain
    #[arg(long, value_name = "TEXT")]
    http_text: Option<String>,

    /// Follow redirects to the same host
    #[arg(long)]
    http_follow: bool,

    /// The name to query on the DNS server [default: the root]
    #[arg(long, value_name = "NAME")]
    dns_name: Option<String>,

    /// The record type to query [default: A, or NS for the root]
    #[arg(long, value_name = "TYPE")]
    dns_type: Option<String>,

    /// A record that the DNS response must contain; repeatable
    #[arg(long, value_name = "RECORD")]
    dns_must: Vec<String>,

    /// A record that the DNS response must not contain; repeatable
    #[arg(long, value_name = "RECORD")]
    dns_must_not: Vec<String>,

    /// Query the DNS server over UDP instead of TCP
    #[arg(long)]
    dns_udp: bool,
}

impl ExchangeOptions {
    /// The monitor fields that the options set, including the service that they imply.
    pub(crate) fn fields(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        let (http, dns) = (self.http(), self.dns());
        let implied = if !http.is_empty() {
            Some("http")
        } else if !dns.is_empty() {
            Some("dns")
        } else if self.ehlo.is_some() {
            Some("smtp")
        } else if self.tls || (self.tls_name.is_some() && !self.starttls) {
            Some("tls")
        } else {
            None
        };
        fields.extend(implied.map(|service| ("service".to_owned(), json!(service))));
        if self.tls {
            fields.insert("tls".to_owned(), json!(true));
        }
        if self.starttls {
            fields.insert("tls".to_owned(), json!("starttls"));
        }
        if let Some(name) = &self.tls_name {
            fields.insert(
                "tls".to_owned(),
                json!({ "name": name, "starttls": self.starttls }),
            );
        }
        if self.insecure {
            fields.insert("insecure".to_owned(), json!(true));
        }
        fields.extend(self.warn_days.map(|days| ("warn_days".to_owned(), json!(days))));
        fields.extend(self.ehlo.as_ref().map(|name| ("ehlo".to_owned(), json!(name))));
        for (name, section) in [("http", http), ("dns", dns)] {
            if !section.is_empty() {
                fields.insert(name.to_owned(), Value::Object(section));
            }
        }
        fields
    }

    fn http(&self) -> Map<String, Value> {
        let statuses = (!self.http_status.is_empty()).then(|| json!(self.http_status));
        present([
            ("path", self.http_path.as_ref().map(|path| json!(path))),
            ("method", self.http_method.as_ref().map(|method| json!(method))),
            ("status", statuses),
            ("text", self.http_text.as_ref().map(|text| json!(text))),
            ("follow", self.http_follow.then_some(json!(true))),
        ])
    }

    fn dns(&self) -> Map<String, Value> {
        let records = |records: &[String]| (!records.is_empty()).then(|| json!(records));
        present([
            ("name", self.dns_name.as_ref().map(|name| json!(name))),
            ("type", self.dns_type.as_ref().map(|kind| json!(kind))),
            ("must", records(&self.dns_must)),
            ("must_not", records(&self.dns_must_not)),
            ("transport", self.dns_udp.then(|| json!("udp"))),
        ])
    }
}
