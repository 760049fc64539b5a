//! Selects the check from the requested kind, the expectation, the service and the options.

use super::options::{Options, TlsChoice};
use super::reader::Reader;
use crate::choice::{CheckKind, CloseMode, Expect};
use crate::readiness::{Protocol, Readiness, Tls, begins_with_tls};
use crate::service::Service;
use crate::target::Check;

/// The requested check. An invalid field is `None` and already has a diagnostic.
pub(super) struct RequestedCheck {
    pub(super) kind: Option<CheckKind>,
    pub(super) expect: Option<Expect>,
    pub(super) close: Option<CloseMode>,
    pub(super) service: Option<Service>,
    pub(super) port: Option<u32>,
    pub(super) options: Options,
}

/// The reason against a plain connect to MySQL.
const BLOCKED: &str = "MySQL and MariaDB block a client that only connects and disconnects";

impl Reader<'_> {
    /// Returns the check, or `None` after a diagnostic for each mistake.
    pub(super) fn check(&mut self, requested_check: RequestedCheck) -> Option<Check> {
        let RequestedCheck {
            service,
            port,
            options,
            ..
        } = requested_check;
        let (kind, expect, close) = (
            requested_check.kind?,
            requested_check.expect?,
            requested_check.close?,
        );
        let diagnostics = self.diagnostics.len();
        let asked = self.wrote("check");
        let scripted = options.script.is_present;
        let speaks = if scripted {
            kind == CheckKind::Ready || !asked
        } else {
            kind == CheckKind::Ready && service.is_some()
        };
        let asks = speaks && expect == Expect::Open;
        if scripted {
            self.script_fits(asks);
        }
        if kind == CheckKind::Ready && expect != Expect::Open && asked {
            let what = format!("`ready` cannot be combined with `expect: {expect}`");
            self.diagnostic("check", what, "write `check: connect`, or remove `check`");
        }
        if service.is_none() && self.wrote("service") {
            // The unknown service already has a diagnostic, and the options cannot be validated without the service.
            return None;
        }
        if kind == CheckKind::Ready && expect == Expect::Open && service.is_none() && !scripted {
            self.diagnostic("check", "`ready` requires a service", "add `service`");
        }
        let readiness = self.readiness(asks, service, port, options);
        if asks && close == CloseMode::Quiet {
            let what = "`quiet` closes the connection before the service sees it, so it cannot be combined with `check: ready`";
            self.diagnostic("close", what, "add `check: connect`, or remove `close`");
        }
        if self.diagnostics.len() > diagnostics {
            return None;
        }
        if self.gets_banned(readiness.as_ref(), expect, close, service, port) {
            let help = match expect {
                _ if asks => "write `service: mysql`",
                Expect::Open => "write `service: mysql` with `check: ready`, or `close: quiet`",
                Expect::Reachable | Expect::Closed => "add `close: quiet`",
            };
            self.diagnostic(if asked { "check" } else { "port" }, BLOCKED, help);
            return None;
        }
        // A service implies `ready`, but only for a port that is expected to be open.
        Some(readiness.map_or(Check::Connect(close), Check::Ready))
    }

    fn gets_banned(
        &self,
        readiness: Option<&Readiness>,
        expect: Expect,
        close: CloseMode,
        service: Option<Service>,
        port: Option<u32>,
    ) -> bool {
        let mysql = port == Some(3306) || matches!(service, Some(Service::Mysql | Service::Mariadb));
        match readiness.map(Readiness::protocol) {
            None => mysql && close == CloseMode::Fin && expect != Expect::Closed,
            // These exchanges do not end with a refused login.
            Some(Protocol::Script(_) | Protocol::TlsAlone) => mysql,
            Some(_) => false,
        }
    }

    fn script_fits(&mut self, asks: bool) {
        if self.wrote("service") {
            let what = "replaces the exchange of a service, so it cannot be combined with `service`";
            self.diagnostic(
                "script",
                what,
                "write `port` instead of `service`, or remove `script`",
            );
        } else if !asks {
            let what = "requires `check: ready` and `expect: open`";
            self.diagnostic("script", what, "remove `check` and `expect`, or remove `script`");
        }
    }

    /// The readiness exchange, if one is made. An option that was written for this monitor and has no effect is a
    /// mistake.
    ///
    /// An option in `defaults:` applies only to the monitors that support it.
    fn readiness(
        &mut self,
        asks: bool,
        service: Option<Service>,
        port: Option<u32>,
        options: Options,
    ) -> Option<Readiness> {
        const NO_EFFECT: &str = "has no effect: this check only connects";
        let is_http = matches!(service, Some(Service::Http | Service::Https));
        let is_dns = service == Some(Service::Dns);
        for (option, fits, services) in [
            ("http", is_http, "`service: http` or `https`"),
            ("dns", is_dns, "`service: dns`"),
        ] {
            if self.wrote_here(option) && !fits {
                let what = format!("requires {services}");
                self.diagnostic(option, what, format!("write {services}, or remove `{option}`"));
            } else if self.wrote_here(option) && !asks {
                let help = format!("remove `check` and `expect`, or remove `{option}`");
                self.diagnostic(option, NO_EFFECT, help);
            }
        }
        if !asks {
            for option in ["tls", "warn_days"] {
                if self.wrote_here(option) && service.is_none() {
                    let help = "add `service: tls` to check only the handshake, or the service on this port";
                    self.diagnostic(option, NO_EFFECT, help);
                } else if self.wrote_here(option) {
                    let help = format!("remove `check` and `expect`, or remove `{option}`");
                    self.diagnostic(option, NO_EFFECT, help);
                }
            }
            return None;
        }
        let protocol = match (service.map(Protocol::of), options.script.read) {
            (_, Some(script)) => Protocol::Script(script),
            (Some(Protocol::Http(usual)), None) => Protocol::Http(options.http.unwrap_or(usual)),
            (Some(Protocol::Dns(usual)), None) => Protocol::Dns(options.dns.unwrap_or(usual)),
            (Some(usual), None) => usual,
            // The invalid script already has a diagnostic.
            (None, None) => return None,
        };
        let tls = self.tls(options.tls, &protocol, service, port);
        if self.wrote_here("warn_days") && tls == Tls::Off {
            let help = "add `tls: true`, or remove `warn_days`";
            self.diagnostic("warn_days", "requires TLS", help);
        }
        let warn_days = options.warn_days.unwrap_or(Readiness::WARN_DAYS);
        match Readiness::new(protocol, tls, warn_days) {
            Ok(readiness) => Some(readiness),
            Err(errors) => {
                for error in errors {
                    self.diagnostic("check", error.to_string(), "change one of the options");
                }
                None
            }
        }
    }

    /// When TLS begins: as written if supported, otherwise as the service and the port imply.
    fn tls(
        &mut self,
        choice: Option<TlsChoice>,
        protocol: &Protocol,
        service: Option<Service>,
        port: Option<u32>,
    ) -> Tls {
        let over_udp = protocol.is_over_udp();
        let wrapped = service.filter(|service| begins_with_tls(*service));
        let refusal = match choice {
            Some(TlsChoice::StartTls | TlsChoice::On) if over_udp => {
                Some(("DNS over UDP has no TLS".to_owned(), "write `transport: tcp`"))
            }
            Some(TlsChoice::StartTls | TlsChoice::Off) if let Some(service) = wrapped => Some((
                format!("`service: {service}` begins with TLS"),
                "remove `tls`, or use the service without TLS",
            )),
            Some(TlsChoice::StartTls) if !protocol.can_upgrade() => Some((
                "STARTTLS is supported only for PostgreSQL, MySQL, MariaDB, SMTP, IMAP and POP3".to_owned(),
                "write `tls: true`, or remove `tls`",
            )),
            Some(TlsChoice::On | TlsChoice::Off | TlsChoice::StartTls) | None => None,
        };
        let implied = || {
            let port = port.and_then(|port| u16::try_from(port).ok()).unwrap_or_default();
            if over_udp {
                Tls::Off
            } else {
                Tls::implied(service, port)
            }
        };
        match (choice, refusal) {
            (_, Some((what, help))) => {
                if self.wrote_here("tls") {
                    self.diagnostic("tls", what, help);
                }
                implied()
            }
            (Some(TlsChoice::On), None) => Tls::Implicit,
            (Some(TlsChoice::Off), None) => Tls::Off,
            (Some(TlsChoice::StartTls), None) => Tls::Upgrade,
            (None, None) => implied(),
        }
    }
}
