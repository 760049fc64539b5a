//! Validates one raw definition: returns a monitor, or a diagnostic for each mistake.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::Value;

use super::check::RequestedCheck;
use super::context::{NetworkAccess, Source};
use super::diagnostic::{Diagnostic, FieldPath, InvalidValue};
use super::fields::RawMonitor;
use super::monitor::{AlertPolicy, LocationSelector, Monitor, Quorum, Rule};
use super::reader::Reader;
use super::values::{self, number};
use crate::address::is_public;
use crate::choice::{CheckKind, CloseMode, Expect, IpFamily, Severity};
use crate::id::{Location, MonitorId};
use crate::preset::{self, Fields};
use crate::service::Service;
use crate::target::{Host, Target};
use crate::time::{Interval, format_duration, parse_duration};

/// The maximum size of a monitor's own fields and the file's defaults together, in bytes of JSON without spaces. The
/// size of an item is limited, and the item also holds maintenance windows and parent groups.
pub const MAX_DEFINITION_BYTES: usize = 128 * 1024;

/// One unvalidated definition with its context.
pub(super) struct Draft<'a> {
    pub(super) id: &'a str,
    pub(super) at: FieldPath,
    pub(super) own: &'a Value,
    /// The file's `defaults:`.
    pub(super) defaults: &'a Fields,
    pub(super) source: Source,
    pub(super) network_access: NetworkAccess,
}

