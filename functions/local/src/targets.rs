//! Targets as one types them: `HOST:PORT`, or `HOST` where the service brings a port along.

use std::path::{Path, PathBuf};
use std::time::Duration;

use portpulse_core::choice::Expect;
use portpulse_core::definition::{Diagnostic, Monitor};
use portpulse_core::target::{Service, Target};
use portpulse_core::time::format_duration;
use serde_json::{Map, Value};

/// A target, and where it was typed if that was in a file.
pub(crate) struct Typed {
    pub(crate) text: String,
    pub(crate) place: Option<(PathBuf, usize)>,
}

/// What is wished of all targets alike.
pub(crate) struct RequestedChecks {
    pub(crate) service: Option<Service>,
    pub(crate) expect: Expect,
    pub(crate) timeout: Option<Duration>,
    /// Fields of the exchange, and perhaps the service that they mean.
    pub(crate) options: Map<String, Value>,
}

impl Typed {
    /// The targets of a file: one a line, `#` begins a comment.
    pub(crate) fn from_lines(path: &Path, text: &str) -> Vec<Self> {
        let typed = |(index, line): (usize, &str)| {
            let text = line.split('#').next().unwrap_or_default().trim();
            (!text.is_empty()).then(|| Self {
                text: text.to_owned(),
                place: Some((path.to_path_buf(), index + 1)),
            })
        };
        text.lines().enumerate().filter_map(typed).collect()
    }

    /// Applies the rules that monitors have; what is wrong comes as lines.
    pub(crate) fn target(&self, requested_checks: &RequestedChecks) -> Result<Target, Vec<String>> {
        let (host, port) = split(&self.text).map_err(|what| vec![self.complaint(what)])?;
        let mut fields = requested_checks.options.clone();
        fields.insert("host".to_owned(), host.into());
        fields.insert("expect".to_owned(), requested_checks.expect.as_str().into());
        if let Some(port) = port {
            let number = port.parse::<i64>();
            let number = number.map_err(|_| vec![self.complaint(&format!("`{port}` is not a port"))])?;
            fields.insert("port".to_owned(), number.into());
        }
        if let Some(service) = requested_checks.service {
            fields.insert("service".to_owned(), service.as_str().into());
        }
        if let Some(timeout) = requested_checks.timeout {
            fields.insert("timeout".to_owned(), format_duration(timeout).into());
        }
        match Monitor::from_fields("target", &Value::Object(fields)) {
            Ok(monitor) => Ok(monitor.target().clone()),
            Err(diagnostics) => Err(diagnostics
                .into_iter()
                .map(|diagnostic| self.complaint(&fixed(diagnostic)))
                .collect()),
        }
    }

    fn complaint(&self, what: &str) -> String {
        let text = self.text.escape_debug();
        match &self.place {
            Some((path, line)) => format!("{}:{line}: {text}: {what}", path.display()),
            None => format!("{text}: {what}"),
        }
    }
}

/// A fault in the words of the command line, where they differ from a file's.
fn fixed(diagnostic: Diagnostic) -> String {
    let help = match diagnostic.help.as_str() {
        "write a port, or a `service` that has one" => "write HOST:PORT, or add --service".to_owned(),
        help if help.starts_with("write `service: mysql`") => "add --service mysql".to_owned(),
        help if help.starts_with("add `service: tls`") => "add --tls, or --service".to_owned(),
        help if help.starts_with("add `tls: true`") => "add --tls, or leave --warn-days out".to_owned(),
        _ => diagnostic.help,
    };
    Diagnostic { help, ..diagnostic }.to_string()
}

/// Splits a target into host and port; an IPv6 address stands in brackets.
fn split(text: &str) -> Result<(&str, Option<&str>), &'static str> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("has `[` without `]`")?;
        if !host.contains(':') {
            return Err("has brackets around what is not an IPv6 address");
        }
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err("has something other than `:PORT` after `]`"),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((_, port)) if port.contains("//") => Err("is a URL: write HOST:PORT"),
        Some((_, port)) if port.contains(':') => Err("is not HOST:PORT: write an IPv6 address in brackets"),
        Some((host, port)) => Ok((host, Some(port))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, service: Option<Service>) -> String {
        let typed = Typed {
            text: text.to_owned(),
            place: None,
        };
        let requested_checks = RequestedChecks {
            service,
            expect: Expect::Open,
            timeout: None,
            options: Map::new(),
        };
        typed
            .target(&requested_checks)
            .map_or_else(|wrong| wrong.join("; "), |target| target.to_string())
    }

    #[test]
    fn targets_are_hosts_with_ports() {
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
                "db: port: is missing (write HOST:PORT, or add --service)",
            ),
            (
                "::1:22",
                None,
                "::1:22: is not HOST:PORT: write an IPv6 address in brackets",
            ),
            ("[::1", None, "[::1: has `[` without `]`"),
            (
                "[db]:1",
                None,
                "[db]:1: has brackets around what is not an IPv6 address",
            ),
            (
                "[::1]x",
                None,
                "[::1]x: has something other than `:PORT` after `]`",
            ),
            ("db:ssh", None, "db:ssh: `ssh` is not a port"),
            (
                "db:0",
                None,
                "db:0: port: 0 is out of range (write a whole number from 1 to 65535)",
            ),
            ("https://db", None, "https://db: is a URL: write HOST:PORT"),
            (
                "db:3306",
                None,
                "db:3306: port: MySQL and MariaDB ban a client that only connects and hangs up (add --service mysql)",
            ),
        ] {
            assert_eq!(read(text, service), expected);
        }
    }

    #[test]
    fn files_have_one_target_a_line() {
        let path = PathBuf::from("targets.txt");
        let typed = Typed::from_lines(&path, "# ours\n\n a:1 # the first\r\nb:2\n#c:3");
        let found: Vec<_> = typed.iter().map(|typed| typed.complaint("?")).collect();
        assert_eq!(found, ["targets.txt:3: a:1: ?", "targets.txt:4: b:2: ?"]);
    }
}
