//! Which check is made: the one asked for, as far as the expectation, the service and the options allow it.

use super::options::{Options, TlsChoice};
use super::reader::Reader;
use crate::choice::{CheckKind, CloseMode, Expect};
use crate::readiness::{Protocol, Readiness, Tls, begins_with_tls};
use crate::target::{Check, Service};

/// What was asked for; what could not be read is absent, and told already.
pub(super) struct RequestedCheck {
    pub(super) kind: Option<CheckKind>,
    pub(super) expect: Option<Expect>,
    pub(super) close: Option<CloseMode>,
    pub(super) service: Option<Service>,
    pub(super) port: Option<u32>,
    pub(super) options: Options,
}

/// Why MySQL's port is not merely knocked at.
const BANNED: &str = "MySQL and MariaDB ban a client that only connects and hangs up";

impl Reader<'_> {
    /// Every fault of what was asked for, or the check.
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
        let scripted = options.script.is_given;
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
            let what = format!("`ready` does not go with `expect: {expect}`");
            self.diagnostic("check", what, "write `check: connect`, or leave it out");
        }
        if service.is_none() && self.wrote("service") {
            // A service that is not known has been told already, and nothing more can be said of the options.
            return None;
        }
        if kind == CheckKind::Ready && expect == Expect::Open && service.is_none() && !scripted {
            self.diagnostic("check", "`ready` needs to know the service", "add `service`");
        }
        let readiness = self.readiness(asks, service, port, options);
        if asks && close == CloseMode::Quiet {
            let what = "`quiet` hangs up before the service sees it, so `check: ready` cannot ask it";
            self.diagnostic("close", what, "add `check: connect`, or leave `close` out");
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
            self.diagnostic(if asked { "check" } else { "port" }, BANNED, help);
            return None;
        }
        // A service brings `ready` along; what is not expected open has nobody to talk to.
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
            // These do not end with a login that is refused.
            Some(Protocol::Script(_) | Protocol::TlsAlone) => mysql,
            Some(_) => false,
        }
    }

    fn script_fits(&mut self, asks: bool) {
        if self.wrote("service") {
            let what = "takes the place of a service's own exchange, so that both cannot be";
            self.diagnostic(
                "script",
                what,
                "write a `port` instead of `service`, or leave `script` out",
            );
        } else if !asks {
            let what = "is played by `check: ready` alone, to a port that is expected open";
            self.diagnostic(
                "script",
                what,
                "leave `check` and `expect` out, or leave `script` out",
            );
        }
    }

    /// The question to ask, if one is asked; an option that this monitor was given and does not need is a fault.
    ///
    /// An option in `defaults:` holds for those monitors that it fits.
    fn readiness(
        &mut self,
        asks: bool,
        service: Option<Service>,
        port: Option<u32>,
        options: Options,
    ) -> Option<Readiness> {
        const ASKS_NOTHING: &str = "asks nothing: this check only connects";
        let is_http = matches!(service, Some(Service::Http | Service::Https));
        let is_dns = service == Some(Service::Dns);
        for (option, fits, services) in [
            ("http", is_http, "`service: http` or `https`"),
            ("dns", is_dns, "`service: dns`"),
        ] {
            if self.wrote_here(option) && !fits {
                let what = format!("goes with {services} alone");
                self.diagnostic(option, what, format!("write that, or leave `{option}` out"));
            } else if self.wrote_here(option) && !asks {
                let help = format!("leave `check` and `expect` out, or leave `{option}` out");
                self.diagnostic(option, ASKS_NOTHING, help);
            }
        }
        if !asks {
            for option in ["tls", "warn_days"] {
                if self.wrote_here(option) && service.is_none() {
                    let help = "add `service: tls` for the handshake alone, or the service that speaks there";
                    self.diagnostic(option, "says nothing of a port that is only connected to", help);
                } else if self.wrote_here(option) {
                    let help = format!("leave `check` and `expect` out, or leave `{option}` out");
                    self.diagnostic(option, ASKS_NOTHING, help);
                }
            }
            return None;
        }
        let protocol = match (service.map(Protocol::of), options.script.read) {
            (_, Some(script)) => Protocol::Script(script),
            (Some(Protocol::Http(usual)), None) => Protocol::Http(options.http.unwrap_or(usual)),
            (Some(Protocol::Dns(usual)), None) => Protocol::Dns(options.dns.unwrap_or(usual)),
            (Some(usual), None) => usual,
            // A script that could not be read has been told.
            (None, None) => return None,
        };
        let tls = self.tls(options.tls, &protocol, service, port);
        if self.wrote_here("warn_days") && tls == Tls::Off {
            let help = "add `tls: true`, or leave `warn_days` out";
            self.diagnostic("warn_days", "speaks of a certificate, and there is no TLS", help);
        }
        let warn_days = options.warn_days.unwrap_or(Readiness::WARN_DAYS);
        match Readiness::new(protocol, tls, warn_days) {
            Ok(readiness) => Some(readiness),
            Err(errors) => {
                for error in errors {
                    self.diagnostic("check", error.to_string(), "change what does not go together");
                }
                None
            }
        }
    }

    /// When TLS begins: as written where that fits, else as service and port imply.
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
            Some(TlsChoice::Within | TlsChoice::On) if over_udp => {
                Some(("DNS over UDP has no TLS".to_owned(), "write `transport: tcp`"))
            }
            Some(TlsChoice::Within | TlsChoice::Off) if let Some(service) = wrapped => Some((
                format!("`service: {service}` begins with TLS"),
                "leave `tls` out, or name the plain service",
            )),
            Some(TlsChoice::Within) if !protocol.can_upgrade() => Some((
                "this protocol has no STARTTLS: PostgreSQL, MySQL, MariaDB, SMTP, IMAP and POP3 have"
                    .to_owned(),
                "write `tls: true`, or leave it out",
            )),
            Some(TlsChoice::On | TlsChoice::Off | TlsChoice::Within) | None => None,
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
            (Some(TlsChoice::Within), None) => Tls::Upgrade,
            (None, None) => implied(),
        }
    }
}
