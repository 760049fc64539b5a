//! Targets of `portpulse check`: `HOST:PORT`, `HOST` if the service has a default port, or a URL.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Uri;
use http::uri::PathAndQuery;
use portpulse_core::choice::{CheckKind, Expect};
use portpulse_core::definition::{Diagnostic, Help, Monitor};
use portpulse_core::service::Service;
use portpulse_core::target::Target;
use portpulse_core::time::format_duration;
use serde_json::{Map, Value, json};

use crate::output::{diagnostic_text, with_help};

/// A target from the command line or from a file.
pub(crate) struct TargetArg {
    pub(crate) text: String,
    pub(crate) source: Option<(PathBuf, usize)>,
}

/// The settings that apply to all targets.
pub(crate) struct CheckSettings {
    pub(crate) service: Option<Service>,
    pub(crate) expect: Expect,
    pub(crate) timeout: Option<Duration>,
    /// The fields of the readiness check, and the service that they imply.
    pub(crate) exchange: Map<String, Value>,
}

/// A target, split into its parts.
#[derive(Debug, Default)]
struct TargetParts {
    host: String,
    port: Option<String>,
    /// The service of a URL's scheme.
    service: Option<Service>,
    /// The path and query of an HTTP or WebSocket URL, unless it is `/`.
    http_path: Option<String>,
    /// Whether the scheme of a URL demands TLS in addition to the service.
    has_tls: bool,
    /// Whether the scheme of a URL is that of a ping.
    is_ping: bool,
}

impl TargetArg {
    /// A target of the command line.
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            source: None,
        }
    }

    /// Parses a file with one target per line and `#` comments.
    pub(crate) fn from_lines(path: &Path, text: &str) -> Vec<Self> {
        let typed = |(index, line): (usize, &str)| {
            let text = line.split('#').next().unwrap_or_default().trim();
            (!text.is_empty()).then(|| Self {
                text: text.to_owned(),
                source: Some((path.to_path_buf(), index + 1)),
            })
        };
        text.lines().enumerate().filter_map(typed).collect()
    }

    /// Applies the rules of monitors; the error lists all problems.
    pub(crate) fn target(&self, check_settings: &CheckSettings) -> Result<Target, Vec<String>> {
        let parts = TargetParts::of(&self.text).map_err(|what| vec![self.problem(&what)])?;
        let mut fields = check_settings.exchange.clone();
        fields.insert("host".to_owned(), parts.host.into());
        if parts.is_ping {
            fields.insert("check".to_owned(), CheckKind::Ping.as_str().into());
        }
        if !parts.is_ping || check_settings.expect != Expect::Open {
            fields.insert("expect".to_owned(), check_settings.expect.as_str().into());
        }
        if let Some(port) = parts.port {
            let number = port.parse::<i64>();
            let number = number.map_err(|_| vec![self.problem(&format!("port `{port}` is not a number"))])?;
            fields.insert("port".to_owned(), number.into());
        }
        if let Some(service) = check_settings.service.or(parts.service) {
            fields.insert("service".to_owned(), service.as_str().into());
        }
        if parts.has_tls {
            fields.entry("tls").or_insert(true.into());
        }
        if let Some(path) = parts.http_path {
            let http = fields.entry("http").or_insert_with(|| json!({}));
            // --http-path overrides the path of the URL.
            http.as_object_mut()
                .map(|http| http.entry("path").or_insert(path.into()));
        }
        if let Some(timeout) = check_settings.timeout {
            fields.insert("timeout".to_owned(), format_duration(timeout).into());
        }
        let monitor = Monitor::from_fields("target", &Value::Object(fields));
        let monitor = monitor.map_err(|diagnostics| {
            let problems = diagnostics.into_iter().map(with_cli_help);
            problems.map(|problem| self.problem(&problem)).collect::<Vec<_>>()
        });
        Ok(monitor?.target().clone())
    }

    fn problem(&self, what: &str) -> String {
        let text = self.text.escape_debug();
        match &self.source {
            Some((path, line)) => format!("{}:{line}: {text}: {what}", path.display()),
            None => format!("{text}: {what}"),
        }
    }
}

