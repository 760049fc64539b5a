//! Selects the check from the requested kind, the expectation, the service and the options.

use super::field::Field;
use super::help::Help;
use super::options::{TlsChoice, TlsStart};
use super::reader::Reader;
use crate::choice::{CheckKind, CloseMode, Expect};
use crate::readiness::{
    CertificateTrust, DnsCheck, HttpCheck, Protocol, Readiness, ReadinessError, Script, Tls,
};
use crate::service::Service;
use crate::target::{Check, Host};

/// The requested check. An invalid field is `None` and already has a diagnostic.
pub(super) struct RequestedCheck {
    pub(super) kind: Option<CheckKind>,
    pub(super) expect: Option<Expect>,
    pub(super) close: Option<CloseMode>,
    pub(super) service: Option<Service>,
    pub(super) port: Option<u32>,
    pub(super) options: Options,
}

/// The options of the exchange. An invalid option is `None` and already has a diagnostic.
pub(super) struct Options {
    pub(super) tls: Option<TlsChoice>,
    pub(super) insecure: Option<bool>,
    pub(super) warn_days: Option<u32>,
    pub(super) ehlo: Option<Host>,
    pub(super) http: Option<HttpCheck>,
    pub(super) dns: Option<DnsCheck>,
    pub(super) script: Option<Script>,
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
        if kind == CheckKind::Ping {
            return Some(Check::Ping);
        }
        let diagnostics = self.diagnostics.len();
        let asked = self.wrote(Field::Check);
        let scripted = self.layers.value(Field::Script).is_some();
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
            self.diagnostic(Field::Check, what, "write `check: connect`, or remove `check`");
        }
        if service.is_none() && self.wrote(Field::Service) {
            // The unknown service already has a diagnostic, and the options cannot be validated without the service.
            return None;
        }
        if kind == CheckKind::Ready && expect == Expect::Open && service.is_none() && !scripted {
            self.diagnostic(Field::Check, "`ready` requires a service", "add `service`");
        }
        let readiness = self.readiness(asks, service, port, options);
        if asks && close == CloseMode::Quiet {
            let what = "`quiet` closes the connection before the service sees it, so it cannot be combined with `check: ready`";
            self.diagnostic(Field::Close, what, "add `check: connect`, or remove `close`");
        }
        if self.diagnostics.len() > diagnostics {
            return None;
        }
        if self.gets_banned(readiness.as_ref(), expect, close, service, port) {
            let help = match expect {
                Expect::Open => Help::AddMysql { only_connects: !asks },
                Expect::Reachable | Expect::Closed => Help::from("add `close: quiet`"),
            };
            self.diagnostic(if asked { Field::Check } else { Field::Port }, BLOCKED, help);
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
        if self.wrote(Field::Service) {
            let what = "replaces the exchange of a service, so it cannot be combined with `service`";
            self.diagnostic(
                Field::Script,
                what,
                "write `port` instead of `service`, or remove `script`",
            );
        } else if !asks {
            let what = "requires `check: ready` and `expect: open`";
            self.diagnostic(
                Field::Script,
                what,
                "remove `check` and `expect`, or remove `script`",
            );
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
        let is_websocket = service == Some(Service::Websocket);
        let is_http = is_websocket || matches!(service, Some(Service::Http | Service::Https));
        let is_dns = service == Some(Service::Dns);
        let is_smtp = service.is_some_and(|service| Protocol::of(service).presents_client());
        for (option, fits, services) in [
            (Field::Ehlo, is_smtp, "`service: smtp`, `submission` or `smtps`"),
            (Field::Http, is_http, "`service: http`, `https` or `websocket`"),
            (Field::Dns, is_dns, "`service: dns`"),
        ] {
            if self.wrote_here(option) && !fits {
                let what = format!("requires {services}");
                self.diagnostic(
                    option,
                    what,
                    format!("write {services}, or remove `{}`", option.name()),
                );
            } else if self.wrote_here(option) && !asks {
                let help = format!("remove `check` and `expect`, or remove `{}`", option.name());
                self.diagnostic(option, NO_EFFECT, help);
            }
        }
        if let (true, true, Some(http)) = (is_websocket, self.wrote_here(Field::Http), &options.http)
            && HttpCheck::default().at(http.path()).as_ref() != Ok(http)
        {
            let what = "of `http`, only `path` applies to `service: websocket`";
            self.diagnostic(Field::Http, what, "remove the other fields of `http`");
        }
        if !asks {
            for option in [Field::Tls, Field::Insecure, Field::WarnDays] {
                if self.wrote_here(option) && service.is_none() {
                    self.diagnostic(option, NO_EFFECT, Help::AddTlsService);
                } else if self.wrote_here(option) {
                    let help = format!("remove `check` and `expect`, or remove `{}`", option.name());
                    self.diagnostic(option, NO_EFFECT, help);
                }
            }
            return None;
        }
        let protocol = match (service.map(Protocol::of), options.script) {
            (_, Some(script)) => Protocol::Script(script),
            (Some(Protocol::Http(default)), None) => Protocol::Http(options.http.unwrap_or(default)),
            (Some(Protocol::WebSocket(default)), None) => {
                Protocol::WebSocket(options.http.map_or(default, |http| http.path().to_owned()))
            }
            (Some(Protocol::Dns(default)), None) => Protocol::Dns(options.dns.unwrap_or(default)),
            (Some(default), None) => default,
            // The invalid script already has a diagnostic.
            (None, None) => return None,
        };
        let (start, name, certificate) = match options.tls {
            Some(TlsChoice {
                start,
                name,
                certificate,
            }) => (Some(start), name, certificate),
            None => (None, None, None),
        };
        let tls = self.tls(start, &protocol, service, port);
        for option in [Field::Insecure, Field::WarnDays] {
            if self.wrote_here(option) && tls == Tls::Off {
                self.diagnostic(option, "requires TLS", Help::AddTls(option.name()));
            }
        }
        let trust = match options.insecure {
            Some(true) => CertificateTrust::Ignored,
            Some(false) | None => CertificateTrust::Verified,
        };
        if self.wrote_here(Field::WarnDays) && trust == CertificateTrust::Ignored && tls != Tls::Off {
            let what = "has no effect with `insecure: true`, which ignores the certificate";
            self.diagnostic(Field::WarnDays, what, Help::RemoveWarnDaysOrInsecure);
        }
        let warn_days = options.warn_days.and_then(|days| u16::try_from(days).ok());
        let warn_days = warn_days.unwrap_or(Readiness::WARN_DAYS);
        match Readiness::new(protocol, tls, warn_days) {
            Ok(readiness)
                if trust == CertificateTrust::Ignored && !readiness.request_secrets().is_empty() =>
            {
                let what = "anyone between the checker and the server could read the secrets of the request";
                self.diagnostic(
                    Field::Insecure,
                    what,
                    "remove `insecure`, or the secrets in `http`",
                );
                None
            }
            Ok(readiness) => Some(
                readiness
                    .with_tls_name(name)
                    .with_client_certificate(certificate)
                    .with_trust(trust)
                    .with_client_name(options.ehlo),
            ),
            Err(errors) => {
                for error in errors {
                    self.diagnostic(Field::Check, error.to_string(), "change one of the options");
                }
                None
            }
        }
    }

    /// When TLS begins: as written if supported, otherwise as the service and the port imply.
    fn tls(
        &mut self,
        choice: Option<TlsStart>,
        protocol: &Protocol,
        service: Option<Service>,
        port: Option<u32>,
    ) -> Tls {
        let over_udp = protocol.is_over_udp();
        let wrapped = service.filter(|service| service.begins_with_tls());
        let refusal = match choice {
            Some(TlsStart::StartTls | TlsStart::On) if over_udp => Some((
                "DNS over UDP has no TLS".to_owned(),
                Help::from("write `transport: tcp`"),
            )),
            Some(TlsStart::StartTls | TlsStart::Off) if let Some(service) = wrapped => Some((
                format!("`service: {service}` begins with TLS"),
                Help::from("remove `tls`, or use the service without TLS"),
            )),
            Some(TlsStart::StartTls) if !protocol.can_upgrade() => {
                Some((ReadinessError::NoUpgrade.to_string(), Help::UseTls))
            }
            Some(TlsStart::On | TlsStart::Off | TlsStart::StartTls) | None => None,
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
                if self.wrote_here(Field::Tls) {
                    self.diagnostic(Field::Tls, what, help);
                }
                implied()
            }
            (Some(TlsStart::On), None) => Tls::Implicit,
            (Some(TlsStart::Off), None) => Tls::Off,
            (Some(TlsStart::StartTls), None) => Tls::Upgrade,
            (None, None) => implied(),
        }
    }
}