impl Draft<'_> {
    /// Applies all rules.
    ///
    /// Precedence of a field, highest first: the monitor, the file's defaults, the tier, the service, the built-in
    /// default.
    pub(super) fn validate(self) -> Result<Monitor, Vec<Diagnostic>> {
        let Value::Object(own) = self.own else {
            let help = "write it as `id: { host: …, port: … }`";
            return Err(vec![Diagnostic::new(self.at, "is not a map of fields", help)]);
        };
        if self.source == Source::File {
            let bytes = [own, self.defaults].map(json_bytes).iter().sum::<usize>();
            if bytes > MAX_DEFINITION_BYTES {
                let help = format!("use at most {MAX_DEFINITION_BYTES}, including the defaults");
                return Err(vec![Diagnostic::new(self.at, format!("has {bytes} bytes"), help)]);
            }
        }
        let mut reader = Reader {
            at: self.at.clone(),
            own,
            defaults: self.defaults,
            source: self.source,
            diagnostics: Vec::new(),
        };
        reader.empty_fields();
        let (service, tier) = reader.chosen_presets();
        let mut merged = preset::default().clone();
        let layers = [
            service.map(preset::service),
            tier.map(preset::tier),
            Some(self.defaults),
            Some(own),
        ];
        for (name, value) in layers.into_iter().flatten().flatten() {
            if !value.is_null() {
                merged.insert(name.clone(), value.clone());
            }
        }
        match serde_json::from_value(Value::Object(merged)) {
            Ok(raw) => self.monitor(raw, service, reader),
            Err(error) => {
                let help = "fix the named field";
                Err(vec![Diagnostic::new(
                    self.at,
                    format!("cannot be read: {error}"),
                    help,
                )])
            }
        }
    }

    fn monitor(
        self,
        raw: RawMonitor,
        service: Option<Service>,
        mut reader: Reader<'_>,
    ) -> Result<Monitor, Vec<Diagnostic>> {
        let r = &mut reader;
        r.unknown_fields(self.source);
        let id = r.id(self.id);
        let host = r.required(
            "host",
            raw.host,
            "write the DNS name or address to watch",
            |text: String| text.parse::<Host>().map_err(Into::into),
        );
        let port = if service.is_none() && r.wrote("service") {
            // The unknown service, which may set the port, already has a diagnostic.
            r.optional("port", raw.port, number(1..=65_535))
        } else {
            let help = "write a port, or a `service` that has one";
            r.required("port", raw.port, help, number(1..=65_535))
        };
        let interval = r.choice::<Interval>("interval", raw.interval);
        let timeout = r.optional("timeout", raw.timeout, |text: String| Ok(parse_duration(&text)?));
        let slow_after = r.optional("slow_after", raw.slow_after, values::slow_after);
        let expect = r.choice::<Expect>("expect", raw.expect);
        let check = r.optional::<_, CheckKind>("check", raw.check, values::choice_or_ping_hint);
        let close = r.choice::<CloseMode>("close", raw.close);
        let options = r.options(raw.tls, raw.warn_days, raw.http, raw.dns, raw.script);
        let ip = r.choice::<IpFamily>("ip", raw.ip);
        let severity = r.choice::<Severity>("severity", raw.severity);
        let failures_to_open = r.optional("failures_to_open", raw.failures_to_open, number(1..=10));
        let successes_to_close = r.optional("successes_to_close", raw.successes_to_close, number(1..=10));
        let quorum = r.optional("quorum", raw.quorum, number(1..=100));
        let locations = r.list("locations", raw.locations, str::parse::<Location>);
        let locations = locations.map(BTreeSet::from_iter);
        let tags = r.list("tags", raw.tags, values::tag);
        let runbook = r.optional("runbook", raw.runbook, values::runbook);
        let depends_on = r.list("depends_on", raw.depends_on, str::parse::<MonitorId>);
        let groups = r.parent_groups(raw.depends_on_groups);
        let enabled = r.optional("enabled", raw.enabled, Ok::<bool, InvalidValue>);
        let remind_every = r.optional("remind_every", raw.remind_every, values::reminder);
        let escalate_after = r.optional("escalate_after", raw.escalate_after, values::escalation);
        let flapping_after = r.optional("flapping_after", raw.flapping_after, number(0..=20));
        let maintenance = r.windows(raw.maintenance);

        r.timeout_fits(timeout, slow_after, interval);
        r.locations_fit(quorum, locations.as_ref());
        r.family_fits(host.as_ref(), ip);
        if self.network_access == NetworkAccess::PlainLambda {
            r.reachable_from_lambda(host.as_ref(), port, ip);
        }
        let requested_check = RequestedCheck {
            kind: check,
            expect,
            close,
            service,
            port,
            options,
        };
        let check = r.check(requested_check);
        if let (Some(id), Some(parents)) = (&id, &depends_on)
            && let Some(index) = parents.iter().position(|parent| parent == id)
        {
            r.diagnostic_at_index(
                "depends_on",
                index,
                "a monitor cannot depend on itself",
                "remove this entry",
            );
        }
        if !reader.diagnostics.is_empty() {
            return Err(reader.diagnostics);
        }
        let mut groups = groups;
        let made = (|| {
            let rule = Rule {
                interval: interval?,
                expect: expect?,
                slow_after,
                failures_to_open: failures_to_open?,
                successes_to_close: successes_to_close?,
                quorum: quorum.map_or(Quorum::Majority, Quorum::AtLeast),
                locations: locations.map_or(LocationSelector::Everywhere, LocationSelector::Only),
            };
            let parents = depends_on.unwrap_or_default().into_iter();
            let alert_policy = AlertPolicy {
                severity: severity?,
                tags: tags.unwrap_or_default(),
                runbook,
                depends_on: parents
                    .map(|id| {
                        let group = groups.remove(&id);
                        (id, group)
                    })
                    .collect(),
                remind_every,
                escalate_after,
                flapping_after: flapping_after.and_then(NonZeroU32::new),
                maintenance,
            };
            let port = u16::try_from(port?).ok()?;
            let target = Target {
                host: host?,
                port,
                ip: ip?,
                timeout: timeout?,
                check: check?,
            };
            Some(Monitor {
                id: id?,
                service,
                enabled: enabled.unwrap_or(true),
                target,
                rule,
                alert_policy,
            })
        })();
        // Each missing value above already has a diagnostic, or a preset provides it.
        made.ok_or_else(|| {
            vec![Diagnostic::new(
                self.at,
                "a required field has no value and no preset",
                "set every field",
            )]
        })
    }
}

