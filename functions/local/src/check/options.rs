//! What is asked of a service, as one types it: each option stands for a field of a monitor, under the same rules.

use serde_json::{Map, Value, json};

/// The options of a readiness exchange.
#[derive(clap::Args)]
#[command(next_help_heading = "What to ask of the service")]
pub(crate) struct Options {
    /// Begin with TLS; without --service, the handshake is all that is asked
    #[arg(long, conflicts_with = "starttls")]
    tls: bool,

    /// Begin TLS within the protocol: PostgreSQL, MySQL, SMTP, IMAP, POP3
    #[arg(long)]
    starttls: bool,

    /// Warn of a certificate that expires within so many days [default: 14]
    #[arg(long, value_name = "DAYS")]
    warn_days: Option<i64>,

    /// The path to ask for over HTTP [default: /]
    #[arg(long, value_name = "PATH")]
    http_path: Option<String>,

    /// HEAD, GET or OPTIONS [default: HEAD, or GET where a text must appear]
    #[arg(long, value_name = "METHOD")]
    http_method: Option<String>,

    /// What status is good: 200, 2xx, 200-299 or several, with commas [default: any below 500]
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    http_status: Vec<String>,

    /// A text that must appear in the body
    #[arg(long, value_name = "TEXT")]
    http_text: Option<String>,

    /// Follow redirects, on the same host
    #[arg(long)]
    http_follow: bool,

    /// The name to ask a DNS server for [default: the root]
    #[arg(long, value_name = "NAME")]
    dns_name: Option<String>,

    /// The type of record to ask for [default: A, or NS for the root]
    #[arg(long, value_name = "TYPE")]
    dns_type: Option<String>,

    /// A record that must be in the answer; may be given several times
    #[arg(long, value_name = "RECORD")]
    dns_must: Vec<String>,

    /// A record that must not be in the answer; may be given several times
    #[arg(long, value_name = "RECORD")]
    dns_must_not: Vec<String>,

    /// Ask the DNS server over UDP
    #[arg(long)]
    dns_udp: bool,
}

impl Options {
    /// The fields that they stand for, and the service that they mean where none is named.
    pub(crate) fn fields(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        let (http, dns) = (self.http(), self.dns());
        let meant = if !http.is_empty() {
            Some("http")
        } else if !dns.is_empty() {
            Some("dns")
        } else if self.tls {
            Some("tls")
        } else {
            None
        };
        fields.extend(meant.map(|service| ("service".to_owned(), json!(service))));
        if self.tls {
            fields.insert("tls".to_owned(), json!(true));
        }
        if self.starttls {
            fields.insert("tls".to_owned(), json!("starttls"));
        }
        fields.extend(self.warn_days.map(|days| ("warn_days".to_owned(), json!(days))));
        for (name, section) in [("http", http), ("dns", dns)] {
            if !section.is_empty() {
                fields.insert(name.to_owned(), Value::Object(section));
            }
        }
        fields
    }

    fn http(&self) -> Map<String, Value> {
        let statuses = (!self.http_status.is_empty()).then(|| json!(self.http_status));
        given([
            ("path", self.http_path.as_ref().map(|path| json!(path))),
            ("method", self.http_method.as_ref().map(|method| json!(method))),
            ("status", statuses),
            ("text", self.http_text.as_ref().map(|text| json!(text))),
            ("follow", self.http_follow.then_some(json!(true))),
        ])
    }

    fn dns(&self) -> Map<String, Value> {
        let records = |records: &[String]| (!records.is_empty()).then(|| json!(records));
        given([
            ("name", self.dns_name.as_ref().map(|name| json!(name))),
            ("type", self.dns_type.as_ref().map(|kind| json!(kind))),
            ("must", records(&self.dns_must)),
            ("must_not", records(&self.dns_must_not)),
            ("transport", self.dns_udp.then(|| json!("udp"))),
        ])
    }
}

fn given<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    let fields = fields.into_iter();
    fields
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}
