//! Targets of `portpulse check`: `HOST:PORT`, or `HOST` if the service has a default port.

use std::path::{Path, PathBuf};
use std::time::Duration;

use portpulse_core::choice::Expect;
use portpulse_core::definition::{Diagnostic, Monitor};
use portpulse_core::service::Service;
use portpulse_core::target::Target;
use portpulse_core::time::format_duration;
use serde_json::{Map, Value};

use crate::output::diagnostic_text;

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

impl TargetArg {
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
        let (host, port) = split(&self.text).map_err(|what| vec![self.problem(what)])?;
        let mut fields = check_settings.exchange.clone();
        fields.insert("host".to_owned(), host.into());
        fields.insert("expect".to_owned(), check_settings.expect.as_str().into());
        if let Some(port) = port {
            let number = port.parse::<i64>();
            let number = number.map_err(|_| vec![self.problem(&format!("port `{port}` is not a number"))])?;
            fields.insert("port".to_owned(), number.into());
        }
        if let Some(service) = check_settings.service {
            fields.insert("service".to_owned(), service.as_str().into());
        }
        if let Some(timeout) = check_settings.timeout {
            fields.insert("timeout".to_owned(), format_duration(timeout).into());
        }
        match Monitor::from_fields("target", &Value::Object(fields)) {
            Ok(monitor) => Ok(monitor.target().clone()),
            Err(diagnostics) => Err(diagnostics
                .into_iter()
                .map(|diagnostic| self.problem(&with_cli_help(diagnostic)))
                .collect()),
        }
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
    let help = match diagnostic.help.as_str() {
        "write a port, or a `service` that has one" => "write HOST:PORT, or add --service".to_owned(),
        help if help.starts_with("write `service: mysql`") => "add --service mysql".to_owned(),
        help if help.starts_with("add `service: tls`") => "add --tls, or --service".to_owned(),
        help if help.starts_with("add `tls: true`") => "add --tls, or leave --warn-days out".to_owned(),
        help if help.starts_with("write `tls: true`") => "use --tls instead".to_owned(),
        _ => diagnostic.help,
    };
    diagnostic_text(&Diagnostic { help, ..diagnostic })
}

/// Splits a target into host and port; an IPv6 address requires brackets.
fn split(text: &str) -> Result<(&str, Option<&str>), &'static str> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("missing `]`")?;
        if !host.contains(':') {
            return Err("brackets require an IPv6 address");
        }
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err("expected `:PORT` after `]`"),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((_, port)) if port.contains("//") => Err("URLs are not supported\n  help: write HOST:PORT"),
        Some((_, port)) if port.contains(':') => {
            Err("IPv6 addresses require brackets\n  help: write [ADDRESS]:PORT")
        }
        Some((host, port)) => Ok((host, Some(port))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, service: Option<Service>) -> String {
        let typed = TargetArg {
            text: text.to_owned(),
            source: None,
        };
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
            (
                "https://db",
                None,
                "https://db: URLs are not supported\n  help: write HOST:PORT",
            ),
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
    fn target_file_has_one_target_per_line() {
        let path = PathBuf::from("targets.txt");
        let typed = TargetArg::from_lines(&path, "# ours\n\n a:1 # the first\r\nb:2\n#c:3");
        let found: Vec<_> = typed.iter().map(|typed| typed.problem("?")).collect();
        assert_eq!(found, ["targets.txt:3: a:1: ?", "targets.txt:4: b:2: ?"]);
    }
}