/// The text of a diagnostic, with hints that refer to options instead of fields.
fn with_cli_help(diagnostic: Diagnostic) -> String {
    let help = match diagnostic.help {
        Help::Text(text) => text,
        Help::AddPort => "write HOST:PORT, or add --service".to_owned(),
        Help::RemoveFromPing("port") => "write ping://HOST, without a port".to_owned(),
        Help::RemoveFromPing("service") => "leave --service out".to_owned(),
        Help::RemoveFromPing(field) => format!("leave the options of `{field}` out"),
        Help::AddMysql { .. } => "add --service mysql".to_owned(),
        Help::AddTlsService => "add --tls, or --service".to_owned(),
        Help::AddTls(field) => format!("add --tls, or leave --{} out", field.replace('_', "-")),
        Help::UseTls => "use --tls instead".to_owned(),
        Help::RemoveWarnDaysOrInsecure => "leave --warn-days or --insecure out".to_owned(),
    };
    diagnostic_text(&Diagnostic {
        help: help.into(),
        ..diagnostic
    })
}

impl TargetParts {
    /// Splits a target; an IPv6 address requires brackets.
    fn of(text: &str) -> Result<Self, String> {
        if let Some((scheme, _)) = text.split_once("://") {
            return Self::of_url(text, scheme);
        }
        let host_and_port = |host: &str, port: Option<&str>| Self {
            host: host.to_owned(),
            port: port.map(str::to_owned),
            ..Self::default()
        };
        if let Some(rest) = text.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').ok_or("missing `]`")?;
            if !host.contains(':') {
                return Err("brackets require an IPv6 address".to_owned());
            }
            return match rest.strip_prefix(':') {
                Some(port) => Ok(host_and_port(host, Some(port))),
                None if rest.is_empty() => Ok(host_and_port(host, None)),
                None => Err("expected `:PORT` after `]`".to_owned()),
            };
        }
        match text.split_once(':') {
            None => Ok(host_and_port(text, None)),
            Some((_, port)) if port.contains(':') => Err(with_help(
                "IPv6 addresses require brackets",
                "write [ADDRESS]:PORT",
            )),
            Some((host, port)) => Ok(host_and_port(host, Some(port))),
        }
    }

    /// The host, port, service and path of a URL. User names, passwords and fragments are ignored.
    fn of_url(text: &str, scheme: &str) -> Result<Self, String> {
        let url: Uri = text
            .parse()
            .map_err(|error| format!("the URL is invalid: {error}"))?;
        let over_tls = match scheme {
            "wss" => Some((Service::Websocket, "443")),
            "mqtts" => Some((Service::Mqtt, "8883")),
            _ => None,
        };
        let is_ping = matches!(scheme, "ping" | "icmp");
        let service = match scheme {
            "tcp" | "ping" | "icmp" => None,
            "ws" => Some(Service::Websocket),
            "wss" | "mqtts" => over_tls.map(|(service, _)| service),
            "postgresql" => Some(Service::Postgres),
            "amqp" => Some(Service::Rabbitmq),
            scheme => Some(scheme.parse::<Service>().map_err(|_| {
                let help = "write HOST:PORT, and --service if it is a known service";
                with_help(format_args!("the scheme `{scheme}` is not supported"), help)
            })?),
        };
        let path = url
            .path_and_query()
            .map(PathAndQuery::as_str)
            .filter(|path| *path != "/");
        let is_http = matches!(service, Some(Service::Http | Service::Https | Service::Websocket));
        let port = url.port().map(|port| port.as_str().to_owned());
        Ok(Self {
            host: url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned(),
            port: port.or_else(|| over_tls.map(|(_, port)| port.to_owned())),
            service,
            http_path: path.filter(|_| is_http).map(str::to_owned),
            has_tls: over_tls.is_some(),
            is_ping,
        })
    }
}

#[cfg(test)]
mod tests {
    use portpulse_core::target::Check;

    use super::*;

    fn read(text: &str, service: Option<Service>) -> String {
        let typed = TargetArg::new(text);
        let check_settings = CheckSettings {
            service,
            expect: Expect::Open,
            timeout: None,
            exchange: Map::new(),
        };
        typed
            .target(&check_settings)
            .map_or_else(|wrong| wrong.join("; "), |target| target.to_string())
    }