/// The size of fields in bytes of JSON, without the outer braces.
fn json_bytes(fields: &Fields) -> usize {
    serde_json::to_string(fields).map_or(0, |json| json.len() - "{}".len())
}

impl Reader<'_> {
    fn timeout_fits(
        &mut self,
        timeout: Option<Duration>,
        slow_after: Option<Duration>,
        interval: Option<Interval>,
    ) {
        let Some(timeout) = timeout else { return };
        if let Some(interval) = interval.filter(|interval| timeout >= interval.length()) {
            let what = format!(
                "{} is not below the interval of {interval}",
                format_duration(timeout)
            );
            self.diagnostic("timeout", what, "write a duration from 100ms to 30s");
        } else if !(values::MIN_TIMEOUT..=values::MAX_TIMEOUT).contains(&timeout) {
            let what = format!("{} is out of range", format_duration(timeout));
            self.diagnostic("timeout", what, "write a duration from 100ms to 30s");
        }
        if let Some(slow) = slow_after.filter(|slow| *slow >= timeout) {
            let what = format!(
                "{} is not below the timeout of {}",
                format_duration(slow),
                format_duration(timeout)
            );
            self.diagnostic(
                "slow_after",
                what,
                "reduce `slow_after`: a check this slow times out",
            );
        }
    }

    fn locations_fit(&mut self, quorum: Option<u32>, locations: Option<&BTreeSet<Location>>) {
        let Some(locations) = locations else { return };
        if locations.is_empty() {
            let help = "add a location, or remove the field";
            self.diagnostic("locations", "is empty, so no location checks the monitor", help);
        } else if let Some(quorum) = quorum
            && usize::try_from(quorum).is_ok_and(|quorum| quorum > locations.len())
        {
            let what = format!(
                "{quorum} is more than the {} locations that check the monitor",
                locations.len()
            );
            self.diagnostic("quorum", what, "reduce the quorum, or add locations");
        }
    }

    fn family_fits(&mut self, host: Option<&Host>, ip: Option<IpFamily>) {
        let wrong = match (host, ip) {
            (Some(Host::Address(IpAddr::V4(_))), Some(IpFamily::V6)) => "an IPv4 address",
            (Some(Host::Address(IpAddr::V6(_))), Some(IpFamily::V4)) => "an IPv6 address",
            _ => return,
        };
        self.diagnostic(
            "ip",
            format!("excludes the host, which is {wrong}"),
            "remove `ip`",
        );
    }

    fn reachable_from_lambda(&mut self, host: Option<&Host>, port: Option<u32>, ip: Option<IpFamily>) {
        const VPC: &str = "check the host from locations with a VPC";
        if port == Some(25) {
            let what = "AWS blocks port 25 for a Lambda function outside a VPC";
            self.diagnostic("port", what, format!("use port 587 or 465, or {VPC}"));
        }
        let unreachable = "which a Lambda function outside a VPC cannot reach";
        match host {
            Some(Host::Address(IpAddr::V6(_))) => {
                let what = format!("is an IPv6 address, {unreachable}");
                self.diagnostic("host", what, format!("use IPv4, or {VPC}"));
            }
            Some(Host::Address(IpAddr::V4(address))) if !is_public(*address) => {
                self.diagnostic("host", format!("is not a public address, {unreachable}"), VPC);
            }
            Some(Host::Name(name)) if name == "localhost" || name.ends_with(".localhost") => {
                self.diagnostic("host", "is the Lambda function itself", "use another host");
            }
            Some(Host::Name(_)) if ip == Some(IpFamily::V6) => {
                let what = format!("v6 requires IPv6, {unreachable}");
                self.diagnostic("ip", what, format!("use v4, or {VPC}"));
            }
            Some(Host::Name(_) | Host::Address(IpAddr::V4(_))) | None => {}
        }
    }
}