    #[test]
    fn targets_are_parsed_as_host_and_port() {
        for (text, service, expected) in [
            ("db.example.com:5432", None, "db.example.com:5432"),
            ("db.example.com", Some(Service::Postgres), "db.example.com:5432"),
            (
                "db.example.com:5433",
                Some(Service::Postgres),
                "db.example.com:5433",
            ),
            ("127.0.0.1:22", None, "127.0.0.1:22"),
            ("[::1]:22", None, "[::1]:22"),
            ("[::1]", Some(Service::Ssh), "[::1]:22"),
            (
                "db",
                None,
                "db: port: is missing\n  help: write HOST:PORT, or add --service",
            ),
            (
                "::1:22",
                None,
                "::1:22: IPv6 addresses require brackets\n  help: write [ADDRESS]:PORT",
            ),
            ("[::1", None, "[::1: missing `]`"),
            ("[db]:1", None, "[db]:1: brackets require an IPv6 address"),
            ("[::1]x", None, "[::1]x: expected `:PORT` after `]`"),
            ("db:ssh", None, "db:ssh: port `ssh` is not a number"),
            (
                "db:0",
                None,
                "db:0: port: 0 is out of range\n  help: write a whole number from 1 to 65535",
            ),
            ("https://db", None, "db:443"),
            ("http://user:secret@[::1]:8080/up?x=1#top", None, "[::1]:8080"),
            ("postgresql://db.example.com/orders", None, "db.example.com:5432"),
            ("ws://chat.example.com/room", None, "chat.example.com:80"),
            ("wss://chat.example.com/room?id=1", None, "chat.example.com:443"),
            ("mqtts://broker.example.com", None, "broker.example.com:8883"),
            ("mqtts://broker.example.com:1883", None, "broker.example.com:1883"),
            ("tcp://db:1", None, "db:1"),
            ("ping://router.example.com", None, "router.example.com"),
            ("icmp://[2001:db8::1]", None, "2001:db8::1"),
            (
                "ping://db:1",
                None,
                "ping://db:1: port: has no effect on a ping\n  help: write ping://HOST, without a port",
            ),
            (
                "ping://db",
                Some(Service::Ssh),
                "ping://db: service: has no effect on a ping\n  help: leave --service out",
            ),
            (
                "tcp://db",
                None,
                "tcp://db: port: is missing\n  help: write HOST:PORT, or add --service",
            ),
            (
                "gopher://db",
                None,
                "gopher://db: the scheme `gopher` is not supported\n  help: write HOST:PORT, and --service if it is a known service",
            ),
            ("https://", None, "https://: the URL is invalid: empty string"),
            (
                "db:3306",
                None,
                "db:3306: port: MySQL and MariaDB block a client that only connects and disconnects\n  help: add --service mysql",
            ),
        ] {
            assert_eq!(read(text, service), expected);
        }
    }

    #[test]
    fn schemes_over_tls_imply_tls() {
        let tls = |url: &str| {
            let check_settings = CheckSettings {
                service: None,
                expect: Expect::Open,
                timeout: None,
                exchange: Map::new(),
            };
            let target = TargetArg::new(url).target(&check_settings).unwrap();
            let Check::Ready(readiness) = target.check else {
                panic!("{url}: only a connect")
            };
            readiness.to_string()
        };
        assert_eq!(tls("wss://chat.example.com:8080/room"), "WebSocket over TLS");
        assert_eq!(tls("ws://chat.example.com:8080/room"), "WebSocket");
        assert_eq!(tls("mqtts://broker.example.com:1883"), "MQTT over TLS");
        assert_eq!(tls("mqtt://broker.example.com"), "MQTT");
    }

    #[test]
    fn target_file_has_one_target_per_line() {
        let path = PathBuf::from("targets.txt");
        let typed = TargetArg::from_lines(&path, "# ours\n\n a:1 # the first\r\nb:2\n#c:3");
        let found: Vec<_> = typed.iter().map(|typed| typed.problem("?")).collect();
        assert_eq!(found, ["targets.txt:3: a:1: ?", "targets.txt:4: b:2: ?"]);
    }
}
